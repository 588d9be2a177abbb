"""A file on its way from the server: hashed while it arrives, written beside its name, judged when it is whole.

Rules. Memory is flat: what the server may have in flight is bounded by credit. More bytes than announced are refused before
they are written, fewer at the end. What arrives is nobody's file until the caller has judged it. Whatever stops it, the server
is told, the batch in work ends, and nothing of it stays here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.client.concurrency import ticking
from sft.client.connection import refusal_error
from sft.client.session import Session
from sft.client.transfers.part_file import Measure
from sft.client.transfers.progress import TICK_SECONDS, Reporter, TransferStage
from sft.crypto.digests import blake2b_512
from sft.errors import RemoteProtocolError, SftError
from sft.limits import CREDIT_STEP_CHUNKS, SILENCE_SECONDS
from sft.model.records import File
from sft.transport.flow import ReceiveFlow
from sft.wire.messages import Cancel, Credit, FileBegins, FileContent, GetFile, Refusal, Reply


class FileSink(Protocol):
    """Where content goes before it is judged; blocks."""

    def write(self, chunks: Sequence[bytes]) -> None: ...

    def finish(self, *, dated_at: int, signature: bytes) -> tuple[Path | None, Path | None]:
        """Keep what was judged good."""

    def discard(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Received:
    """A whole file that nobody has judged yet."""

    file: File
    digest: bytes
    size: int
    sink: FileSink


class DownloadStream:
    """One download. A listener of its request's id.

    Args:
        open_sink: makes the sink for a file that the server announced; on the pool, before the first byte is written.
    """

    def __init__(self, session: Session, report: Reporter, open_sink: Callable[[File], FileSink]) -> None:
        self._session = session
        self._report = report
        self._open_sink = open_sink
        self._sink: FileSink | None = None
        self._hash = blake2b_512()
        self._measure: Measure | None = None
        self._intake: ReceiveFlow | None = None
        self._file: File | None = None
        self._whole: Deferred[File] = Deferred()
        self._id = 0
        self._over = False
        self._given_up = False

    async def receive(self, path: str, version: int) -> Received:
        """Get all of it.

        Raises:
            RequestError: the server refused.
            SignatureBadError: more or fewer bytes than announced.
            LocalDiskFullError, LocalFileError, LocalExistsError: the sink cannot take it.
            ConnectionLostError: the connection broke.
        """
        connection = self._session.connection
        await connection.acquire_slot()
        self._id = connection.begin(GetFile, self, path=path, version=version, window=CREDIT_STEP_CHUNKS)
        try:
            with ticking(connection.reactor, TICK_SECONDS, self._tick):
                file = await self._whole
            return self._arrived(file)
        except BaseException:
            await self.abandon()
            raise

    async def abandon(self) -> None:
        """Leave nothing behind, here and in flight; idempotent."""
        self._given_up = True
        connection = self._session.connection
        if not self._over and connection.alive:
            connection.send(Cancel(id=self._id))
        if self._intake is not None:
            await self._intake.interrupt()
        if self._sink is not None:
            sink, self._sink = self._sink, None
            await connection.pool.run(sink.discard)

    patience_seconds = float(SILENCE_SECONDS)

    @property
    def owed(self) -> bool:
        return self._intake is not None and self._intake.owed

    # -- the connection calls these ------------------------------------------------------------------------------

    def replied(self, reply: Reply) -> None:
        self._over = not isinstance(reply, FileBegins)
        if isinstance(reply, Refusal):
            self._stop(Failure(refusal_error(reply)))
        elif self._given_up:
            return
        elif isinstance(reply, FileBegins):
            self._begin(reply.file, CREDIT_STEP_CHUNKS).open()
        elif isinstance(reply, FileContent):
            # A small file takes the way of a large one that has one chunk.
            self._begin(reply.file, 1).receive(reply.content, last=True)

    def credited(self, chunks: int) -> None:
        raise RemoteProtocolError(f"credit of {chunks} for a download")

    def received(self, chunk: bytes, *, last: bool) -> None:
        """Take a chunk; one that was in flight when this was given up is dropped."""
        self._over = self._over or last
        if self._intake is not None and not self._given_up:
            self._intake.receive(chunk, last=last)

    def broken(self, error: SftError) -> None:
        self._over = True
        self._stop(Failure(error))

    # -- inside ------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self._measure is not None:
            self._report(TransferStage.RECEIVING, self._measure.received)

    def _begin(self, file: File, window: int) -> ReceiveFlow:
        connection = self._session.connection
        self._file = file
        self._measure = Measure(file.path, file.version.author, file.version.size)
        self._report.total_bytes = file.version.size
        self._intake = ReceiveFlow(
            connection.pool,
            connection.receive_credit,
            compute=self._digested,
            store=self._store,
            grant=lambda chunks: connection.send(Credit(id=self._id, chunks=chunks)),
            window=window,
        )
        self._intake.finished.addCallbacks(lambda _: self._whole.callback(file), self._stop)
        return self._intake

    def _digested(self, chunks: list[bytes], last: bool) -> list[bytes]:  # noqa: ARG002, FBT001
        if self._measure is not None:
            self._measure.add(chunks)
        for chunk in chunks:
            self._hash.update(chunk)
        return chunks

    def _store(self, chunks: Sequence[bytes]) -> None:
        """Write a batch, into a sink that the first batch makes (on the pool)."""
        if self._sink is None:
            if self._file is None:
                raise RemoteProtocolError("content of no file")
            self._sink = self._open_sink(self._file)
        self._sink.write(chunks)

    def _arrived(self, file: File) -> Received:
        if self._measure is None or self._sink is None:
            raise RemoteProtocolError("content of no file")
        self._measure.finish()
        return Received(file, self._hash.digest(), self._measure.received, self._sink)

    def _stop(self, failure: Failure) -> None:
        if self._intake is not None:
            self._intake.interrupt()
        if not self._whole.called:
            self._whole.errback(failure)
