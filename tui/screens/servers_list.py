"""The list of servers, and beside or below it what this computer knows of the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sft.client.connection_info import ConnectionInfo, Status
from sft.client.witnessed import overdue_text, standing_text
from sft.model.text import ROLE_OF_YOURS, day_text, shown_name
from tui.connection_words import STATUS_WORDS, about_connection, state_of, status_of
from tui.gateway import Account
from tui.glyphs import Glyphs
from tui.text import shown
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows

_COLUMNS: Final = (
    Column("mark", width=1),
    Column("name", "server", is_name=True),
    Column("who", "you there", width=22),
    Column("state", "state", width=22),
    Column("address", "address", width=36, from_width=126),
)
_COLORS: Final = {"good": "$good", "doubt": "$doubt", "bad": "$bad bold", "muted": "$quiet"}
_KEY_CELLS: Final = 71  # eight words of at most eight letters


class ServersList(Container):
    """Both panes."""

    def __init__(self, glyphs: Glyphs, now: Callable[[], float], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._glyphs = glyphs
        self._now = now
        self._connection = ConnectionInfo()

    def compose(self) -> ComposeResult:
        rows = RowList(_COLUMNS, glyphs=self._glyphs, id="servers-list")
        rows.border_title = Content("servers of this computer")
        yield rows
        with VerticalScroll(id="server-about"):
            yield Static("", id="server-says", markup=False)

    @property
    def rows(self) -> RowList:
        return self.query_one(RowList)

    @property
    def chosen(self) -> Account | None:
        row = self.rows.current
        return row.value if row is not None else None

    def show(self, accounts: Sequence[Account], connection: ConnectionInfo) -> None:
        self._connection = connection
        alone = len(accounts) == 1
        rows = [_server_row(one, connection, self._glyphs, alone=alone) for one in accounts]
        self.rows.show(ListRows(rows))
        self._describe()

    def on_resize(self) -> None:
        self.call_after_refresh(self._describe)

    @on(RowList.Highlighted)
    def _describe(self) -> None:
        account = self.chosen
        if account is None:
            return
        says = self.query_one("#server-says", Static)
        broad = says.size.width >= _KEY_CELLS
        self.query_one("#server-about").border_title = Content(shown(account.name))
        says.update(_about(account, self._connection, self._glyphs, self._now(), broad=broad))


def _server_row(account: Account, connection: ConnectionInfo, glyphs: Glyphs, *, alone: bool) -> ListRow[Account]:
    """Make the line of an account; none is first where it is ``alone``."""
    status = status_of(account, connection)
    word, tone = state_of(account, connection), STATUS_WORDS[status].tone
    if not account.joined:
        word, tone = "not joined yet", "doubt"
    first = "used first" if account.in_use_first and not alone else ""
    # What is wrong is said whole; which one is first is said where there is room for it.
    states = [word, first] if len(word) + len(first) <= 20 else [word]  # noqa: PLR2004 - of 22
    role = connection.role.value if status is Status.ONLINE and connection.role else account.role
    cells = {
        "mark": _mark(status, glyphs, joined=account.joined),
        "name": shown(account.name),
        "who": ", ".join(part for part in (shown(account.user), role) if part),
        "state": ", ".join(filter(None, states)),
        "address": shown(account.address),
    }
    tones = {"mark": tone, "state": tone, "address": "muted"}
    return ListRow(account.name, account, cells, tones)


def _about(account: Account, connection: ConnectionInfo, glyphs: Glyphs, now: float, *, broad: bool) -> Content:
    """Write what this computer knows of a server, and how it stands now; ``broad`` has eight words on one line."""
    status = status_of(account, connection)
    parts: list[tuple[str, str]] = []

    def line(text: str = "", style: str = "") -> None:
        parts.append((f"{text}\n", style))

    def key(title: str, words: str) -> None:
        line()
        line(title, "$quiet bold")
        for part in [words] if broad else words.split(" "):
            line(part)

    if account.server != account.name:
        line(f"It calls itself {shown(shown_name(account.server))}.")
    line(shown(account.address))
    line()
    message, tone = about_connection(account, connection, now)
    sign = _mark(status, glyphs, joined=account.joined)
    line(f"{sign} {message}" if sign else message, _COLORS[tone])
    if status is Status.ONLINE and connection.role is not None:
        line(ROLE_OF_YOURS[connection.role], "$quiet")
    if status is Status.ONLINE and connection.standing is not None:
        line(f"Its log: {standing_text(connection.standing, now=now)}.", "$quiet")
        if overdue := overdue_text(account.name, connection.standing):
            line(f"{overdue} Ask the operator (sftd log witnesses).", "$doubt")
    key("SERVER KEY", account.server_words)
    line(f"pinned {day_text(account.pinned_at, now)}; proved at each connection", "$quiet")
    key("YOUR KEY", account.key_words)
    kept = "a passphrase protects it" if account.protected else "no passphrase protects it"
    line(f"on {shown(account.device)}; {kept}", "$quiet" if account.protected else "$doubt")
    return Content.assemble(*parts).rstrip()


def _mark(status: Status, glyphs: Glyphs, *, joined: bool) -> str:
    if not joined:
        return glyphs.doubt
    return {
        Status.ONLINE: glyphs.online,
        Status.REFUSED: glyphs.bad,
        Status.STOPPED: glyphs.bad,
        Status.LOCKED: glyphs.doubt,
        Status.AWAY: glyphs.away,
        Status.CONNECTING: glyphs.away,
    }.get(status, "")
