"""What an admin does about people: asked, done, and said in one sentence.

Rules. Each act is a job that a worker of the People screen runs; a refusal is said and nothing has changed. What can be
mended by typing something else is refused within the dialog.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import Worker

from sft.errors import SftError
from sft.model.access import OPERATOR, Permission, allows
from sft.model.records import Invitation, InvitationState, SessionInfo, User, UserState
from sft.model.text import count_text, local_time, role_noun, shown_name
from tui.dialogs.confirm import Confirm
from tui.dialogs.invite import Invite, Wanted
from tui.dialogs.link import ShowLink
from tui.dialogs.remove import Remove
from tui.dialogs.role import ChooseRole
from tui.gateway import Invited
from tui.keys import Action
from tui.messages import Tone
from tui.screens.people_rows import live_keys, words_of
from tui.text import cut_name, shown
from tui.workers import begin

if TYPE_CHECKING:
    from tui.screens.people import PeopleView


class PeopleActs:
    """The acts of one People screen."""

    def __init__(self, view: PeopleView) -> None:
        self._view = view
        self._worker: Worker[object] | None = None

    def act_invite(self) -> None:
        """Invite somebody."""
        self._start(self.invite)

    def act_role(self) -> None:
        """Give the person another role."""
        if self._view.user is not None:
            self._start(partial(self.change_role, self._view.user))

    def act_switch(self) -> None:
        """Lock the person out, or let them in again."""
        user = self._view.user
        if user is not None:
            disabled = user.state is UserState.DISABLED
            self._start(partial(self.enable if disabled else self.disable, user))

    def act_remove(self) -> None:
        """Remove the person."""
        if self._view.user is not None:
            self._start(partial(self.remove, self._view.user))

    def act_stop(self) -> None:
        """Make the invitation void, or end the session."""
        if self._view.session is not None:
            self._start(partial(self.kick, self._view.session))
        elif self._view.invitation is not None:
            self._start(partial(self.withdraw, self._view.invitation))

    def act_copy(self) -> None:
        """Send the words of the person's key to the terminal's clipboard."""
        user = self._view.user
        if user is not None:
            words = "\n".join(words_of(key) for key in live_keys(user))
            self._view.app.copy_to_clipboard(words)
            self._view.say(
                f"Sent to the terminal's clipboard: the words of {said(user.name)}'s key."
            )

    def act_filter(self) -> None:
        """Let the person type what lines must hold."""
        self._view.lists.open_filter()

    def act_clear(self) -> None:
        """Drop the filter."""
        self._view.lists.clear()

    def act_next_tab(self) -> None:
        """Show the next list."""
        self._view.turn_to(1)

    def act_previous_tab(self) -> None:
        """Show the list before."""
        self._view.turn_to(-1)

    def _start(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        if self._worker is not None and not self._worker.is_finished:
            self._view.say("The server has not answered the last request yet.", Tone.DOUBT)
            return
        self._worker = begin(self._view, job, group="people-act")

    async def invite(self) -> None:
        """Make an invitation and show its link."""
        view = self._view
        server = view.connection.server
        invited = await view.app.push_screen_wait(Invite(server, self._make))
        if invited is None:
            return
        await view.app.push_screen_wait(ShowLink(invited))
        made = invited.invitation
        whom = "somebody" if made.name is None else said(made.name)
        until = local_time(made.expires_at, now=view.now, weekday=True)
        view.say(f"An invitation for {whom} is open until {until}.", Tone.GOOD)
        await view.read(invitation_at=made.id)

    async def change_role(self, user: User) -> None:
        """Give a person another role."""
        view = self._view
        is_me = user.id == view.connection.user_id
        role = await view.app.push_screen_wait(ChooseRole(user, is_me=is_me))
        if role is None:
            return
        if await view.attempt(view.gateway.people.change_role(user.name, role)):
            view.say(
                f"{said(user.name)} is {role_noun(role)} now (was {user.role.value}).",
                Tone.GOOD,
            )
        await view.read()

    async def disable(self, user: User) -> None:
        """Lock a person out."""
        view, name = self._view, said(user.name)
        lines = [
            f"{name} is signed out now; a transfer under way stops and keeps nothing.",
            "Files and account stay: e lets them in again, with the same key and role.",
        ]
        if user.id == view.connection.user_id:
            lines.append("This is you: only another admin can let you in again.")
        question = Confirm(f"Disable {cut_name(name, 40)}?", lines, act="Disable")
        if not await view.app.push_screen_wait(question):
            return
        if await view.attempt(view.gateway.people.disable(user.name)):
            view.say(f"{name} is disabled: signed out now; files and account stay.", Tone.GOOD)
        await view.read()

    async def enable(self, user: User) -> None:
        """Let a person in again."""
        view = self._view
        if await view.attempt(view.gateway.people.enable(user.name)):
            view.say(f"{said(user.name)} can sign in again, as {user.role.value}.", Tone.GOOD)
        await view.read()

    async def remove(self, user: User) -> None:
        """Remove a person for good."""
        view, name = self._view, said(user.name)
        me = view.connection.user
        heir = await view.app.push_screen_wait(Remove(user, self._heirs(user), me=me))
        if heir is None:
            return
        if await view.attempt(view.gateway.people.remove(user.name, heir)):
            whose = "you" if heir == me else said(heir)
            files = (
                "The one file stays" if user.files == 1 else f"{count_text(user.files)} files stay"
            )
            belong = "belongs" if user.files == 1 else "belong"
            tail = f" {files}, signed by them; now {belong} to {whose}." if user.files else ""
            view.say(f"{name} is removed for good.{tail}", Tone.GOOD)
        await view.read()

    async def withdraw(self, made: Invitation) -> None:
        """Make an invitation void."""
        view = self._view
        whom = "for anybody" if made.name is None else f"for {said(made.name)}"
        lines = [
            "Whoever has its link cannot join with it any more.",
            "You can make another one at any time.",
        ]
        question = Confirm(f"Withdraw the invitation {whom}?", lines, act="Withdraw", key="y")
        if not await view.app.push_screen_wait(question):
            return
        if await view.attempt(view.gateway.people.withdraw(made.id)):
            view.say(f"The invitation {whom} is withdrawn: nobody joins with it.", Tone.GOOD)
        await view.read()

    async def kick(self, one: SessionInfo) -> None:
        """End a session."""
        view, name = self._view, said(one.user)
        since = local_time(one.since_at, now=view.now)
        lines = [f"{name} is signed in from {shown(one.address)} since {since}."]
        if one.doing:
            lines.append(f"What runs stops and keeps nothing partial: {shown(one.doing)}.")
        lines.append("They can sign in again at once: e, in the list of people, locks them out.")
        if one.user == view.connection.user:
            lines.append("This is you: if it is the session of this very screen, you leave too.")
        question = Confirm(f"End {cut_name(name, 40)}'s session?", lines, act="Kick")
        if not await view.app.push_screen_wait(question):
            return
        if await view.attempt(view.gateway.people.kick(one.id)):
            view.say(f"{name}'s session is ended.", Tone.GOOD)
        await view.read()

    async def _make(self, wanted: Wanted) -> Invited | None:
        try:
            return await self._view.gateway.people.invite(
                role=wanted.role, name=wanted.name, seconds=wanted.seconds
            )
        except SftError:
            raise
        except Exception as error:  # noqa: BLE001 - no traceback reaches the terminal
            self._view.say_fault(error)
            return None

    def _heirs(self, gone: User) -> list[User]:
        """Find who may own files, whoever asks first among them."""
        me = self._view.connection.user_id
        fit = [
            user
            for user in self._view.users
            if user.id != gone.id
            and user.state is UserState.ACTIVE
            and allows(user.role, Permission.FILE_WRITE)
        ]
        return sorted(fit, key=lambda user: user.id != me)


def reason_against_person(act: Action, user: User | None, *, here: bool) -> str:
    """Say why an act cannot be done to somebody; empty if it can.

    Args:
        here: people are listed.
    """
    if not here:
        return "That is done in the list of people."
    if user is None:
        return "Nobody is listed yet."
    if user.state is UserState.REMOVED and act.id != "people.copy":
        return f"{said(user.name)} was removed for good."
    return ""


def reason_against_withdrawing(made: Invitation | None) -> str:
    """Say why an invitation cannot be withdrawn; empty if it can."""
    if made is None:
        return "There is no invitation."
    if made.state is not InvitationState.OPEN:
        return f"It is {made.state.value} already: nobody joins with it."
    return ""


def reason_against_kicking(one: SessionInfo | None, mine: Sequence[SessionInfo]) -> str:
    """Say why a session cannot be ended; empty if it can.

    Args:
        mine: the sessions of this person.
    """
    if one is None:
        return "There is no session."
    if one.role == OPERATOR:
        return "That is the operator, at the server itself: only the operator ends it."
    if list(mine) == [one]:
        return "This is your own session: q ends it."
    return ""


def said(name: str) -> str:
    """Write a person's name into a sentence."""
    return cut_name(shown(shown_name(name)), 40)
