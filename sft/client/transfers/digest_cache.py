"""Digests of this computer's files, kept as long as a file is as it was: by device, inode, size, mtime and ctime.

    digests/<32 hexadecimal digits of the folder's path>    "sft digests", the number of the format, and a record per file

Rules. Nothing is believed that could have changed unseen: a file that was written within two seconds before it was read is
read again the next time, for a disk may date two writes alike. Only a convenience: what is damaged or does not fit is left
out, and read again. At most 200,000 files of a folder are kept. Blocks.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from struct import Struct
from typing import Final

from sft.client.os_errors import translating_os_errors
from sft.client.state import StateFolder
from sft.client.transfers.file_digest import read_digest
from sft.client.transfers.local_tree import LocalFile, seen_as
from sft.crypto.digests import blake2b_512
from sft.errors import LocalDiskFullError, LocalFileError, SourceChangedError

_HEAD: Final = b"sft digests\0\0\0\0\1"
_RECORD: Final = Struct(">QQQqq32s")
_KEPT_BYTES: Final = 32  # of a digest: as hard to meet by chance or on purpose as a whole SHA-256
_MOST: Final = 200_000  # 14 MiB: what the state reads
_RACE_NS: Final = 2 * 10**9  # the coarsest clock of a common file system (FAT)


class DigestCache:
    """What was read of one folder's files.

    Args:
        top: the folder.
        clock: Unix seconds.
    """

    def __init__(self, state: StateFolder, top: Path, clock: Callable[[], float]) -> None:
        place = blake2b_512(os.fsencode(os.path.realpath(top))).hexdigest()[:32]
        self._name = f"digests/{place}"
        self._state = state
        self._clock = clock
        self._known: dict[tuple[int, int, int, int, int], bytes] = {}
        self._changed = False

    def load(self) -> None:
        """Read what earlier runs have kept."""
        with contextlib.suppress(LocalFileError):
            data = self._state.read(self._name) or b""
            records = memoryview(data)[len(_HEAD) :]
            if data.startswith(_HEAD) and len(records) % _RECORD.size == 0:
                self._known = {tuple(key): digest for *key, digest in _RECORD.iter_unpack(records)}

    def is_known_as(self, file: LocalFile, digest: bytes) -> bool | None:
        """Return whether a file has a digest, by what was kept of it; None where it has to be read."""
        known = self._known.get(_key(file)) if self._known else None
        return None if known is None else known == digest[:_KEPT_BYTES]

    def read(self, file: LocalFile) -> bytes:
        """Read a file for its digest.

        Raises:
            SourceChangedError: it is not, or does not stay, what the walk saw.
            LocalFileError: it cannot be read.
        """
        with translating_os_errors(file.source):
            opened = os.open(file.source, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                digest = read_digest(opened)
                if seen_as(file.source, file.path, os.fstat(opened)) != file:
                    raise SourceChangedError(path=file.source)
            finally:
                os.close(opened)
        self.note(file, digest)
        return digest

    def note(self, file: LocalFile, digest: bytes) -> None:
        """Keep the digest of a file that was read as a walk saw it, unless it was only just written."""
        if self._clock() * 10**9 - max(file.modified_ns, file.changed_ns) > _RACE_NS:
            self._known[_key(file)] = digest[:_KEPT_BYTES]
            self._changed = True

    def note_sent(self, file: LocalFile, digest: bytes) -> None:
        """Keep the digest of a file that was sent, if it still is as the walk saw it before."""
        with contextlib.suppress(OSError):
            if seen_as(file.source, file.path, os.lstat(file.source)) == file:
                self.note(file, digest)

    def save(self, files: Iterable[LocalFile]) -> None:
        """Keep what is known of the files that are there, and forget the rest; nothing is written where nothing is new."""
        if not self._changed:
            return
        kept = ((key, self._known[key]) for file in files if (key := _key(file)) in self._known)
        records = [_RECORD.pack(*key, digest) for (key, digest), _ in zip(kept, range(_MOST), strict=False)]
        with contextlib.suppress(LocalDiskFullError, LocalFileError):
            self._state.write(self._name, _HEAD + b"".join(records), sync=False)
            self._changed = False


def _key(file: LocalFile) -> tuple[int, int, int, int, int]:
    return (*file.identity, file.size, file.modified_ns, file.changed_ns)
