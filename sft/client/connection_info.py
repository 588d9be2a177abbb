"""How the account in use stands to its server, and what is emitted when that changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sft.client.witnessed import LogStanding
from sft.errors import KeyEndedError, LockedOutError, RemovedError, SessionEndedError, SftError
from sft.model.access import OPERATOR, Role


class Status(StrEnum):
    """How the account in use stands to its server."""

    NONE = "none"  # no account is in use
    CONNECTING = "connecting"
    LOCKED = "locked"  # the key needs its passphrase
    ONLINE = "online"
    AWAY = "away"  # lost or not reached; tried again by itself
    REFUSED = "refused"  # the server does not let this key in
    STOPPED = "stopped"  # the server shows another key than the pinned one, or a log that contradicts what it proved


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """The account in use, and how it stands.

    Args:
        account: the name of its profile.
        server: the server's own name.
        since: when this status began, Unix seconds.
        again_at: when it is tried again.
        silent_since: since when the server has not answered; the connection stands.
        error: why it is not online.
        standing: how far the server's log is witnessed, as the last login found it; None where that is not known.
        policy_error: why that cannot be said: the policy of this computer was damaged.
    """

    status: Status = Status.NONE
    account: str = ""
    server: str = ""
    address: str = ""
    user: str = ""
    user_id: int = 0
    role: Role | None = None
    since: float = 0.0
    again_at: float | None = None
    silent_since: float | None = None
    error: SftError | None = None
    standing: LogStanding | None = None
    policy_error: SftError | None = None

    @property
    def online(self) -> bool:
        """Whether requests can be sent."""
        return self.status is Status.ONLINE


KEY_FOLLOWED = "key-followed"
"""The kind of a notice that the client makes: the server's key was followed by the one of these ``words``, now pinned."""

KEY_ADDED = "key-added"
"""Likewise: another key of ours vouched for one of these ``words``, which this computer had not seen."""


@dataclass(frozen=True, slots=True)
class ServerNotice:
    """What the server said unasked, or was found at login: its kind, and what it is about."""

    kind: str
    values: dict[str, str | int]


Event = ConnectionInfo | ServerNotice
EventListener = Callable[[Event], None]


def farewell_of(values: Mapping[str, str | int], server: str) -> SftError:
    """Return why the server ends the session."""
    by = str(values.get("by", ""))
    by = "The operator" if by in {OPERATOR, ""} else by
    why = values.get("why")
    if why == "removed":
        return RemovedError(by=by, server=server)
    if why == "key":
        return KeyEndedError(by=by, server=server)
    return LockedOutError(by=by, server=server) if why == "disabled" else SessionEndedError(by=by)
