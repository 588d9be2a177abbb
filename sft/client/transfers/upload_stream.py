"""A large file on its way to the server: begin, data and commit in one flight.

Rules. Memory is flat: two batches of eight chunks, and what the server allows in flight. The source is read once; it is
checked again after its last byte, before anything is signed. Whatever stops it, the server is told (Cancel) and the batch in
work ends. Nothing of the file remains there, but for what can be gone on with where a person or a lost connection stopped it. A
refusal may come at any moment and ends the sending.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from sft.client.concurrency import finish_even_if_cancelled, ticking
from sft.client.connection import refusal_error
from sft.client.loop import Waiting, running_tasks
from sft.client.session import Session
from sft.client.transfers.acknowledged import Acknowledged
from sft.client.transfers.progress import TICK_SECONDS, Reporter, TransferStage
from sft.client.transfers.sources import Stated, UploadSource
from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.signatures import sign_file
from sft.errors import RemoteProtocolError, SftError
from sft.limits import (
    CHUNK_BYTES,
    CREDIT_STEP_CHUNKS,
    FLUSHED_PER_SECOND,
    SEGMENT_CHUNKS,
    SILENCE_SECONDS,
    TRANSFER_CREDIT_CHUNKS,
)
from sft.model.records import Stored
from sft.transport.flow import SendFlow
from sft.wire.messages import BeginUpload, Cancel, CommitUpload, FileStored, Refusal, Reply, ResumePoint

Describe = Callable[[bytes, int, Stated, bytes], FileComment]
"""File id, size, what else is signed, and digest of what was read, to the comment that is signed of it."""

# What may be hashed here and not stored there: in flight, read and not sent, and a batch in work.
AHEAD_CHUNKS: Final = TRANSFER_CREDIT_CHUNKS + 3 * CREDIT_STEP_CHUNKS


class Prefixes:
    """The digest of what was read, and of as much less as the server may have, so that nothing of it is read again."""

    def __init__(self) -> None:
        self._latest: deque[tuple[int, hashlib.blake2b]] = deque(maxlen=AHEAD_CHUNKS)
        self._segments: deque[tuple[int, hashlib.blake2b]] = deque(maxlen=2)

    def note(self, chunks: int, running: hashlib.blake2b) -> None:
        """Keep the running digest after so many chunks."""
        noted = (chunks, running.copy())
        self._latest.append(noted)
        if chunks % SEGMENT_CHUNKS == 0:
            self._segments.append(noted)

    def after(self, chunks: int) -> hashlib.blake2b | None:
        """Return a running digest of the content before, if it is kept."""
        return next((running.copy() for count, running in (*self._latest, *self._segments) if count == chunks), None)


class Announced(Struct, frozen=True):
    """What an upload is announced as.

    Args:
        upload_id: by which it is found again.
        resumable: what stops it may leave it to be gone on with.
    """

    upload_id: bytes
    path: str
    file_id: bytes
    version: int
    resumable: bool = False


class UploadStream:
    """One upload. A listener of its request's id.

    Args:
        source: stands after what is there already.
        note: called with how many chunks were read, before more are; on the pool.
        running: the digest of that.
        chunks: how many those are.
    """

    def __init__(
        self,
        session: Session,
        source: UploadSource,
        report: Reporter,
        announced: Announced,
        note: Callable[[int], None],
        running: hashlib.blake2b | None = None,
        chunks: int = 0,
    ) -> None:
        self._session = session
        self._source = source
        self._report = report
        self._announced = announced
        self._note = note
        self._hash = running or blake2b_512()
        self._begun_chunks = chunks
        self._read_chunks = chunks
        self._size = chunks * CHUNK_BYTES if source.size is None else min(chunks * CHUNK_BYTES, source.size)
        self.prefixes = Prefixes()
        self.prefixes.note(chunks, self._hash)
        self._flow: SendFlow | None = None
        self._sent: Waiting[None] = running_tasks().waiting()
        self._stored: Waiting[Stored] = running_tasks().waiting()
        self._id = 0
        self._over = False  # the server has answered, or never will
        self._committed = False

    @property
    def sent_chunks(self) -> int:
        """Chunks that are there or were sent."""
        return self._begun_chunks + (0 if self._flow is None else self._flow.sent_chunks)

    async def send(self, describe: Describe) -> Acknowledged:
        """Send all that is not there yet, signed.

        Raises:
            RequestError: the server refused.
            SourceChangedError, LocalFileError: the source did not stay what it was.
            ConnectionLostError: the connection broke.
        """
        connection, announced = self._session.connection, self._announced
        await connection.acquire_slot()
        point = ResumePoint(self._begun_chunks, self._hash.digest()) if self._begun_chunks else None
        self._id = connection.begin(
            BeginUpload,
            self,
            path=announced.path,
            file_id=announced.file_id,
            version=announced.version,
            size=self._source.size,
            window=CREDIT_STEP_CHUNKS,
            upload_id=announced.upload_id,
            resume=point,
        )
        if self._begun_chunks and self._size == self._source.size:
            self._sent.callback(None)  # all of it is there
        else:
            self._begin_flow()
        try:
            with ticking(connection.reactor, TICK_SECONDS, self._tick):
                await self._sent
                stated = await finish_even_if_cancelled(connection.pool.run(self._source.require_unchanged))
            self._report(TransferStage.STORING, self._size)
            digest = self._hash.digest()
            comment = describe(announced.file_id, self._size, stated, digest)
            if not self._over:
                self._committed = True
                signature = sign_file(self._session.key, comment).encode()
                connection.send(CommitUpload(id=self._id, digest=digest, signature=signature))
            return Acknowledged(announced.path, await self._stored, comment, digest)
        except BaseException as error:
            await self._abandon(error)
            raise

    def _begin_flow(self) -> None:
        connection = self._session.connection
        self._flow = SendFlow(
            connection.pool,
            connection.protocol.outbox,
            self._id,
            fetch=self._fetch,
            compute=lambda chunks: chunks,
            window=CREDIT_STEP_CHUNKS,
            read_ahead_credit=connection.read_ahead_credit,
        )
        self._flow.finished.addCallbacks(self._all_sent, self._stop)
        self._flow.start()

    owed = False

    @property
    def patience_seconds(self) -> float:
        """Give a server's disk its time to make durable what was sent."""
        return SILENCE_SECONDS + (self._size / FLUSHED_PER_SECOND if self._committed else 0)

    # -- the connection calls these --------------------------------------------------------------------------

    def replied(self, reply: Reply) -> None:
        self._over = True
        if isinstance(reply, FileStored):
            if not self._committed:
                raise RemoteProtocolError("stored before it was committed")
            self._stored.callback(reply.stored)
        elif isinstance(reply, Refusal):
            self._stop(refusal_error(reply))

    def credited(self, chunks: int) -> None:
        if self._flow is not None:
            self._flow.credit(chunks)

    def received(self, chunk: bytes, *, last: bool) -> None:
        raise RemoteProtocolError(f"{len(chunk)} bytes of data for an upload, last={last}")

    def broken(self, error: SftError) -> None:
        self._over = True
        self._stop(error)

    # -- inside --------------------------------------------------------------------------------------------

    def _fetch(self, count: int) -> tuple[list[bytes], bool]:
        """Read and hash a batch (on the pool, while the reactor seals the one before)."""
        self._note(self._read_chunks)
        chunks, last = self._source.fetch(count)
        for chunk in chunks:
            self._hash.update(chunk)
            self._size += len(chunk)
            self._read_chunks += 1
            if self._announced.resumable:
                self.prefixes.note(self._read_chunks, self._hash)
        return chunks, last

    def _all_sent(self, _: None) -> None:
        if not self._sent.called:
            self._sent.callback(None)

    def _stop(self, fault: Any) -> None:
        if self._flow is not None:
            self._flow.interrupt()
        waiting: Waiting[None] | Waiting[Stored] = self._sent if not self._sent.called else self._stored
        if not waiting.called:
            waiting.errback(fault)

    async def _abandon(self, why: BaseException) -> None:
        """Leave nothing: not here, and not there but for what a person stopped."""
        self._stored.addErrback(lambda _: None)  # what came too late is nobody's any more
        connection = self._session.connection
        if not self._committed and connection.alive:
            keeps = self._announced.resumable and isinstance(why, running_tasks().cancelled)
            connection.send(Cancel(id=self._id, keep=keeps))
        if self._flow is not None:
            self._source.give_up()
            await self._flow.interrupt()

    def _tick(self) -> None:
        if self._flow is not None:
            sent = self.sent_chunks * CHUNK_BYTES
            size = self._source.size
            self._report(TransferStage.SENDING, sent if size is None else min(sent, size))
