"""Which columns the list of a side shows in so much room: width goes to names.

Rules. Order of information: name, mark, size, age, author. A column comes in from a width on, and only while nine of ten names
in sight keep what they need, up to 40 cells; the one sorted by is always there. A wider list never gives a name less: what a
column that comes in farther on will take is not given to names before. All of it is counted over the lines in sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Final

from rich.cells import cell_len

from tui.panes.entry import Entry
from tui.panes.paging import SortOrder
from tui.widgets.names import wanted_cells
from tui.widgets.rows import Column, ListRow

LEAST_NAME: Final = 24
_MOST_NAME: Final = 60  # that a name asks for
_KEPT_NAME: Final = 40  # from here on other columns go before it
_MARK: Final = Column("mark", width=1)
_NAME: Final = Column("name", "name", is_name=True)
_SIZE: Final = Column("size", "size", 8, right=True)
_AGE: Final = Column("age", "age", 6, right=True)
_DATE: Final = Column("date", "dated", 12, right=True)
_FROM: Final = Column("from", "from", 10, gap=2)
_FROM_WIDTHS: Final = (34, 48, 60)  # of a list, for the first, second and third column
_BOTH_WIDTH: Final = 60
_DATE_WIDTH: Final = 100
_LEAST_FROM, _MOST_FROM = 5, 10  # its title is to fit


class Shelf(Enum):
    """What lies in a list of files."""

    LOCAL = "local"
    REMOTE = "remote"
    TRASH = "trash"
    FOUND = "found"


_WHOLE_PATHS: Final = frozenset({Shelf.TRASH, Shelf.FOUND})


@dataclass(frozen=True, slots=True)
class Sight:
    """What the lines in sight need.

    Args:
        name: cells of nine of ten names.
        author: cells of the longest; 0 where nobody is named.
        several: more than one stands there.
    """

    name: int = LEAST_NAME
    author: int = 0
    several: bool = False


Placed = tuple[tuple[Column, int], ...]


def sight_of(rows: Iterable[ListRow[Entry]]) -> Sight:
    """Look at the lines in sight."""
    names, authors = [], set()
    for row in rows:
        if row.selectable:
            names.append(row.cells["name"])
            authors.add(row.cells["from"])
    authors.discard("")
    author = min(max(map(cell_len, authors)), _MOST_FROM) if authors else 0
    return Sight(wanted_cells(names, LEAST_NAME, _MOST_NAME), author, len(authors) > 1)


@lru_cache(maxsize=512)
def placed(width: int, sight: Sight, shelf: Shelf, order: SortOrder, arrow: str, later: int | None = None) -> Placed:
    """Return the columns of a list and how wide each is.

    Args:
        width: inside the list.
        arrow: says which way the list is sorted.
        later: how wide the list will be in a wider window that shows something beside it.
    """
    columns = _columns(width, sight, shelf, order)
    cells = name_cells(width, sight, shelf, order, later)
    spare = _room(width, columns) - cells
    result: list[tuple[Column, int]] = []
    for column in (_MARK, _NAME, *columns):
        is_sorted = column.key == {SortOrder.DATE: "age"}.get(order, order.value) or (
            column is _DATE and order is SortOrder.DATE
        )
        titled = replace(column, title=f"{column.title}{arrow}") if is_sorted else column
        if column is _NAME and shelf in _WHOLE_PATHS:
            titled = replace(titled, is_name=False, is_path=True)
        if columns and column is columns[0]:
            titled = replace(titled, gap=titled.gap + spare)
        result.append((titled, cells if column is _NAME else column.width))
    return tuple(result)


def name_cells(width: int, sight: Sight, shelf: Shelf, order: SortOrder, later: int | None = None) -> int:
    """Return how wide names are in a list: no more than in any wider one."""
    cells = _cells(width, sight, shelf, order)
    return cells if later is None else min(cells, _cells(later, sight, shelf, order))


@lru_cache(maxsize=4096)
def _cells(width: int, sight: Sight, shelf: Shelf, order: SortOrder) -> int:
    cells = _room(width, _columns(width, sight, shelf, order))
    # Beyond that width no column comes in.
    return cells if width >= _DATE_WIDTH else min(cells, _cells(width + 1, sight, shelf, order))


def _columns(width: int, sight: Sight, shelf: Shelf, order: SortOrder) -> Sequence[Column]:
    """Choose the columns beside mark and name."""
    author = replace(_FROM, width=max(sight.author, _LEAST_FROM))
    wanted = [_SIZE, _AGE]
    if shelf is Shelf.TRASH:
        wanted = [_SIZE, replace(_AGE, title="until", width=7)]
        author = replace(author, title="owner")
    if sight.author:
        wanted.insert(1 if sight.several and width < _BOTH_WIDTH else 2, author)
    if order is SortOrder.DATE:
        wanted.sort(key=lambda column: column.key != "age")
    chosen: list[Column] = []
    for column, from_width in zip(wanted, _FROM_WIDTHS, strict=False):
        is_sorted = order is not SortOrder.NAME and not chosen
        room = _room(width, [*chosen, column])
        if not is_sorted and (width < from_width or (chosen and room < min(sight.name, _KEPT_NAME))):
            break
        chosen.append(column)
    if width >= _DATE_WIDTH and _AGE in chosen:
        chosen[chosen.index(_AGE)] = _DATE
    # In the order in which they are read, whatever came first.
    return sorted(chosen, key=lambda column: ("size", "from", "age", "date").index(column.key))


def _room(width: int, columns: Sequence[Column]) -> int:
    """Return what is left for the name."""
    return width - _MARK.width - _NAME.gap - sum(column.width + column.gap for column in columns)
