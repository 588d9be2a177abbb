"""One download: who may read it, which object holds it, and its chunks.

    begin → whole                       a small file, at once
    begin → start → (read → open)* → close

Rules. Nothing here waits for the network. ``start``, ``read`` and ``close`` do input and output, ``open`` computes. No byte of
content leaves before its tag held, and which object, size and master key are meant comes from the verified row alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sft.errors import ContentDamagedError, ObjectCorruptError, ObjectMissingError
from sft.limits import SMALL_FILE_BYTES
from sft.model.access import Caller, Permission
from sft.model.records import File
from sft.service.files import find_version
from sft.service.record_builder import RecordBuilder, blame_path
from sft.service.storage import FileStorage, sealed_key_of
from sft.service.use_case import query
from sft.store.objects import small_object
from sft.store.row_types import VersionRow
from sft.store.rows import ReadTransaction
from sft.vault.layout import chunk_count
from sft.vault.objects import open_whole
from sft.vault.vault import ObjectReader


@query(Permission.FILE_READ)
def begin(reading: ReadTransaction, caller: Caller, *, storage: FileStorage, path: str, version: int = 0) -> Download:
    """Find what is to be read; the vault is not touched yet.

    Args:
        version: which one; 0 is the newest.

    Raises:
        NotFoundError: no file is there, or it has no such version.
        RecordForgedError: its row was changed outside the server.
        ContentDamagedError: the database has lost it.
    """
    with blame_path(path):
        file, row = find_version(reading, caller, Permission.FILE_READ, path, version)
        record = RecordBuilder(reading).file(file, row)
    sealed = None
    if row.inline:
        sealed = small_object(reading, row.object_id)
        if sealed is None:
            raise ContentDamagedError(
                f"the small object {row.object_id.hex()} of version {row.number} is missing", path=path
            )
    return Download(storage, record, row, sealed)


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
        self._reader: ObjectReader | None = None

    @property
    def size(self) -> int:
        return self._row.size

    @property
    def chunks(self) -> int:
        return chunk_count(self._row.size)

    @property
    def small(self) -> bool:
        """Whether ``whole`` serves it: the content fits into one frame."""
        return self.size <= SMALL_FILE_BYTES

    @property
    def inline(self) -> bool:
        """The object came from the database: ``whole`` does no input and output."""
        return self._sealed is not None

    @property
    def chunks_left(self) -> int:
        return 0 if self._reader is None else self._reader.chunks_left

    def whole(self) -> bytes:
        """Read a small content at once; ContentDamagedError if it is gone, or not what was sealed."""
        if not self.small:
            raise ValueError("a large content is read in chunks")
        row = self._row
        with self._damaged():
            if self._sealed is not None:
                return open_whole(
                    self._storage.vault.keyring, row.object_id, row.size, sealed_key_of(row), self._sealed
                )
            chunks = self._storage.vault.read_whole(row.object_id, row.size, sealed_key_of(row))
            return b"".join(chunks)

    @property
    def chunks_opened(self) -> int:
        """How many chunks ``open`` has returned."""
        return 0 if self._reader is None else self._reader.chunks_opened

    def start(self, first_chunk: int = 0) -> None:
        """Open the object and check its start and length (input and output); ContentDamagedError if they are wrong."""
        if self._sealed is not None or self._reader is not None:
            raise ValueError("an object of the vault is started, and once")
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
        reader = self._open_reader()
        with self._damaged():
            try:
                return reader.read(count)
            finally:
                reader.rest()

    def open(self, sealed: Sequence[bytes]) -> list[bytes]:
        """Open chunks in the order of reading (pure computing): all of them, or none and ContentDamagedError."""
        with self._damaged():
            return self._open_reader().open(sealed)

    def close(self) -> None:
        """Let the object go; idempotent."""
        if self._reader is not None:
            self._reader.close()

    def _open_reader(self) -> ObjectReader:
        if self._reader is None:
            raise ValueError("the download was not started")
        return self._reader

    @contextmanager
    def _damaged(self) -> Iterator[None]:
        try:
            yield
        except (ObjectCorruptError, ObjectMissingError) as fault:
            detail = str(fault.values["problem"])
            raise ContentDamagedError(detail, path=self.file.path) from fault
