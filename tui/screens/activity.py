"""The Activity screen: what happened on the server, the newest first, as its log proves it; live, and narrowed by one filter.

Rules. A page is read when it comes into sight, and few are kept. While the log is followed, and in sight, it is asked every two
seconds what is new; whoever holds the list still asks nothing. A filter that means nothing is said so, and changes nothing.
The state of proof stands above in words; what does not hold is a stop of the whole session (``tui.dialogs.log_stop``).
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from sft.client.api.log import FOLLOW_SECONDS, LogLines, LogQuery
from sft.client.logged import LogLine
from sft.errors import NotFoundError, UsageError
from sft.limits import LOG_ENTRIES
from sft.model.names import fold
from sft.model.records import File
from sft.model.text import count_text, shown_name
from tui.connection_words import absence_of
from tui.dialogs.log_check import LogCheck
from tui.dialogs.log_export import LogExport
from tui.dialogs.log_record import LogRecord
from tui.dialogs.trust import Trust
from tui.gateway import Activity
from tui.keys import Action, bindings_of
from tui.log_words import sentence_of
from tui.messages import ActsChanged, ConnectionChanged, Severity
from tui.screens.activity_filter import LogFilter, parse
from tui.screens.activity_paging import FoundWindow, LogWindow
from tui.screens.activity_rows import log_row, place_columns, proof_text, text_of
from tui.text import error_line, shown
from tui.view import View
from tui.widgets.filter_line import FilterLine
from tui.widgets.list_messages import RowsWanted
from tui.widgets.row_list import RowList
from tui.widgets.rows import ListRow, ListRows
from tui.workers import start_worker

_TYPING_SECONDS: Final = 0.15  # after the last letter
_BROAD: Final = 110  # columns of the screen
_AT_FIRST: Final = 40  # lines
_LEGEND: Final = "sent: the server sent all of it.  {sign}: the reader signed that it verified."
_COLORS: Final = {"good": "$good", "doubt": "$doubt", "muted": "$quiet"}


class _Looked(Message):
    """A filter was looked for further back."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, _Looked)


@dataclasses.dataclass(frozen=True)
class _Asking:
    """What the list asks for; pages come from the log of the account in use."""

    activity: Activity
    query: LogQuery

    async def before(self, end: int | None) -> LogLines:
        return await self.activity.before(self.query, end)

    async def after(self, start: int, limit: int = LOG_ENTRIES) -> LogLines:
        return await self.activity.after(self.query, start, limit)


class ActivityView(View):
    """The log."""

    screen_id = "activity"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("activity")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.following = True
        self._window: LogWindow | FoundWindow | None = None
        self._typed = LogFilter()
        self._query = LogQuery()
        self._account = ""
        self._typing: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static("", id="activity-proof", markup=False)
        yield FilterLine("user:ada  file:/finance/plan.pdf  act:store  since:yesterday  words", lambda: self._list)
        yield Static("", id="activity-problem", markup=False)
        yield RowList(place_columns, glyphs=self.sft.glyphs, id="activity-list")
        yield Static("", id="activity-legend", markup=False)

    def on_mount(self) -> None:
        self._list.border_title = Content("log")
        self._show()
        self.set_interval(FOLLOW_SECONDS, self._follow)

    @property
    def _list(self) -> RowList:
        return self.query_one("#activity-list", RowList)

    @property
    def line(self) -> LogLine | None:
        """What the cursor stands on."""
        row = self._list.current
        return None if row is None else row.value

    def home(self) -> RowList:
        return self._list

    # -- reading -----------------------------------------------------------------------------------------

    def shown(self) -> None:
        if self.is_attached and self.connection.online:
            if self._window is None or self._account != self.connection.account:
                self._begin()
            else:
                self._start_growing()
        elif self.is_attached:
            self._show()

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        self._list.set_stale(not event.connection.online)
        if event.connection.account != self._account:
            self._window = None
            self._list.show(ListRows())
        if self.display and event.connection.online:
            self.shown()
        self._show()

    def _begin(self) -> None:
        """Show the log, or what the filter leaves of it, from the newest on."""
        start_worker(self, self._read_anew, group="activity-reading", exclusive=True)

    async def _read_anew(self) -> None:
        self._account = self.connection.account
        asking = _Asking(self.gateway.activity, self._query)
        size = (await asking.before(None)).head.size
        window: LogWindow | FoundWindow
        if self._typed == LogFilter():
            window = LogWindow(asking, self._draw, size)
        else:
            window = FoundWindow(asking, self._draw, size, fits=self._fits, looked=self._looked)
        self._window = window
        self._list.show(window)
        self._list.move_to(0)
        await window.reach(0, max(self._list.size.height, _AT_FIRST))
        self._changed()

    @on(RowsWanted)
    def _wanted(self, event: RowsWanted) -> None:
        event.stop()
        if self._window is not None and self.connection.online:
            reach = partial(self._reach, self._window, event.first, event.last)
            start_worker(self, reach, group="activity-reading", exclusive=True)

    async def _reach(self, window: LogWindow | FoundWindow, first: int, last: int) -> None:
        await window.reach(first, last)
        if window is self._window:
            self._changed()

    def _follow(self) -> None:
        """Ask what is new, while that is in sight."""
        if self.following and self.display and not self.app.screen.is_modal and self.connection.online:
            self._start_growing()
        self._show_proof()

    def _start_growing(self) -> None:
        if self._window is not None:
            start_worker(self, partial(self._grow, self._window), group="activity-growing", exclusive=True)

    async def _grow(self, window: LogWindow | FoundWindow) -> None:
        at_top = self._list.cursor == 0
        new = await window.grow()
        if window is self._window and new:
            first = window.row(0)
            self._list.show(window, at=first.key if at_top and first is not None else None)
        self._changed(drawn=not new)

    def _looked(self, _: int) -> None:
        self.post_message(_Looked())

    @on(_Looked)
    def _changed(self, event: _Looked | None = None, *, drawn: bool = False) -> None:
        del event
        if not drawn:
            self._list.changed()
        self._show()

    def _draw(self, line: LogLine) -> ListRow[LogLine]:
        return log_row(line, self.gateway.activity, self.sft.glyphs, self.now, broad=self._is_broad)

    def _fits(self, line: LogLine) -> bool:
        words = self._typed.words
        text = text_of(line, self.gateway.activity, self.sft.glyphs) if words else ""
        return all(word in text for word in words)

    # -- showing --------------------------------------------------------------------------------------------

    @property
    def _is_broad(self) -> bool:
        return self.app.size.width >= _BROAD

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        glyphs = self.sft.glyphs
        legend = _LEGEND.format(sign=glyphs.verified)
        self.query_one("#activity-legend", Static).update(Content(legend))
        self._show_proof()
        window, rows = self._window, self._list
        if not self.connection.online and not len(rows.source):
            rows.empty = absence_of(self.connection, self.now)
        elif window is None or (isinstance(window, FoundWindow) and window.more):
            rows.empty = "Asking the server."
        else:
            rows.empty = "Nothing fits the filter. esc clears it."
        if isinstance(window, FoundWindow):
            back = f", looked back to {count_text(window.cursor)}" if window.more else ""
            more = "+" if window.more else ""
            subtitle = f"{count_text(window.found)}{more} of {count_text(window.size)}{back}"
        else:
            subtitle = "" if window is None else count_text(window.size)
        rows.border_subtitle = Content(subtitle)
        self.post_message(ActsChanged())

    def _show_proof(self) -> None:
        proof = self.gateway.activity.proof
        text, tone = proof_text(proof, self.sft.glyphs, self.now, online=self.connection.online, broad=self._is_broad)
        self.query_one("#activity-proof", Static).update(Content.styled(text, _COLORS[tone]))

    def status_line(self) -> tuple[str, Severity]:
        if self.following:
            return "New lines come on top. What the operator reads from the disk is not here.", Severity.INFO
        return "The list is held still: space follows the log again.", Severity.INFO

    def label_of(self, act: Action) -> str:
        return "Hold" if act.id == "activity.follow" and self.following else act.label

    @on(RowList.Highlighted)
    def _moved(self, event: RowList.Highlighted) -> None:
        event.stop()
        self.post_message(ActsChanged())

    # -- the filter -------------------------------------------------------------------------------------------

    @on(FilterLine.Typed)
    def _filter_typed(self, event: FilterLine.Typed) -> None:
        event.stop()
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_TYPING_SECONDS, partial(self._take, event.text))

    @on(FilterLine.Left)
    def _filter_left(self, event: FilterLine.Left) -> None:
        event.stop()
        self.act_clear()

    def _take(self, text: str) -> None:
        start_worker(self, partial(self._narrow, text), group="activity-filter", exclusive=True)

    async def _narrow(self, text: str) -> None:
        problem = ""
        try:
            typed = parse(text, self.now)
            query = await self._asked(typed)
        except UsageError as error:
            problem = error_line(error, self.now)
        else:
            if (typed, query) != (self._typed, self._query):
                self._typed, self._query = typed, query
                self._begin()
        shown_problem = self.query_one("#activity-problem", Static)
        shown_problem.update(Content(problem))
        shown_problem.set_class(bool(problem), "-shown")

    async def _asked(self, typed: LogFilter) -> LogQuery:
        """Find whom and what a filter names; UsageError where nobody and nothing is called so."""
        user_id, file_id = None, None
        if typed.user:
            wanted = fold(typed.user)
            found = [user.id for user in await self.gateway.people.users() if fold(user.name) == wanted]
            if not found:
                raise UsageError(problem=f"Nobody is called {shown_name(typed.user)}", remedy="3 lists everybody")
            (user_id,) = found
        if typed.file:
            file_id = await self._file_id(typed.file)
        return LogQuery(user_id=user_id, file_id=file_id, kinds=typed.kinds, since=typed.since, until=typed.until)

    async def _file_id(self, path: str) -> bytes:
        try:
            return (await self.gateway.files.details(path)).file.id
        except NotFoundError:
            trashed = [each for each in await self.gateway.files.list_trash() if isinstance(each, File)]
            found = [each.id for each in trashed if each.path == path]
        if not found:
            raise UsageError(problem=f"No file is at /{shown(path)}", remedy="Its path as it is now, or words of it")
        return found[0]

    # -- acts ---------------------------------------------------------------------------------------------------

    def reason_against(self, act: Action) -> str:
        if act.name in {"open", "copy", "why"} and self.line is None:
            return "Nothing is listed yet."
        if act.name == "why" and (self.line is None or self.line.file_id is None or not self.line.version):
            return "This line is about no version of a file."
        return super().reason_against(act)

    def act_follow(self) -> None:
        self.following = not self.following
        if self.following:
            self._start_growing()

    def act_filter(self) -> None:
        self.query_one(FilterLine).open()

    def act_clear(self) -> None:
        if self.query_one(FilterLine).used:
            self.query_one(FilterLine).drop()
            self._take("")

    def act_open(self) -> None:
        if self.line is not None:
            self.app.push_screen(LogRecord(self.line))

    @on(RowList.Opened)
    async def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        await self.action_act("activity.open")

    def act_why(self) -> None:
        line = self.line
        if line is not None and line.file_id is not None:
            self.app.push_screen(Trust(self.gateway.activity.path(line), line.version or 0, file_id=line.file_id))

    def act_copy(self) -> None:
        line = self.line
        if line is not None:
            said = sentence_of(line, self.gateway.activity, self.sft.glyphs)
            self.app.copy_to_clipboard(f"{count_text(line.number)} {said}")
            self.report("Sent to the terminal's clipboard: what this line says.")

    def act_export(self) -> None:
        """Write what is shown, the oldest first, to a file that is asked for."""
        start_worker(self, self._export, group="activity-export", keys_wait=True)

    async def _export(self) -> None:
        fits = None if self._typed == LogFilter() else self._fits
        folder, name = self.sft.local_folder, f"{self.connection.account}-log.jsonl"
        written = await self.app.push_screen_wait(LogExport(self._query, fits, folder, name))
        if written is not None:
            self.report(
                f"Written to {shown(str(written))}: the oldest first, one JSON object a line.", Severity.SUCCESS
            )

    def act_check(self) -> None:
        self.app.push_screen(LogCheck(self.connection.account))
