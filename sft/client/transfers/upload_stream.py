"""A large file on its way to the server: begin, data and commit in one flight.

Rules. Memory is flat: two batches of eight chunks, and what the server allows in flight. The source is read once; it is
checked again after its last byte, before anything is signed. Whatever stops it, the server is told (Cancel), the batch in
work ends, and nothing of the file remains there. A refusal may come at any moment and ends the sending.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.client.concurrency import finish_even_if_cancelled, ticking
from sft.client.connection import refusal_error
from sft.client.session import Session
from sft.client.transfers.progress import TICK_SECONDS, Reporter, TransferStage
from sft.client.transfers.sources import UploadSource
from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.signatures import sign_file
from sft.errors import RemoteProtocolError, SftError
from sft.limits import CHUNK_BYTES, CREDIT_STEP_CHUNKS, FLUSHED_PER_SECOND, SILENCE_SECONDS
from sft.model.records import Stored
from sft.transport.flow import SendFlow
from sft.wire.messages import BeginUpload, Cancel, CommitUpload, FileStored, Refusal, Reply

Describe = Callable[[int, int], FileComment]
"""Size and date of what was read to what is signed beside its digest."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An upload that the server has acknowledged, and what was signed."""

    stored: Stored
    comment: FileComment
    digest: bytes


class UploadStream:
    """One upload. A listener of its request's id."""

    def __init__(self, session: Session, source: UploadSource, report: Reporter) -> None:
        self._session = session
        self._source = source
        self._report = report
        self._hash = blake2b_512()
        self._size = 0
        self._flow: SendFlow | None = None
        self._sent: Deferred[None] = Deferred()
        self._stored: Deferred[Stored] = Deferred()
        self._id = 0
        self._over = False  # the server has answered, or never will
        self._committed = False

    async def send(self, *, path: str, file_id: bytes, version: int, describe: Describe) -> Acknowledged:
        """Send all of it, signed.

        Raises:
            RequestError: the server refused.
            SourceChangedError, LocalFileError: the source did not stay what it was.
            ConnectionLostError: nothing of it remains there.
        """
        connection = self._session.connection
        await connection.acquire_slot()
        self._id = connection.begin(
            BeginUpload,
            self,
            path=path,
            file_id=file_id,
            version=version,
            size=self._source.size,
            window=CREDIT_STEP_CHUNKS,
            upload_id=os.urandom(16),
        )
        self._flow = SendFlow(
            connection.pool,
            connection.protocol.outbox,
            self._id,
            fetch=self._source.fetch,
            compute=self._digested,
            window=CREDIT_STEP_CHUNKS,
            read_ahead_credit=connection.read_ahead_credit,
        )
        self._flow.finished.addCallbacks(self._all_sent, self._stop)
        self._flow.start()
        try:
            with ticking(connection.reactor, TICK_SECONDS, self._tick):
                await self._sent
                dated_at = await finish_even_if_cancelled(connection.pool.run(self._source.settle))
            self._report(TransferStage.STORING, self._size)
            digest = self._hash.digest()
            comment = describe(self._size, dated_at)
            if not self._over:
                self._committed = True
                signature = sign_file(self._session.key, digest, comment).encode()
                connection.send(CommitUpload(id=self._id, digest=digest, signature=signature))
            return Acknowledged(await self._stored, comment, digest)
        except BaseException:
            await self._abandon()
            raise

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
            self._stop(Failure(refusal_error(reply)))

    def credited(self, chunks: int) -> None:
        if self._flow is not None:
            self._flow.credit(chunks)

    def received(self, chunk: bytes, *, last: bool) -> None:
        raise RemoteProtocolError(f"{len(chunk)} bytes of data for an upload, last={last}")

    def broken(self, error: SftError) -> None:
        self._over = True
        self._stop(Failure(error))

    # -- inside --------------------------------------------------------------------------------------------

    def _digested(self, chunks: list[bytes]) -> list[bytes]:
        for chunk in chunks:
            self._hash.update(chunk)
            self._size += len(chunk)
        return chunks

    def _all_sent(self, _: None) -> None:
        if not self._sent.called:
            self._sent.callback(None)

    def _stop(self, failure: Failure) -> None:
        if self._flow is not None:
            self._flow.interrupt()
        waiting: Deferred[None] | Deferred[Stored] = self._sent if not self._sent.called else self._stored
        if not waiting.called:
            waiting.errback(failure)

    async def _abandon(self) -> None:
        """Leave nothing: not here, not there."""
        self._stored.addErrback(lambda _: None)  # what came too late is nobody's any more
        connection = self._session.connection
        if not self._committed and connection.alive:
            connection.send(Cancel(id=self._id))
        if self._flow is not None:
            self._source.give_up()
            await self._flow.interrupt()

    def _tick(self) -> None:
        if self._flow is not None:
            sent = self._flow.sent_chunks * CHUNK_BYTES
            size = self._source.size
            self._report(TransferStage.SENDING, sent if size is None else min(sent, size))
