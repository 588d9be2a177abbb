"""One download: who may read it, which object holds it, and its chunks.

    begin_many → whole                  small files, at once
    begin → start → (read → open)* → close

Rules. Nothing here waits for the network. ``start``, ``read`` and ``close`` do input and output, ``open`` computes. No byte of
content leaves before its tag held, and which object, size and master key are meant comes from the verified row alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from sft.errors import (
    ContentDamagedError,
    NotSmallError,
    ObjectCorruptError,
    ObjectMissingError,
    RequestError,
    RowForgedError,
)
from sft.limits import FILE_BYTES, SMALL_FILE_BYTES
from sft.model.access import Caller, Permission
from sft.model.records import File
from sft.service.files import find_versions
from sft.service.log.evidence import EvidenceBuilder
from sft.service.record_builder import RecordBuilder, blame_path
from sft.service.storage import DamagedContent, FileStorage, sealed_key_of
from sft.service.use_case import query
from sft.store.files import Pair
from sft.store.objects import small_objects
from sft.store.row_types import VersionRow
from sft.store.rows import ReadTransaction
from sft.vault.layout import chunk_count
from sft.vault.objects import open_whole
from sft.vault.vault import ObjectReader

RECORD_BYTES: Final = 400  # a file's record and its frame's share, without path and signature
PROVED_BYTES: Final = 300  # its slot without the name, and its share of the proof and of the folders' slots


@query(Permission.FILE_READ)
def begin(
    reading: ReadTransaction,
    caller: Caller,
    *,
    storage: FileStorage,
    path: str,
    version: int = 0,
    builder: EvidenceBuilder | None = None,
) -> Download:
    """Find what is to be read; the vault is not touched yet.

    Args:
        version: which one; 0 is the newest.
        builder: takes what proves it.

    Raises:
        NotFoundError: no file is there, or it has no such version.
        RecordForgedError: its row was changed outside the server.
        ContentDamagedError: the database has lost it.
    """
    with blame_path(path):
        (found,) = _find(
            reading, caller, storage, [(path, version)], builder, room_bytes=FILE_BYTES, most_bytes=FILE_BYTES
        )
    if isinstance(found, RequestError):
        raise found
    return found


@query(Permission.FILE_READ)
def begin_many(
    reading: ReadTransaction,
    caller: Caller,
    *,
    storage: FileStorage,
    files: Sequence[tuple[str, int]],
    room_bytes: int,
    builder: EvidenceBuilder | None = None,
) -> list[Download | RequestError]:
    """Find small files that are read together, each judged by itself as ``begin`` does, with a few queries for all of them.

    Args:
        files: paths and versions, 0 being the newest.
        room_bytes: for their records and contents together.
        builder: takes what proves them.

    Returns:
        What became of the first so many that the room holds, one at least, in order; of a file that is not small a
        NotSmallError. Those that are ``inline`` are opened: to hand them to another thread for that costs more than it takes.
    """
    try:
        found = _find(reading, caller, storage, files, builder, room_bytes=room_bytes, most_bytes=SMALL_FILE_BYTES)
    except RowForgedError:
        # A row of one of them, at least: that one alone is refused for it.
        found = _find_each(reading, caller, storage, files, builder, room_bytes)
    for each in found:
        if isinstance(each, Download) and each.inline:
            each.open_inline()
    return found


def _find_each(
    reading: ReadTransaction,
    caller: Caller,
    storage: FileStorage,
    files: Sequence[tuple[str, int]],
    builder: EvidenceBuilder | None,
    room_bytes: int,
) -> list[Download | RequestError]:
    outcomes: list[Download | RequestError] = []
    for path, version in files:
        try:
            with blame_path(path):
                (found,) = _find(
                    reading,
                    caller,
                    storage,
                    [(path, version)],
                    builder,
                    room_bytes=room_bytes,
                    most_bytes=SMALL_FILE_BYTES,
                )
        except RequestError as refusal:
            found = refusal
        room_bytes -= _weight_bytes(path, found.row, builder) if isinstance(found, Download) else 0
        if room_bytes < 0 and outcomes:
            break
        outcomes.append(found)
    return outcomes


def _find(
    reading: ReadTransaction,
    caller: Caller,
    storage: FileStorage,
    files: Sequence[tuple[str, int]],
    builder: EvidenceBuilder | None,
    *,
    room_bytes: int,
    most_bytes: int,
) -> list[Download | RequestError]:
    outcomes: list[VersionRow | RequestError] = []
    found: list[Pair] = []
    paths: list[str] = []
    records = RecordBuilder(reading)
    for (path, _), outcome in zip(files, find_versions(reading, caller, Permission.FILE_READ, files), strict=True):
        if isinstance(outcome, RequestError):
            outcomes.append(outcome)
        elif outcome[1].destroyed_at is not None:
            outcomes.append(records.destroyed(path, outcome[1]))
        elif outcome[1].size > most_bytes:
            outcomes.append(NotSmallError(path=path))
        else:
            room_bytes -= _weight_bytes(path, outcome[1], builder)
            if room_bytes < 0 and outcomes:
                break
            outcomes.append(outcome[1])
            found.append(outcome)
            paths.append(path)
    if builder is not None:
        builder.add_files(reading, found)
    shown = records.files(found, signatures=True, paths=paths)
    sealed = small_objects(reading, {row.object_id for _, row in found if row.inline})
    return [
        each if isinstance(each, RequestError) else _download(storage, next(shown), each, sealed.get(each.object_id))
        for each in outcomes
    ]


def _download(storage: FileStorage, record: File, row: VersionRow, sealed: bytes | None) -> Download | RequestError:
    if row.inline and sealed is None:
        problem = f"the small object {row.object_id.hex()} of version {row.number} is missing"
        return _damage(storage, record, row, problem)
    return Download(storage, record, row, sealed)


def _damage(storage: FileStorage, record: File, row: VersionRow, problem: str) -> ContentDamagedError:
    """Tell of a content that does not open: here, where it is met, whatever becomes of who asked for it."""
    storage.damaged(DamagedContent(row.object_id, record.id, row.number, record.path, problem))
    return ContentDamagedError(problem, path=record.path)


def _weight_bytes(path: str, row: VersionRow, builder: EvidenceBuilder | None) -> int:
    """Estimate what a file takes of a frame: its record has the path twice, and slots have the names once more."""
    path_bytes = len(path.encode())
    proved = 0 if builder is None else PROVED_BYTES + path_bytes
    return RECORD_BYTES + 2 * path_bytes + len(row.signature) + row.size + proved


class Download:
    """A version that is being read; one owner at a time.

    Attributes:
        file: the record, with its signature.
        object_id: of the content. ``rotate-key --reencrypt`` moves contents to new objects: who meets ContentDamagedError
            in ``start``, ``whole`` or ``read`` begins once more, and goes on where it was if the object is another then.
    """

    def __init__(self, storage: FileStorage, file: File, row: VersionRow, sealed: bytes | None) -> None:
        self.file = file
        self.object_id = row.object_id
        self._storage = storage
        self._row = row
        self._sealed = sealed
        self._whole: bytes | None = None
        self._reader: ObjectReader | None = None
        self._started = False

    @property
    def row(self) -> VersionRow:
        return self._row

    @property
    def size(self) -> int:
        return self._row.size

    @property
    def inline(self) -> bool:
        """The object lies in the database, and was read with its row: opening it does no input."""
        return self._sealed is not None

    @property
    def chunks(self) -> int:
        return chunk_count(self._row.size)

    @property
    def chunks_left(self) -> int:
        if self._reader is None:
            return int(self._sealed is not None)
        return self._reader.chunks_left

    def whole(self) -> bytes:
        """Read a small content at once; ContentDamagedError if it is gone, or not what was sealed."""
        if self.size > SMALL_FILE_BYTES:
            raise ValueError("a large content is read in chunks")
        if self._whole is not None:
            return self._whole
        row = self._row
        with self._damaged():
            if self._sealed is not None:
                return self._open_inline(self._sealed)
            chunks = self._storage.vault.read_whole(row.object_id, row.size, sealed_key_of(row))
            return b"".join(chunks)

    def open_inline(self) -> None:
        """Open an object that was read with its row, for ``whole``, which says if it is damaged; pure computing."""
        if self._sealed is not None:
            with suppress(ObjectCorruptError):
                self._whole = self._open_inline(self._sealed)

    @property
    def chunks_opened(self) -> int:
        """How many chunks ``open`` has returned."""
        return 0 if self._reader is None else self._reader.chunks_opened

    def start(self, first_chunk: int = 0) -> None:
        """Open the object and check its start and length (input and output); ContentDamagedError if they are wrong."""
        if self._started:
            raise ValueError("a download is started once")
        self._started = True
        if self._sealed is not None:
            return
        row = self._row
        with self._damaged():
            self._reader = self._storage.vault.open(
                row.object_id, row.size, sealed_key_of(row), first_chunk=first_chunk
            )
            self._reader.rest()

    def read(self, count: int) -> list[bytes]:
        """Read the next sealed chunks, none at the end (input and output); ContentDamagedError if the object shrank or is gone.

        The object is open only meanwhile: a reader who is slow, or gone without a word, holds no file open.
        """
        if self._row.inline and self._started:
            sealed, self._sealed = self._sealed, None
            return [] if sealed is None else [sealed]
        reader = self._open_reader()
        with self._damaged():
            try:
                return reader.read(count)
            finally:
                reader.rest()

    def open(self, sealed: Sequence[bytes]) -> list[bytes]:
        """Open chunks in the order of reading (pure computing): all of them, or none and ContentDamagedError."""
        with self._damaged():
            if self._row.inline:
                return [self._open_inline(each) for each in sealed]
            return self._open_reader().open(sealed)

    def close(self) -> None:
        """Let the object go; idempotent."""
        if self._reader is not None:
            self._reader.close()

    def _open_inline(self, sealed: bytes) -> bytes:
        row = self._row
        return open_whole(self._storage.vault.keyring, row.object_id, row.size, sealed_key_of(row), sealed)

    def _open_reader(self) -> ObjectReader:
        if self._reader is None:
            raise ValueError("the download was not started")
        return self._reader

    @contextmanager
    def _damaged(self) -> Iterator[None]:
        try:
            yield
        except (ObjectCorruptError, ObjectMissingError) as fault:
            raise _damage(self._storage, self.file, self._row, str(fault.values["problem"])) from fault
