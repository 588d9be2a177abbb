"""The files of an exported log, in a folder of this computer.

Rules. Everything in it is closed to others, as whatever this program writes: who publishes it copies it to where it is read. No
link is followed below the folder. A file is whole or not there; what is written is on the disk when ``settle`` returns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sft.durable import make_private_folder, opened_folder, read_regular, replace_file
from sft.errors import LocalFileError


class LogFolder:
    """The files of ``sft.ledger.published`` below one folder; every method blocks and raises LocalFileError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make the folder, and those above it that are missing; one that is there stays as open as it is."""
        with self._told("cannot be made"):
            if not self.path.is_dir():
                make_private_folder(self.path)

    def read(self, path: str, at_most: int) -> bytes | None:
        *folders, name = path.split("/")
        with self._told("cannot be read"):
            try:
                with opened_folder(self.path, *folders) as folder_fd:
                    return read_regular(folder_fd, name, at_most)
            except FileNotFoundError:
                return None

    def write(self, path: str, data: bytes) -> None:
        *folders, name = path.split("/")
        with self._told("cannot be written"), opened_folder(self.path, *folders, make=True) as folder_fd:
            replace_file(folder_fd, name, data, sync=False)

    def settle(self) -> None:
        # Of a log with a million leaves these are two million small files: each by itself would take an hour.
        os.sync()

    @contextmanager
    def _told(self, problem: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            remedy = "Look whether it is yours, and whether there is room; then the same command again"
            raise LocalFileError(str(error), path=str(self.path), problem=problem, remedy=remedy) from error
