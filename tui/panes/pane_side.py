"""What a pane asks of its side: where it stands, and how lines are read there."""

from __future__ import annotations

from typing import Protocol

from sft.errors import SftError
from tui.panes.columns import Shelf
from tui.panes.entry import Entry
from tui.panes.paging import PagedRows


class PaneSide(Protocol):
    """Where a pane stands, and how its lines are read."""

    @property
    def location(self) -> str:
        """What tells the folder from all others."""

    @property
    def title(self) -> tuple[str, str]:
        """Whose side it is, and the folder as people write it."""

    @property
    def shelf(self) -> Shelf:
        """What its list shows."""

    @property
    def absence(self) -> str:
        """What is shown where nothing can be read; empty if it can."""

    @property
    def emptiness(self) -> str:
        """What is shown where nothing lies, and what can be done about that."""

    def rows(self, expected: int | None) -> PagedRows:
        """Begin to read the folder; ``expected`` is how many entries it has, if known."""

    def enter(self, entry: Entry) -> None:
        """Stand in a folder of the list."""

    def go_up(self) -> bool:
        """Stand in the folder above, if there is one."""

    def retreat(self, error: SftError) -> bool:
        """Stand where reading may succeed after it has failed; return whether that is elsewhere."""
