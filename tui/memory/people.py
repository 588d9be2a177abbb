"""People, invitations and sessions of the world in memory, as the real gateway gives them."""

from __future__ import annotations

from sft.model.access import Role
from sft.model.records import Invitation, SessionInfo, User, UserState
from tui.gateway import Invited
from tui.memory import registry
from tui.memory.computer import Computer


class People:
    """Who may come, and who does."""

    def __init__(self, computer: Computer) -> None:
        self._computer = computer

    async def users(self) -> list[User]:
        """List the registry."""
        await self._computer.turn("people")
        return self._computer.world.counted()

    async def change_role(self, name: str, role: Role) -> User:
        """Give a person another role."""
        await self._computer.turn("change_role")
        return registry.change_role(self._computer.world, self._computer.me, name, role)

    async def disable(self, name: str) -> User:
        """Lock a person out."""
        await self._computer.turn("disable")
        return registry.set_state(self._computer.world, self._computer.me, name, UserState.DISABLED)

    async def enable(self, name: str) -> User:
        """Let a person in again."""
        await self._computer.turn("enable")
        return registry.set_state(self._computer.world, self._computer.me, name, UserState.ACTIVE)

    async def remove(self, name: str, files_to: str) -> User:
        """Remove a person for good."""
        await self._computer.turn("remove")
        return registry.set_state(
            self._computer.world, self._computer.me, name, UserState.REMOVED, files_to
        )

    async def invitations(self) -> list[Invitation]:
        """List invitations."""
        await self._computer.turn("invitations")
        return registry.invitations(self._computer.world, self._computer.me)

    async def invite(self, *, role: Role, name: str | None, seconds: int) -> Invited:
        """Make an invitation."""
        await self._computer.turn("invite")
        return registry.invite(
            self._computer.world, self._computer.me, role=role, name=name, seconds=seconds
        )

    async def withdraw(self, invitation_id: int) -> None:
        """Make an open invitation void."""
        await self._computer.turn("withdraw")
        registry.withdraw(self._computer.world, self._computer.me, invitation_id)

    async def sessions(self) -> list[SessionInfo]:
        """List who is connected."""
        await self._computer.turn("sessions")
        return registry.sessions(self._computer.world, self._computer.me)

    async def kick(self, session_id: int) -> None:
        """End a session."""
        await self._computer.turn("kick")
        registry.kick(self._computer.world, self._computer.me, session_id)
