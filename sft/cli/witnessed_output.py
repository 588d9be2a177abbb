"""How far a server's log is witnessed, as a person reads it and as a program does."""

from __future__ import annotations

from typing import TypedDict

from sft.client.profiles import Profile
from sft.client.state import StateFolder
from sft.client.witnessed import LogStanding, log_standing
from sft.model.names import safe
from sft.model.text import count_text, local_time, utc_time


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
        lacking=[_shown(name) for name in standing.lacking],
        overdue=standing.overdue,
    )


def log_text(standing: LogStanding | None, *, now: float) -> str:
    """Say how far a log was seen, and how far it is witnessed where anybody is asked for that."""
    if standing is None:
        return "not seen yet"
    seen = f"{count_text(standing.size)} leaves"
    if not standing.has_quorum:
        return seen
    if standing.witnessed_size is None or standing.witnessed_at is None:
        lacking = ", ".join(map(_shown, standing.lacking))
        return f"{seen}, not yet witnessed: {lacking} did not cosign"
    newer = standing.size - standing.witnessed_size
    rest = f", {count_text(newer)} not yet" if newer > 0 else ""
    when = local_time(standing.witnessed_at, now=now)
    return f"{seen}, witnessed up to {count_text(standing.witnessed_size)} on {when}{rest}"


def overdue_text(profile: Profile, standing: LogStanding | None) -> str:
    """Say that a quorum is missing for longer than a day; empty where it is not."""
    if standing is None or not standing.overdue:
        return ""
    return (
        f"No quorum of your witnesses has cosigned the log of {safe(profile.name)} for more than a day. "
        "Ask the operator (twistd sft log witnesses); everything else goes on."
    )


def standing_of(state: StateFolder, profile: Profile, *, now: float) -> LogStanding | None:
    return log_standing(state, profile.server_id, now=now)


def _shown(name: str) -> str:
    """Show a name of a policy, whose octets may be no text."""
    return safe(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
