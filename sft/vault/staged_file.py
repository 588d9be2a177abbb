"""A small file that belongs to a master key, and its successor beside it while a rotation is under way.

Rules. Each is written whole or not at all, 0600, and read only if it is ours and closed to those who may not read it. At
every moment the old one or the new one is under the final name.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sft import durable
from sft.errors import MasterKeyError, MasterKeyOpenError

STAGED_SUFFIX: Final = ".new"
UNFINISHED_SUFFIX: Final = ".part"
FILE_MOST_BYTES: Final = 256


class StagedFile:
    """A small file, and beside it the one that a rotation puts in its place.

    Args:
        path: of the file; the other is PATH.new.
        kind: what it is called in messages.
        forbidden: permission bits that must not be set.
    """

    __slots__ = ("_forbidden", "_kind", "_path")

    def __init__(self, path: Path, kind: str, forbidden: int) -> None:
        self._path = path
        self._kind = kind
        self._forbidden = forbidden

    @contextlib.contextmanager
    def _folder(self, act: str, name: str = "") -> Iterator[int]:
        """Open the folder around, and turn the system's faults into ours.

        Args:
            act: what is done.
            name: what it is done to, where it is not the file.
        """
        try:
            with durable.opened_folder(self._path.parent) as folder:
                yield folder
        except FileNotFoundError as fault:
            raise MasterKeyError(str(fault), problem=f"there is no {self._kind} {self._path}") from fault
        except FileExistsError as fault:
            problem = f"there is a {self._kind} {self._path.with_name(name or self._path.name)} already"
            raise MasterKeyError(str(fault), problem=problem) from fault
        except OSError as fault:
            problem = f"the {self._kind} {self._path} cannot be {act}"
            raise MasterKeyError(str(fault), problem=problem) from fault

    def read(self) -> bytes:
        with self._folder("read") as folder:
            return self._read(folder, self._path.name)

    def read_staged(self) -> bytes | None:
        """Read the staged one; None where there is none."""
        with self._folder("read") as folder:
            try:
                return self._read(folder, self._staged)
            except FileNotFoundError:
                return None

    def create(self, data: bytes) -> None:
        """Make the file where none is, durably; whoever is cut leaves the whole file or none."""
        self._create(self._path.name, "created", data)

    def stage(self, data: bytes) -> None:
        """Keep the staged one where none is: likewise, and never over one that a keyring may be sealed under.

        Raises:
            MasterKeyError: there is one.
        """
        self._create(self._staged, "replaced", data)

    def _create(self, name: str, act: str, data: bytes) -> None:
        unfinished = self._path.name + UNFINISHED_SUFFIX
        with self._folder(act, name) as folder:
            with contextlib.suppress(FileNotFoundError):
                durable.remove_file(folder, unfinished)
            durable.write_new(folder, unfinished, data)
            try:
                durable.rename_no_replace(folder, unfinished, folder, name)
            except OSError:
                durable.remove_file(folder, unfinished)
                raise
            durable.sync_folder(folder)

    def take_staged(self) -> None:
        """Put the staged one in the file's place, durably."""
        with self._folder("replaced") as folder:
            os.rename(self._staged, self._path.name, src_dir_fd=folder, dst_dir_fd=folder)
            durable.sync_folder(folder)

    def drop_staged(self) -> None:
        """Remove the staged one, if there is one."""
        with self._folder("removed") as folder, contextlib.suppress(FileNotFoundError):
            durable.remove_file(folder, self._staged)

    @property
    def _staged(self) -> str:
        return self._path.name + STAGED_SUFFIX

    def _read(self, folder: int, name: str) -> bytes:
        file = durable.open_regular(folder, name)
        try:
            found = os.fstat(file)
            if found.st_uid not in (0, os.geteuid()):
                raise MasterKeyError(problem=f"the {self._kind} {self._path} belongs to another user")
            if stat.S_IMODE(found.st_mode) & self._forbidden:
                raise MasterKeyOpenError(kind=self._kind, path=str(self._path))
            return os.read(file, FILE_MOST_BYTES)
        finally:
            os.close(file)
