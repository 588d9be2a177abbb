"""Digests of this computer's files, kept as long as a file is as it was: by device, inode, size, mtime and ctime.

    digests/files    records of those five (40 bytes, big endian), the first half of the BLAKE2b-512 and the CRC-32 of both
                     (4 bytes, big endian), in the order of reading; the first has "sft digests" in place of the five, the
                     number of the format, 3, and zeros

Rules. Nothing is believed that could have changed unseen: a file that was written within two seconds before it was read is
read again the next time, for a disk may date two writes alike. A record is added at the end, so that processes lose nothing of
one another's; a long file is written anew with what was read last. Only a convenience: what is damaged is left out, read again
and written anew, and nothing is refused for what is kept alone. Everything blocks, and may be called from any thread.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from struct import Struct
from typing import Final
from zlib import crc32

from sft.client.os_errors import translating_os_errors
from sft.client.state import StateFolder
from sft.client.transfers.local_file import LocalFile, read_digest, seen_as
from sft.errors import LocalDiskFullError, LocalFileError, SourceChangedError

_NAME: Final = "digests/files"
_KEY: Final = Struct(">QQQqq")
_KEPT_BYTES: Final = 32  # of a digest: as hard to meet by chance or on purpose as a whole SHA-256
_RECORD: Final = Struct(f"{_KEY.size}s{_KEPT_BYTES + 4}s")
_HEAD: Final = _RECORD.pack(b"sft digests\0\0\0\0\3", b"")
_MOST_RECORDS: Final = 210_000  # 15 MiB: what the state reads
_KEPT_RECORDS: Final = 150_000  # when it is written anew
_MANY: Final = 64  # of which those that are there already are not added once more
_RACE_NS: Final = 2 * 10**9  # the coarsest clock of a common file system (FAT)


class DigestCache:
    """What was read of files.

    Args:
        clock: Unix seconds.

    Attributes:
        NAME: what the file of the state is called that holds it.
    """

    NAME: Final = _NAME

    def __init__(self, state: StateFolder, clock: Callable[[], float]) -> None:
        self._state = state
        self._clock = clock
        self._known: dict[bytes, bytes] | None = None
        self._unwritten: dict[bytes, bytes] = {}
        self._damaged = False
        self._lock = threading.Lock()

    def is_known_as(self, file: LocalFile, digest: bytes) -> bool | None:
        """Return whether a file has a digest, by what was kept of it; None where nothing is, or it is damaged.

        False is no reason to refuse anything unread.
        """
        if self._known is None:
            with self._lock:
                if self._known is None:
                    self._known = self._read() | self._unwritten
        key = _key(file)
        known = self._known.get(key)
        if known is None:
            return None
        if known == _kept(key, digest):
            return True
        return None if known != _kept(key, known) else False

    def read(self, file: LocalFile, *, follow: bool = False) -> bytes:
        """Read a file for its digest.

        Args:
            follow: a link means what it leads to.

        Raises:
            SourceChangedError: it is not, or does not stay, what was seen.
            LocalFileError: it cannot be read.
        """
        with translating_os_errors(file.source):
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
            opened = os.open(file.source, flags)
            try:
                return self.read_open(file, opened)
            finally:
                os.close(opened)

    def read_open(self, file: LocalFile, opened: int) -> bytes:
        """Read a file that is open, as ``read`` does; OSError if it cannot be read."""
        digest = read_digest(opened)
        if seen_as(file.source, file.path, os.fstat(opened)) != file:
            raise SourceChangedError(path=file.source)
        self.note(file, digest)
        return digest

    def note(self, file: LocalFile, digest: bytes) -> None:
        """Keep the digest of a file that stayed what was seen while it was read, unless it was only just written."""
        if self._clock() * 10**9 - max(file.modified_ns, file.changed_ns) > _RACE_NS:
            key = _key(file)
            kept = _kept(key, digest)
            with self._lock:
                if self._known is not None:
                    if self._known.get(key) == kept:
                        return
                    self._known[key] = kept
                self._unwritten[key] = kept

    def save(self) -> None:
        """Write what is not written yet; what the disk does not take is not kept."""
        with self._lock:
            new, self._unwritten = self._unwritten, {}
            if self._known is None and len(new) >= _MANY:
                before = self._read()
                new = {key: digest for key, digest in new.items() if before.get(key) != digest}
            records = b"".join(map(_RECORD.pack, new, new.values()))
            if not records:
                return
            with contextlib.suppress(LocalDiskFullError, LocalFileError), self._state.locked():
                if self._damaged:
                    self._state.write(_NAME, _HEAD + records, sync=False)
                    self._damaged = False
                elif (
                    self._state.append(_NAME, records, record_bytes=_RECORD.size, head=_HEAD)
                    > _MOST_RECORDS * _RECORD.size
                ):
                    last = [*self._read().items()][-_KEPT_RECORDS:]
                    self._state.write(_NAME, _HEAD + b"".join(_RECORD.pack(*one) for one in last), sync=False)

    def _read(self) -> dict[bytes, bytes]:
        """Return what is kept, the last read last."""
        data = b""
        with contextlib.suppress(LocalFileError):
            data = self._state.read(_NAME) or _HEAD
        self._damaged = not data.startswith(_HEAD)
        whole = 0 if self._damaged else len(data) - len(data) % _RECORD.size
        return dict(_RECORD.iter_unpack(memoryview(data)[len(_HEAD) : whole]))


def _key(file: LocalFile) -> bytes:
    return _KEY.pack(*file.identity, file.size, file.modified_ns, file.changed_ns)


def _kept(key: bytes, digest: bytes) -> bytes:
    """Return what a record holds behind its key."""
    half = digest[:_KEPT_BYTES]
    return half + crc32(key + half).to_bytes(4, "big")
