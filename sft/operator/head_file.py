"""The last signed head of the log, in a file of its own beside the database: what a start holds the database against.

    offset   0        8        16       18
    record   sft-head number   length   the head's note, zeros   SHA-256 of all before it      4,096 bytes
    file     the record of even numbers, that of odd numbers

Rules. A head is here, synced, before it leaves the server: a database with fewer leaves than the head says was put back from
a copy. Each record is written over the last but one, in place, so that a full disk is in no head's way and a write that is
cut leaves the record before it. A record that is not whole is none; a file without any is refused.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from sft import durable
from sft.errors import HomeError

RECORD_BYTES: Final = 4096  # what disks write at once, or a multiple of it
NOTE_MOST_BYTES: Final = RECORD_BYTES - 8 - 8 - 2 - 32

_MAGIC: Final = b"sft-head"
_SUM_BYTES: Final = 32


class HeadFile:
    """The open file; for one thread at a time.

    Args:
        path: of a file that ``create`` made.

    Raises:
        OSError: it cannot be opened or read, or is no regular file.
    """

    def __init__(self, path: Path) -> None:
        with durable.opened_folder(path.parent) as folder_fd:
            self._file_fd = durable.open_regular(folder_fd, path.name, writing=True)
        self._number, self._note = _newest(os.pread(self._file_fd, 2 * RECORD_BYTES, 0))

    @classmethod
    def create(cls, path: Path) -> HeadFile:
        """Make the file of a new home, with no head in it yet."""
        with durable.opened_folder(path.parent) as folder_fd:
            durable.write_new(folder_fd, path.name, bytes(2 * RECORD_BYTES))
        return cls(path)

    @property
    def note(self) -> str | None:
        """The last head that was signed; None where the file has none that is whole."""
        return self._note

    def keep(self, note: str) -> None:
        """Write a head, and return when it is on the disk.

        Raises:
            OSError: nobody knows what the disk holds: nothing may be kept here any more before a start has read it.
            ValueError: it is too long.
        """
        number, content = self._number + 1, note.encode()
        if len(content) > NOTE_MOST_BYTES:
            raise ValueError(f"a head of {len(content)} bytes")
        begun = _MAGIC + number.to_bytes(8) + len(content).to_bytes(2) + content
        begun += bytes(RECORD_BYTES - _SUM_BYTES - len(begun))
        record = begun + hashlib.sha256(begun).digest()
        durable.write_in_place(self._file_fd, record, number % 2 * RECORD_BYTES)
        self._number, self._note = number, note

    def close(self) -> None:
        os.close(self._file_fd)


def read_head(path: Path) -> str:
    """Read the last head while its server may be writing the next; HomeError where there is none.

    Of two records that are read while one is written the other is whole.
    """
    try:
        with durable.opened_folder(path.parent) as folder_fd:
            data = durable.read_regular(folder_fd, path.name, 2 * RECORD_BYTES)
    except OSError as error:
        raise _no_head(path, f"cannot be read ({error.strerror})") from error
    newest = _newest(data)[1]
    if newest is None:
        raise _no_head(path, "has no head")
    return newest


def _no_head(path: Path, problem: str) -> HomeError:
    return HomeError(home=str(path.parent), problem=f"{path} {problem}", remedy="Look at its disk and at whose it is")


def _newest(data: bytes) -> tuple[int, str | None]:
    whole = [found for at in (0, RECORD_BYTES) if (found := _parsed(data[at : at + RECORD_BYTES])) is not None]
    return max(whole, default=(0, None))


def _parsed(record: bytes) -> tuple[int, str] | None:
    begun, digest = record[:-_SUM_BYTES], record[-_SUM_BYTES:]
    if len(record) != RECORD_BYTES or not begun.startswith(_MAGIC) or hashlib.sha256(begun).digest() != digest:
        return None
    length = int.from_bytes(begun[16:18])
    return int.from_bytes(begun[8:16]), begun[18 : 18 + length].decode()
