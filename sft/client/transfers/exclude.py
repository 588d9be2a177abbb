"""Which files of a folder stay behind: patterns as of ``.gitignore``, without ``!``.

Rules. A pattern without a ``/`` fits a name at any depth; one with a ``/`` fits a path from the folder that was named on.
``*``, ``?`` and ``[a-z]`` stand within a name, ``**`` for any number of folders, a ``/`` at the end for folders alone; what
lies in a folder that fits stays behind with it. Case counts. Pure, and for names of any peer: time grows with the product of
the lengths at most.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from msgspec import Struct

from sft.client.api.tree import fits_parts
from sft.errors import UsageError

_ANY_FOLDERS: Final = "**"


class _Pattern(Struct, frozen=True):
    """One pattern: a part for each name, and ``**`` for any number of them."""

    parts: tuple[str, ...]
    folders_only: bool

    def fits(self, names: Sequence[str], *, folder: bool) -> bool:
        return (folder or not self.folders_only) and fits_parts(self.parts, names, _ANY_FOLDERS, _same)


class Excludes:
    """The patterns of one command.

    Raises:
        UsageError: a pattern that fits nothing, or begins with ``!``: whoever wrote it means something that it is not.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._names: list[_Pattern] = []
        self._paths: list[_Pattern] = []
        for text in patterns:
            pattern, anywhere = _parsed(text)
            (self._names if anywhere else self._paths).append(pattern)
        self._folders: dict[str, bool] = {"": False}

    def __bool__(self) -> bool:
        return bool(self._names or self._paths)

    def fits(self, path: str, *, folder: bool) -> bool:
        """Return whether a pattern fits this very path, whatever those above it do.

        Args:
            path: components joined by ``/``, from the folder that was named on.
        """
        if not self:
            return False
        names = _composed(path).split("/")
        return self.fits_name(names[-1], folder=folder) or any(
            pattern.fits(names, folder=folder) for pattern in self._paths
        )

    def fits_name(self, name: str, *, folder: bool) -> bool:
        """Return whether a pattern fits a name wherever it is: of what was named itself, which has no folder above."""
        names = [_composed(name)]
        return any(pattern.fits(names, folder=folder) for pattern in self._names)

    def cover(self, path: str, *, folder: bool = False) -> bool:
        """Return whether a path stays behind, itself or with a folder above it."""
        if not self:
            return False
        return self._folder_covered(path.rpartition("/")[0]) or self.fits(path, folder=folder)

    def _folder_covered(self, path: str) -> bool:
        known = self._folders.get(path)
        if known is None:
            known = self._folders[path] = self.cover(path, folder=True)
        return known


def _parsed(text: str) -> tuple[_Pattern, bool]:
    """Return a pattern, and whether it fits a name at any depth."""
    folders_only = text.endswith("/")
    components = [part for part in _composed(text).split("/") if part not in ("", ".")]
    if text.startswith("!"):
        raise UsageError(
            problem="A pattern that begins with ! takes nothing back here",
            remedy="In a name that begins so, ? stands for it",
        )
    if not components or ".." in components:
        raise UsageError(
            problem=f"The pattern {text or 'without a character'} fits nothing", remedy="Name what is to stay behind"
        )
    anywhere = len(components) == 1 and "/" not in text.removesuffix("/") and components != [_ANY_FOLDERS]
    if components[-1] == _ANY_FOLDERS:
        components.append("?*")  # everything below, not the folder itself
    return _Pattern(tuple(components), folders_only), anywhere


@cache
def _compiled(component: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(component))


def _same(component: str, name: str) -> bool:
    return _compiled(component).fullmatch(name) is not None


def _composed(text: str) -> str:
    """Compose characters as names on the server are: a disk may hold them decomposed."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


NOTHING_EXCLUDED: Final = Excludes()
