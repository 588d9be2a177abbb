"""The live sessions: who is connected, and who must hear at once of changed rights, of who joined, or of a quota.

Rules. Only the reactor's thread comes here. ``changes`` counts every change of a user's rights, so that whoever read them on
another thread meanwhile can tell that the answer is old.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from sft.model.access import Role
from sft.model.events import (
    DomainEvent,
    KeyReset,
    KeyRevoked,
    KeyRotated,
    RoleChanged,
    UserDisabled,
    UserEnabled,
    UserJoined,
    UserRemoved,
)
from sft.model.quota_events import QuotaNear
from sft.model.records import SessionInfo, UserState


class LiveSession(Protocol):
    """What the registry needs of a session."""

    @property
    def session_id(self) -> int: ...

    @property
    def user_id(self) -> int | None:
        """Give whose session it is; None for the operator."""

    @property
    def key_id(self) -> int | None:
        """Give the key that logged in; None for the operator."""

    @property
    def moved_bytes(self) -> tuple[int, int]:
        """Give what the network carried for it: received, and sent."""

    def describe(self) -> SessionInfo:
        """Say who it is and what it does."""

    def role_changed(self, role: Role, by: str) -> None:
        """Go on in another role: what is no longer allowed ends at once."""

    def locked_out(self, state: UserState, by: str) -> None:
        """End the session, for its user may not be here any more."""

    def key_ended(self, by: str) -> None:
        """End the session, for its key lets nobody in any more."""

    def user_joined(self, event: UserJoined) -> None:
        """Tell that somebody joined, if that is for its user to know."""

    def quota_near(self, event: QuotaNear) -> None:
        """Tell that little of a quota is left, if that is for its user to know."""

    def kick(self, by: str) -> None:
        """End the session, and say who did."""

    def has_work(self) -> bool:
        """Say whether anything is in flight."""

    def stop(self) -> None:
        """End the session because the server stops."""


class Sessions:
    """All live sessions of a server."""

    def __init__(self) -> None:
        self._next = 1
        self._live: dict[int, LiveSession] = {}
        self._changes: Counter[int] = Counter()

    def number(self) -> int:
        number, self._next = self._next, self._next + 1
        return number

    def add(self, session: LiveSession) -> None:
        """Count a session that has logged in."""
        self._live[session.session_id] = session

    def remove(self, session: LiveSession) -> None:
        self._live.pop(session.session_id, None)

    def changes(self, user_id: int | None) -> int:
        """Count how often a user's rights changed since the start."""
        return self._changes[user_id] if user_id is not None else 0

    @property
    def changes_of_all(self) -> int:
        """Count the changes of all users' rights since the start."""
        return self._changes.total()

    def tell(self, events: Sequence[DomainEvent]) -> None:
        """Notify every session of a user, at once, that the user's rights are others now; and whom else an event is for."""
        for event in events:
            if isinstance(event, RoleChanged | UserDisabled | UserEnabled | UserRemoved):
                self._rights_changed(event)
            elif isinstance(event, KeyRotated | KeyRevoked | KeyReset):
                self._keys_ended(event)
            elif isinstance(event, UserJoined):
                for session in self.all():
                    session.user_joined(event)
            elif isinstance(event, QuotaNear):
                for session in self.all():
                    session.quota_near(event)

    def _keys_ended(self, event: KeyRotated | KeyRevoked | KeyReset) -> None:
        """End what runs under an ended key; whoever ended their own has had the answer."""
        self._changes[event.user_id] += 1
        for session in [each for each in self._live.values() if each.key_id in event.ended_key_ids]:
            session.key_ended(event.by.name)

    def _rights_changed(self, event: RoleChanged | UserDisabled | UserEnabled | UserRemoved) -> None:
        self._changes[event.user_id] += 1
        for session in [each for each in self._live.values() if each.user_id == event.user_id]:
            match event:
                case RoleChanged():
                    session.role_changed(event.role, event.by.name)
                case UserDisabled():
                    session.locked_out(UserState.DISABLED, event.by.name)
                case UserRemoved():
                    session.locked_out(UserState.REMOVED, event.by.name)

    def find(self, session_id: int) -> LiveSession | None:
        return self._live.get(session_id)

    def kick(self, session_id: int, by: str) -> bool:
        """End a session; False if there is none of that number."""
        session = self.find(session_id)
        if session is not None:
            session.kick(by)
        return session is not None

    def describe(self) -> list[SessionInfo]:
        """List the sessions, oldest first."""
        return [session.describe() for session in self._live.values()]

    def all(self) -> list[LiveSession]:
        return list(self._live.values())
