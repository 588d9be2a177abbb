"""One line of a pane, the same for this computer and for the server: light enough to hold many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import IntEnum

import msgspec

from sft.client.trust import SignatureState
from sft.model.records import FileSeen, TrashSeen

UP_PATH = "\0up"  # no path is called so


class EntryKind(IntEnum):
    """What a line stands for, in the order of a listing."""

    UP = 0
    FOLDER = 1
    FILE = 2
    LINK = 3
    OTHER = 4  # sockets, devices: seen, never sent


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A folder or file.

    Args:
        path: on the server, or on this computer.
        at: its own date, Unix seconds; None while unknown; of a folder in the trash when that was deleted.
        inside: how many files and folders lie directly in a folder, in one in the trash at any depth; None if unknown.
        owner: whose a file is; who deleted a folder that is in the trash.
        state: of a signature; None for what has none.
        file_id: the server's own name of a file.
        signed_as: where it was signed, if that is elsewhere.
        until: when it leaves the trash.
        secret: an invitation that was written here: chosen by its own line alone.
    """

    kind: EntryKind
    path: str
    size: int = 0
    at: int | None = None
    version: int = 0
    author: str = ""
    owner: str = ""
    owner_id: int = 0
    inside: tuple[int, int] | None = None
    state: SignatureState | None = None
    until: int | None = None
    secret: bool = False
    file_id: bytes = b""
    signed_as: str = ""

    @property
    def name(self) -> str:
        """What stands in the list; in the trash the whole path."""
        if self.kind is EntryKind.UP:
            return ".."
        return self.path if self.until is not None else self.path.rpartition("/")[2]

    @property
    def can_be_chosen(self) -> bool:
        """Whether acts can be about it."""
        return self.kind in {EntryKind.FILE, EntryKind.FOLDER}


class TrashedFolderEntry(Entry, frozen=True, gc=False):
    """A folder in the trash.

    Args:
        folder_id: the server's own number of it.
    """

    folder_id: int = 0

    @property
    def seen(self) -> TrashSeen:
        """Which one it is, for what is done with it."""
        files, folders = self.inside or (0, 0)
        return TrashSeen(self.at or 0, None, self.folder_id, files, folders + 1)


class TrashedEntry(Entry, frozen=True, gc=False):
    """A file in the trash.

    Args:
        deleted_at: when it went there, Unix seconds.
        deleted_by: who deleted it; empty where its time was over.
    """

    deleted_at: int = 0
    deleted_by: str = ""

    @property
    def seen(self) -> TrashSeen:
        """Which one it is, for what is done with it."""
        return TrashSeen(self.deleted_at, FileSeen(self.file_id, self.version))


class FoundEntry(Entry, frozen=True, gc=False):
    """One that was found by its name: it may lie elsewhere than what stands beside it."""

    @property
    def name(self) -> str:
        """The whole path."""
        return self.path


UP = Entry(EntryKind.UP, UP_PATH)

Reader = Callable[[str, bool], Awaitable[tuple[Sequence[Entry], str]]]
"""Reads the page at a cursor, and the cursor of the next one, empty at the end; the flag asks for everything about each entry,
else for what a list can be sorted by."""
