"""The People screen: everybody on the server, the invitations, and who is connected; what is known of a line beside it.

Rules. Lists are read anew whenever the screen is shown and after each act, and who is connected again and again while it is in
sight. Whoever is no admin sees people and roles; what only admins do says so. One act runs at a time, so no question ever
stands over another.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from sft.client.pins import Pin
from sft.errors import SftError
from sft.model.access import Permission, Role, allows
from sft.model.records import Invitation, InvitationState, SessionInfo, User, UserState
from tui.keys import ACTS, Action, acts_of, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, Tone
from tui.screens.people_about import AboutPane
from tui.screens.people_acts import (
    PeopleActs,
    reason_against_kicking,
    reason_against_person,
    reason_against_withdrawing,
)
from tui.screens.people_lists import PeopleLists
from tui.screens.people_rows import (
    INVITATION_COLUMNS,
    PEOPLE_COLUMNS,
    SESSION_COLUMNS,
    Presence,
    in_order,
    invitation_row,
    open_first,
    people_summary,
    person_row,
    session_row,
)
from tui.view import View
from tui.widgets.row_list import RowList
from tui.widgets.tab_line import Tab, TabLine
from tui.workers import begin

USERS: Final = "people-list"
INVITATIONS: Final = "invitations-list"
SESSIONS: Final = "sessions-list"
_COLUMNS: Final = {
    USERS: PEOPLE_COLUMNS,
    INVITATIONS: INVITATION_COLUMNS,
    SESSIONS: SESSION_COLUMNS,
}
_OF_PEOPLE: Final = frozenset({"people.role", "people.switch", "people.remove", "people.copy"})
_ANYWHERE: Final = frozenset({"people.invite", "people.filter", "people.clear"})
_TABS: Final = frozenset({"people.next_tab", "people.previous_tab"})
_ASK_SECONDS: Final = 20  # who comes and goes is seen without a key, and a server hardly feels it


class PeopleView(View):
    """People, invitations and sessions."""

    place = "people"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("people")]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.users: list[User] = []
        self._invitations: list[Invitation] = []
        self._sessions: list[SessionInfo] = []
        self._pins: dict[int, Pin] = {}
        self._of: tuple[str, Role | None] = ("", None)  # account and role they were read as
        self._acts = PeopleActs(self)

    def compose(self) -> ComposeResult:
        """Put the lists and what is known of a line together."""
        yield TabLine(id="people-tabs")
        with Container(id="people-body"):
            yield PeopleLists(_COLUMNS, self.sft.glyphs, id="people-side")
            yield AboutPane(lambda: self.now, id="people-about")

    def on_mount(self) -> None:
        """Show that nothing is known yet."""
        self._show()
        self.set_interval(_ASK_SECONDS, self.look_who_is_here)

    # -- reading ------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Read everything anew."""
        if self.connection.online:
            begin(self, self.read, group="people-read", exclusive=True)
        else:
            self._show()

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        account, role = self._of
        if event.connection.account != account:
            self.users, self._invitations, self._pins = [], [], {}
        if not (self._is_admin and event.connection.online):
            self._sessions = []  # what was seen of others is old at once
        if not self._is_admin:
            self._invitations = []
            self._pick(USERS)
        changed = (event.connection.account, event.connection.role) != (account, role)
        if self.display and event.connection.online and changed:
            self.shown()
        self._show()

    async def read(self, *, invitation_at: int | None = None) -> None:
        """Read the lists; what was read for another account meanwhile is dropped."""
        await self.attempt(self._read())
        self._show(invitation_at=invitation_at)

    async def _read(self) -> None:
        of = (self.connection.account, self.connection.role)
        users = await self.gateway.people.users()
        pins = {pin.user_id: pin for pin in (await self.gateway.local.keyring()).people}
        invitations = await self.gateway.people.invitations() if self._is_admin else []
        sessions = await self.gateway.people.sessions() if self._is_admin else []
        if of == (self.connection.account, self.connection.role):
            self._of = of
            self.users, self._pins = in_order(users), pins
            self._invitations = open_first(invitations)
            self._sessions = sessions

    def look_who_is_here(self) -> None:
        """Ask who is connected, while that is in sight."""
        in_sight = self.display and not self.app.screen.is_modal
        if in_sight and self._is_admin and self.connection.online and self._of[0]:
            begin(self, self._read_sessions, group="people-sessions", exclusive=True)

    async def _read_sessions(self) -> None:
        of = (self.connection.account, self.connection.role)
        with contextlib.suppress(SftError):  # nobody asked: the next key says what is wrong
            sessions = await self.gateway.people.sessions()
            if of == self._of == (self.connection.account, self.connection.role):
                self._sessions = sessions
                self._show()

    # -- showing --------------------------------------------------------------------------------------

    @property
    def lists(self) -> PeopleLists:
        """The three lists."""
        return self.query_one(PeopleLists)

    @property
    def _is_admin(self) -> bool:
        role = self.connection.role
        return role is not None and allows(role, Permission.INVITATION_MANAGE)

    @property
    def user(self) -> User | None:
        """The person under the cursor of the list of people."""
        return self.lists.current(USERS)

    @property
    def invitation(self) -> Invitation | None:
        """The invitation under the cursor of its list."""
        return self.lists.current(INVITATIONS)

    @property
    def session(self) -> SessionInfo | None:
        """The session under the cursor, where sessions are listed."""
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
                    presence=presence,
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
            SESSIONS,
            [session_row(one, glyphs, self.now, is_mine=one in mine) for one in self._sessions],
            empty=asking,
        )
        self._show_tabs()
        self._about()
        self.post_message(ActsChanged())

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
    def _moved(self) -> None:
        self._about()
        self.post_message(ActsChanged())

    def _about(self) -> None:
        about = self.lists.current(self.lists.tab)
        pin = self._pins.get(about.id) if isinstance(about, User) else None
        self.query_one(AboutPane).show(about, pin)

    def home(self) -> RowList:
        """Give the list that is shown."""
        return self.lists.list

    def status_line(self) -> tuple[str, Tone]:
        """Count."""
        if self.lists.tab == INVITATIONS:
            return "Whoever has an open invitation's link can join with it, once.", Tone.PLAIN
        if self.lists.tab == SESSIONS:
            return "Everybody who is connected now, the longest at the top.", Tone.PLAIN
        if not self.users:
            return "", Tone.PLAIN
        return people_summary(self.users, name_admins=not self._is_admin), Tone.PLAIN

    # -- the lists ------------------------------------------------------------------------------------------

    def _pick(self, tab: str) -> None:
        if tab == self.lists.tab:
            return
        self.lists.pick(tab)
        self._show_tabs()
        self._about()
        self.post_message(ActsChanged())

    @on(TabLine.Picked)
    def _picked(self, event: TabLine.Picked) -> None:
        reason = self.reason_against(ACTS["people.next_tab"])
        if event.key != USERS and reason:
            self.say(reason, Tone.DOUBT)
        else:
            self._pick(event.key)

    def turn_to(self, steps: int) -> None:
        """Show the list that stands so many steps on."""
        self._pick(self.lists.next(steps))

    @property
    def actions(self) -> PeopleActs:
        """What does the acts."""
        return self._acts

    # -- acts -------------------------------------------------------------------------------------------------

    def acts_here(self) -> list[Action]:
        """Give what can be done about the lines of the list that is shown."""
        left_out = frozenset({"people.stop"}) if self.lists.tab == USERS else _OF_PEOPLE
        return [act for act in acts_of("people") if act.id not in left_out]

    def label_of(self, act: Action) -> str:
        """Say which way the switch goes, and what is stopped."""
        if act.id == "people.switch" and self.user is not None:
            return "Enable" if self.user.state is UserState.DISABLED else "Disable"
        if act.id == "people.stop":
            return "Kick" if self.lists.tab == SESSIONS else "Withdraw"
        return act.label

    def reason_against(self, act: Action) -> str:
        """Say what else stands in the way: another list is shown, or nobody is there to do it to."""
        if act.id in _TABS:
            return super().reason_against(ACTS["people.invite"])
        tab = self.lists.tab
        if act.id == "people.stop" and tab == SESSIONS:
            act = dataclasses.replace(act, permission=Permission.SESSION_MANAGE)
        reason = super().reason_against(act)
        if reason or act.id in _ANYWHERE:
            return reason
        if act.id != "people.stop":
            return reason_against_person(act, self.user, here=tab == USERS)
        if tab == SESSIONS:
            return reason_against_kicking(self.session, self._mine)
        if tab == INVITATIONS:
            return reason_against_withdrawing(self.invitation)
        return "Invitations are withdrawn and sessions ended: ] shows them."
