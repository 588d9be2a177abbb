"""The accounts of this computer and the connection of the one in use: joined, connected, mended, forgotten.

Rules. A passphrase is kept in memory until another account is used or the app ends, so that a lost line comes back by itself;
it is in no repr, log or file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from sft.client import joining
from sft.client.identity import passphrase_from
from sft.client.profiles import Profiles
from sft.client.session import Session, connect
from tui.gateway import Account, ConnectionInfo, EventListener, Link
from tui.live import accounts
from tui.live.as_future import crossing
from tui.live.reconnect import Notice, Reconnector
from tui.live.session_access import SessionAccess, giving


class Servers:
    """Accounts and connection."""

    _reach: SessionAccess

    @property
    def connection(self) -> ConnectionInfo:
        """The account in use, now."""
        return self._reach.none if self._reach.keeper is None else self._reach.keeper.connection

    def listen(self, listener: EventListener) -> None:
        """Have changes told."""
        self._reach.listeners.append(listener)

    async def accounts(self) -> list[Account]:
        """List the accounts of this computer."""
        return await self._reach.blocking(accounts.listed, self._reach.state)

    async def use(self, account: str, passphrase: str | None = None) -> None:
        """Connect an account, and keep it connected."""
        profile = await self._reach.blocking(Profiles(self._reach.state).choose, account)
        ask = passphrase_from(self._reach.environ, giving(passphrase))

        async def connected(noticed: Callable[[Notice], None]) -> Session:
            # Its address may have been mended since.
            newest = await self._reach.blocking(Profiles(self._reach.state).choose, account)
            return await crossing(
                connect(
                    self._reach.reactor,
                    self._reach.state,
                    newest,
                    ask=ask,
                    pool=self._reach.pool,
                    on_notice=noticed,
                )
            )

        self._reach.checked.clear()
        # Whoever is asked for last has it, also while an earlier one is still being called.
        before = self._reach.keeper
        keeper = Reconnector(profile, connected, self._reach.emit, time.time)
        self._reach.keeper = keeper
        if before is not None:
            await before.end()
        await keeper.begin()

    def again(self) -> None:
        """Try the lost connection now."""
        if self._reach.keeper is not None:
            self._reach.keeper.again()

    async def close(self) -> None:
        """Leave the server and end everything."""
        self._reach.listeners.clear()
        if self._reach.keeper is not None:
            await self._reach.keeper.end()
        for lock in self._reach.holds.values():
            os.close(lock)
        self._reach.holds.clear()
        self._reach.pool.stop()

    async def pending(self, link: Link) -> Account | None:
        """Find what an earlier attempt with this very link left."""
        profile = await self._reach.blocking(joining.pending, self._reach.state, link)
        return None if profile is None else await self._reach.account(profile)

    async def join(
        self, link: Link, *, user_name: str, device: str, passphrase: str | None
    ) -> Account:
        """Join a server."""
        joined = await crossing(
            joining.join(
                self._reach.reactor, self._reach.state, link, user_name=user_name, device=device,
                passphrase=passphrase, ask=giving(passphrase), pool=self._reach.pool,
            )
        )  # fmt: skip
        return await self._reach.account(joined.profile)

    def suggestions(self) -> tuple[str, str]:
        """Offer names for the person and for this computer."""
        return joining.suggested_user_name(self._reach.environ), joining.suggested_device_name()

    def suggested_passphrase(self) -> str:
        """Draw a passphrase of words."""
        return joining.suggested_passphrase()

    async def set_first(self, account: str) -> None:
        """Use this account when none is named."""
        await self._reach.blocking(Profiles(self._reach.state).set_default, account)

    async def set_address(self, account: str, address: str) -> Account:
        """Look for a server elsewhere."""
        profile = await self._reach.blocking(
            Profiles(self._reach.state).set_address, account, address
        )
        return await self._reach.account(profile)

    async def accept_link(self, account: str, link: str) -> Account:
        """Take key and address of a server from a server link."""
        profiles, now = Profiles(self._reach.state), int(time.time())
        return await self._reach.account(
            await self._reach.blocking(profiles.accept_link, account, link, now=now)
        )

    async def forget(self, account: str) -> None:
        """Drop an account."""
        if self._reach.keeper is not None and self.connection.account == account:
            await self._reach.keeper.end()
            self._reach.keeper = None
            self._reach.emit(self._reach.none)
        await self._reach.blocking(Profiles(self._reach.state).forget, account)
