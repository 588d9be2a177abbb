"""The three lists of the People screen, of which one is shown, and the filter that narrows it.

Rules. A filter is of the list that is shown, and goes when another one is shown. Cursors stay on their lines whatever is read
anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher

from sft.model.names import fold
from tui.glyphs import Glyphs
from tui.widgets.filter_line import FilterLine
from tui.widgets.row_list import RowList
from tui.widgets.rows import Arrange, Column, ListRow, ListRows

_LOOKED_AT: Final = ("name", "role", "state", "address")
_NONE_FIT: Final = "Nobody fits the filter."


class PeopleLists(Vertical):
    """The lists, one in sight.

    Args:
        columns: of each list, by its id; the first one is shown at first, and its lines can be selected.
    """

    def __init__(
        self,
        columns: Mapping[str, Sequence[Column] | Arrange],
        glyphs: Glyphs,
        *,
        id: str,  # noqa: A002 - Textual's own name
    ) -> None:
        super().__init__(id=id)
        self.tab = next(iter(columns))
        self._columns = columns
        self._glyphs = glyphs
        self._rows: dict[str, list[ListRow[Any]]] = {tab: [] for tab in columns}
        self._empty: dict[str, str] = dict.fromkeys(columns, "")

    def compose(self) -> ComposeResult:
        with ContentSwitcher(initial=self.tab, id="people-lists"):
            for tab, columns in self._columns.items():
                # The usual sign of what is selected is that of who is connected.
                sign = self._glyphs.verified
                yield RowList(columns, selecting=tab == self.tab, sign=sign, glyphs=self._glyphs, id=tab)
        yield FilterLine("part of a name, a role or a state", lambda: self.list)

    def list_of(self, tab: str) -> RowList:
        return self.query_one(f"#{tab}", RowList)

    @property
    def list(self) -> RowList:
        return self.list_of(self.tab)

    def current(self, tab: str) -> Any | None:
        row = self.list_of(tab).current
        return None if row is None else row.value

    def selected(self, tab: str) -> Sequence[Any]:
        """Return what the selected lines of a list stand for, also those that a filter hides."""
        keys = self.list_of(tab).selected
        return [row.value for row in self._rows[tab] if row.key in keys]

    def show(self, tab: str, rows: Sequence[ListRow[Any]], *, empty: str, at: str | None = None) -> None:
        """Show other lines in one list, or that it is empty; the cursor goes to the line of a key, else it stays."""
        self._rows[tab] = list(rows)
        self._empty[tab] = empty
        self._narrow(tab, at=at)

    def pick(self, tab: str) -> None:
        """Show another list; the focus goes along."""
        had_focus = self.has_focus_within
        self.clear()
        self.tab = tab
        self.query_one(ContentSwitcher).current = tab
        if had_focus:
            self.list.focus()

    def next(self, steps: int) -> str:
        tabs = [*self._columns]
        return tabs[(tabs.index(self.tab) + steps) % len(tabs)]

    # -- the filter -------------------------------------------------------------------------------

    def open_filter(self) -> None:
        self.query_one(FilterLine).open()

    def clear(self) -> bool:
        """Drop the filter; False where there is none."""
        if not self.query_one(FilterLine).used:
            return False
        self.query_one(FilterLine).drop()
        self._narrow(self.tab)
        return True

    @on(FilterLine.Typed)
    def _typed(self, event: FilterLine.Typed) -> None:
        event.stop()
        self._narrow(self.tab, to_first=bool(event.text))

    @on(FilterLine.Left)
    def _left(self, event: FilterLine.Left) -> None:
        event.stop()
        self.clear()

    def _narrow(self, tab: str, *, at: str | None = None, to_first: bool = False) -> None:
        wanted = fold(self.query_one(FilterLine).text) if tab == self.tab else ""
        everything, shown = self._rows[tab], self.list_of(tab)
        rows = [row for row in everything if wanted in _text_of(row)] if wanted else everything
        shown.empty = _NONE_FIT if everything else self._empty[tab]
        shown.border_subtitle = Content(f"{len(rows):,} of {len(everything):,}") if wanted else None
        shown.show(ListRows(rows), at=rows[0].key if to_first and rows else at)


def _text_of(row: ListRow[Any]) -> str:
    return fold(" ".join(row.cells.get(key, "") for key in _LOOKED_AT))
