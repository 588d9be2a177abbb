"""What is done with one person of the People screen: another role, locked out or let in, removed, a quota, a new key.

Rules. What cannot be taken back, or signs somebody out, is asked about first. The list is read anew whatever came of it.
"""

from __future__ import annotations

from functools import partial

from sft.errors import SftError
from sft.model.access import Permission, allows
from sft.model.records import User, UserState
from sft.model.text import count_text, local_time, over_quota_text, quota_text, role_noun
from tui.dialogs.confirm import Confirm
from tui.dialogs.key_end import Revocation
from tui.dialogs.link import ShowLink
from tui.dialogs.quota import Limits, SetQuota
from tui.dialogs.remove import Remove
from tui.dialogs.reset_key import OfferNewKey
from tui.dialogs.rights import OF_PERSON, Rights
from tui.dialogs.role import ChooseRole
from tui.gateway import Invited
from tui.messages import Severity
from tui.screens.people_context import PeopleContext, name_of
from tui.screens.several_people import switch_all
from tui.text import cut_name


class PersonActs:
    """Acts on the person under the cursor."""

    def __init__(self, people: PeopleContext) -> None:
        self._people = people

    def act_role(self) -> None:
        if self._people.user is not None:
            self._people.start(partial(self._change_role, self._people.user))

    def act_switch(self) -> None:
        user, selected = self._people.user, self._people.selected
        if selected:
            self._people.start(partial(switch_all, self._people, selected))
        elif user is not None:
            disabled = user.state is UserState.DISABLED
            self._people.start(partial(self._enable if disabled else self._disable, user))

    def act_remove(self) -> None:
        if self._people.user is not None:
            self._people.start(partial(self._remove, self._people.user))

    def act_quota(self) -> None:
        if self._people.user is not None:
            self._people.start(partial(self._set_quota, self._people.user))

    def act_reset(self) -> None:
        if self._people.user is not None:
            self._people.start(partial(self._reset, self._people.user))

    def act_rights(self) -> None:
        if self._people.user is not None:
            self._people.start(partial(self._show_rights, self._people.user))

    async def _show_rights(self, user: User) -> None:
        connection = self._people.connection
        asks_of_others = connection.role is not None and allows(connection.role, Permission.USER_MANAGE)
        await self._people.app.push_screen_wait(
            Rights(user.name, OF_PERSON, connection.user, asks_of_others=asks_of_others)
        )

    async def _reset(self, user: User) -> None:
        people = self._people.gateway.people

        async def reset(wanted: Revocation) -> Invited | None:
            return await self._people.unless_fault(people.offer_reset(user.name, wanted.reason, wanted.cut_off))

        invited = await self._people.app.push_screen_wait(OfferNewKey(user, reset))
        if invited is None:
            return
        joined = await self._people.app.push_screen_wait(ShowLink(invited))
        until = local_time(invited.invitation.expires_at, now=self._people.now, weekday=True)
        waits = f"Every key of {name_of(user.name)} has ended; the link by which they come back is good until {until}."
        self._people.report(f"{joined} is back, with a new key." if joined else waits, Severity.SUCCESS)
        await self._people.read()

    async def _change_role(self, user: User) -> None:
        is_me = user.id == self._people.connection.user_id
        role = await self._people.app.push_screen_wait(ChooseRole(user, is_me=is_me))
        if role is None:
            return
        if await self._people.attempt(self._people.gateway.people.change_role(user.name, role)):
            message = f"{name_of(user.name)} is {role_noun(role)} now (was {user.role.value})."
            self._people.report(message, Severity.SUCCESS)
        await self._people.read()

    async def _disable(self, user: User) -> None:
        name = name_of(user.name)
        lines = [
            f"{name} is signed out now; a transfer under way stops and keeps nothing.",
            "Files and account stay: e lets them in again, with the same key and role.",
        ]
        if user.id == self._people.connection.user_id:
            lines.append("This is you: only another admin can let you in again.")
        question = Confirm(f"Disable {cut_name(name, 40)}?", lines, act="Disable")
        if not await self._people.app.push_screen_wait(question):
            return
        if await self._people.attempt(self._people.gateway.people.disable(user.name)):
            message = f"{name} is disabled: signed out now; files and account stay."
            self._people.report(message, Severity.SUCCESS)
        await self._people.read()

    async def _enable(self, user: User) -> None:
        if await self._people.attempt(self._people.gateway.people.enable(user.name)):
            message = f"{name_of(user.name)} can sign in again, as {user.role.value}."
            self._people.report(message, Severity.SUCCESS)
        await self._people.read()

    async def _remove(self, user: User) -> None:
        me = self._people.connection.user
        heir = await self._people.app.push_screen_wait(Remove(user, self._heirs(user), me=me))
        if heir is None:
            return
        if await self._people.attempt(self._people.gateway.people.remove(user.name, heir)):
            whose = "you" if heir == me else name_of(heir)
            one = user.files == 1
            files = "The one file stays" if one else f"{count_text(user.files)} files stay"
            belong = "belongs" if one else "belong"
            tail = f" {files}, signed by them; now {belong} to {whose}." if user.files else ""
            await self._people.read()
            self._report_removal(f"{name_of(user.name)} is removed for good.{tail}", heir)
        else:
            await self._people.read()

    def _report_removal(self, said: str, heir: str) -> None:
        """Report a removal, and that who has the files now owns more than they may, where that is so."""
        for owner in self._people.users:
            limits = (owner.quota_files, owner.quota_bytes)
            over = over_quota_text(name_of(owner.name), owner.files, owner.bytes_stored, *limits)
            if owner.name == heir and over:
                self._people.report(f"{said} {over}.", Severity.WARNING, f"Another quota for {name_of(owner.name)}: L")
                return
        self._people.report(said, Severity.SUCCESS)

    def _heirs(self, gone: User) -> list[User]:
        """Find who may own files, whoever asks first among them."""
        me = self._people.connection.user_id
        fit = [
            user
            for user in self._people.users
            if user.id != gone.id and user.state is UserState.ACTIVE and allows(user.role, Permission.FILE_WRITE)
        ]
        return sorted(fit, key=lambda user: user.id != me)

    async def _set_quota(self, user: User) -> None:
        people = self._people.gateway.people

        async def changed(limits: Limits) -> User | None:
            return await self._people.unless_fault(people.change_quota(user.name, limits.size_bytes, limits.files))

        try:
            before = await people.quota(user.name)
        except SftError as error:
            self._people.report_error(error)
            return
        done = await self._people.app.push_screen_wait(SetQuota(before, changed))
        if done is not None:
            may_own = quota_text(done.quota_files, done.quota_bytes)
            self._people.report(f"{name_of(done.name)} may own {may_own}.", Severity.SUCCESS)
            await self._people.read()
