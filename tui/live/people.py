"""People, invitations and sessions of the server in use."""

from __future__ import annotations

from sft.client.api import people
from sft.model.access import Role
from sft.model.records import Invitation, SessionInfo, User
from tui.gateway import Invited
from tui.live.session_access import SessionAccess


class LivePeople:
    """Who may come, and who does."""

    def __init__(self, access: SessionAccess) -> None:
        self._access = access

    async def users(self) -> list[User]:
        """List the registry."""
        return await self._access.ask(people.list_users)

    async def change_role(self, name: str, role: Role) -> User:
        """Give a person another role."""
        user, _ = await self._access.ask(lambda session: people.change_role(session, name, role))
        return user

    async def disable(self, name: str) -> User:
        """Lock a person out."""
        return await self._access.ask(lambda session: people.disable(session, name))

    async def enable(self, name: str) -> User:
        """Let a disabled person in again."""
        return await self._access.ask(lambda session: people.enable(session, name))

    async def remove(self, name: str, files_to: str) -> User:
        """Remove a person for good."""
        return await self._access.ask(lambda session: people.remove(session, name, files_to))

    async def invitations(self) -> list[Invitation]:
        """List invitations."""
        return await self._access.ask(people.list_invitations)

    async def invite(self, *, role: Role, name: str | None, seconds: int) -> Invited:
        """Make an invitation."""
        link, made = await self._access.ask(
            lambda session: people.invite(session, role=role, name=name, seconds=seconds)
        )
        return Invited(link.text(), made)

    async def withdraw(self, invitation_id: int) -> None:
        """Make an open invitation void."""
        await self._access.ask(lambda session: people.withdraw(session, invitation_id))

    async def sessions(self) -> list[SessionInfo]:
        """List who is connected."""
        return await self._access.ask(people.list_sessions)

    async def kick(self, session_id: int) -> None:
        """End a session."""
        await self._access.ask(lambda session: people.kick(session, session_id))
