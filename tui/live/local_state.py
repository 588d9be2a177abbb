"""What this computer keeps: the key of the account in use, whom it has pinned, small files of the screens, faults."""

from __future__ import annotations

import os

from sft.client.identity import Identity
from tui.gateway import Keyring
from tui.live import accounts
from tui.live.as_future import crossing
from tui.live.session_access import SessionAccess, giving


class LocalState:
    """Keys and memory of this computer."""

    _reach: SessionAccess

    async def keyring(self) -> Keyring:
        """Show what is kept for the account in use."""
        profile = await self._reach.profile()
        session = self._reach.session
        pins = () if session is None else tuple(session.pins.people.values())
        kept = await self._reach.blocking(accounts.receipts, self._reach.state, profile.server_id)
        return Keyring(await self._reach.account(profile), pins, kept)

    async def public_key_file(self) -> str:
        """Give minisign's public key file."""
        return Identity(self._reach.state, await self._reach.profile()).export()

    async def change_passphrase(self, old: str | None, new: str | None) -> None:
        """Protect the key by another passphrase, or by none."""
        identity = Identity(self._reach.state, await self._reach.profile())
        await crossing(identity.change_passphrase(self._reach.pool, giving(old), new or None))

    async def load(self, name: str) -> bytes | None:
        """Read one small file of the state."""
        return await self._reach.blocking(self._reach.state.read, name)

    async def save(self, name: str, data: bytes) -> None:
        """Replace one small file of the state."""
        await self._reach.blocking(self._reach.state.write, name, data)

    async def hold(self, name: str) -> bool:
        """Own a name until the end of this process, whatever ends it."""
        if name in self._reach.holds:
            return False
        lock = await self._reach.blocking(self._reach.state.hold, name)
        if lock is not None:
            self._reach.holds[name] = lock
        return lock is not None

    async def let_go(self, name: str) -> None:
        """Own a name no longer."""
        lock = self._reach.holds.pop(name, None)
        if lock is not None:
            os.close(lock)

    def keep_fault(self, text: str) -> str:
        """Write the details of a fault into the log."""
        return self._reach.log.keep(text)
