"""People, invitations and sessions of the server in use."""

from __future__ import annotations

from sft.client.api import people
from sft.model.access import Role
from sft.model.records import KeyEnd, User
from tui.gateway import Invited
from tui.live.session_access import SessionAccess


class LivePeople:
    """Who may come, and who does."""

    def __init__(self, access: SessionAccess) -> None:
        self._access = access
        self.users = access.asking(people.list_users)
        self.disable = access.asking(people.disable)
        self.enable = access.asking(people.enable)
        self._remove = access.asking(people.remove)
        self.invitations = access.asking(people.list_invitations)
        self.sessions = access.asking(people.list_sessions)
        self.quota = access.asking(people.show_quota)
        self.change_quota = access.asking(people.change_quota)
        self.status = access.asking(people.show_live_status)
        self.kick = access.asking(people.kick)

    async def remove(self, name: str, files_to: str) -> User:
        return (await self._remove(name, files_to)).user

    async def change_role(self, name: str, role: Role) -> User:
        user, _ = await self._access.ask(lambda session: people.change_role(session, name, role))
        return user

    async def invite(self, *, role: Role, name: str | None, seconds: int) -> Invited:
        link, made = await self._access.ask(
            lambda session: people.invite(
                session, role=role, name=name, seconds=seconds, head=session.link_head, entropy=self._access.entropy
            )
        )
        return Invited(link.text(), made)

    async def offer_reset(self, name: str, reason: KeyEnd, cut_off: int = 0) -> Invited:
        link, made = await self._access.ask(
            lambda session: people.offer_reset(
                session, name, reason, cut_off, head=session.link_head, entropy=self._access.entropy
            )
        )
        return Invited(link.text(), made)

    async def withdraw(self, invitation_id: int) -> None:
        await self._access.ask(lambda session: people.withdraw(session, invitation_id))
