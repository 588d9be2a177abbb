"""The Servers screen: the servers of this computer and how each stands; at a first start, the one field for an invitation.

Rules. One journey runs at a time. Whatever the screen in sight, a changed server key and a key that was locked again ask here,
as soon as no other question stands. The list is read anew after every act and whenever the screen is shown.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widget import Widget
from textual.worker import Worker

from sft.client.connection_info import ConnectionInfo, Status
from sft.errors import SftError
from tui.gateway import Account
from tui.keys import ACTS, Action, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, NoticeArrived, Tone
from tui.screens.servers_about import status_of
from tui.screens.servers_acts import ServersActs, back_words, notice_words
from tui.screens.servers_asking import QuestionQueue
from tui.screens.servers_body import ServersBody
from tui.screens.welcome import WelcomePane
from tui.text import shown
from tui.view import View
from tui.widgets.link_field import LinkField
from tui.widgets.link_input import LinkInput
from tui.widgets.row_list import RowList
from tui.workers import begin

_AT_FIRST: Final = ("servers.connect", "servers.demo")


class ServersView(View):
    """Servers."""

    place = "servers"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("servers")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._accounts: list[Account] | None = None
        self._acts = ServersActs(self)
        self._asking = QuestionQueue(self, self._acts)
        self._before = ConnectionInfo()
        self._lost = False
        self._reading: Worker[object] | None = None

    def compose(self) -> ComposeResult:
        """Put first start, list and what is said about a line together."""
        glyphs = self.sft.glyphs
        yield WelcomePane(glyphs, self.now, demo=self.gateway.accounts.offers_demo, id="welcome")
        yield ServersBody(glyphs, lambda: self.now, id="servers-body")

    def on_mount(self) -> None:
        """Show neither before it is known which."""
        self.query_one("#welcome").display = False
        self._body.display = False

    # -- what is shown ---------------------------------------------------------------------------------

    @property
    def _body(self) -> ServersBody:
        return self.query_one(ServersBody)

    @property
    def chosen(self) -> Account | None:
        """The server under the cursor."""
        return self._body.chosen if self._accounts else None

    @property
    def _first_start(self) -> bool:
        return self._accounts == []

    def home(self) -> Widget | None:
        """The field at a first start, else the list."""
        if self._accounts is None:
            return None
        return self.query_one(LinkInput) if self._first_start else self._body.rows

    def shown(self) -> None:
        """Read the accounts anew."""
        self._reading = begin(self, self.read, group="reading", exclusive=True)

    async def read(self) -> None:
        """Read the accounts and show them."""
        try:
            accounts = await self.gateway.accounts.all()
        except SftError as error:
            self.say_error(error)
            return
        self._accounts = accounts
        self.query_one("#welcome").display = not accounts
        self._body.display = bool(accounts)
        self._body.show(self._accounts, self.connection)
        if self.sft.frame.place == self.place and not self._focus_holds():
            self._focus_home()
        self.post_message(ActsChanged())

    def _focus_holds(self) -> bool:
        """Say whether the focus is on something in sight."""
        focused = self.screen.focused
        if focused is None:
            return False
        return all(node.display for node in focused.ancestors_with_self if isinstance(node, Widget))

    def _focus_home(self) -> None:
        target = self.home()
        if target is not None and self.sft.frame.place == self.place:
            self.screen.set_focus(target)

    def joined(self) -> None:
        """Forget the pasted invitation: it was used."""
        self.query_one(LinkField).clear()

    # -- what can be done --------------------------------------------------------------------------------

    def acts_here(self) -> list[Action]:
        """Give what makes sense: at a first start joining alone."""
        if not self._first_start:
            return [act for act in super().acts_here() if act.name != "demo"]
        return [ACTS[name] for name in _AT_FIRST if not self.reason_against(ACTS[name])]

    def label_of(self, act: Action) -> str:
        """Say what enter does with this line."""
        account = self.chosen
        if act.name != "connect":
            return act.label
        if self._first_start:
            return "Join"
        if account is None:
            return act.label
        if not account.joined:
            return "Go on joining"
        return {
            Status.ONLINE: "Files",
            Status.LOCKED: "Unlock",
            Status.STOPPED: "What to do",
        }.get(status_of(account, self.connection), act.label)

    def reason_against(self, act: Action) -> str:
        """Say why an act cannot be done with this line."""
        if self._first_start and act.name not in {"connect", "join", "demo"}:
            return "This computer has not joined a server yet."
        account = self.chosen
        if act.name == "demo" and not (self._first_start and self.gateway.accounts.offers_demo):
            return "A demo is begun in a terminal: sft demo."
        if act.name == "first" and account is not None:
            if not account.joined:
                return "Joining it is not finished."
            if account.in_use_first:
                return f"{shown(account.name)} is used first already."
        return super().reason_against(act)

    def status_line(self) -> tuple[str, Tone]:
        """Say how many there are, or how to begin."""
        if not self._accounts:
            return (
                "No server yet. Joining asks for a name and a passphrase."
                if self._first_start
                else ""
            ), Tone.PLAIN
        return "n joins another server with an invitation", Tone.PLAIN

    async def act_connect(self) -> None:
        """Connect; at a first start, take what was pasted."""
        if self._first_start:
            await self.query_one(LinkInput).action_submit()
        elif self.chosen is not None:
            self._asking.ask(self._acts.connect, self.chosen)

    def act_join(self) -> None:
        """Join a server."""
        if self._first_start:
            self._focus_home()
        else:
            self._asking.ask(self._acts.paste)

    def act_demo(self) -> None:
        """Explore a demo."""
        self._asking.ask(self._acts.demo)

    def act_address(self) -> None:
        """Look for a server elsewhere."""
        if self.chosen is not None:
            self._asking.ask(self._acts.address, self.chosen)

    def act_link(self) -> None:
        """Paste a server link."""
        account, connection = self.chosen, self.connection
        if account is None:
            return
        stopped = status_of(account, connection) is Status.STOPPED and connection.error is not None
        seen = str(connection.error.values.get("shown", "")) if stopped and connection.error else ""
        self._asking.ask(self._acts.link, account, seen=seen)

    def act_first(self) -> None:
        """Use a server when none is named."""
        if self.chosen is not None:
            self._asking.ask(self._acts.use_first, self.chosen)

    def act_forget(self) -> None:
        """Forget a server."""
        if self.chosen is not None:
            self._asking.ask(self._acts.forget, self.chosen)

    @on(RowList.Highlighted, "#servers-list")
    def _moved(self) -> None:
        self.post_message(ActsChanged())

    @on(RowList.Opened, "#servers-list")
    async def _opened(self) -> None:
        await self.action_act("servers.connect")

    @on(LinkField.Given)
    def _given(self, event: LinkField.Given) -> None:
        self._asking.ask(self._acts.join, event.link)

    # -- one question at a time ----------------------------------------------------------------------------

    def post_unlock(self, account: str) -> None:
        """Ask for the passphrase of an account's key, as soon as nothing else is asked."""
        self._asking.want(account)

    # -- what happens outside ----------------------------------------------------------------------------------

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        before, now = self._before, event.connection
        self._before = now
        if self._accounts:
            self._body.show(self._accounts, self.connection)
        if before.account != now.account:
            self._lost = False
        if now.status is Status.AWAY and before.online:
            self._lost = True
        if now.online and self._lost:
            self._lost = False
            if not self._asking.busy:
                self.say(back_words(now, self.sft.queue.unfinished), Tone.GOOD)
        stopped = now.status is Status.STOPPED and before.status is not Status.STOPPED
        if stopped or (now.status is Status.LOCKED and (before.online or self._lost)):
            self._asking.want(now.account)

    @on(NoticeArrived)
    def _notice_arrived(self, event: NoticeArrived) -> None:
        server = shown(self.connection.server)
        words = notice_words(event.told.kind, event.told.values, server)
        if words is not None:
            self.say(*words)
