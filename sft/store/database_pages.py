"""The pages of a database as they were at one moment, while its server writes on; and what they name.

    transaction   SQLite's own, for reading: holds the moment, and answers what the pages name
    wal-index     sft.sqlite-shm: up to which frame of the write-ahead log the moment goes
    log           sft.sqlite-wal: the newest page of before the moment, where it has one
    file          sft.sqlite: all other pages

Rules. SQLite has no call for a page; so these are read as its documents lay them out (sqlite.org/fileformat2.html §4 and
walformat.html), and only within its transaction: what that sees stays where it is, and moves from log to file alone. Where the
log had all been moved before, the file stays as it is until the transaction ends, and the log may start over. A descriptor of
these files is never closed: that would drop every lock that this process has on the file, those of SQLite's connections as well
(howtocorrupt.html §2.2). Nothing here is verified: who puts a copy back does that.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import literal_column, select

from sft import durable
from sft.errors import StoreError
from sft.store.connections import BEGIN_READING, connect, faults_as_ours
from sft.store.revision import revision_of
from sft.store.schema import VersionModel
from sft.store.table_specs import DIALECT

PAGES_AT_ONCE: Final = 64  # 256 KiB

_ATTEMPTS: Final = 1000  # a commit between two looks at the wal-index, which is some 50 µs, so often in a row
_WAL_VERSION: Final = 3_007_000
_INDEX_HEADER: Final = struct.Struct("=IIIBBHII8s8s8s")  # in this computer's order of bytes
_BACKFILLED: Final = struct.Struct("=I")  # behind both copies of the header
_LOG_HEADER_BYTES: Final = 32
_FRAME_HEADER: Final = struct.Struct(">II8s8s")

_OBJECTS: Final = str(
    select(VersionModel.object_id, VersionModel.size)
    .where(VersionModel.inline == 0, VersionModel.destroyed_at.is_(None))
    .order_by(literal_column("+object_id"))  # by its index a row is looked up for each: five times slower at a million
    .compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})
)


class _Index(NamedTuple):
    """What the wal-index says of the log: how many commits this was after, its last frame, and which log it is."""

    change: int
    frames: int
    salt: bytes


class DatabasePages:
    """The pages of one moment; ``pages_of`` makes it, and they can be read until its block ends.

    Attributes:
        page_bytes: of one page.
        count: of pages.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._log_path = path.with_name(f"{path.name}-wal")
        _look(connection)  # makes what lies beside the file
        connection.rollback()
        self._file = _descriptor(path)
        self._log = _descriptor(self._log_path)
        self._index = _descriptor(path.with_name(f"{path.name}-shm"))
        moment = self._begin()
        (self.page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        (self.count,) = connection.execute("PRAGMA page_count").fetchone()
        self._in_log = self._frames(moment)

    def _begin(self) -> _Index:
        """Begin the transaction; return how far the log goes for it."""
        for _ in range(_ATTEMPTS):
            before = self._read_index()
            _look(self._connection)
            if before is not None and self._read_index() == before:
                return before
            self._connection.rollback()
        raise StoreError(problem="its write-ahead log does not come to rest")

    def _read_index(self) -> _Index | None:
        """Read the header of the wal-index; None where it is being written."""
        data = os.pread(self._index, 2 * _INDEX_HEADER.size, 0)
        if len(data) < 2 * _INDEX_HEADER.size or data[: _INDEX_HEADER.size] != data[_INDEX_HEADER.size :]:
            return None
        version, _, change, is_made, _, _, frames, _, _, salt, _ = _INDEX_HEADER.unpack_from(data)
        if version != _WAL_VERSION or not is_made:
            raise StoreError(problem=f"its write-ahead log is of version {version}, which this program does not know")
        return _Index(change, frames, salt)

    def _frames(self, moment: _Index) -> dict[int, int]:
        """Find the pages whose newest state of the moment lies in the log, and where there; pages count from 0."""
        # In this order: a log that starts over has its new salt before its count goes back to 0.
        (backfilled,) = _BACKFILLED.unpack(os.pread(self._index, _BACKFILLED.size, 2 * _INDEX_HEADER.size))
        if backfilled >= moment.frames or not self._is_same_log(moment):
            return {}
        found: dict[int, int] = {}
        each = _FRAME_HEADER.size + self.page_bytes
        for at in range(_LOG_HEADER_BYTES, _LOG_HEADER_BYTES + moment.frames * each, each):
            header = os.pread(self._log, _FRAME_HEADER.size, at)
            if len(header) < _FRAME_HEADER.size:
                raise StoreError(problem="its write-ahead log is shorter than it says")
            page, _, salt, _ = _FRAME_HEADER.unpack(header)
            if salt != moment.salt:
                raise StoreError(problem="its write-ahead log has a frame of another one")
            found[page - 1] = at + _FRAME_HEADER.size
        return found

    def _is_same_log(self, moment: _Index) -> bool:
        while (now := self._read_index()) is None:
            pass
        return now.salt == moment.salt

    def read(self, first: int, most: int = PAGES_AT_ONCE) -> bytes | bytearray:
        """Read pages from one on, counted from 0, to the last one at most.

        Raises:
            StoreError: the file ends before them.
            OSError: it cannot be read.
        """
        size = self.page_bytes
        count = min(most, self.count - first)
        data = os.pread(self._file, count * size, first * size)
        newer = [page for page in range(first, first + count) if page in self._in_log] if self._in_log else []
        if not newer and len(data) == count * size:
            return data
        # The file may end before pages that only the log has as yet.
        missing = set(range(first + len(data) // size, first + count)).difference(newer)
        if missing:
            raise StoreError(problem=f"its file ends before page {min(missing) + 1} of {self.count}")
        patched = bytearray(data.ljust(count * size, b"\0"))
        for page in newer:
            at = (page - first) * size
            patched[at : at + size] = os.pread(self._log, size, self._in_log[page])
        return patched

    def log_bytes(self) -> int:
        """Return how long the write-ahead log is now: it cannot start over before the block ends."""
        return self._log_path.stat().st_size

    def revision(self) -> str:
        """Return the version of the tables."""
        return revision_of(self._connection) or ""

    def objects(self) -> Iterator[tuple[bytes, int]]:
        """Read which objects of the vault the versions name: id, and size of the content; by rising id, each once.

        Raises:
            StoreError: it cannot be read, or names what is no object.
        """
        before = b""
        for object_id, size in self._connection.execute(_OBJECTS):
            if not isinstance(object_id, bytes) or not isinstance(size, int) or object_id <= before:
                raise StoreError(problem="a version names what is no object")
            yield object_id, size
            before = object_id


@contextmanager
def pages_of(path: Path) -> Iterator[DatabasePages]:
    """Hold one moment of a database within the block; writers go on, and their log grows until it ends.

    Raises:
        StoreError: the database cannot be read; also within.
        OSError: likewise.
    """
    with faults_as_ours(), closing(connect(path, writing=False)) as connection:
        yield DatabasePages(path, connection)


def _look(connection: sqlite3.Connection) -> None:
    connection.execute(BEGIN_READING)
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only now is there a moment


_opened: Final[dict[tuple[int, int], int]] = {}
_opening: Final = threading.Lock()


def _descriptor(path: Path) -> int:
    """Open a file for as long as this process lives; once, however often it is asked for."""
    with _opening:
        found = path.stat()
        key = found.st_dev, found.st_ino
        if key not in _opened:
            with durable.opened_folder(path.parent) as folder:
                _opened[key] = durable.open_regular(folder, path.name)
        return _opened[key]
