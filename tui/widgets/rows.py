"""What a list shows: columns, lines, and where the lines come from.

Rules. Cells are harmless texts already (``tui.text``). A source knows how many lines there are, or how many it expects, and may
not have all of them: what is missing is drawn as such and asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        key: names it in a row's cells.
        width: in terminal columns; 0 takes what the others leave.
        right: numbers stand at the right edge.
        from_width: it is there in lists of at least this width.
        is_name: cut in the middle, so that the ending stays in sight.
        is_path: cut at its beginning, so that where it leads stays in sight.
        gap: empty columns before it, unless it is the first.
    """

    key: str
    title: str = ""
    width: int = 0
    right: bool = False
    from_width: int = 0
    is_name: bool = False
    is_path: bool = False
    gap: int = 1


@dataclass(frozen=True, slots=True)
class ListRow(Generic[T]):
    """One line.

    Args:
        key: tells it from all others; selection and cursor hold on to it.
        value: what it stands for.
        cells: harmless texts, by column; ``suffix`` stands after the name, where there is room.
        tones: how a cell is said, by column: a component class without its prefix.
        selectable: the way up cannot be selected.
    """

    key: str
    value: T
    cells: Mapping[str, str]
    tones: Mapping[str, str] = field(default_factory=dict)
    selectable: bool = True


Placed = Sequence[tuple[Column, int]]
"""Columns from left to right, and how wide each is."""


class Arrange(Protocol):
    """Decides what a list shows in so much room."""

    def __call__(self, width: int, rows: Sequence[ListRow[Any]]) -> Placed:
        """Place the columns for the lines in sight."""


class RowSource(Protocol[T]):
    """Where lines come from."""

    def __len__(self) -> int:
        """How many there are, or are expected."""

    def row(self, index: int) -> ListRow[T] | None:
        """Return a line; None if it is not here yet."""

    def index_of(self, key: str) -> int | None:
        """Find a line by its key, among those that are here."""

    def holds(self, first: int, last: int) -> bool:
        """Return whether all of these lines are here; lines beyond the end are."""


class ListRows(Generic[T]):
    """Lines that are all here."""

    def __init__(self, rows: Sequence[ListRow[T]] = ()) -> None:
        self._rows = list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> ListRow[T] | None:
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def index_of(self, key: str) -> int | None:
        return next((i for i, row in enumerate(self._rows) if row.key == key), None)

    def holds(self, first: int, last: int) -> bool:
        del first, last
        return True


def layout(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """Return which columns are shown in so much room, and how wide each is."""
    there = [column for column in columns if width >= column.from_width]
    fixed = sum(column.width for column in there if column.width)
    elastic = [column for column in there if not column.width]
    gaps = sum(column.gap for column in there[1:])
    room = max(width - fixed - gaps, 0)
    widths: list[tuple[Column, int]] = []
    for column in there:
        if column.width:
            widths.append((column, column.width))
            continue
        share = room // len(elastic)
        room -= share
        elastic = elastic[1:]
        widths.append((column, share))
    return widths
