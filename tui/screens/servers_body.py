"""The list of servers, and beside or below it what is known of the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sft.client.connection_info import ConnectionInfo
from tui.gateway import Account
from tui.glyphs import Glyphs
from tui.screens.servers_about import COLUMNS, about, server_row
from tui.text import shown
from tui.widgets.row_list import RowList
from tui.widgets.rows import ListRows

_KEY_CELLS: Final = 71  # eight words of at most eight letters


class ServersBody(Container):
    """Both panes.

    Args:
        now: Unix seconds.
    """

    def __init__(self, glyphs: Glyphs, now: Callable[[], float], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._glyphs = glyphs
        self._now = now
        self._connection = ConnectionInfo()

    def compose(self) -> ComposeResult:
        """Put both together."""
        rows = RowList(COLUMNS, glyphs=self._glyphs, id="servers-list")
        rows.border_title = Content("servers of this computer")
        yield rows
        with VerticalScroll(id="server-about"):
            yield Static("", id="server-says", markup=False)

    @property
    def rows(self) -> RowList:
        """The list."""
        return self.query_one(RowList)

    @property
    def chosen(self) -> Account | None:
        """The server under the cursor."""
        row = self.rows.current
        return row.value if row is not None else None

    def show(self, accounts: Sequence[Account], connection: ConnectionInfo) -> None:
        """Show servers, and how the one in use stands."""
        self._connection = connection
        alone = len(accounts) == 1
        rows = [server_row(one, connection, self._glyphs, alone=alone) for one in accounts]
        self.rows.show(ListRows(rows))
        self._describe()

    def on_resize(self) -> None:
        """Fit the words to the room."""
        self.call_after_refresh(self._describe)

    @on(RowList.Highlighted)
    def _describe(self) -> None:
        account = self.chosen
        if account is None:
            return
        says = self.query_one("#server-says", Static)
        broad = says.size.width >= _KEY_CELLS
        self.query_one("#server-about").border_title = Content(shown(account.name))
        says.update(about(account, self._connection, self._glyphs, self._now(), broad=broad))
