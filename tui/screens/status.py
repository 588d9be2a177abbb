"""The Status screen, for admins: what the server carries, how it is, its fastest sessions, and what was refused last.

Rules. While it is in sight one request every two seconds asks for all of it, never a second one before the first was answered.
Figures that grow old say how old they are. Who is no admin sees no figure; figures of before go at once, and who is an admin no
more, as the server says or as its refusal shows, is told so in Files. The server link is no secret.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from sft.errors import RoleForbidsError, SftError
from sft.model.access import Permission, Role, allows
from sft.model.status import BUSIEST_MOST, LiveStatus, ServerStatus
from sft.model.text import count_text, duration_text, role_noun
from tui.dialogs.read_link import ReadLink
from tui.gateway import Account
from tui.keys import ACTS, Action, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, Severity
from tui.screens.status_rows import BUSY_COLUMNS, REFUSAL_COLUMNS, busy_row, fact_lines, rate_lines, refusal_row
from tui.text import error_text, shown
from tui.view import View
from tui.widgets.row_list import RowList
from tui.widgets.rows import ListRows
from tui.widgets.tab_line import Tab, TabLine
from tui.workers import start_worker

SESSIONS: Final = "status-sessions"
REFUSALS: Final = "status-refusals"
_TABS: Final = (SESSIONS, REFUSALS)
_POLL_SECONDS: Final = 2
_OLD_SECONDS: Final = 3 * _POLL_SECONDS  # of figures, from which on their age is said
_PADDING: Final = 2


class StatusView(View):
    """How the server is, and what it does."""

    screen_id = "status"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("status")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._found: tuple[ServerStatus, LiveStatus] | None = None
        self._found_at = 0.0
        self._of = ""  # the account that it was asked of
        self._account: Account | None = None
        self._asking = False
        self._refused = ""  # why there are no figures, where the server said it
        self._tab = SESSIONS

    def compose(self) -> ComposeResult:
        glyphs = self.sft.glyphs
        yield Static("", id="status-nothing", markup=False)
        with Vertical(id="status-body"):
            yield Static("", id="status-rates", markup=False)
            yield Static("", id="status-facts", markup=False)
            yield TabLine(id="status-tabs")
            with ContentSwitcher(initial=self._tab, id="status-lists"):
                yield RowList(BUSY_COLUMNS, glyphs=glyphs, id=SESSIONS)
                yield RowList(REFUSAL_COLUMNS, glyphs=glyphs, id=REFUSALS)

    def on_mount(self) -> None:
        self._show()
        self.set_interval(_POLL_SECONDS, self.poll)

    # -- asking ------------------------------------------------------------------------------------------

    @property
    def _may_look(self) -> bool:
        role = self.connection.role
        return role is not None and allows(role, Permission.SESSION_MANAGE)

    def shown(self) -> None:
        self._ask(reports=True)
        self._show()

    def poll(self) -> None:
        """Ask again, while the figures are in sight."""
        if self.display and not self.app.screen.is_modal:
            self._ask()
            if self._found is not None:
                self.post_message(ActsChanged())  # how old they are stands in the message line

    def _ask(self, *, reports: bool = False) -> None:
        if not self._asking and self._may_look and self.connection.online:
            self._asking = True
            start_worker(self, lambda: self._fetch(reports=reports), group="status-read")

    async def _fetch(self, *, reports: bool) -> None:
        account = self.connection.account
        try:
            if self._account is None or self._account.name != account:
                self._account = next((one for one in await self.gateway.accounts.all() if one.name == account), None)
            found = await self.gateway.people.status(BUSIEST_MOST)
        except RoleForbidsError as error:
            self._found = None
            await self._leave(*error_text(error, self.now))
            return
        except SftError as error:
            self._refused = error_text(error, self.now)[0]
            self._show()
            if reports:  # nobody asked for the others: their age says it
                self.report_error(error)
            return
        finally:
            self._asking = False
        if account == self.connection.account and self._may_look:
            self._found, self._found_at, self._of, self._refused = found, self.now, account, ""
            self._show()

    async def _leave(self, message: str, next_step: str = "") -> None:
        """Show Files, and say there why."""
        if self.sft.frame.screen_id == self.screen_id:
            await self.sft.frame.go("files")
            self.report(message, Severity.WARNING, next_step)

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        role = event.connection.role
        if event.connection.account != self._of or not (self._may_look or role is None):
            self._found, self._refused = None, ""
        if self.display and role is not None and not self._may_look:
            start_worker(self, lambda: self._leave(*self._no_longer(role)), group="status-leave")
        elif self.display:
            self.shown()

    def _no_longer(self, role: Role) -> tuple[str, str]:
        admins = self.sft.frame.admins
        step = f"An admin can change your role: {admins}" if admins else ""
        return f"You are {role_noun(role)} now: only admins look at how the server is.", step

    # -- showing -----------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        found = self._found
        nothing = self.query_one("#status-nothing", Static)
        nothing.display = found is None
        self.query_one("#status-body").display = found is not None
        if found is None:
            reason = self.reason_against(ACTS["status.next_tab"])
            nothing.update(Content(reason or self._refused or "Asking the server."))
        else:
            self._show_figures(*found)
        self.post_message(ActsChanged())

    def _show_figures(self, status: ServerStatus, live: LiveStatus) -> None:
        glyphs, now, width = self.sft.glyphs, self.now, max(self.size.width - _PADDING, 0)
        account = self._account
        link = "" if account is None else f"{shown(account.address)}  {account.server_words}"
        self.query_one("#status-rates", Static).update(rate_lines(live, width, glyphs))
        self.query_one("#status-facts", Static).update(fact_lines(status, link, now, width, glyphs))
        sessions, refusals = self._list_of(SESSIONS), self._list_of(REFUSALS)
        refusals.empty = "Nothing was refused since the server started."
        sessions.show(ListRows([busy_row(each, glyphs, now) for each in live.busiest]))
        refusals.show(ListRows([refusal_row(each, now) for each in live.refusals]))
        more = status.sessions - len(live.busiest)
        sessions.border_subtitle = Content(f"the fastest; {count_text(more)} more") if more > 0 else None
        self._show_tabs()

    def _show_tabs(self) -> None:
        found = self._found
        sessions, refusals = (None, None) if found is None else (found[0].sessions, len(found[1].refusals))
        tabs = [Tab(SESSIONS, "Sessions", sessions), Tab(REFUSALS, "Refused last", refusals)]
        self.query_one(TabLine).show(tabs, self._tab)

    def _list_of(self, tab: str) -> RowList:
        return self.query_one(f"#{tab}", RowList)

    def home(self) -> RowList:
        return self._list_of(self._tab)

    def status_line(self) -> tuple[str, Severity]:
        if self._found is None:
            return "", Severity.INFO
        age = self.now - self._found_at
        if age > _OLD_SECONDS:
            return f"These figures are {duration_text(age)} old: the server has not answered since.", Severity.WARNING
        return "Looked at every two seconds. Rates are what the network carries.", Severity.INFO

    # -- what can be done ----------------------------------------------------------------------------------

    def reason_against(self, act: Action) -> str:
        reason = super().reason_against(act)
        if not reason and act.name in {"read", "copy"} and self._account is None:
            return "Nothing is known of the server yet."
        return reason

    @on(TabLine.Picked)
    def _picked(self, event: TabLine.Picked) -> None:
        self._turn(event.key)

    def _turn(self, tab: str) -> None:
        had_focus = self._list_of(self._tab).has_focus
        self._tab = tab
        self.query_one("#status-lists", ContentSwitcher).current = tab
        self._show_tabs()
        if had_focus:
            self._list_of(tab).focus()

    def act_next_tab(self) -> None:
        self._turn(_TABS[(_TABS.index(self._tab) + 1) % len(_TABS)])

    def act_previous_tab(self) -> None:
        self._turn(_TABS[(_TABS.index(self._tab) - 1) % len(_TABS)])

    async def act_read(self) -> None:
        if self._account is not None:
            link = await self.gateway.accounts.server_link(self._account.name)
            self.app.push_screen(ReadLink(self._account.address, self._account.server_words, link))

    async def act_copy(self) -> None:
        if self._account is not None:
            self.app.copy_to_clipboard(await self.gateway.accounts.server_link(self._account.name))
            self.report("Sent to the terminal's clipboard: the server link, which is no secret.")
