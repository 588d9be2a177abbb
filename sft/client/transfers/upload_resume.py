"""An upload that can be gone on with: noted before its first byte, found again at the server, proved there by its digest.

Rules. The server says after how many chunks it can go on; the digest of the source up to there is what it compares. A process
that lives has that digest; one that died reads its source up to there again. A source that is not what it was, and whatever
else does not fit, begins again and says why. The digest and the signature over the whole content decide what is stored. The
note is gone with the receipt. Files of one segment and pipes leave none, and begin again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from sft.client.concurrency import finish_even_if_cancelled
from sft.client.session import Session
from sft.client.transfers.acknowledged import Acknowledged
from sft.client.transfers.progress import Reporter, TransferStage
from sft.client.transfers.same import PutAsked
from sft.client.transfers.sources import FileSource, UploadSource
from sft.client.transfers.unfinished import HeldRecord, UploadRecord, uploads_of
from sft.client.transfers.upload_stream import AHEAD_CHUNKS, Announced, Describe, Prefixes, UploadStream
from sft.crypto.digests import blake2b_512
from sft.errors import (
    ChangedSinceError,
    ConnectionLostError,
    ExistsError,
    RemoteProtocolError,
    RequestError,
    ResumeRefusedError,
    SftError,
    UploadGoneError,
)
from sft.limits import CHUNK_BYTES, SEGMENT_BYTES
from sft.wire.messages import FindUpload, UploadFound

_ID_BYTES: Final = 16
_GONE: Final = "the server keeps nothing of it"
_READ_CHUNKS: Final = 128  # 8 MiB: a hop to a thread, and a step of progress
# After these nothing of it will be gone on with; any other leaves it, and the server says what it has.
_FINAL: Final = (ExistsError, ChangedSinceError, ResumeRefusedError, UploadGoneError)


class UploadAsked(Struct, frozen=True):
    """What is to be stored, and how that was asked for.

    Args:
        file_id: of the version before, or drawn for a new file.
        prev: digest of the version before; empty for a new file.
    """

    put: PutAsked
    file_id: bytes
    version: int
    prev: bytes


class CarriedUpload(Struct, frozen=True):
    """An upload whose connection was lost, with the digests of what the server may have of it."""

    held: HeldRecord[UploadRecord]
    prefixes: Prefixes
    sent_chunks: int

    def leave(self) -> None:
        self.held.let_go()


class _Begun(Struct, frozen=True):
    """Where an upload goes on."""

    held: HeldRecord[UploadRecord] | None
    running: hashlib.blake2b | None = None
    chunks: int = 0


class ResumableUpload:
    """One upload, gone on with where that can be."""

    def __init__(self, session: Session, source: UploadSource, report: Reporter, asked: UploadAsked) -> None:
        self._session = session
        self._source = source
        self._report = report
        self._asked = asked

    async def send(self, describe: Describe) -> Acknowledged:
        """Send what is not there yet, signed.

        Raises:
            RequestError: the server refused.
            SourceChangedError, LocalFileError: the source did not stay what it was.
            ConnectionLostError: the connection broke; it can be gone on with.
        """
        begun = await self._begin()
        try:
            return await self._send(begun, describe)
        except (ResumeRefusedError, UploadGoneError) as refusal:
            if not begun.chunks:
                raise
            self._report.restarted(str(refusal.values.get("problem", _GONE)), begun.chunks * CHUNK_BYTES)
        return await self._send(await self._anew(), describe)

    async def done(self) -> None:
        """Forget what is noted of it: it is stored, and its receipt kept."""
        source = self._source
        if isinstance(source, FileSource) and source.size > SEGMENT_BYTES:
            about = self._about(source)
            carried = self._session.carried_over.take(CarriedUpload, lambda one: about(one.held.record))
            await self._session.pool.run(self._forget, about, carried)

    # -- where it begins -------------------------------------------------------------------------------

    async def _begin(self) -> _Begun:
        source, pool = self._source, self._session.pool
        if not isinstance(source, FileSource) or source.size <= SEGMENT_BYTES:
            return _Begun(None)
        about = self._about(source)
        carried = self._session.carried_over.take(CarriedUpload, lambda one: about(one.held.record))
        held, why, lost = None, "", 0
        if carried is not None:
            held = carried.held
            why = self._unfit(held.record, source)
            if why:
                lost = carried.sent_chunks * CHUNK_BYTES
                await pool.run(held.drop)
        else:
            held, why, lost = await finish_even_if_cancelled(pool.run(self._look, source))
        if held is not None and not why:
            try:
                found = await self._session.request(FindUpload, UploadFound, upload_id=bytes.fromhex(held.record.id))
                return await self._go_on(source, held, found.chunks, carried)
            except UploadGoneError:
                why = _GONE
                lost = held.record.done if carried is None else carried.sent_chunks * CHUNK_BYTES
                await pool.run(held.drop)
            except ConnectionLostError:
                if carried is None:
                    held.let_go()
                else:
                    await self._carry_over(carried)
                raise
            except BaseException:
                held.let_go()
                raise
        if why:
            self._report.restarted(why, lost)
        return await self._anew()

    def _about(self, source: FileSource) -> Callable[[UploadRecord], bool]:
        local = source.local
        return lambda record: (record.path, record.local) == (self._asked.put.path, local)

    def _look(self, source: FileSource) -> tuple[HeldRecord[UploadRecord] | None, str, int]:
        """Find what is noted of it here; or say why nothing of it fits, and how much was sent (blocks)."""
        records = uploads_of(self._session.state, self._session.server_id)
        records.drop_expired(self._session.clock())
        why, lost = "", 0
        for record in filter(self._about(source), records.all()):
            unfit = self._unfit(record, source)
            if not unfit and (held := records.hold(record)) is not None:
                return held, "", 0
            if unfit and records.drop(record):
                why, lost = unfit, record.done
        return None, why, lost

    def _unfit(self, record: UploadRecord, source: FileSource) -> str:
        """Say why an upload that is noted is not this one; "" where it is."""
        asked = self._asked
        if (record.dev, record.ino, record.size, record.mtime_ns) != source.opened_as:
            return "the source changed"
        is_next = (record.version, record.prev) == (asked.version, asked.prev)
        if not is_next or (asked.prev and record.file_id != asked.file_id):
            return "another version is there now"
        return ""

    async def _go_on(
        self, source: FileSource, held: HeldRecord[UploadRecord], chunks: int, carried: CarriedUpload | None
    ) -> _Begun:
        pool, done = self._session.pool, min(chunks * CHUNK_BYTES, source.size)
        if (chunks - 1) * CHUNK_BYTES >= source.size:
            raise RemoteProtocolError(f"{chunks} chunks of a file of {source.size} bytes")
        running = None if carried is None else carried.prefixes.after(chunks)
        if running is None:
            running = await self._digest(source, chunks)
        await finish_even_if_cancelled(pool.run(source.rewind, done))
        sent = held.record.done if carried is None else carried.sent_chunks * CHUNK_BYTES
        self._report.resumed(done, max(min(sent, source.size) - done, 0))
        return _Begun(held, running, chunks)

    async def _digest(self, source: FileSource, chunks: int) -> hashlib.blake2b:
        """Read the source again, up to where the server is."""
        running, pool, read = blake2b_512(), self._session.pool, 0

        def step() -> int:
            given, _ = source.fetch(min(_READ_CHUNKS, chunks - read))
            for chunk in given:
                running.update(chunk)
            return len(given)

        await finish_even_if_cancelled(pool.run(source.rewind))
        while read < chunks:
            read += await finish_even_if_cancelled(pool.run(step))
            self._report(TransferStage.PROVING, min(read * CHUNK_BYTES, source.size))
        return running

    async def _anew(self) -> _Begun:
        source, pool = self._source, self._session.pool
        if not isinstance(source, FileSource):
            return _Begun(None)
        await finish_even_if_cancelled(pool.run(source.rewind))
        return _Begun(await finish_even_if_cancelled(pool.run(self._note, source)))

    def _note(self, source: FileSource) -> HeldRecord[UploadRecord] | None:
        """Note an upload before its first byte leaves (blocks)."""
        asked, session = self._asked, self._session
        dev, ino, size, mtime_ns = source.opened_as
        record = UploadRecord(
            id=os.urandom(_ID_BYTES).hex(), server_id=session.server_id, path=asked.put.path, version=asked.version,
            file_id=asked.file_id, prev=asked.prev, local=source.local, dev=dev, ino=ino, size=size, mtime_ns=mtime_ns,
            replace=asked.put.replace, if_version=asked.put.if_version, replaces=asked.put.replaces,
        )  # fmt: skip
        held = uploads_of(session.state, session.server_id).hold(record)
        if held is not None:
            held.save(saved_at=int(session.clock()))
        return held

    # -- how it ends -------------------------------------------------------------------------------------

    async def _send(self, begun: _Begun, describe: Describe) -> Acknowledged:
        asked, held = self._asked, begun.held
        announced = Announced(os.urandom(_ID_BYTES), asked.put.path, asked.file_id, asked.version)
        if held is not None:
            record = held.record
            announced = Announced(bytes.fromhex(record.id), record.path, record.file_id, record.version, resumable=True)

        def note(chunks: int) -> None:
            if held is not None and (chunks - AHEAD_CHUNKS) * CHUNK_BYTES - held.record.done >= SEGMENT_BYTES:
                self._save(held, chunks)

        stream = UploadStream(self._session, self._source, self._report, announced, note, begun.running, begun.chunks)
        try:
            acknowledged = await stream.send(describe)
        except BaseException as error:
            if held is not None:
                await self._leave(held, stream, error)
            raise
        if held is not None:
            held.let_go()  # its note stays until the receipt is kept
        return acknowledged

    def _save(self, held: HeldRecord[UploadRecord], chunks: int) -> None:
        """Note how many chunks the server has at least, of those that were read (blocks)."""
        done = max((chunks - AHEAD_CHUNKS) * CHUNK_BYTES, held.record.done)
        held.save(done=done, saved_at=int(self._session.clock()))

    async def _leave(self, held: HeldRecord[UploadRecord], stream: UploadStream, why: BaseException) -> None:
        """Leave it to be gone on with, unless it ended for good."""
        if isinstance(why, ConnectionLostError):
            await self._carry_over(CarriedUpload(held, stream.prefixes, stream.sent_chunks))
        elif isinstance(why, SftError) and (isinstance(why, _FINAL) or not isinstance(why, RequestError)):
            await self._session.pool.run(held.drop)
        else:
            await self._session.pool.run(self._save, held, stream.sent_chunks)
            held.let_go()

    async def _carry_over(self, carried: CarriedUpload) -> None:
        for oldest in self._session.carried_over.add(carried):
            await self._session.pool.run(oldest.leave)

    def _forget(self, about: Callable[[UploadRecord], bool], carried: CarriedUpload | None) -> None:
        if carried is not None:
            carried.held.drop()
        records = uploads_of(self._session.state, self._session.server_id)
        for record in filter(about, records.all()):
            records.drop(record)
