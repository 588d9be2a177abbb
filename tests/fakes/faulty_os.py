"""The system's calls on files, counted; some of them fail, and a power cut undoes every rename whose folder was not synced.

A fault is met before the call happened, or after: a failed ``fsync`` or ``rename`` may have done its work, and only says that
it did not. Only the calls of ``os`` and the one rename that goes past it are counted, not those that read through ``open()``.
No sync waits for a disk: what one would have kept is what ``cut_power`` leaves.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import pytest

from sft import durable

CALLS: Final = (
    "open",
    "mkdir",
    "rmdir",
    "read",
    "write",
    "writev",
    "pwrite",
    "fsync",
    "fdatasync",
    "fchmod",
    "fstat",
    "rename",
    "link",
    "unlink",
    "listdir",
)
# What changes the disk, and may have happened although it failed.
CHANGES: Final = frozenset(
    {
        *("mkdir", "write", "writev", "pwrite", "fsync", "fdatasync", "rename", "link", "unlink", "rename_no_replace"),
        *("sqlite write", "sqlite truncate", "sqlite sync", "sqlite delete"),
    }
)
CODES: Final = {"write": errno.ENOSPC, "writev": errno.ENOSPC, "open": errno.EMFILE, "mkdir": errno.ENOSPC}


class FaultyOs:
    """Counts the calls within ``counting`` and fails the chosen ones.

    Args:
        fail: numbers of calls, from 0.
        late: the calls that can be met so fail after they happened.
        only: names of the calls that count; all unless given.
    """

    def __init__(self, fail: Collection[int] = (), *, late: bool = False, only: Collection[str] = ()) -> None:
        self.fail = frozenset(fail)
        self.late = late
        self.only = frozenset(only)
        self.names: list[str] = []
        self._lock = threading.Lock()
        self._undo: list[tuple[set[int], Callable[[], None]]] = []
        self._folders: dict[int, int] = {}

    @property
    def count(self) -> int:
        return len(self.names)

    def step(self, name: str) -> tuple[bool, bool]:
        """Count a call; return whether it fails, and whether after it happened."""
        if self.only and name not in self.only:
            return False, False
        with self._lock:
            number = self.count
            self.names.append(name)
        return number in self.fail, self.late and name in CHANGES

    @contextmanager
    def counting(self) -> Iterator[FaultyOs]:
        """Stand between the program and the system within the block."""
        real = {name: getattr(os, name) for name in CALLS}
        self._real = real
        with pytest.MonkeyPatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self._counted(name, real[name]))
            renaming = self._counted("rename_no_replace", durable.rename_no_replace)
            patch.setattr(durable, "rename_no_replace", renaming)
            yield self

    def cut_power(self) -> None:
        """Undo what no sync of a folder has made durable, the last first; for after the block."""
        for _, undo in reversed(self._undo):
            undo()
        self._undo.clear()

    def close(self) -> None:
        for folder in self._folders.values():
            os.close(folder)

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            fails, late = self.step(name)
            fault = OSError(CODES.get(name, errno.EIO), f"the fault at call {self.count - 1}, {name}")
            if fails and not late:
                raise fault
            undo = self._remember(name, args, kwargs)
            done = None if name in {"fsync", "fdatasync"} else call(*args, **kwargs)
            self._undo += undo
            if fails:
                raise fault
            if name == "fsync":
                self._synced(args[0])
            return done

        return counted

    # -- what a power cut undoes

    def _remember(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        if name == "rename" and "src_dir_fd" in kwargs:
            return [self._moved(kwargs["src_dir_fd"], args[0], kwargs["dst_dir_fd"], args[1])]
        if name == "rename_no_replace":
            return [self._moved(*args)]
        if name == "unlink" and kwargs.get("dir_fd") is not None:
            return [self._gone(kwargs["dir_fd"], args[0])]
        return []

    def _moved(self, from_fd: int, name: str, to_fd: int, to_name: str) -> Any:
        from_folder, to_folder = self._kept(from_fd), self._kept(to_fd)
        before = self._content(to_folder, to_name)

        def undo() -> None:
            with suppress(FileNotFoundError):
                os.rename(to_name, name, src_dir_fd=to_folder, dst_dir_fd=from_folder)
            if before is not None:
                _put(to_folder, to_name, before)

        return {self._inode(to_fd)}, undo

    def _gone(self, folder_fd: int, name: str) -> Any:
        folder = self._kept(folder_fd)
        before = self._content(folder, name)

        def undo() -> None:
            if before is not None:
                with suppress(FileExistsError):
                    _put(folder, name, before)

        return {self._inode(folder_fd)}, undo

    def _synced(self, fd: int) -> None:
        inode = self._inode(fd)
        for folders, _ in self._undo:
            folders.discard(inode)
        self._undo = [each for each in self._undo if each[0]]

    def _inode(self, fd: int) -> int:
        found: os.stat_result = self._real["fstat"](fd)
        return found.st_ino

    def _kept(self, fd: int) -> int:
        inode = self._inode(fd)
        if inode not in self._folders:
            self._folders[inode] = os.dup(fd)
        return self._folders[inode]

    def _content(self, folder: int, name: str) -> tuple[bytes, int] | None:
        try:
            file: int = self._real["open"](name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
        except OSError:
            return None
        try:
            found = self._real["fstat"](file)
            return (self._real["read"](file, 1 << 20), found.st_mode) if stat.S_ISREG(found.st_mode) else None
        finally:
            os.close(file)


def _put(folder: int, name: str, before: tuple[bytes, int]) -> None:
    content, mode = before
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IMODE(mode), dir_fd=folder)
    os.fchmod(file, stat.S_IMODE(mode))
    os.write(file, content)
    os.close(file)
