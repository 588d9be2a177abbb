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
from sft.model.names import fold
from tui.panes.entry import Entry, EntryKind, Sheet

_PAGE: Final = 400


class LocalFolder:
    """One folder of this computer, read once and described page by page.

    Args:
        hidden: names that begin with a dot are shown too.
    """

    def __init__(self, path: Path, *, hidden: bool = False) -> None:
        self.path = path
        self._hidden = hidden
        self._names: list[tuple[str, bool]] | None = None

    async def read(self, cursor: str, full: bool) -> Sheet:  # noqa: FBT001 - as Reader has it
        """Give the entries at a cursor.

        Raises:
            LocalFileError: the folder cannot be read.
        """
        del full
        return await asyncio.to_thread(self._read, int(cursor or 0))

    def _read(self, first: int) -> Sheet:
        if self._names is None:
            with translating_os_errors(self.path), os.scandir(self.path) as found:
                listed = [
                    (entry.name, _is_folder(entry))
                    for entry in found
                    if self._hidden or not entry.name.startswith(".")
                ]
            listed.sort(key=lambda pair: (not pair[1], fold(pair[0]), pair[0]))
            self._names = listed
        names = self._names[first : first + _PAGE]
        following = first + _PAGE
        return Sheet(
            tuple(self._entry(name, is_folder=is_folder) for name, is_folder in names),
            str(following) if following < len(self._names) else "",
        )

    def _entry(self, name: str, *, is_folder: bool) -> Entry:
        path = self.path / name
        kind = EntryKind.FOLDER if is_folder else EntryKind.FILE
        try:
            found = path.lstat()
        except OSError:
            return Entry(EntryKind.OTHER, name, str(path))
        if stat.S_ISLNK(found.st_mode):
            kind = EntryKind.LINK
        elif not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            kind = EntryKind.OTHER
        size = found.st_size if kind is EntryKind.FILE else 0
        return Entry(kind, name, str(path), size=size, at=int(found.st_mtime))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
