"""What stands in the way of a file or folder at a target: a folder for a file, a file for a folder, another case. Pure.

Rules. A name is looked for as the target tells names apart: on a server ``fold`` makes them the same. What was found to have
its place stands in the way of what comes after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sft.model.names import fold


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What is there.

    Args:
        path: as it is called there.
        wanted: what of the wanted path has that name.
    """

    path: str
    is_folder: bool
    wanted: str

    @property
    def is_clash(self) -> bool:
        """Whether the names differ in case alone."""
        return self.path != self.wanted


class TakenNames:
    """The names that are taken at a target.

    Args:
        files, folders: paths below it, and of folders those above each too.
        key: makes two names the same that cannot both be there.
    """

    def __init__(self, files: Iterable[str], folders: Iterable[str], key: Callable[[str], str]) -> None:
        self._key = key
        self._taken = {key(path): (path, False) for path in files}
        self._taken.update((key(path), (path, True)) for path in folders)
        self._free = {""}  # folders above which nothing stands in the way

    def take(self, path: str, *, is_folder: bool = False) -> Obstacle | None:
        """Take a place; or return what stands in its way, the highest of it."""
        if (obstacle := self._above(path)) is not None or (obstacle := self._at(path, is_folder)) is not None:
            return obstacle
        self._taken[self._key(path)] = path, is_folder
        return None

    def _above(self, path: str) -> Obstacle | None:
        folder = path.rpartition("/")[0]
        if folder in self._free:
            return None
        obstacle = self.take(folder, is_folder=True)
        if obstacle is None:
            self._free.add(folder)
        return obstacle

    def _at(self, path: str, is_folder: bool) -> Obstacle | None:  # noqa: FBT001
        found = self._taken.get(self._key(path))
        if found is None or found == (path, is_folder):
            return None
        return Obstacle(*found, path)


def fold_path(path: str) -> str:
    """Map a path to the key under which a server has it once."""
    return path.lower() if path.isascii() else "/".join(map(fold, path.split("/")))
