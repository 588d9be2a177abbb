"""What the errors of this computer's system mean to a person: OSError in, ClientError out."""

from __future__ import annotations

import errno
from pathlib import Path
from types import TracebackType
from typing import Final

from sft.errors import ClientError, LocalDiskFullError, LocalFileError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

# What is wrong with a path, and what would mend it.
_PROBLEMS: Final[dict[int, tuple[str, str]]] = {
    errno.ENOENT: ("does not exist", "Check the name: ls"),
    errno.EACCES: ("may not be used by you", "Check its permissions: ls -l"),
    errno.EPERM: ("may not be used by you", "Check its permissions: ls -l"),
    errno.ENOTDIR: ("is not a folder", "Name a folder"),
    errno.EISDIR: ("is a folder", "Name a file"),
    errno.EEXIST: ("is in the way", "Move it aside, then the same command again"),
    errno.ELOOP: ("is a link, and links are not followed here", "Name what it leads to"),
    errno.EROFS: ("lies on a disk that cannot be written", "Choose another folder"),
    errno.ENAMETOOLONG: ("has too long a name for this computer", "Choose a shorter name"),
    errno.EIO: ("cannot be read or written: the disk reports a fault", "Check the disk"),
    errno.EMFILE: ("cannot be opened: too many files are open", "ulimit -n 4096, then again"),
    errno.EINVAL: ("is not a regular file", "Name a regular file"),
    errno.EFBIG: ("is larger than it may be here", "Look at what it is; move it aside, then the same command again"),
}


def describe_os_error(error: OSError, path: str | Path) -> ClientError:
    """Return what an OSError means for a path of this computer; its own text goes to the log alone."""
    if error.errno in _FULL:
        return LocalDiskFullError(str(error), path=str(path))
    named = errno.errorcode.get(error.errno or 0, "unknown fault")
    problem, remedy = _PROBLEMS.get(
        error.errno or 0, (f"cannot be used ({named})", "Check the disk, then the same command again")
    )
    return LocalFileError(str(error), path=str(path), problem=problem, remedy=remedy)


class translating_os_errors:  # noqa: N801 - a block of code begins with it, as with a function that makes one
    """Turn every OSError of the block into what it means for this path.

    Raises:
        LocalDiskFullError: no room.
        LocalFileError: anything else.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str | Path) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise describe_os_error(error, self._path) from error
