"""One line of a pane, the same for this computer and for the server: light enough to hold many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum

from sft.client.trust import SignatureState


class EntryKind(IntEnum):
    """What a line stands for, in the order of a listing."""

    UP = 0
    FOLDER = 1
    FILE = 2
    LINK = 3
    OTHER = 4  # sockets, devices: seen, never sent


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder or file.

    Args:
        path: on the server, or on this computer.
        at: its own date, Unix seconds; None while unknown.
        inside: how many files and folders lie directly in a folder; None if unknown.
        state: of a signature; None for what has none.
        until: when it leaves the trash.
    """

    kind: EntryKind
    name: str
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

    @property
    def is_folder(self) -> bool:
        """Say whether it can be entered."""
        return self.kind in {EntryKind.UP, EntryKind.FOLDER}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Some entries in a row, and where the next ones begin; empty at the end."""

    entries: tuple[Entry, ...]
    next: str


Reader = Callable[[str, bool], Awaitable[Sheet]]
"""Gives the sheet at a cursor; the flag asks for everything about each entry, else for what a list can be sorted by."""
