"""The highest version of each file that this computer has seen a good signature of: what is older is not the newest.

    versions/<server id>    records of a file's id (16 bytes) and a version (8 bytes, big endian), in the order of seeing;
                            the first has "sft versions" in place of an id, and the number of the format, 1

Rules. A format of a higher number is refused. A record is added at the end, never changed; a long file is written
anew with what was seen last. A record that a crash cut off is cut away before the next one. What the disk does not take is
remembered while this process runs. Everything may block, and be called from any thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from struct import Struct
from typing import Final

from sft.client.state import StateFolder
from sft.errors import LocalDiskFullError, LocalFileError

_RECORD: Final = Struct(">16sQ")
_FORMAT: Final = 1
_MAGIC: Final = b"sft versions".ljust(16, b"\0")
_HEAD: Final = _RECORD.pack(_MAGIC, _FORMAT)
_ID_DIGITS: Final = 32
_MOST_RECORDS: Final = 600_000  # 14 MiB: what the state reads
_KEPT_RECORDS: Final = 400_000  # when it is written anew
_WRITTEN_AT_ONCE: Final = 256  # what a kill may forget, and a small part of a put or get of many files


class VersionsSeen:
    """What was seen of one server's files."""

    def __init__(self, state: StateFolder, server_id: bytes) -> None:
        self._state = state
        self._name = f"versions/{server_id.hex()[:_ID_DIGITS]}"
        self._highest: dict[bytes, int] | None = None
        self._unwritten: dict[bytes, int] = {}
        self._lock = threading.Lock()

    @property
    def path(self) -> str:
        """Where it is kept."""
        return str(self._state.path(self._name))

    def load(self) -> None:
        """Read what earlier runs have seen; once.

        Raises:
            LocalFileError: it cannot be read, is no such file, or a newer sft wrote it.
        """
        with self._lock:
            self._loaded()

    def highest(self, file_id: bytes) -> int:
        """Return the highest version seen of a file; 0 for none."""
        with self._lock:
            return self._loaded().get(file_id, 0)

    def note(self, file_id: bytes, version: int) -> None:
        """Remember a version whose signature holds."""
        with self._lock:
            known = self._loaded()
            if version <= known.get(file_id, 0):
                return
            known[file_id] = self._unwritten[file_id] = version
            if len(self._unwritten) >= _WRITTEN_AT_ONCE:
                self._write()

    def flush(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            if self._unwritten:
                self._write()

    def _loaded(self) -> dict[bytes, int]:
        if self._highest is None:
            self._highest = self._read()
        return self._highest

    def _write(self) -> None:
        records = b"".join(_RECORD.pack(*one) for one in self._unwritten.items())
        with contextlib.suppress(LocalDiskFullError, LocalFileError), self._state.locked():
            written = self._state.append(self._name, records, record_bytes=_RECORD.size, head=_HEAD)
            self._unwritten = {}
            if written > _MOST_RECORDS * _RECORD.size:
                self._shorten()

    def _shorten(self) -> None:
        kept = [*self._read().items()][-_KEPT_RECORDS:]
        self._state.write(self._name, _HEAD + b"".join(_RECORD.pack(*one) for one in kept), sync=False)

    def _read(self) -> dict[bytes, int]:
        """Return the highest version of each file, the last seen last."""
        records = _parsed(self._state.read(self._name) or b"")
        magic, number = next(records, (_MAGIC, _FORMAT))
        if magic != _MAGIC:
            raise LocalFileError(
                path=self.path,
                problem="is damaged",
                remedy="Move it away: what was seen of older versions is forgotten then",
            )
        if number > _FORMAT:
            raise LocalFileError(
                path=self.path,
                problem=f"was written by a newer sft (format {number}; this one reads {_FORMAT})",
                remedy="Update this program: nothing was changed",
            )
        known: dict[bytes, int] = {}
        for file_id, version in records:
            before = known.pop(file_id, 0)
            known[file_id] = max(version, before)
        return known


def _parsed(data: bytes) -> Iterator[tuple[bytes, int]]:
    whole = len(data) - len(data) % _RECORD.size
    return _RECORD.iter_unpack(memoryview(data)[:whole])
