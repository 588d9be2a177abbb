"""How far a server's log is witnessed, as a program reads it; in words says ``sft.client.witnessed``."""

from __future__ import annotations

from typing import TypedDict

from sft.client.profiles import Profile
from sft.client.state import StateFolder
from sft.client.witnessed import LogStanding, log_standing, overdue_text
from sft.model.text import utc_time


class LogJson(TypedDict):
    """A server's log, as this computer has seen it."""

    size: int
    quorum: bool
    witnessed_size: int | None
    witnessed_at: str | None
    lacking: list[str]
    overdue: bool


def log_json(standing: LogStanding) -> LogJson:
    return LogJson(
        size=standing.size,
        quorum=standing.has_quorum,
        witnessed_size=standing.witnessed_size,
        witnessed_at=None if standing.witnessed_at is None else utc_time(standing.witnessed_at),
        lacking=standing.lacking_names,
        overdue=standing.overdue,
    )


def warning_of(profile: Profile, standing: LogStanding | None) -> str:
    """Say what is overdue, and whom to ask; empty where nothing is."""
    overdue = overdue_text(profile.name, standing)
    return f"{overdue} Ask the operator (sftd log witnesses)." if overdue else ""


def standing_of(state: StateFolder, profile: Profile, *, now: float) -> LogStanding | None:
    return log_standing(state, profile.server_id, now=now)
