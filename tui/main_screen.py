"""The one screen that everything stands in: header, the chosen view, dock, message line, footer.

Rules. It owns what all views share: which is shown, what the message line says, what the footer offers. Views say what
they have to say by messages. The toolkit's screens are used for dialogs alone, so nothing has to be kept in step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from sft.client.connection_info import ConnectionInfo, Status
from sft.model.text import clock_text
from tui.dialogs.palette import Offer
from tui.keys import ACTS, PLACES, SELECTING, TITLES, acts_of, bindings_of
from tui.messages import (
    ActChosen,
    ActsChanged,
    ConnectionChanged,
    Said,
    Tone,
    TransfersMoved,
)
from tui.text import error_text, shown
from tui.view import View
from tui.widgets.dock import Dock
from tui.widgets.footer import Footer, Hint, always
from tui.widgets.header import Header
from tui.widgets.message_line import MessageLine

if TYPE_CHECKING:
    from tui.app import SftApp


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
    ]

    def __init__(self, views: list[View]) -> None:
        super().__init__()
        self._views = {view.place: view for view in views}
        self._focused_in: dict[str, Widget] = {}
        self.place = ""

    def fit(self, size: Size) -> None:
        """Take the classes of this size before anything is mounted: everything is styled once, then, and not once more."""
        across = self._get_breakpoint_classes(size.width, self.HORIZONTAL_BREAKPOINTS)
        down = self._get_breakpoint_classes(size.height, self.VERTICAL_BREAKPOINTS)
        self.add_class(*across, *down)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Keep the styles: mounting has just applied them, and what lies under a dialog loses none."""
        event.refresh_styles = False

    def on_resize(self) -> None:
        """Give the focus back that a terminal too small has hidden: else no key of a list would be heard."""
        self.call_after_refresh(self._focus_again)

    def _focus_again(self) -> None:
        if self.focused is None and self.place and not self.classes & {"-tiny", "-flat"}:
            target = self.view.home()
            if target is not None and target.is_attached:
                self.set_focus(target)

    @property
    def sft(self) -> SftApp:
        """The app that this stands in."""
        return cast("SftApp", self.app)

    @property
    def view(self) -> View:
        """The view that is shown; before one is, the first: a key may come earlier than the disk answers."""
        return self._views[self.place or next(iter(self._views))]

    def view_of(self, place: str) -> View:
        """Give the view of a place."""
        return self._views[place]

    def compose(self) -> ComposeResult:
        """Put everything together."""
        glyphs = self.sft.glyphs
        yield Static("sft needs a terminal of at least 60 by 15.", id="too-small", markup=False)
        with Vertical(id="frame"):
            yield Header(glyphs, id="header")
            with ContentSwitcher(id="views"):
                yield from self._views.values()
            yield Dock(self.sft.queue, glyphs, self.sft.now, id="dock")
            yield MessageLine(glyphs, id="message")
            yield Footer(id="footer")

    def on_mount(self) -> None:
        """Show the screen that there is something to do on."""
        self.sft.theme_changed_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self._connected(self.sft.gateway.connection)
        self.set_interval(1, self._count_down)

    # -- which screen is shown ------------------------------------------------------------------------------

    def go(self, place: str) -> None:
        """Show a numbered screen."""
        if place == self.place:
            return
        if self.place and self.focused is not None and self.view in self.focused.ancestors:
            self._focused_in[self.place] = self.focused
        self.place = place
        self.query_one("#views", ContentSwitcher).current = f"view-{place}"
        self.query_one(Header).place = place
        self.query_one(Dock).moved(hidden=place == "transfers")
        view = self.view
        view.shown()
        target = self._focused_in.get(place) or view.home()
        if target is not None and target.is_attached:
            self.set_focus(target)
        else:
            self.set_focus(None)
        self._acts_changed()

    def action_act(self, act_id: str) -> object:
        """Do one of the acts of everywhere."""
        name = ACTS[act_id].name
        if name in PLACES:
            self.go(name)
            return None
        reason = self.sft.everywhere.reason_against(ACTS[act_id])
        if reason:
            self.view.say(reason, Tone.DOUBT)
            return None
        return self.sft.everywhere.do(name)

    @on(ActChosen)
    async def _chosen(self, event: ActChosen) -> None:
        event.stop()
        await self.perform(event.act)

    async def perform(self, act_id: str) -> None:
        """Do an act that was chosen by name, as its key would."""
        act = ACTS[act_id]
        if act.place == self.view.place or act.id in {a.id for a in self.view.acts_here()}:
            await self.view.action_act(act_id)
        elif act.place == "app":
            self.action_act(act_id)
        elif self.focused is not None and hasattr(self.focused, "action_act"):
            self.focused.action_act(act_id)

    # -- what is said -------------------------------------------------------------------------------------------

    @on(Said)
    def _said(self, event: Said) -> None:
        event.stop()
        self.query_one(MessageLine).say(event)

    @on(ActsChanged)
    def _acts_changed(self) -> None:
        if not self.place:
            return
        view = self.view
        hints = [
            Hint(act.id, act.key_shown, view.label_of(act), act.weight)
            for act in view.acts_here()
            if act.weight and not view.reason_against(act)
        ]
        self.query_one(Footer).show([*hints, *always()])
        self.query_one(MessageLine).standing = view.status_line()

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        self._connected(event.connection)

    @on(TransfersMoved)
    def _transfers_moved(self) -> None:
        self.query_one(Dock).moved(hidden=self.place == "transfers")
        self._count_down()
        self._acts_changed()

    def _connected(self, connection: ConnectionInfo) -> None:
        self.query_one(Header).connection = connection
        self.query_one(MessageLine).alarm = self._alarm(connection)
        self._acts_changed()

    def _count_down(self) -> None:
        """Let the seconds to the next try pass in sight."""
        self.query_one(MessageLine).alarm = self._alarm(self.sft.gateway.connection)

    def _alarm(self, connection: ConnectionInfo) -> Said | None:
        if connection.status is Status.AWAY:
            return Said(self._away(connection), Tone.DOUBT, self._waiting())
        if connection.online and connection.silent_since is not None:
            since = clock_text(connection.silent_since)
            said = f"{shown(connection.server)} says nothing since {since}; it may be busy."
            return Said(
                said, Tone.DOUBT, "R connects anew: what runs begins again, nothing is lost"
            )
        if connection.status in {Status.REFUSED, Status.STOPPED} and connection.error is not None:
            return Said(*self._words(connection))
        unkept = self.sft.queue.unkept
        if unkept is not None:
            said, step = error_text(unkept, self.sft.now())
            words = "Transfers are not kept on this computer: what is not done ends with sft."
            return Said(f"{words} {said}", Tone.BAD, step)
        return None

    def _away(self, connection: ConnectionInfo) -> str:
        said = f"{shown(connection.server)} does not answer since {clock_text(connection.since)}"
        if connection.again_at is None:
            return f"{said}; trying again."
        seconds = max(round(connection.again_at - self.sft.now()), 0)
        return f"{said}; again in {seconds} s (R now)." if seconds else f"{said}; trying again."

    def _waiting(self) -> str:
        waiting = self.sft.queue.unfinished
        if not waiting:
            return ""
        many = f"{waiting} transfers wait" if waiting > 1 else "1 transfer waits"
        return f"{many}; nothing partial is visible."

    def _words(self, connection: ConnectionInfo) -> tuple[str, Tone, str]:
        if connection.error is None:
            return "", Tone.PLAIN, ""
        said, step = error_text(connection.error, self.sft.now())
        return said, Tone.BAD, step

    # -- for help and palette -------------------------------------------------------------------------------------

    def offers(self) -> list[tuple[str, list[Offer]]]:
        """Give everything that can be done here, by where it acts, with the reason where it cannot."""
        view = self.view
        sections: list[tuple[str, list[Offer]]] = []
        here = view.acts_here()
        own = [a for a in here if a.place != "list"]
        title = TITLES[view.place]
        sections.append((title, [Offer(a, title, view.reason_against(a)) for a in own]))
        lists = [a for a in acts_of("list") if view.lists_select or a.id not in SELECTING]
        sections.append((TITLES["list"], [Offer(a, TITLES["list"], "") for a in lists]))
        everywhere = [
            Offer(a, TITLES["app"], self.sft.everywhere.reason_against(a)) for a in acts_of("app")
        ]
        sections.append((TITLES["app"], everywhere))
        return sections
