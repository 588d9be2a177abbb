"""A download that can be resumed: the mark that it sets while it runs, and what is here of it found and proved later.

Rules. Every segment the part is synced, and then its record says how far it is good, with the digest of those bytes. It is gone
on with only if it is the part that was noted, its first bytes still have the digest that was noted, and the server still
announces the file, version and content that they were part of. Else it begins again, and says why: two contents are never
mixed, even where their sizes fit. After a connection alone was lost the open part is carried over with its running digest, and
nothing is read again. One that did not hold is never kept; only the signature over the whole decides what it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from sft.client.concurrency import finish_even_if_cancelled
from sft.client.session import Session
from sft.client.transfers.part_file import LeftPart, PartFile, PartUnfitError
from sft.client.transfers.plan import GetItem
from sft.client.transfers.progress import Reporter, TransferStage
from sft.client.transfers.target import Target
from sft.client.transfers.unfinished import DownloadRecord, HeldRecord, downloads_of
from sft.crypto.digests import blake2b_512
from sft.errors import SftError
from sft.limits import MIB, SEGMENT_BYTES
from sft.model.records import File

_READ_BYTES: Final = 8 * MIB  # a hop to a thread, and a step of progress
_MIXED: Final = "the part here was changed"
_OTHER: Final = "another version is there now"


class ResumablePart:
    """One part and its record.

    Args:
        now: Unix seconds.
    """

    def __init__(self, part: PartFile, held: HeldRecord[DownloadRecord], now: Callable[[], float]) -> None:
        self._part = part
        self._held = held
        self._now = now

    @property
    def record(self) -> DownloadRecord:
        return self._held.record

    @property
    def intact(self) -> bool:
        """Whether the part still has its one name."""
        return self._part.intact

    def write(self, chunks: Sequence[bytes]) -> None:
        self._part.write(chunks)

    def reached(self, done: int, digest: Callable[[], bytes]) -> None:
        """Set the mark, where a segment has come since the last one and more is to come."""
        if done - self.record.done >= SEGMENT_BYTES and done < self.record.size:
            self._mark(done, digest())

    def finish(self, *, dated_at: int, executable: bool, signature: bytes) -> tuple[Path, Path | None]:
        placed = self._part.finish(dated_at=dated_at, executable=executable, signature=signature)
        self._held.forget()
        return placed

    def discard(self) -> None:
        self._part.discard()
        self._held.forget()

    def leave(self, done: int, digest: bytes) -> None:
        """Leave it to a later run: as far as was written, if that digest is known; else to the last mark."""
        try:
            if digest and done > self.record.done:
                self._mark(done, digest)
        finally:
            self._part.leave()
            self._held.let_go()

    def _mark(self, done: int, digest: bytes) -> None:
        self._part.sync()
        self._held.save(done=done, prefix=digest, saved_at=int(self._now()))


class OpenPart(Struct, frozen=True):
    """A part to go on with, and the digest that runs over it; carried over where its connection was lost.

    Args:
        done: bytes that are good; whole chunks, or all.
        again: bytes that had arrived after those, and will again.
    """

    part: ResumablePart
    running: hashlib.blake2b
    done: int
    again: int = 0

    @property
    def is_whole(self) -> bool:
        return self.done == self.part.record.size

    def leave(self) -> None:
        self.part.leave(self.done, self.running.digest())


class _Found(Struct):
    """A part that is open again, to be proved."""

    part: PartFile
    held: HeldRecord[DownloadRecord]

    @property
    def record(self) -> DownloadRecord:
        return self.held.record


def make_resumable(session: Session, file: File, item: GetItem, place: Target, part: PartFile) -> ResumablePart | None:
    """Have a new part be gone on with later, if it is of more than one segment and this computer keeps records (blocks)."""
    version = file.version
    if not place.keeps or version.size <= SEGMENT_BYTES:
        return None
    dev, ino = part.identity
    record = DownloadRecord(
        id=part.id, server_id=session.server_id, path=file.path, version=version.number, file_id=file.id,
        digest=version.digest, size=version.size, local=str(place.local), dev=dev, ino=ino, newest=item.newest,
        existing=place.existing, replaces=place.replaces, with_signature=place.with_signature,
    )  # fmt: skip
    held = downloads_of(session.state, session.server_id).hold(record)
    if held is None:
        return None
    held.save(saved_at=int(session.clock()))
    return ResumablePart(part, held, session.clock)


async def left_here(session: Session, item: GetItem, place: Target, report: Reporter) -> OpenPart | None:
    """Find what is here of a file, prove it, and say how far it goes; None to begin from the first byte.

    Raises:
        LocalExistsError, LocalDiskFullError, LocalFileError: this computer cannot take the file.
    """
    if not place.keeps or item.size <= SEGMENT_BYTES or not item.file_id:
        return None
    wanted = _is_about(item, place)
    carried = session.carried_over.take(OpenPart, lambda one: wanted(one.part.record))
    if carried is not None and not _is_asked_like(carried.part.record, place):
        await session.pool.run(carried.leave)
    elif carried is not None:
        why = _OTHER if not _is_content(item, carried.part.record) else "" if carried.part.intact else _MIXED
        if not why:
            report.resumed(carried.done, carried.again)
            return carried
        await session.pool.run(carried.part.discard)
        report.restarted(why, carried.done + carried.again)
        return None
    found = await finish_even_if_cancelled(session.pool.run(_found, session, item, place))
    if found is None:
        return None
    if isinstance(found, _Found):
        begun = await _proved(session, found, report)
        if begun is not None:
            return begun
        await session.pool.run(_discard, found)
        report.restarted(_MIXED, found.record.done)
        return None
    why, lost_bytes = found
    report.restarted(why, lost_bytes)
    return None


def drop_left(session: Session, item: GetItem, place: Target) -> None:
    """Remove what is left here of a file that came another way (blocks)."""
    records = downloads_of(session.state, session.server_id)
    for record in filter(_is_about(item, place), records.all()):
        records.drop(record)


def _is_about(item: GetItem, place: Target) -> Callable[[DownloadRecord], bool]:
    local = str(place.local)
    return lambda record: (record.path, record.local) == (item.path, local)


def _is_asked_like(record: DownloadRecord, place: Target) -> bool:
    asked = place.existing, place.replaces, place.with_signature
    return (record.existing, record.replaces, record.with_signature) == asked


def _is_content(item: GetItem, record: DownloadRecord) -> bool:
    listed = (item.file_id, item.version, item.digest, item.size)
    return (record.file_id, record.version, record.digest, record.size) == listed


def _found(session: Session, item: GetItem, place: Target) -> _Found | tuple[str, int] | None:
    """Open the part of this file again, if there is one that may fit; or say why none does, and how much had moved."""
    records = downloads_of(session.state, session.server_id)
    records.drop_expired(session.clock())
    wanted = _is_about(item, place)
    said = None
    for record in filter(wanted, records.all()):
        if not _is_content(item, record):
            if records.drop(record):
                said = (_OTHER, record.done)
            continue
        held = records.hold(record)
        if held is None:
            continue
        left = LeftPart(record.id, (record.dev, record.ino), held.record.done)
        try:
            part = PartFile(
                place.destination, place.parts, size=item.size, listed_size=item.size, existing=place.existing,
                replaces=place.replaces, with_signature=place.with_signature, left=left,
            )  # fmt: skip
        except PartUnfitError:
            held.drop()
            said = (_MIXED, record.done)
            continue
        except SftError:
            held.let_go()
            raise
        if not _is_asked_like(held.record, place):
            held.save(existing=place.existing, replaces=place.replaces, with_signature=place.with_signature)
        return _Found(part, held)
    return said


async def _proved(session: Session, found: _Found, report: Reporter) -> OpenPart | None:
    """Read a part up to its mark; None where that is not what was noted."""
    running, pool, done = blake2b_512(), session.pool, found.record.done
    read = 0

    def step() -> int:
        data = found.part.read(min(_READ_BYTES, done - read))
        running.update(data)
        return len(data)

    try:
        while read < done:
            came = await finish_even_if_cancelled(pool.run(step))
            if not came:
                return None
            read += came
            report(TransferStage.PROVING, read)
        if done and running.digest() != found.record.prefix:
            return None
        if done == found.record.size and running.digest() != found.record.digest:
            return None
        beyond = await finish_even_if_cancelled(pool.run(found.part.cut, done))
    except BaseException:
        await pool.run(_leave, found)
        raise
    report.resumed(done, beyond)
    return OpenPart(ResumablePart(found.part, found.held, session.clock), running, done)


def _leave(found: _Found) -> None:
    found.part.leave()
    found.held.let_go()


def _discard(found: _Found) -> None:
    found.part.discard()
    found.held.forget()
