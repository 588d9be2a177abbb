"""The People screen: everybody on the server, the invitations, and who is connected; what is known of a line beside it.

Rules. Lists are read anew whenever the screen or one of them is shown, after each act and when the server tells an admin that
somebody joined; who is connected again and again while it is in sight. Whoever is no admin sees people and roles; what only
admins do says so. One act runs at a time, so no question ever stands over another. A refusal is reported and nothing has
changed; what can be mended by typing something else is refused within the dialog.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.worker import Worker

from sft.client.pins import Pin
from sft.errors import SftError
from sft.model.access import OPERATOR, Permission, Role, allows
from sft.model.records import Invitation, InvitationState, SessionInfo, User, UserState
from sft.model.text import count_text, local_time
from tui.dialogs.confirm import Confirm
from tui.dialogs.invite import Invite, Wanted
from tui.dialogs.link import ShowLink
from tui.dialogs.read_words import ReadWords
from tui.gateway import Invited
from tui.keys import ACTS, Action, acts_of, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, NoticeArrived, Severity
from tui.screens.last_acts import last_acts
from tui.screens.people_context import name_of
from tui.screens.people_lists import PeopleLists
from tui.screens.people_rows import (
    INVITATION_COLUMNS,
    SESSION_COLUMNS,
    AboutPane,
    Presence,
    admin_names,
    invitation_row,
    live_keys,
    people_summary,
    person_row,
    place_people,
    session_row,
)
from tui.screens.people_rules import reason_against_kicking, reason_against_person, reason_against_withdrawing
from tui.screens.person_acts import PersonActs
from tui.screens.several_people import to_switch
from tui.text import cut_name, key_words, shown
from tui.view import View
from tui.widgets.row_list import RowList
from tui.widgets.rows import Arrange, Column
from tui.widgets.tab_line import Tab, TabLine
from tui.workers import start_worker

USERS: Final = "people-list"
INVITATIONS: Final = "invitations-list"
SESSIONS: Final = "sessions-list"
_COLUMNS: Final[dict[str, Sequence[Column] | Arrange]] = {
    USERS: place_people,
    INVITATIONS: INVITATION_COLUMNS,
    SESSIONS: SESSION_COLUMNS,
}
_OF_PEOPLE: Final = frozenset(
    {f"people.{name}" for name in ("role", "switch", "remove", "quota", "reset", "rights", "copy", "words")}
)
_ANYWHERE: Final = frozenset({"people.invite", "people.filter", "people.clear"})
_TABS: Final = frozenset({"people.next_tab", "people.previous_tab"})
_SEEING: Final = dataclasses.replace(ACTS["people.invite"], deed="see invitations and sessions")
_POLL_SECONDS: Final = 20  # who comes and goes is seen without a key, and a server hardly feels it


class PeopleView(View):
    """People, invitations and sessions."""

    screen_id = "people"
    lists_select = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("people")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.users: list[User] = []
        self._invitations: list[Invitation] = []
        self._sessions: list[SessionInfo] = []
        self._acted: dict[int, int] = {}  # when people did something last, for admins
        self._pins: dict[int, Pin] = {}
        self._of: tuple[str, Role | None] = ("", None)  # account and role they were read as
        self._worker: Worker[object] | None = None
        self.doers = (PersonActs(self),)

    def compose(self) -> ComposeResult:
        yield TabLine(id="people-tabs")
        with Container(id="people-body"):
            yield PeopleLists(_COLUMNS, self.sft.glyphs, id="people-side")
            yield AboutPane(self.sft.now, id="people-about")

    def on_mount(self) -> None:
        self._show()
        self.set_interval(_POLL_SECONDS, self.poll_sessions)

    # -- reading ------------------------------------------------------------------------------------

    def shown(self) -> None:
        if self.connection.online:
            start_worker(self, self.read, group="people-read", exclusive=True)
        else:
            self._show()

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        account, role = self._of
        if event.connection.account != account:
            self.users, self._invitations, self._pins, self._acted = [], [], {}, {}
        if not (self._is_admin and event.connection.online):
            self._sessions = []  # what was seen of others is old at once
        if not self._is_admin:
            self._invitations, self._acted = [], {}
            self._pick(USERS)
        changed = (event.connection.account, event.connection.role) != (account, role)
        if self.display and event.connection.online and changed:
            self.shown()
        self._show()

    async def read(self, *, invitation_at: int | None = None) -> None:
        await self.attempt(self._fetch())
        self._show(invitation_at=invitation_at)
        if self._is_admin:
            start_worker(self, self._read_acts, group="people-acts", exclusive=True)

    async def _read_acts(self) -> None:
        of = self._of
        with contextlib.suppress(SftError):
            acted = await last_acts(self.gateway.activity, self.users)
            if of == self._of:
                self._acted = acted
                self._show()

    async def _fetch(self) -> None:
        of = (self.connection.account, self.connection.role)
        people = self.gateway.people
        users = await people.users()
        pins = {pin.user_id: pin for pin in (await self.gateway.local.keyring()).people}
        invitations = await people.invitations() if self._is_admin else []
        sessions = await people.sessions() if self._is_admin else []
        # What was read for another account meanwhile is dropped.
        if of == (self.connection.account, self.connection.role):
            self._of = of
            self.users = sorted(users, key=lambda user: user.state is UserState.REMOVED)
            self._pins, self._sessions = pins, sessions
            self._invitations = sorted(invitations, key=lambda made: made.state is not InvitationState.OPEN)

    def poll_sessions(self) -> None:
        """Ask who is connected, while that is in sight."""
        in_sight = self.display and not self.app.screen.is_modal
        if in_sight and self._is_admin and self.connection.online and self._of[0]:
            start_worker(self, self._read_sessions, group="people-sessions", exclusive=True)

    async def _read_sessions(self) -> None:
        of = (self.connection.account, self.connection.role)
        with contextlib.suppress(SftError):  # nobody asked: the next key reports what is wrong
            sessions = await self.gateway.people.sessions()
            if of == self._of == (self.connection.account, self.connection.role):
                self._sessions = sessions
                known = {user.name for user in self.users}
                if all(one.user in known for one in sessions if one.role != OPERATOR):
                    self._show()
                else:  # somebody has joined
                    self.shown()

    @on(NoticeArrived)
    def _notice_arrived(self, event: NoticeArrived) -> None:
        event.stop()
        if event.notice.kind == "joined" and self.display and self._of[0]:
            self.shown()

    # -- showing --------------------------------------------------------------------------------------

    @property
    def lists(self) -> PeopleLists:
        return self.query_one(PeopleLists)

    @property
    def _is_admin(self) -> bool:
        role = self.connection.role
        return role is not None and allows(role, Permission.INVITATION_MANAGE)

    @property
    def admins(self) -> str:
        """Who can help somebody who is no admin; empty before they were read."""
        is_read = self._of[0] == self.connection.account
        return admin_names(self.users) if is_read else ""

    @property
    def user(self) -> User | None:
        return self.lists.current(USERS)

    @property
    def selected(self) -> list[User]:
        return [*self.lists.selected(USERS)] if self.lists.tab == USERS else []

    def select_people(self, users: Sequence[User]) -> None:
        self.lists.list_of(USERS).select_keys({str(user.id) for user in users})

    @property
    def invitation(self) -> Invitation | None:
        return self.lists.current(INVITATIONS)

    @property
    def session(self) -> SessionInfo | None:
        return self.lists.current(SESSIONS) if self.lists.tab == SESSIONS else None

    @property
    def _mine(self) -> list[SessionInfo]:
        return [one for one in self._sessions if one.user == self.connection.user]

    def _show(self, *, invitation_at: int | None = None) -> None:
        glyphs, connection, lists = self.sft.glyphs, self.connection, self.lists
        presence = Presence.of(self._sessions) if self._sessions else Presence()
        asking = "Asking the server."
        if not connection.online:
            asking = super().reason_against(ACTS["people.invite"])
        lists.show(
            USERS,
            [
                person_row(
                    user, self._pins.get(user.id), glyphs, is_me=user.id == connection.user_id,
                    presence=presence, acted=self._acted.get(user.id), now=self.now,
                )
                for user in self.users
            ],
            empty=asking,
        )  # fmt: skip
        lists.show(
            INVITATIONS,
            [invitation_row(one, glyphs, self.now) for one in self._invitations],
            empty="Nobody was invited within a month. i invites somebody.",
            at=None if invitation_at is None else str(invitation_at),
        )
        mine = self._mine
        lists.show(
            SESSIONS, [session_row(one, glyphs, self.now, is_mine=one in mine) for one in self._sessions], empty=asking
        )
        self._show_tabs()
        self._moved()

    def _show_tabs(self) -> None:
        off = not self._is_admin
        members = sum(user.state is not UserState.REMOVED for user in self.users) or None
        open_ones = sum(one.state is InvitationState.OPEN for one in self._invitations)
        tabs = [
            Tab(USERS, "People", members),
            Tab(INVITATIONS, "Invitations", None if off else open_ones, off=off),
            Tab(SESSIONS, "Sessions", len(self._sessions) or None, off=off),
        ]
        self.query_one(TabLine).show(tabs, self.lists.tab)

    @on(RowList.Highlighted)
    @on(RowList.SelectionChanged)
    def _moved(self) -> None:
        about = self.lists.current(self.lists.tab)
        pin = self._pins.get(about.id) if isinstance(about, User) else None
        self.query_one(AboutPane).show(about, pin, self._acted.get(about.id) if isinstance(about, User) else None)
        self.post_message(ActsChanged())

    def home(self) -> RowList:
        return self.lists.list

    def status_line(self) -> tuple[str, Severity]:
        if self.lists.tab == INVITATIONS:
            return "Whoever has an open invitation's link can join with it, once.", Severity.INFO
        if self.lists.tab == SESSIONS:
            return "Everybody who is connected now, the longest at the top.", Severity.INFO
        if not self.users:
            return "", Severity.INFO
        if selected := self.selected:
            what = "locks out" if to_switch(selected)[0] else "lets in"
            return f"{count_text(len(selected))} selected: e {what} all of them; esc selects nobody", Severity.INFO
        return people_summary(self.users, name_admins=not self._is_admin), Severity.INFO

    def _pick(self, tab: str) -> None:
        if tab != self.lists.tab:
            self.lists.pick(tab)
            self._show_tabs()
            self._moved()

    @on(TabLine.Picked)
    def _picked(self, event: TabLine.Picked) -> None:
        reason = self.reason_against(ACTS["people.next_tab"])
        if event.key != USERS and reason:
            self.report(reason, Severity.WARNING)
        else:
            self._turn(event.key)

    def _turn(self, tab: str) -> None:
        """Show another list, read anew."""
        self._pick(tab)
        self.shown()

    # -- what can be done -------------------------------------------------------------------------------------

    def acts_here(self) -> list[Action]:
        left_out = frozenset({"people.stop"}) if self.lists.tab == USERS else _OF_PEOPLE
        return [act for act in acts_of("people") if act.id not in left_out]

    def label_of(self, act: Action) -> str:
        if act.id == "people.switch" and self.user is not None:
            selected = self.selected
            out = to_switch(selected)[0] if selected else self.user.state is not UserState.DISABLED
            return f"{'Disable' if out else 'Enable'}{f' {len(selected)}' if selected else ''}"
        if act.id == "people.stop":
            return "Kick" if self.lists.tab == SESSIONS else "Withdraw"
        return act.label

    def reason_against(self, act: Action) -> str:
        if act.id in _TABS:
            return super().reason_against(_SEEING)
        tab = self.lists.tab
        if act.id == "people.stop" and tab == SESSIONS:
            act = dataclasses.replace(act, permission=Permission.SESSION_MANAGE, deed="end sessions")
        reason = super().reason_against(act)
        if reason or act.id in _ANYWHERE:
            return reason
        if act.id != "people.stop":
            if tab != USERS:
                return "That is done in the list of people."
            return reason_against_person(self.user, act, len(self.selected), me=self.connection.user_id)
        if tab == SESSIONS:
            return reason_against_kicking(self.session, self._mine)
        if tab == INVITATIONS:
            return reason_against_withdrawing(self.invitation)
        return "Invitations are withdrawn and sessions ended: ] shows them."

    # -- acts -------------------------------------------------------------------------------------------------

    def act_invite(self) -> None:
        self.start(self._invite)

    def act_stop(self) -> None:
        if self.session is not None:
            self.start(partial(self._kick, self.session))
        elif self.invitation is not None:
            self.start(partial(self._withdraw, self.invitation))

    def act_copy(self) -> None:
        user = self.user
        if user is not None:
            words = "\n".join(key_words(key.public_key) for key in live_keys(user))
            self.app.copy_to_clipboard(words)
            name = name_of(user.name)
            self.report(f"Sent to the terminal's clipboard: the words of {name}'s key.")

    def act_words(self) -> None:
        user = self.user
        keys = [] if user is None else live_keys(user)
        if user is not None and keys:
            self.app.push_screen(ReadWords(f"{name_of(user.name)}'s key", key_words(keys[-1].public_key)))

    def act_filter(self) -> None:
        self.lists.open_filter()

    def act_clear(self) -> None:
        if not self.lists.clear():
            self.select_people([])

    def act_next_tab(self) -> None:
        self._turn(self.lists.next(1))

    def act_previous_tab(self) -> None:
        self._turn(self.lists.next(-1))

    def start(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        if self._worker is not None and not self._worker.is_finished:
            message = "The server has not answered the last request yet."
            self.report(message, Severity.WARNING)
            return
        self._worker = start_worker(self, job, group="people-act", keys_wait=True)

    async def _invite(self) -> None:
        invited = await self.app.push_screen_wait(Invite(self.connection.server, self._make))
        if invited is None:
            return
        joined = await self.app.push_screen_wait(ShowLink(invited))
        made = invited.invitation
        whom = "somebody" if made.name is None else name_of(made.name)
        until = local_time(made.expires_at, now=self.now, weekday=True)
        open_yet = f"An invitation for {whom} is open until {until}."
        self.report(f"{joined} has joined." if joined else open_yet, Severity.SUCCESS)
        await self.read(invitation_at=made.id)

    async def _make(self, wanted: Wanted) -> Invited | None:
        people = self.gateway.people
        return await self.unless_fault(people.invite(role=wanted.role, name=wanted.name, seconds=wanted.seconds))

    async def _withdraw(self, made: Invitation) -> None:
        whom = "for anybody" if made.name is None else f"for {name_of(made.name)}"
        lines = ["Whoever has its link cannot join with it any more.", "You can make another one at any time."]
        question = Confirm(f"Withdraw the invitation {whom}?", lines, act="Withdraw", key="y")
        if not await self.app.push_screen_wait(question):
            return
        if await self.attempt(self.gateway.people.withdraw(made.id)):
            message = f"The invitation {whom} is withdrawn: nobody joins with it."
            self.report(message, Severity.SUCCESS)
        await self.read()

    async def _kick(self, one: SessionInfo) -> None:
        name = name_of(one.user)
        since = local_time(one.since_at, now=self.now)
        lines = [f"{name} is signed in from {shown(one.address)} since {since}."]
        if one.doing:
            lines.append(f"What runs stops and shows nothing partial: {shown(one.doing)}.")
        lines.append("They can sign in again at once: e, in the list of people, locks them out.")
        if one.user == self.connection.user:
            lines.append("This is you: if it is the session of this very screen, you leave too.")
        question = Confirm(f"End {cut_name(name, 40)}'s session?", lines, act="Kick")
        if not await self.app.push_screen_wait(question):
            return
        if await self.attempt(self.gateway.people.kick(one.id)):
            self.report(f"{name}'s session is ended.", Severity.SUCCESS)
        await self.read()
