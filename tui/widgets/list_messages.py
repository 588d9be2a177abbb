"""What a list tells the screen that it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.message import Message
from textual.widget import Widget

from tui.widgets.rows import ListRow


@dataclass
class ListMessage(Message):
    """Something about one list."""

    rows: Widget

    def __post_init__(self) -> None:
        """Let the list be its sender.

        Else it is whoever made the list change, and a message does not climb past its sender: a screen would not hear what
        one of its own handlers did.
        """
        super().__post_init__()
        self.set_sender(self.rows)

    @property
    def control(self) -> Widget:
        return self.rows

    def replaces(self, message: Message) -> bool:
        """Return whether the other is of the same kind and list."""
        return type(message) is type(self) and message.control is self.rows


@dataclass
class Highlighted(ListMessage):
    """The cursor stands on another line, or that line has changed."""

    row: ListRow[Any] | None

    def can_replace(self, message: Message) -> bool:
        return self.replaces(message)


@dataclass
class RowOpened(ListMessage):
    """A line was opened, by key or by a double click."""

    row: ListRow[Any]


@dataclass
class WentBack(ListMessage):
    """The person wants back, or one level up."""


@dataclass
class HeadingClicked(ListMessage):
    """The title of a column was clicked."""

    column: str


@dataclass
class SelectionChanged(ListMessage):
    """Other lines are selected than before."""


@dataclass
class AllWanted(ListMessage):
    """Everything is to be selected, or turned round; the owner knows all keys."""

    invert: bool


@dataclass
class RowsWanted(ListMessage):
    """Lines in sight are not here yet."""

    first: int
    last: int

    def can_replace(self, message: Message) -> bool:
        return self.replaces(message)
