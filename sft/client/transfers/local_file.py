"""A regular file of this computer: as it was seen, and the digest of what it holds."""

from __future__ import annotations

import os

from msgspec import Struct

from sft.crypto.digests import blake2b_512
from sft.limits import MIB


class LocalFile(Struct, frozen=True):
    """A regular file as its ``stat`` showed it.

    Args:
        source: where it is.
        path: below the folder that was walked, composed (NFC) and joined by ``/``.
        modified_ns, changed_ns: mtime and ctime.
        identity: device and inode.
    """

    source: str
    path: str
    size: int
    modified_ns: int
    changed_ns: int
    identity: tuple[int, int]


def seen_as(source: str, path: str, found: os.stat_result) -> LocalFile:
    """Return a file as its ``stat`` shows it."""
    return LocalFile(
        source, path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, (found.st_dev, found.st_ino)
    )  # fmt: skip


def is_as_seen(file: LocalFile, found: os.stat_result) -> bool:
    return seen_as(file.source, file.path, found) == file


def read_digest(file_fd: int) -> bytes:
    """Read an open file from where it stands to its end for its BLAKE2b-512 (blocks); OSError if it cannot be read."""
    running = blake2b_512()
    while block := os.read(file_fd, MIB):
        running.update(block)
    return running.digest()
