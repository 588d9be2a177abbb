"""What each person holds of the server, over all sessions, and what all of them hold: counted here and nowhere else.

Rules. A session belongs to the share of its person from its login to its end; the operator's sessions share one that has no
bound of sessions. Who is over a bound of their own is refused or not read, and nobody else feels it; over a bound of all the
session that came last waits, and of unsent bytes the fullest session ends. Only the reactor's thread comes here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore

from sft.errors import ServerBusyError, TooLargeError, TooManySessionsError
from sft.limits import (
    ACTS_AT_ONCE,
    CONTROL_CONNECTIONS,
    OPEN_DOWNLOADS,
    OPEN_UPLOADS,
    OWN_DESCRIPTORS,
    PERSON_REQUEST_BYTES,
    READS_AT_ONCE,
    RECEIVE_CREDIT_CHUNKS,
    REQUEST_BYTES,
    SESSIONS_KEPT_FOR_ADMINS,
    SESSIONS_PER_PERSON,
    UNAUTHENTICATED,
    UNSENT_BYTES,
)
from sft.model.access import Caller, Role
from sft.server.room import Room
from sft.transport.credit import CreditPool

R = TypeVar("R")

LEAST_DESCRIPTORS: Final = 128  # below it a server serves nobody well, and still serves


@dataclass(frozen=True, slots=True)
class Places:
    """How many of each may be open, so that descriptors are left for logins and for the operator."""

    strangers: int
    uploads: int
    sessions: int

    @classmethod
    def of(cls, descriptors: int) -> Places:
        """Divide the files that the process may have open.

        An upload holds two where a full segment is made durable beside the next; a download one only while a batch is read.
        """
        shared = max(descriptors, LEAST_DESCRIPTORS) - OWN_DESCRIPTORS - CONTROL_CONNECTIONS
        strangers = min(UNAUTHENTICATED, shared // 4)
        uploads = max(8, (shared - strangers) // 5)
        return cls(strangers, uploads, shared - strangers - 2 * uploads)


class Held(Protocol):
    """What the shares need of a session's connection."""

    def pause_reading(self, reason: str) -> None: ...

    def resume_reading(self, reason: str) -> None: ...


class Share:
    """What one person holds."""

    def __init__(self, all_shares: Shares, user_id: int | None) -> None:
        self._all = all_shares
        self.user_id = user_id
        self.sessions = 0
        self.uploads = 0
        self.downloads = 0
        self.receive_credit = CreditPool(parent=all_shares.receive_credit)
        self._reads = DeferredSemaphore(READS_AT_ONCE)
        self._acts = Room(ACTS_AT_ONCE)
        self._request_bytes = 0
        self._held: set[Held] = set()

    def read(self, query: Callable[..., Deferred[R]], *args: Any, **kwargs: Any) -> Deferred[R]:
        """Read when it is this person's turn: few at once, however many are asked for."""
        return self._reads.run(query, *args, **kwargs)

    async def act(self, count: int, act: Callable[..., Awaitable[R]], *args: Any) -> R:
        """Act when there is room for so many acts of this person's."""
        await self._acts.take(count)
        try:
            return await act(*args)
        finally:
            self._acts.give_back(count)

    def begin_upload(self) -> None:
        """Count an upload; TooLargeError if the person, or the server, has as many as there may be."""
        if self.uploads >= OPEN_UPLOADS:
            raise TooLargeError(what="The number of uploads at once", limit=OPEN_UPLOADS)
        if self._all.uploads >= self._all.places.uploads:
            raise TooLargeError(
                what="The number of uploads that the server takes at once", limit=self._all.places.uploads
            )
        self.uploads += 1
        self._all.uploads += 1

    def end_upload(self) -> None:
        self.uploads -= 1
        self._all.uploads -= 1
        self._all.forget_idle(self)

    def begin_download(self) -> None:
        """Count a download; TooLargeError if the person has as many as there may be."""
        if self.downloads >= OPEN_DOWNLOADS:
            raise TooLargeError(what="The number of downloads at once", limit=OPEN_DOWNLOADS)
        self.downloads += 1

    def end_download(self) -> None:
        self.downloads -= 1
        self._all.forget_idle(self)

    @property
    def over(self) -> bool:
        """Whether nothing is held any more, nor in work: until then whoever comes back finds it counted."""
        return not (self.sessions or self.uploads or self.downloads or self._request_bytes)

    def requested(self, held: Held, size_bytes: int) -> None:
        """Count a request that waits for its answer; whose person, or whose server, has enough of them is not read."""
        self._request_bytes += size_bytes
        self._all.request_bytes += size_bytes
        if self._request_bytes > PERSON_REQUEST_BYTES:
            self._held.add(held)
            held.pause_reading("person")
        if self._all.request_bytes > REQUEST_BYTES:
            self._all.held.add(held)
            held.pause_reading("server")

    def answered(self, size_bytes: int) -> None:
        self._request_bytes -= size_bytes
        self._all.request_bytes -= size_bytes
        if self._request_bytes <= PERSON_REQUEST_BYTES:
            _go_on(self._held, "person")
        if self._all.request_bytes <= REQUEST_BYTES:
            _go_on(self._all.held, "server")
        self._all.forget_idle(self)


class Shares:
    """What all of them hold.

    Args:
        places: what the descriptors of the process allow.
    """

    def __init__(self, places: Places | None = None) -> None:
        self.places = places or Places.of(65_536)
        self.uploads = 0
        self.request_bytes = 0
        self.held: set[Held] = set()
        self.receive_credit = CreditPool(RECEIVE_CREDIT_CHUNKS)
        self._sessions = 0
        self._people: dict[int | None, Share] = {}
        self._unsent: dict[Unsent, int] = {}
        self._unsent_bytes = 0

    def join(self, caller: Caller, server: str) -> Share:
        """Give a session that has proved who it is the share of its person.

        Raises:
            TooManySessionsError: the person has as many as one may have.
            ServerBusyError: the server has; some places are kept for admins.
        """
        share = self._people.get(caller.user_id) or Share(self, caller.user_id)
        if not caller.operator:
            if share.sessions >= SESSIONS_PER_PERSON:
                raise TooManySessionsError(server=server, limit=SESSIONS_PER_PERSON)
            kept = 0 if caller.role is Role.ADMIN else min(SESSIONS_KEPT_FOR_ADMINS, self.places.sessions // 4)
            if self._sessions >= self.places.sessions - kept:
                raise ServerBusyError(server=server)
            self._sessions += 1
        self._people[caller.user_id] = share
        share.sessions += 1
        return share

    def leave(self, share: Share) -> None:
        """Count a session no more."""
        if share.user_id is not None:
            self._sessions -= 1
        share.sessions -= 1
        self.forget_idle(share)

    def forget_idle(self, share: Share) -> None:
        """Forget a person who holds nothing any more."""
        if share.over:
            self._people.pop(share.user_id, None)

    def unsent(self, session: Unsent, unsent_bytes: int) -> None:
        """Note what a session's peer has not taken; beyond the bound of all the fullest session ends."""
        self._unsent_bytes += unsent_bytes - self._unsent.pop(session, 0)
        if unsent_bytes:
            self._unsent[session] = unsent_bytes
        if self._unsent_bytes > UNSENT_BYTES:
            fullest = max(self._unsent, key=lambda each: self._unsent[each])
            self.unsent(fullest, 0)
            fullest.too_full()


class Unsent(Protocol):
    """A session whose peer may not read."""

    def too_full(self) -> None:
        """End: its peer takes least of what it asked for."""


def _go_on(held: set[Held], reason: str) -> None:
    while held:
        held.pop().resume_reading(reason)
