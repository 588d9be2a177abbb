"""A file on its way from the server: hashed while it arrives, written beside its name, judged when it is whole.

Rules. Memory is flat: what the server may have in flight is bounded by credit. More bytes than announced are refused before
they are written, fewer at the end. What arrives is nobody's file until the caller has judged it. Whatever stops it, the server
is told and the batch in work ends. Nothing of it stays here, but for a part that can be gone on with, after what says nothing
against it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from sft.client.concurrency import ticking
from sft.client.connection import refusal_error
from sft.client.loop import Waiting, running_tasks
from sft.client.session import Session
from sft.client.transfers.download_resume import OpenPart, ResumablePart
from sft.client.transfers.measure import Measure
from sft.client.transfers.progress import TICK_SECONDS, Reporter, TransferStage
from sft.crypto.digests import blake2b_512
from sft.errors import (
    ConnectionLostError,
    ContentDamagedError,
    LocalChangedError,
    LocalDiskFullError,
    LocalExistsError,
    NotFoundError,
    RemoteProtocolError,
    RequestError,
    ResumeRefusedError,
    SftError,
)
from sft.limits import CHUNK_BYTES, CREDIT_STEP_CHUNKS, SILENCE_SECONDS
from sft.model.evidence import Evidence
from sft.model.records import File
from sft.transport.flow import ReceiveFlow
from sft.wire.messages import Cancel, Credit, FileBegins, GetFile, Refusal, Reply


class FileSink(Protocol):
    """Where content goes before it is judged; blocks."""

    def write(self, chunks: Sequence[bytes]) -> None: ...

    def reached(self, done: int, digest: Callable[[], bytes]) -> None:
        """Note that so many bytes of the content are written, and what gives their digest."""

    def finish(self, *, dated_at: int, executable: bool, signature: bytes) -> tuple[Path | None, Path | None]:
        """Keep what was judged good."""

    def discard(self) -> None: ...


class Received(Struct, frozen=True):
    """A whole file that nobody has judged yet."""

    file: File
    digest: bytes
    size: int
    sink: FileSink
    evidence: Evidence | None = None


class DownloadStream:
    """One download. A listener of its request's id.

    Args:
        admit: refuses a file that the server announces and that was not asked for.
        open_sink: makes the sink for a file that was announced; on the pool, before the first byte is written.
        begun: what it goes on with, proved.
    """

    def __init__(
        self,
        session: Session,
        report: Reporter,
        *,
        admit: Callable[[File], None],
        open_sink: Callable[[File], FileSink],
        begun: OpenPart | None = None,
    ) -> None:
        self._session = session
        self._report = report
        self._admit = admit
        self._open_sink = open_sink
        self._sink: FileSink | None = None if begun is None else begun.part
        self._hash = blake2b_512() if begun is None else begun.running
        self._written = 0 if begun is None else begun.done
        self._came = self._written  # also what is not written yet
        self._measure: Measure | None = None
        self._intake: ReceiveFlow | None = None
        self._file: File | None = None
        self._evidence: Evidence | None = None
        self._whole: Waiting[File] = running_tasks().waiting()
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
        await connection.acquire_slot(content=True)
        first_chunk = self._written // CHUNK_BYTES
        self._id = connection.begin(
            GetFile, self, path=path, version=version, window=CREDIT_STEP_CHUNKS, first_chunk=first_chunk
        )
        try:
            with ticking(connection.reactor, TICK_SECONDS, self._tick):
                file = await self._whole
            return self._arrived(file)
        except BaseException as error:
            await self.abandon(error)
            raise

    async def abandon(self, why: BaseException) -> None:
        """Leave nothing in flight, and nothing here that cannot be gone on with; idempotent."""
        self._given_up = True
        connection = self._session.connection
        if not self._over and connection.alive:
            connection.send(Cancel(id=self._id))
        if self._intake is not None:
            await self._intake.interrupt()
        if self._sink is not None:
            sink, self._sink = self._sink, None
            fills = isinstance(why, LocalDiskFullError) and isinstance(sink, ResumablePart) and not sink.record.done
            if isinstance(sink, ResumablePart) and resumable_after(why) and not fills:
                await self._keep(sink, why)
            else:
                await connection.pool.run(sink.discard)

    patience_seconds = float(SILENCE_SECONDS)

    @property
    def owed(self) -> bool:
        return self._intake is not None and self._intake.owed

    # -- the connection calls these ------------------------------------------------------------------------------

    def replied(self, reply: Reply) -> None:
        self._over = not isinstance(reply, FileBegins)
        if isinstance(reply, Refusal):
            self._stop(refusal_error(reply))
        elif not self._given_up and isinstance(reply, FileBegins):
            try:
                self._admit(reply.file)
            except SftError as error:
                self._stop(error)
                return
            self._evidence = reply.evidence
            self._begin(reply.file, CREDIT_STEP_CHUNKS).open()

    def credited(self, chunks: int) -> None:
        raise RemoteProtocolError(f"credit of {chunks} for a download")

    def received(self, chunk: bytes, *, last: bool) -> None:
        """Take a chunk; one that was in flight when this was given up is dropped."""
        self._over = self._over or last
        self._came += len(chunk)
        if self._intake is not None and not self._given_up:
            self._intake.receive(chunk, last=last)

    def broken(self, error: SftError) -> None:
        self._over = True
        self._stop(error)

    # -- inside ------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self._measure is not None:
            self._report(TransferStage.RECEIVING, self._measure.received)

    def _begin(self, file: File, window: int) -> ReceiveFlow:
        connection = self._session.connection
        self._file = file
        self._measure = Measure(file.path, file.version.author, file.version.size, self._written)
        self._report.total_bytes = file.version.size
        self._intake = ReceiveFlow(
            connection.pool,
            connection.receive_credit,
            compute=self._measured,
            store=self._store,
            grant=lambda chunks: connection.send(Credit(id=self._id, chunks=chunks)),
            window=window,
        )
        self._intake.finished.addCallbacks(lambda _: self._whole.callback(file), self._stop)
        return self._intake

    def _measured(self, chunks: list[bytes], last: bool) -> list[bytes]:  # noqa: ARG002, FBT001
        if self._measure is not None:
            self._measure.add(chunks)
        return chunks

    def _store(self, chunks: Sequence[bytes]) -> None:
        """Write and hash a batch, into a sink that the first batch makes (on the pool, while the reactor opens the next)."""
        if self._sink is None:
            if self._file is None:
                raise RemoteProtocolError("content of no file")
            self._sink = self._open_sink(self._file)
        self._sink.write(chunks)
        for chunk in chunks:
            self._hash.update(chunk)
        self._written += sum(map(len, chunks))
        self._sink.reached(self._written, self._hash.digest)

    async def _keep(self, part: ResumablePart, why: BaseException) -> None:
        """Leave a part to go on with: in this process where the connection alone was lost."""
        pool, done = self._session.pool, self._written
        sound = done % CHUNK_BYTES == 0 or done == part.record.size
        if isinstance(why, LocalDiskFullError):
            sound = False  # up to the mark it is on the disk
        with contextlib.suppress(SftError):  # what stopped it is what is told
            if sound and isinstance(why, ConnectionLostError):
                carried = OpenPart(part, self._hash, done, max(self._came - done, 0))
                for oldest in self._session.carried_over.add(carried):
                    await pool.run(oldest.leave)
            else:
                await pool.run(part.leave, done, self._hash.digest() if sound else b"")

    def _arrived(self, file: File) -> Received:
        if self._measure is None or self._sink is None:
            raise RemoteProtocolError("content of no file")
        self._measure.finish()
        return Received(file, self._hash.digest(), self._measure.received, self._sink, self._evidence)

    def _stop(self, fault: Any) -> None:
        if self._intake is not None:
            self._intake.interrupt()
        if not self._whole.called:
            self._whole.errback(fault)


def resumable_after(why: BaseException) -> bool:
    """Return whether what stopped a download says nothing against what has arrived of it."""
    if isinstance(why, (NotFoundError, ContentDamagedError, ResumeRefusedError)):
        return False
    kept = (
        running_tasks().cancelled,
        ConnectionLostError,
        RequestError,
        LocalDiskFullError,
        LocalExistsError,
        LocalChangedError,
    )
    return isinstance(why, kept)
