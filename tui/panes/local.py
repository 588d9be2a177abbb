"""The side of this computer: folders read on a thread, names that are no text told apart, nothing ever changed.

Rules. A link is shown as one and never followed into a listing. What cannot be read says so. Paths stay as the system has them
(``os.fsdecode``); only ``tui.text`` makes them fit to be shown.
"""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import Final

from sft.client.os_errors import translating_os_errors
from sft.errors import SftError
from sft.model.names import fold
from tui.panes.columns import Shelf
from tui.panes.drawing import Draw
from tui.panes.entry import UP, Entry, EntryKind
from tui.panes.paging import PagedRows
from tui.text import folder_text

_PAGE: Final = 400


class LocalSide:
    """Where the pane of this computer stands."""

    shelf = Shelf.LOCAL
    absence = ""
    emptiness = "Nothing here.\nh goes one folder up; . shows names that begin with a dot."

    def __init__(self, path: Path, draw: Draw) -> None:
        self.path = path
        self.hidden = False  # names that begin with a dot are not shown
        self._draw = draw

    @property
    def location(self) -> str:
        return str(self.path)

    @property
    def title(self) -> tuple[str, str]:
        return "this computer", self.folder_text

    @property
    def folder_text(self) -> str:
        """The folder as people write it, harmless."""
        return folder_text(str(self.path), str(Path.home()))

    def rows(self, expected: int | None) -> PagedRows:
        del expected
        lead = (UP,) if self.path != self.path.parent else ()
        return PagedRows(_LocalFolder(self.path, hidden=self.hidden).read, self._draw, lead=lead)

    def enter(self, entry: Entry) -> None:
        self.path = Path(entry.path)

    def go_up(self) -> bool:
        parent, before = self.path.parent, self.path
        self.path = parent
        return parent != before

    def retreat(self, error: SftError) -> bool:
        del error
        return self.go_up()


class _LocalFolder:
    """One folder of this computer, read once and described page by page.

    Args:
        hidden: names that begin with a dot are shown too.
    """

    def __init__(self, path: Path, *, hidden: bool) -> None:
        self._path = path
        self._hidden = hidden
        self._names: list[tuple[str, bool]] | None = None

    async def read(self, cursor: str, full: bool) -> tuple[list[Entry], str]:  # noqa: FBT001 - as Reader has it
        """Return the entries at a cursor; LocalFileError if the folder cannot be read."""
        del full
        return await asyncio.to_thread(self._read, int(cursor or 0))

    def _read(self, first: int) -> tuple[list[Entry], str]:
        if self._names is None:
            with translating_os_errors(self._path), os.scandir(self._path) as found:
                listed = [
                    (entry.name, _is_folder(entry)) for entry in found if self._hidden or not entry.name.startswith(".")
                ]
            listed.sort(key=lambda pair: (not pair[1], fold(pair[0]), pair[0]))
            self._names = listed
        following = first + _PAGE
        entries = [self._entry(name, is_folder=is_folder) for name, is_folder in self._names[first:following]]
        return entries, str(following) if following < len(self._names) else ""

    def _entry(self, name: str, *, is_folder: bool) -> Entry:
        path = self._path / name
        kind = EntryKind.FOLDER if is_folder else EntryKind.FILE
        try:
            found = path.lstat()
        except OSError:
            return Entry(EntryKind.OTHER, str(path))
        if stat.S_ISLNK(found.st_mode):
            kind = EntryKind.LINK
        elif not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            kind = EntryKind.OTHER
        size = found.st_size if kind is EntryKind.FILE else 0
        secret = kind is EntryKind.FILE and is_invitation(name)
        return Entry(kind, str(path), size=size, at=int(found.st_mtime), secret=secret)


def is_invitation(name: str) -> bool:
    """Return whether a file is called as invitations are that the UI writes."""
    return name.startswith("invitation-") and name.endswith(".txt")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
