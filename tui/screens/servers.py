"""The Servers screen: the servers of this computer and how each stands; at a first start, the one field for an invitation.

Rules. What asks something is a journey (``server_journeys``), which one worker runs, one at a time. A dialog that ends closes
the topmost one, so nothing of ours is put over a dialog that may still be working. Whatever the screen in sight, a changed
server key and a key that was locked again are asked about here, as soon as no other question stands. A refusal is reported and
changes nothing. The list is read anew after every act and whenever the screen is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import ClassVar, Final, ParamSpec

from msgspec import structs
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from sft.client.connection_info import ConnectionInfo, Status
from sft.errors import SftError
from sft.model.text import count_text, shown_name
from tui.connection_words import back_again, status_of
from tui.dialogs.confirm import Confirm
from tui.gateway import Account
from tui.keys import ACTS, Action, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, NoticeArrived, Severity
from tui.notice_words import notice_words
from tui.screens.server_journeys import ServerJourneys, account_name
from tui.screens.servers_list import ServersList
from tui.screens.welcome import WelcomePane
from tui.text import shown
from tui.view import View
from tui.widgets.link_input import LinkField, LinkInput
from tui.widgets.row_list import RowList
from tui.workers import start_worker

P = ParamSpec("P")
_AT_FIRST: Final = ("servers.connect", "servers.demo")
_NAME_CELLS: Final = 40
_RETRY_SECONDS: Final = 0.3


class ServersView(View):
    """Servers."""

    screen_id = "servers"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("servers"), Binding("escape", "leave_field", show=False)]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._accounts: list[Account] | None = None
        self._before = ConnectionInfo()
        self._lost = False
        self._asking = False  # a journey is under way, and reports itself how it ended
        self._journeys = ServerJourneys(self)
        self._wanted = ""  # the account that has to be asked about next

    def compose(self) -> ComposeResult:
        glyphs = self.sft.glyphs
        offers_demo = self.gateway.accounts.offers_demo
        yield WelcomePane(glyphs, self.now, demo=offers_demo, id="welcome")
        yield ServersList(glyphs, self.sft.now, id="servers-body")

    def on_mount(self) -> None:
        # Neither, before it is known which.
        self.query_one("#welcome").display = False
        self._list.display = False

    # -- what is shown ---------------------------------------------------------------------------------

    @property
    def _list(self) -> ServersList:
        return self.query_one(ServersList)

    @property
    def _chosen(self) -> Account | None:
        return self._list.chosen if self._accounts else None

    @property
    def _as_followed(self) -> ConnectionInfo:
        """The connection, with as much of the log as it has been shown by now: a login says how far it went then."""
        connection, proof = self.connection, self.gateway.activity.proof
        if connection.standing is None or proof is None:
            return connection
        return replace(connection, standing=structs.replace(connection.standing, size=proof.size))

    @property
    def _first_start(self) -> bool:
        return self._accounts == []

    def home(self) -> Widget | None:
        if self._accounts is None:
            return None
        return self.query_one(LinkInput) if self._first_start else self._list.rows

    def shown(self) -> None:
        # Before the list was read once nothing here has the focus: what is typed is for it.
        start_worker(self, self._read, group="reading", exclusive=True, keys_wait=self._accounts is None)

    async def _read(self) -> None:
        try:
            accounts = await self.gateway.accounts.all()
        except SftError as error:
            self.report_error(error)
            return
        self._accounts = accounts
        self.query_one("#welcome").display = not accounts
        self._list.display = bool(accounts)
        self._list.show(accounts, self._as_followed)
        if not self._focus_is_in_sight():
            self._focus_home()
        self.post_message(ActsChanged())

    def aim(self, account: str) -> None:
        """Put the cursor on a server, and use it."""
        self._list.rows.aim(account)
        self._ask(self._connect_named, account)

    async def _connect_named(self, name: str) -> None:
        for account in await self.gateway.accounts.all():
            if account.name == name:
                await self._journeys.connect(account)

    def _focus_is_in_sight(self) -> bool:
        focused = self.screen.focused
        return focused is not None and all(
            node.display for node in focused.ancestors_with_self if isinstance(node, Widget)
        )

    def _focus_home(self) -> None:
        target = self.home()
        if target is not None and self.sft.frame.screen_id == self.screen_id:
            self.screen.set_focus(target)

    # -- what can be done --------------------------------------------------------------------------------

    def acts_here(self) -> list[Action]:
        if not self._first_start:
            return [act for act in super().acts_here() if act.name != "demo"]
        return [ACTS[name] for name in _AT_FIRST if not self.reason_against(ACTS[name])]

    def label_of(self, act: Action) -> str:
        account = self._chosen
        if act.name != "connect":
            return act.label
        if self._first_start:
            return "Join"
        if account is None:
            return act.label
        if not account.joined:
            return "Go on joining"
        return {Status.ONLINE: "Files", Status.LOCKED: "Unlock", Status.STOPPED: "What to do"}.get(
            status_of(account, self.connection), act.label
        )

    def reason_against(self, act: Action) -> str:
        if self._first_start and act.name not in {"connect", "join", "demo"}:
            return "This computer has not joined a server yet."
        account = self._chosen
        if act.name == "demo" and not (self._first_start and self.gateway.accounts.offers_demo):
            return "A demo is begun in a terminal: sft demo."
        if act.name == "first" and account is not None:
            if not account.joined:
                return "Joining it is not finished."
            if account.in_use_first:
                return f"{shown(account.name)} is used first already."
        return super().reason_against(act)

    def status_line(self) -> tuple[str, Severity]:
        if self._accounts:
            return "n joins another server with an invitation", Severity.INFO
        message = "No server yet. Joining asks for a name and a passphrase." if self._first_start else ""
        return message, Severity.INFO

    async def act_connect(self) -> None:
        """Connect; at a first start, take what was pasted."""
        if self._first_start:
            await self.query_one(LinkInput).action_submit()
        elif self._chosen is not None:
            self._ask(self._journeys.connect, self._chosen)

    def act_join(self) -> None:
        if self._first_start:
            self._focus_home()
        else:
            self._ask(self._journeys.paste)

    def act_demo(self) -> None:
        self._ask(self._journeys.demo)

    def action_leave_field(self) -> None:
        """Let keys act again that are text within the field; ``n`` or tab goes back to it."""
        if self._first_start:
            self.query_one(WelcomePane).focus()

    def link_taken(self) -> None:
        self.query_one(LinkField).clear()

    def on_descendant_focus(self) -> None:
        self.post_message(ActsChanged())

    def on_descendant_blur(self) -> None:
        self.post_message(ActsChanged())

    def act_address(self) -> None:
        if self._chosen is not None:
            self._ask(self._journeys.change_address, self._chosen)

    def act_link(self) -> None:
        account, connection = self._chosen, self.connection
        if account is None:
            return
        stopped = status_of(account, connection) is Status.STOPPED and connection.error is not None
        seen = str(connection.error.values.get("shown", "")) if stopped and connection.error else ""
        self._ask(self._journeys.take_link, account, seen=seen)

    def act_policy(self) -> None:
        if self._chosen is not None:
            self._ask(self._journeys.set_policy, self._chosen)

    def act_copy(self) -> None:
        if self._chosen is not None:
            self._ask(self._copy_link, self._chosen)

    def act_first(self) -> None:
        if self._chosen is not None:
            self._ask(self._use_first, self._chosen)

    def act_forget(self) -> None:
        if self._chosen is not None:
            self._ask(self._forget, self._chosen)

    @on(RowList.Highlighted, "#servers-list")
    def _moved(self) -> None:
        self.post_message(ActsChanged())

    @on(RowList.Opened, "#servers-list")
    async def _opened(self) -> None:
        await self.action_act("servers.connect")

    @on(LinkField.Given)
    def _given(self, event: LinkField.Given) -> None:
        self._ask(self._journeys.join, event.link)

    # -- one journey at a time -----------------------------------------------------------------------------

    def _ask(self, journey: Callable[P, Coroutine[None, None, None]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Begin a journey; while another one is under way it is dropped."""
        if not self._asking:
            self._asking = True
            job = partial(self._go, partial(journey, *args, **kwargs))
            start_worker(self, job, group="asking", keys_wait=True)

    def ask_about(self, account: str) -> None:
        """Ask about a locked key or a server that is stopped as soon as nothing else is asked."""
        self._wanted = account
        self._ask_next()

    async def _go(self, journey: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await self.attempt(journey())
            await self._read()
        finally:
            self._asking = False
            self._ask_next()

    def _ask_next(self) -> None:
        if not self._wanted or self._asking or not self.is_attached:
            return
        if self.app.screen.is_modal:  # a question of another screen stands
            self.set_timer(_RETRY_SECONDS, self._ask_next)
            return
        name, self._wanted = self._wanted, ""
        self._ask(self._look_at, name)

    async def _look_at(self, name: str) -> None:
        """Ask, if what happened meanwhile still wants it."""
        accounts = [one for one in await self.gateway.accounts.all() if one.name == name]
        if not accounts or self.connection.account != name:
            return
        if self.connection.status is Status.STOPPED:
            await self._journeys.stop(accounts[0])
        elif self.connection.status is Status.LOCKED:
            await self._journeys.unlock(accounts[0])

    # -- what is known of a server -----------------------------------------------------------------------------

    async def _use_first(self, account: Account) -> None:
        await self.gateway.accounts.set_first(account.name)
        self.report(f"{account_name(account)} is used when none is named.", Severity.SUCCESS)

    async def _forget(self, account: Account) -> None:
        lines = ["This computer forgets address, pinned key and who you are there."]
        if account.joined:
            who = shown(shown_name(account.user))
            lines += [
                f"Your key is put aside, not destroyed: it still is the key of {who}.",
                "Nothing changes on the server: your files and your account stay.",
            ]
        else:
            lines.append("The key that was made for it is put aside, not destroyed.")
        count = self.sft.queue.unfinished
        if self.connection.account == account.name and count:
            waits = "transfer of it is" if count == 1 else "transfers of it are"
            lines.append(f"{count_text(count)} {waits} not done and will not go on.")
        question = Confirm(f"Forget {account_name(account)} on this computer?", lines, act="Forget")
        if await self.app.push_screen_wait(question):
            await self.gateway.accounts.forget(account.name)
            self.report(f"{account_name(account)} is forgotten here.", Severity.SUCCESS)

    async def _copy_link(self, account: Account) -> None:
        self.app.copy_to_clipboard(await self.gateway.accounts.server_link(account.name))
        self.report(
            f"Sent to the terminal's clipboard: the server link of {account_name(account)}, which is no secret."
        )

    # -- what happens outside ----------------------------------------------------------------------------------

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        before, now = self._before, event.connection
        self._before = now
        if self._accounts:
            self._list.show(self._accounts, self._as_followed)
        if before.account != now.account:
            self._lost = False
        if now.status is Status.AWAY and before.online:
            self._lost = True
        if now.online and self._lost:
            self._lost = False
            if not self._asking and now.policy_error is None:  # which stands in the message line then
                self.report(back_again(now, self.sft.queue.unfinished), Severity.SUCCESS)
        stopped = now.status is Status.STOPPED and before.status is not Status.STOPPED
        if stopped or (now.status is Status.LOCKED and (before.online or self._lost)):
            self.ask_about(now.account)

    @on(NoticeArrived)
    def _notice_arrived(self, event: NoticeArrived) -> None:
        server = shown(self.connection.server)
        words = notice_words(event.notice.kind, event.notice.values, server)
        if words is not None:
            self.report(*words)
