"""The gateway over the client library: the connection of the account in use, and the parts that ask over it.

Rules. A passphrase is kept in memory until another account is used or the app ends, so that a lost line comes back by itself;
it is in no repr, log or file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from sft.client.identity import passphrase_from
from sft.client.profiles import Profiles
from sft.client.session import Session, connect
from sft.client.state import StateFolder
from tui import gateway
from tui.gateway import ConnectionInfo, EventListener
from tui.live.accounts import BeginDemo, LiveAccounts
from tui.live.as_future import crossing
from tui.live.files import LiveFiles
from tui.live.local_state import LiveLocalState
from tui.live.people import LivePeople
from tui.live.reconnect import Notice, Reconnector
from tui.live.session_access import SessionAccess, giving
from tui.live.transfers import LiveTransfers


class LiveGateway:
    """Servers, over the network.

    Args:
        reactor: runs on the app's loop.
        environ: SFT_PASSPHRASE_FILE opens keys without a question.
        begin_demo: what is offered to whoever has joined nothing.
        until_quit: the state goes when the app ends.
    """

    def __init__(
        self,
        reactor: Any,
        state: StateFolder,
        environ: Mapping[str, str],
        *,
        begin_demo: BeginDemo | None = None,
        until_quit: bool = False,
    ) -> None:
        access = self._access = SessionAccess(reactor, state, environ)
        self.accounts: gateway.Accounts = LiveAccounts(access, begin_demo, until_quit=until_quit)
        self.files: gateway.Files = LiveFiles(access)
        self.transfers: gateway.Transfers = LiveTransfers(access)
        self.people: gateway.People = LivePeople(access)
        self.local: gateway.LocalState = LiveLocalState(access)

    @property
    def connection(self) -> ConnectionInfo:
        """The account in use, now."""
        return self._access.connection

    def listen(self, listener: EventListener) -> None:
        """Have changes told."""
        self._access.listeners.append(listener)

    async def use(self, account: str, passphrase: str | None = None) -> None:
        """Connect an account, and keep it connected."""
        access = self._access
        profile = await access.blocking(Profiles(access.state).choose, account)
        ask = passphrase_from(access.environ, giving(passphrase))

        async def connected(noticed: Callable[[Notice], None]) -> Session:
            # Its address may have been mended since.
            newest = await access.blocking(Profiles(access.state).choose, account)
            return await crossing(
                connect(
                    access.reactor, access.state, newest, ask=ask, pool=access.pool,
                    on_notice=noticed,
                )
            )  # fmt: skip

        access.checked.clear()
        # Whoever is asked for last has it, also while an earlier one is still being called.
        before = access.keeper
        keeper = Reconnector(profile, connected, access.emit, time.time)
        access.keeper = keeper
        if before is not None:
            await before.end()
        await keeper.begin()

    def again(self) -> None:
        """Try the lost connection now."""
        if self._access.keeper is not None:
            self._access.keeper.again()

    async def close(self) -> None:
        """Leave the server and end everything."""
        access = self._access
        access.listeners.clear()
        if access.keeper is not None:
            await access.keeper.end()
        for lock in access.holds.values():
            os.close(lock)
        access.holds.clear()
        access.pool.stop()
