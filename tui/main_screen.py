"""The one screen that everything stands in: header, the chosen view, dock, message line, footer.

Rules. It owns what all views share: which is shown, what the message line says, what the footer offers. Views say what
they have to say by messages. The toolkit's screens are used for dialogs alone, so nothing has to be kept in step. A view is
mounted when it is first shown: the app begins sooner. Servers is there from the start, for what the server says unasked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Input, Static

from sft.client.connection_info import ConnectionInfo
from sft.errors import SftError
from tui.connection_words import alarm_of
from tui.context import AppContext
from tui.dialogs.help import Help
from tui.dialogs.palette import Offer, Palette, PaletteTarget
from tui.keys import ACTS, SCREEN_IDS, SELECTING, TITLES, Action, acts_of, bindings_of
from tui.messages import ActChosen, ActsChanged, ConnectionChanged, Notification, Severity, TransfersMoved
from tui.palette_targets import PaletteTargets
from tui.runtime.dirty_lines import DirtyLines
from tui.screens.activity import ActivityView
from tui.screens.files import FilesView
from tui.screens.identity import IdentityView
from tui.screens.people import PeopleView
from tui.screens.people_rows import admin_names
from tui.screens.servers import ServersView
from tui.screens.status import StatusView
from tui.screens.transfers import TransfersView
from tui.text import error_text
from tui.view import View
from tui.widgets.dock import Dock
from tui.widgets.footer import Footer, Hint, always
from tui.widgets.header import Header
from tui.widgets.message_line import MessageLine
from tui.workers import start_worker

_DRAWING_SECONDS: Final = 1 / 60  # between two drawings by the toolkit
_ACTS_SECONDS: Final = 0.1  # between two looks at what can be done: a key that is held down would ask with each line


class MainScreen(Screen[None]):
    """Everything but the dialogs."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - as the toolkit declares it
        (0, "-tiny"),
        (60, "-narrow"),
        (80, "-normal"),
        (110, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - as the toolkit declares it
        (0, "-flat"),
        (15, "-low"),
        (20, "-tall"),
        (30, "-high"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("app", without=frozenset({"app.interrupt"})),
        Binding("shift+tab", "app.focus_previous", show=False),
        Binding("escape", "app.end_tour", show=False),
    ]

    def __init__(self, local_folder: Path) -> None:
        super().__init__()
        self._compositor = DirtyLines()
        self.servers = ServersView(id="view-servers")
        self._people = PeopleView(id="view-people")
        self._files = FilesView(local_folder, id="view-files")
        self._views: dict[str, View] = {
            "files": self._files,
            "transfers": TransfersView(id="view-transfers"),
            "people": self._people,
            "activity": ActivityView(id="view-activity"),
            "identity": IdentityView(id="view-identity"),
            "servers": self.servers,
            "status": StatusView(id="view-status"),
        }
        self._targets = PaletteTargets(self, self._people, self._files, self.servers)
        self._focused_in: dict[str, Widget] = {}
        self._admins = ("", "")  # of which account, and who they are
        self.screen_id = ""
        self._acts_due = False
        self._acts_shown_at = float("-inf")
        self._going = asyncio.Lock()

    def fit(self, size: Size) -> None:
        """Take the classes of this size before anything is mounted: everything is styled once, then, and not once more."""
        across = self._get_breakpoint_classes(size.width, self.HORIZONTAL_BREAKPOINTS)
        down = self._get_breakpoint_classes(size.height, self.VERTICAL_BREAKPOINTS)
        self.add_class(*across, *down)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Keep the styles: mounting has just applied them, and what lies under a dialog loses none."""
        event.refresh_styles = False

    def on_resize(self) -> None:
        """Return the focus back that a terminal too small has hidden: else no key of a list would be heard."""
        self.call_after_refresh(self._focus_again)

    def _focus_again(self) -> None:
        if self.focused is None and self.screen_id and not self.classes & {"-tiny", "-flat"}:
            target = self.view.home()
            if target is not None and target.is_attached:
                self.set_focus(target)

    @property
    def sft(self) -> AppContext:
        return cast("AppContext", self.app)

    @property
    def view(self) -> View:
        """The view that is shown; before one is, the first: a key may come earlier than the disk answers."""
        return self._views[self.screen_id or next(iter(self._views))]

    @property
    def admins(self) -> str:
        account, named = self._admins
        return self._people.admins or (named if account == self.sft.gateway.connection.account else "")

    async def read_admins(self) -> str:
        if not self.admins:
            account = self.sft.gateway.connection.account
            with contextlib.suppress(SftError):  # who can help is said beside what was asked for
                self._admins = (account, admin_names(await self.sft.gateway.people.users()))
        return self.admins

    async def keep(self) -> None:
        """Write down what is remembered of the screens."""
        await self._files.memory.keep()

    def view_of(self, screen_id: str) -> View:
        return self._views[screen_id]

    def mounted_views(self) -> Iterator[View]:
        """Return those that were shown already, and hear what happens: another reads it when it is shown."""
        return (view for view in self._views.values() if view.is_attached)

    def compose(self) -> ComposeResult:
        glyphs = self.sft.glyphs
        yield Static("sft needs a terminal of at least 60 by 15.", id="too-small", markup=False)
        with Vertical(id="frame"):
            yield Header(glyphs, id="header")
            with ContentSwitcher(id="views"):
                yield self._views["files"]
                yield self.servers
            yield Dock(self.sft.queue, glyphs, self.sft.now, id="dock")
            yield Static("", id="tour", markup=False)
            yield MessageLine(glyphs, id="message")
            yield Footer(id="footer")

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.show_tour(self.sft.tour.line)
        self._connected(self.sft.gateway.connection)
        self.set_interval(1, self._count_down)

    def show_tour(self, line: str) -> None:
        """Show a line of the tour, or none."""
        tour = self.query_one("#tour", Static)
        tour.update(line)
        tour.display = bool(line)

    # -- which screen is shown ------------------------------------------------------------------------------

    async def go(self, screen_id: str) -> None:
        async with self._going:
            if screen_id != self.screen_id:
                await self._go(screen_id)

    async def _go(self, screen_id: str) -> None:
        switcher = self.query_one("#views", ContentSwitcher)
        view = self._views[screen_id]
        if not view.is_attached:
            await switcher.add_content(view)
        if self.screen_id and self.focused is not None and self.view in self.focused.ancestors:
            self._focused_in[self.screen_id] = self.focused
        self.query_one(MessageLine).leave()
        self.screen_id = screen_id
        switcher.current = f"view-{screen_id}"
        self.query_one(Header).screen_id = screen_id
        self.query_one(Dock).moved(hidden=screen_id == "transfers")
        view.shown()
        target = self._focused_in.get(screen_id) or view.home()
        if target is not None and target.is_attached:
            self.set_focus(target)
        else:
            self.set_focus(None)
        self._acts_changed()

    async def action_act(self, act_id: str) -> None:
        act = ACTS[act_id]
        reason = self._reason_against(act)
        if act.name in SCREEN_IDS and not reason:
            await self.go(act.name)
        elif act.name in SCREEN_IDS:
            start_worker(self, partial(self._refuse, act), group="refusing")
        elif act.name == "palette":
            self._offer_palette()
        elif act.name == "help":
            self.app.push_screen(Help(self.offers(), self.sft.glyphs))
        elif reason:
            self.view.report(reason, Severity.WARNING)
        else:
            self.sft.perform(act)

    def _reason_against(self, act: Action) -> str:
        """Return why an act of everywhere cannot be done now; a screen may be for some roles alone."""
        of_role = View.reason_against(self.view, act) if act.permission is not None else ""
        return self.sft.reason_against(act) or of_role

    async def _refuse(self, act: Action) -> None:
        """Say who does not see a screen, and by name who can change it."""
        await self.read_admins()
        self.view.report(self._reason_against(act), Severity.WARNING)

    @on(ActChosen)
    async def _chosen(self, event: ActChosen) -> None:
        event.stop()
        await self.perform(event.act)

    async def perform(self, act_id: str) -> None:
        """Do an act that was chosen by name, as its key would."""
        act = ACTS[act_id]
        if act.scope == self.view.screen_id or act.id in {a.id for a in self.view.acts_here()}:
            await self.view.action_act(act_id)
        elif act.scope == "app":
            await self.action_act(act_id)
        elif self.focused is not None and hasattr(self.focused, "action_act"):
            self.focused.action_act(act_id)

    # -- what is said -------------------------------------------------------------------------------------------

    @on(Notification)
    def _said(self, event: Notification) -> None:
        event.stop()
        self.query_one(MessageLine).show(event)

    @on(ActsChanged)
    def _acts_changed(self) -> None:
        """Look what can be done now once, after all that is already known to have changed."""
        if not self._acts_due:
            self._acts_due = True
            passed = asyncio.get_running_loop().time() - self._acts_shown_at
            # Not after a refresh: what a dialog is to call then goes with the dialog.
            self.set_timer(max(_DRAWING_SECONDS, _ACTS_SECONDS - passed), self._show_acts)

    def _show_acts(self) -> None:
        self._acts_due = False
        if not self.screen_id:
            return
        view = self.view
        self._acts_shown_at = asyncio.get_running_loop().time()
        hints = [Hint(act.id, act.key_shown, label, act.weight) for act, label in view.offered()]
        self.query_one(Footer).show([*hints, *always(typing=isinstance(self.focused, Input))])
        self.query_one(MessageLine).standing = view.status_line()

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        self._connected(event.connection)

    @on(TransfersMoved)
    def _transfers_moved(self) -> None:
        self.query_one(Dock).moved(hidden=self.screen_id == "transfers")
        self._count_down()
        self._acts_changed()

    def _connected(self, connection: ConnectionInfo) -> None:
        self.query_one(Header).connection = connection
        self.query_one(MessageLine).alarm = self._alarm(connection)
        self._acts_changed()

    def _count_down(self) -> None:
        """Let the seconds to the next try pass in sight."""
        self.query_one(MessageLine).alarm = self._alarm(self.sft.gateway.connection)

    def _alarm(self, connection: ConnectionInfo) -> Notification | None:
        queue, now = self.sft.queue, self.sft.now()
        alarm = alarm_of(connection, queue.unfinished, now)
        if alarm is None and queue.unkept is not None:
            message, step = error_text(queue.unkept, now)
            words = "Transfers are not kept on this computer: what is not done ends with sft."
            alarm = Notification(f"{words} {message}", Severity.ERROR, step)
        return alarm

    # -- for help and palette -------------------------------------------------------------------------------------

    def offers(self) -> list[tuple[str, list[Offer]]]:
        """Return everything that can be done here, by where it acts, with the reason where it cannot."""
        view = self.view
        sections: list[tuple[str, list[Offer]]] = []
        here = view.acts_here()
        own = [a for a in here if a.scope != "list"]
        title = TITLES[view.screen_id]
        sections.append((title, [Offer(a, title, view.reason_against(a)) for a in own]))
        lists = [a for a in acts_of("list") if view.lists_select or a.id not in SELECTING]
        sections.append((TITLES["list"], [Offer(a, TITLES["list"], "") for a in lists]))
        everywhere = [Offer(a, TITLES["app"], self._reason_against(a)) for a in acts_of("app")]
        sections.append((TITLES["app"], everywhere))
        return sections

    def _offer_palette(self) -> None:
        palette = Palette(self._targets.at_once(), self.sft.glyphs)

        async def chosen(target: PaletteTarget | None) -> None:
            if target is not None:
                await target.do()

        async def later() -> None:
            found = await self._targets.asked_for()
            if palette.is_attached:
                palette.add(found)

        self.app.push_screen(palette, chosen)
        start_worker(self, later, group="palette", exclusive=True)
