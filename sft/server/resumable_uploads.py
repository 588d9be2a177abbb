"""Uploads that can be gone on with, as this process has them: with a connection, or parked for some minutes without one.

Rules. An upload is named by its person and the id that the client drew. Who asks for one gets it alone: a connection that still
has it loses it first. What is parked holds no descriptor and no promise; when its time is over, it is reduced to its finished
segments, and is as what a process left that died; who asks for one that is being reduced, or given up, waits. What one person's
kept uploads take is no more than what is free, but for the newest of them; where it is, or where a new one of theirs has no
room, their own oldest goes, and nobody else's. Only the reactor's thread comes here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred

from sft.limits import OPEN_UPLOADS, PARKED_SECONDS
from sft.model.access import operator_caller
from sft.model.quotas import Usage
from sft.server.event_log import EventLog
from sft.service.open_uploads import EndUpload, GiveUp, end_uploads, give_up_uploads
from sft.service.storage import FileStorage
from sft.service.upload import UnfinishedUpload, Upload
from sft.service.upload_life import Ending, UploadState
from sft.service.uploads import kept_of_user
from sft.transport.threads import Pool

_NOTHING: Final = Usage()

Name = tuple[int, bytes]
"""A person's id, and the id that their client has drawn."""


class Holder(Protocol):
    """Who has an upload: one flow of one connection."""

    @property
    def object_id(self) -> bytes | None:
        """Of the upload's object; None until that is known."""

    def hand_over(self) -> Deferred[None]:
        """Let it go for another connection; fires when it is parked, or gone."""


class _Reducing:
    """Has an upload while its files are reduced or removed."""

    def __init__(self, object_id: bytes) -> None:
        self.object_id = object_id
        self._waiting: list[Deferred[None]] = []

    def hand_over(self) -> Deferred[None]:
        over: Deferred[None] = Deferred()
        self._waiting.append(over)
        return over

    def over(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)


class ServerParts(Protocol):
    """What this needs of the server."""

    reactor: Any
    storage: FileStorage
    pool: Pool
    event_log: EventLog
    stopping: bool

    def act(self, act: Any, item: Any) -> Deferred[Any]:
        """Have the writer do one act."""

    def read(self, query: Any, *args: Any, **kwargs: Any) -> Deferred[Any]:
        """Run a query in one read transaction."""


class ResumableUploads:
    """Those of one server.

    Args:
        context: whose pool, writer, reactor and vault this works with.
    """

    def __init__(self, context: ServerParts) -> None:
        self._context = context
        self._held: dict[Name, Holder] = {}
        self._parked: dict[Name, tuple[Upload, Any]] = {}

    async def hold(self, name: Name, holder: Holder) -> None:
        """Give an upload to a connection; whoever else has it lets it go first."""
        await self.free(name)
        self._held[name] = holder

    def release(self, name: Name, holder: Holder) -> None:
        if self._held.get(name) is holder:
            del self._held[name]

    async def free(self, name: Name) -> None:
        """Have whoever has an upload let it go."""
        while (holder := self._held.get(name)) is not None:
            await holder.hand_over()
            self.release(name, holder)

    async def ended(self, name: Name, upload: Upload) -> None:
        """Park an upload that its connection let go of, if its state says so; the row of one of which nothing is left goes."""
        stopping = self._context.stopping
        if upload.state is UploadState.PARKED and stopping:
            await self._reduce(name, upload)
        elif upload.state is UploadState.PARKED:
            self._park(name, upload)
        elif upload.state is UploadState.GONE and upload.has_row:
            await self._context.act(end_uploads, EndUpload(upload.object_id))
        if upload.state is not UploadState.GONE and not stopping:
            await self.limit(await self._context.read(kept_of_user, operator_caller(), user_id=name[0]))

    def take(self, name: Name) -> Upload | None:
        """Give a parked upload to who goes on with it."""
        upload, timer = self._parked.pop(name, (None, None))
        if timer is not None and timer.active():
            timer.cancel()
        return upload

    def parked(self, name: Name) -> Upload | None:
        """Show one that is parked; it stays."""
        return self._parked.get(name, (None, None))[0]

    def _park(self, name: Name, upload: Upload) -> None:
        self._parked[name] = upload, self._context.reactor.callLater(PARKED_SECONDS, self._over, name)

    def _over(self, name: Name) -> None:
        upload = self.take(name)
        if upload is not None and name in self._held:
            self._park(name, upload)  # who has the name, and has not taken it, is about to give it up
        elif upload is not None:
            reduced = Deferred.fromCoroutine(self._reduce(name, upload))
            reduced.addErrback(self._context.event_log.failed, "upload-reduce")

    async def _reduce(self, name: Name, upload: Upload) -> None:
        """Leave of what is parked what its row names."""
        with self._alone(name, upload.object_id):
            await self._context.pool.run(upload.end, Ending.ENDED)
        await self.ended(name, upload)

    @contextmanager
    def _alone(self, name: Name, object_id: bytes) -> Iterator[None]:
        """Have who asks for an upload wait for this block, unless it is theirs already."""
        reducing = _Reducing(object_id)
        self._held.setdefault(name, reducing)
        try:
            yield
        finally:
            self.release(name, reducing)
            reducing.over()

    async def limit(
        self,
        kept: Sequence[UnfinishedUpload],
        *,
        most: int = OPEN_UPLOADS,
        wanted_bytes: int = 0,
        shortage: Usage = _NOTHING,
    ) -> None:
        """Give up a person's oldest kept uploads until the others are few and small enough.

        Args:
            kept: all of theirs, the first to expire first.
            most: that may stay.
            wanted_bytes: room that they want besides; where all of theirs together would not make it, it takes none of them.
            shortage: of a quota, likewise: what is reserved for them has to go.
        """
        left = self._held_by_nobody(kept)
        while left:
            free_bytes = await self._context.pool.run(self._context.storage.vault.free_bytes)
            left = self._held_by_nobody(left)
            kept_bytes = sum(each.stored_bytes for each in left)
            crowds = len(left) > 1 and kept_bytes > free_bytes
            reserved = sum((each.reserved for each in left), _NOTHING)
            makes_way = free_bytes < wanted_bytes <= free_bytes + kept_bytes or _makes_up(reserved, shortage)
            if len(left) <= most and not crowds and not makes_way:
                return
            oldest = left.pop(0)
            await self.give_up(oldest.object_id)
            shortage -= oldest.reserved

    def _held_by_nobody(self, kept: Sequence[UnfinishedUpload]) -> list[UnfinishedUpload]:
        here = {holder.object_id for holder in self._held.values()}
        return [each for each in kept if each.object_id not in here]

    async def give_up(self, object_id: bytes) -> None:
        """Let nobody go on with what is kept of an object, and remove it."""
        with ExitStack() as stack:
            for name, _ in self._parked_of(object_id):
                stack.enter_context(self._alone(name, object_id))
            # First its row: who has the name then begins anew, and does not remove the same beside this.
            given = await self._context.act(give_up_uploads, GiveUp(object_id))
            for name, upload in self._parked_of(object_id):
                self.take(name)
                await self._context.pool.run(upload.end, Ending.ENDED)
            if given:
                await self._context.pool.run(self._context.storage.vault.remove, object_id)
                await self._context.act(end_uploads, EndUpload(object_id))

    def _parked_of(self, object_id: bytes) -> list[tuple[Name, Upload]]:
        return [(name, upload) for name, (upload, _) in self._parked.items() if upload.object_id == object_id]

    async def close(self) -> None:
        """Reduce all that is parked: the server stops."""
        for name in list(self._parked):
            upload = self.take(name)
            if upload is not None:
                await self._reduce(name, upload)


def _makes_up(reserved: Usage, shortage: Usage) -> bool:
    """Return whether a shortage would be over if all that is reserved went."""
    is_short = shortage.size_bytes > 0 or shortage.files > 0
    return is_short and shortage.size_bytes <= reserved.size_bytes and shortage.files <= reserved.files
