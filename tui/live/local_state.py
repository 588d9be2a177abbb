"""What this computer keeps: the key of the account in use, whom it has pinned, small files of the screens, faults."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sft.client import joining
from sft.client.identity import Identity, given
from sft.client.local_versions import AskedVersion, LocalVersion, LocalVersions
from sft.client.receipts import count_receipts
from tui.gateway import IdentityInfo
from tui.live.as_future import from_coroutine
from tui.live.session_access import SessionAccess


class LiveLocalState:
    """Keys and memory of this computer."""

    def __init__(self, access: SessionAccess) -> None:
        self._access = access
        self._versions: LocalVersions | None = None

    async def local_versions(self, asked: Sequence[AskedVersion]) -> list[LocalVersion | None]:
        access = self._access
        if access.session is None:
            return [None] * len(asked)
        if self._versions is None or self._versions.state is not access.state:
            self._versions = LocalVersions(access.state, access.clock)
        return await access.blocking(self._versions.find, access.session.server_id, asked)

    async def keyring(self) -> IdentityInfo:
        profile = await self._access.profile()
        session = self._access.session
        pins = () if session is None else tuple(pin for _, pin in sorted(session.pins.people.items()))
        kept = await self._access.blocking(count_receipts, self._access.state, profile.server_id)
        return IdentityInfo(await self._access.account(profile), pins, kept)

    async def public_key_file(self) -> str:
        return Identity(self._access.state, await self._access.profile()).export()

    async def change_passphrase(self, old: str | None, new: str | None) -> None:
        identity = Identity(self._access.state, await self._access.profile())
        access = self._access
        changed = identity.change_passphrase(access.pool, given(old), new or None, encode_key=access.encode_key)
        await from_coroutine(changed)

    async def load(self, name: str) -> bytes | None:
        return await self._access.blocking(self._access.state.read, name)

    async def save(self, name: str, data: bytes) -> None:
        await self._access.blocking(self._access.state.write, name, data)

    async def hold(self, name: str) -> bool:
        if name in self._access.holds:
            return False
        lock = await self._access.blocking(self._access.state.hold, name)
        if lock is not None:
            self._access.holds[name] = lock
        return lock is not None

    async def let_go(self, name: str) -> None:
        lock = self._access.holds.pop(name, None)
        if lock is not None:
            os.close(lock)

    def keep_fault(self, text: str) -> str:
        return self._access.log.keep(text)

    def suggested_names(self) -> tuple[str, str]:
        return joining.suggested_user_name(self._access.environ), joining.suggested_device_name()

    def suggested_passphrase(self) -> str:
        return joining.suggested_passphrase(self._access.entropy)
