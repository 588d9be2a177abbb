"""The folder that downloads go to, and those below it, each opened once and walked without following links.

Rules. Everything here blocks and runs on the pool.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from sft import durable
from sft.client.os_errors import translating_os_errors
from sft.client.transfers.part_names import remove_old_parts
from sft.model.names import local_name

_FOLDER: Final = 0o777


class Destination:
    """The folder that downloads go to, opened once.

    Args:
        path: the person's own choice: links in it are followed; it is made if it is missing.
        now: Unix seconds.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self._now = now
        self._tidied: set[tuple[str, ...]] = set()
        with translating_os_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            self._fd = durable.open_folder(path)
        self.umask = durable.umask()

    def folder(self, parts: Sequence[str]) -> int:
        """Open a folder below, making what is missing; the caller releases it."""
        where = self.path.joinpath(*parts)
        with translating_os_errors(where):
            folder = os.dup(self._fd)
            for part in parts:
                above = folder
                try:
                    folder = durable.sub_folder(above, local_name(part), make=True, mode=_FOLDER)
                finally:
                    os.close(above)
            if tuple(parts) not in self._tidied:
                self._tidied.add(tuple(parts))
                remove_old_parts(folder, self._now())
            return folder

    def make(self, parts: Sequence[str]) -> None:
        self.release(self.folder(parts))

    def release(self, folder: int) -> None:
        os.close(folder)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Folders(Protocol):
    """Where files go: a destination, or what shares its open folders."""

    @property
    def path(self) -> Path: ...

    @property
    def umask(self) -> int: ...

    def folder(self, parts: Sequence[str]) -> int:
        """Open a folder below, making what is missing; the caller releases it."""

    def release(self, folder: int) -> None:
        """Give back an open folder."""
