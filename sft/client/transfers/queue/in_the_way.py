"""A file of this computer that has the name of one that is fetched: what it holds, and putting the new one in its place.

Rules. Everything here may block. What was changed after it was looked at is not replaced.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from sft.client.transfers.local_file import read_digest

Mark = tuple[int, int, int, int]
"""Tells a file as it is from one that was written since: device, number, size, time."""


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """A regular file as it was found.

    Args:
        modified_at: Unix seconds.
    """

    size: int
    modified_at: int
    mark: Mark


def look_at(path: Path) -> LocalCopy | None:
    """Look at what has a name; None for what is no regular file, or nothing."""
    try:
        found = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    mark = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    return LocalCopy(found.st_size, int(found.st_mtime), mark)


def digest_of(path: Path) -> bytes:
    """Read a file to its end; OSError if it cannot be read."""
    with path.open("rb", buffering=0) as file:
        return read_digest(file.fileno())


def put_in_place(new: Path, old: Path, mark: Mark | None) -> bool:
    """Let a whole, verified file replace one that is as it was looked at; False, and ``new`` gone, if it is not."""
    if new == old:
        return True  # nothing has the name any more
    found = look_at(old)
    try:
        if found is not None and found.mark == mark:
            new.replace(old)
            return True
    except OSError:
        pass
    new.unlink(missing_ok=True)
    return False
