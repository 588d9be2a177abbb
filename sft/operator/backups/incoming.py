"""Many files made durable together: each has its name once it is on the disk, and none before.

Rules. A file is written under a temporary name; a batch of them is synced at once, which costs what one of them would, and
then each is renamed, never over something. So whoever sees a name sees a file that survives. A batch that fails leaves
temporary names, which the next run removes. What is renamed belongs together in the order in which it was added.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from types import TracebackType
from typing import Final, NamedTuple, Self

from sft import durable
from sft.limits import MIB
from sft.vault.disk import Disk, RealDisk

BATCH_FILES: Final = 1000
BATCH_BYTES: Final = 64 * MIB


class _Written(NamedTuple):
    temporary: str
    below: tuple[str, ...]
    name: str


class Incoming:
    """Files on their way into a tree of folders; for one thread.

    Args:
        root: the tree's folder, open.
        folder: where in it files are written first.
        disk: the steps on files.
    """

    def __init__(self, root: int, folder: tuple[str, ...], disk: Disk | None = None) -> None:
        self._root = root
        self._disk = disk or RealDisk()
        self._folder = open_below(root, *folder)
        self._written: list[_Written] = []
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            # What was written last has no name yet: room for whoever needs it now.
            with suppress(OSError):
                self.clear()
        os.close(self._folder)

    def clear(self) -> None:
        """Remove what has no name yet, of this run or of one that was cut."""
        self._written.clear()
        for name in os.listdir(self._folder):
            self._disk.unlink(self._folder, name)

    @contextmanager
    def writing(self, temporary: str, below: tuple[str, ...], name: str) -> Iterator[int]:
        """Write a file within the block, and have it placed with its batch; nothing is left of it where that fails.

        Args:
            below: the folders from the root to where it belongs; they are made.
        """
        file = self._disk.create(self._folder, temporary)
        try:
            yield file
            self._bytes += os.fstat(file).st_size
        except BaseException:
            with suppress(OSError):
                self._disk.unlink(self._folder, temporary)
            raise
        finally:
            os.close(file)
        self._written.append(_Written(temporary, below, name))

    def write(self, file: int, data: bytes) -> None:
        self._disk.write(file, [data])

    def settle(self, *, all_of_it: bool = False) -> None:
        """Place what was written, where that is a batch; for whoever has just written what belongs together."""
        if self._written and (all_of_it or len(self._written) >= BATCH_FILES or self._bytes >= BATCH_BYTES):
            self._place()

    def sync(self) -> None:
        """Place everything, and wait until the names are on the disk as well."""
        self.settle(all_of_it=True)
        durable.sync_file_system(self._root)

    def _place(self) -> None:
        written, self._written, self._bytes = self._written, [], 0
        one_by_one = not durable.sync_file_system(self._folder)
        if one_by_one:
            for each in written:
                file = self._disk.reopen(self._folder, each.temporary)
                try:
                    self._disk.sync_file(file)
                finally:
                    os.close(file)
        for below, together in groupby(written, key=lambda each: each.below):
            folder = open_below(self._root, *below, make=True)
            try:
                for each in together:
                    self._disk.rename(self._folder, each.temporary, folder, each.name)
                if one_by_one:
                    self._disk.sync_folder(folder)
            finally:
                os.close(folder)


def open_below(root: int, *below: str, make: bool = False) -> int:
    """Open a folder below an open one, folder by folder, never through a link."""
    folder = os.dup(root)
    for name in below:
        try:
            try:
                found = durable.sub_folder(folder, name)
            except FileNotFoundError:
                if not make:
                    raise
                found = durable.sub_folder(folder, name, make=True)
        finally:
            os.close(folder)
        folder = found
    return folder
