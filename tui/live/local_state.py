"""What this computer keeps: the key of the account in use, whom it has pinned, small files of the screens, faults."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sft.client import joining
from sft.client.agent import held_key
from sft.client.identity import Identity, given
from sft.client.local_versions import AskedVersion, LocalVersion, LocalVersions
from sft.client.profiles import Profiles
from sft.client.receipts import count_receipts
from sft.client.state import StateFolder
from sft.errors import AgentError
from tui.gateway import IdentityInfo
from tui.live.as_future import from_coroutine
from tui.live.session_access import SessionAccess

if TYPE_CHECKING:
    from sft.crypto.keys import SigningKey


StartAgent = Callable[[Path, "SigningKey", int, Mapping[str, str]], None]
"""Has an agent hold a key: where its socket is to lie, the key, for how many seconds, the environment (blocks)."""


def start_agent(folder: Path, key: SigningKey, seconds: int, environ: Mapping[str, str]) -> None:
    """Start one as a process."""
    # What starts processes is wanted here alone.
    from sft.client.agent.starting import start

    start(folder, key, seconds, environ)


class LiveLocalState:
    """Keys and memory of this computer."""

    def __init__(self, access: SessionAccess, start_agent: StartAgent = start_agent) -> None:
        self._access = access
        self._start_agent = start_agent
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
        account, runtime, until = await self._access.account(profile), self._access.state.runtime, None
        if account.protected and runtime is not None:
            left = await self._access.blocking(held_key.seconds_left, runtime, profile.key)
            until = None if left is None else int(self._access.clock()) + left
        return IdentityInfo(account, pins, kept, until)

    async def public_key_file(self) -> str:
        return Identity(self._access.state, await self._access.profile()).export()

    async def change_passphrase(self, old: str | None, new: str | None) -> None:
        identity = Identity(self._access.state, await self._access.profile())
        access = self._access
        changed = identity.change_passphrase(access.pool, given(old), new or None, encode_key=access.encode_key)
        await from_coroutine(changed)

    async def unlock(self, passphrase: str, seconds: int) -> int:
        access, runtime = self._access, self._access.state.runtime
        if runtime is None:
            raise AgentError(problem="this login has no folder for its socket")
        key = await from_coroutine(Identity(access.state, await access.profile()).open(access.pool, given(passphrase)))
        await access.blocking(self._start_agent, runtime, key, seconds, access.environ)
        return int(access.clock()) + seconds

    async def lock(self) -> list[str]:
        return await self._access.blocking(_lock_all, self._access.state)

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


def _lock_all(state: StateFolder) -> list[str]:
    profiles, runtime = Profiles(state).all(), state.runtime
    return [each.name for each in profiles if runtime is not None and held_key.lock(runtime, each.key)]
