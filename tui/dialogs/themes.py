"""Chooses a theme: the one under the cursor is shown at once, over everything; esc brings back the one of before."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from tui.dialogs.dialog import Dialog
from tui.themes import theme_named, theme_names
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows

_LINES = 12


class ChooseTheme(Dialog[str]):
    """Gives the name of the chosen one, or None.

    Args:
        show: draws everything in a theme.
    """

    def __init__(self, now: str, show: Callable[[str], None]) -> None:
        super().__init__("Theme", act="Take it")
        self._now = now
        self._show = show

    def content(self) -> ComposeResult:
        columns = [Column("name"), Column("kind", width=6), Column("says", width=4)]
        rows = RowList(columns, header=False, glyphs=self.sft.glyphs, id="themes-list")
        rows.styles.height = _LINES
        yield rows

    def first_focus(self) -> Widget:
        return self.query_one(RowList)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(RowList).show(ListRows([self._row(name) for name in theme_names()]), at=self._now)

    def _row(self, name: str) -> ListRow[str]:
        kind = "dark" if theme_named(name).dark else "light"
        cells = {"name": name, "kind": kind, "says": "now" if name == self._now else ""}
        return ListRow(name, name, cells, {"kind": "muted", "says": "good"})

    @on(RowList.Highlighted)
    def _moved(self, event: RowList.Highlighted) -> None:
        event.stop()
        if event.row is not None:
            self._show(cast("str", event.row.value))

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.dismiss(cast("str", event.row.value))

    def act(self) -> None:
        row = self.query_one(RowList).current
        self.dismiss(None if row is None else cast("str", row.value))
