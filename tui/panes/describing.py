"""Which words describe an entry, wherever details stand."""

from __future__ import annotations

from typing import Protocol

from rich.text import Text

from tui.panes.columns import Shelf
from tui.panes.entry import Entry, EntryKind


class Descriptions(Protocol):
    """Where details stand, and how they are worded there."""

    def show(self, lines: list[Text]) -> None:
        """Show them."""

    def of_local(self, entry: Entry, now: float, to: str) -> list[Text]:
        """Describe what lies on this computer."""

    def of_folder(self, entry: Entry, now: float) -> list[Text]:
        """Describe a folder of the server."""

    def of_trashed(self, entry: Entry, now: float) -> list[Text]:
        """Describe what lies in the trash."""


def describe(pane: Descriptions, entry: Entry | None, shelf: Shelf, now: float, to: str) -> bool:
    """Describe an entry; return whether its line says all that is needed: else the server is to be asked."""
    if entry is None:
        pane.show([])
    elif shelf is Shelf.LOCAL:
        pane.show(pane.of_local(entry, now, to))
    elif entry.until is not None:
        pane.show(pane.of_trashed(entry, now))
    elif entry.kind is not EntryKind.FILE:
        pane.show(pane.of_folder(entry, now))
    else:
        return False
    return True
