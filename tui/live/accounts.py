"""The accounts of this computer: joined, mended, forgotten; or a demo in their place.

Rules. A demo is a private server that is begun from here. It has a state of its own, and nothing of it gets into the person's.
What is joined there is gone with it, so only the demo's own server can be joined there: an invitation is good once, and a key
would be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sft.client import joining
from sft.client.identity import given
from sft.client.profiles import Profile, Profiles
from sft.client.state import StateFolder
from sft.client.witnessed import keep_policy_file
from sft.errors import ConnectionLostError, UsageError
from sft.model.links import Link, ServerLink
from tui.gateway import Account
from tui.live.as_future import from_coroutine
from tui.live.session_access import SessionAccess, account_of

BeginDemo = Callable[[], Path]
"""Starts a private server; gives the state folder of its admin (blocks)."""

_OURS: Final = ("SFT_HOME", "SFT_PROFILE", "SFT_PASSPHRASE_FILE")


class LiveAccounts:
    """Profiles and keys of this computer.

    Args:
        until_quit: the state goes when the app ends.
    """

    def __init__(self, access: SessionAccess, begin_demo: BeginDemo | None, *, until_quit: bool) -> None:
        self._access = access
        self._begin_demo = begin_demo
        self._beginning: asyncio.Future[Path] | None = None
        self._until_quit = until_quit

    async def all(self) -> list[Account]:
        return await self._access.blocking(_listed, self._access.state)

    async def pending(self, link: Link) -> Account | None:
        profile = await self._access.blocking(joining.pending, self._access.state, link)
        return None if profile is None else await self._access.account(profile)

    async def join(self, link: Link, *, user_name: str, device: str, passphrase: str | None) -> Account:
        """Join a server; in a demo its own alone."""
        access = self._access
        if self._until_quit:
            known = await access.blocking(Profiles(access.state).all)
            if link.server_id not in {profile.server_id for profile in known}:
                raise UsageError(
                    problem="This is a demo: what you joined here would be gone with it",
                    remedy="Quit, then join with: sft",
                )
        joined = await from_coroutine(
            joining.join(
                access.reactor, access.state, link, user_name=user_name, device=device,
                passphrase=passphrase, ask=given(passphrase), encode_key=access.encode_key,
                pool=access.pool, clock=access.clock,
            )
        )  # fmt: skip
        return await access.account(joined.profile)

    async def set_first(self, account: str) -> None:
        await self._access.blocking(Profiles(self._access.state).set_default, account)

    async def set_address(self, account: str, address: str) -> Account:
        profiles = Profiles(self._access.state)
        return await self._access.account(await self._access.blocking(profiles.set_address, account, address))

    async def accept_link(self, account: str, link: str) -> Account:
        profiles, now = Profiles(self._access.state), int(self._access.clock())
        return await self._access.account(await self._access.blocking(profiles.accept_link, account, link, now=now))

    async def set_policy(self, account: str, file: str) -> None:
        access = self._access
        profile = await access.blocking(Profiles(access.state).choose, account)
        await access.blocking(_keep_policy, access.state, profile, file)

    async def server_link(self, account: str) -> str:
        profile = await self._access.blocking(Profiles(self._access.state).choose, account)
        return ServerLink(
            profile.host, profile.port, profile.server_key, profile.server_name, server_id=profile.server_id
        ).text()

    async def forget(self, account: str) -> None:
        access = self._access
        if access.reconnector is not None and access.connection.account == account:
            await from_coroutine(access.reconnector.end())
            access.reconnector = None
            access.emit(access.none)
        await access.blocking(Profiles(access.state).forget, account)

    @property
    def offers_demo(self) -> bool:
        return self._begin_demo is not None

    async def explore_demo(self) -> str:
        """Start a private server and turn to it; gives the account that uses it."""
        if self._begin_demo is None:
            raise ConnectionLostError
        access = self._access
        if self._beginning is None or self._beginning.done():
            self._beginning = asyncio.ensure_future(access.blocking(self._begin_demo))
        # Whoever asks twice waits for the same one.
        folder = await asyncio.shield(self._beginning)
        self._begin_demo = None
        self._until_quit = True
        access.state = StateFolder(folder, folder)
        access.environ = {key: told for key, told in access.environ.items() if key not in _OURS}
        return await access.blocking(Profiles(access.state).default_name)


def _keep_policy(state: StateFolder, profile: Profile, file: str) -> None:
    path = Path(file)
    with contextlib.suppress(RuntimeError):  # a home of nobody: a name that begins with ~
        path = path.expanduser()
    keep_policy_file(state, profile, path)


def _listed(state: StateFolder) -> list[Account]:
    profiles = Profiles(state)
    default = profiles.default_name()
    return [account_of(state, profile, default) for profile in profiles.all()]
