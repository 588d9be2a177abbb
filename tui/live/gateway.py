"""The gateway over the client library: the connection of the account in use, and the parts that ask over it.

Rules. A passphrase is kept in memory until another account is used or the app ends, so that a lost line comes back by itself;
it is in no repr, log or file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sft.client.connecting import connect
from sft.client.connection_info import ConnectionInfo, EventListener
from sft.client.identity import KeyEncoder, encode_key, given, passphrase_from
from sft.client.profiles import Profiles
from sft.client.reconnect import Pool, Reconnector, Timing
from sft.client.state import StateFolder
from sft.client.transfers.queue.run import Transfers
from sft.crypto.keys import Entropy
from tui import gateway
from tui.live.accounts import BeginDemo, LiveAccounts
from tui.live.activity import LiveActivity
from tui.live.as_future import from_coroutine
from tui.live.files import LiveFiles
from tui.live.local_state import LiveLocalState, StartAgent, start_agent
from tui.live.own_keys import LiveOwnKeys
from tui.live.people import LivePeople
from tui.live.session_access import SessionAccess
from tui.live.transfers import LiveTransfers


class LiveGateway:
    """Servers, over the network.

    Args:
        reactor: runs on the app's loop.
        environ: SFT_PASSPHRASE_FILE opens keys without a question.
        begin_demo: what is offered to whoever has joined nothing.
        until_quit: the state goes when the app ends.
        pool: runs what blocks; else the gateway has its own.
        clock: Unix seconds.
        entropy: draws the secrets of invitations, and passphrases.
        encode_key: writes keys down, and says what a guess at the passphrase of a key that is written here costs.
        start_agent: has an agent hold an opened key.
    """

    def __init__(
        self,
        reactor: Any,
        state: StateFolder,
        environ: Mapping[str, str],
        *,
        begin_demo: BeginDemo | None = None,
        until_quit: bool = False,
        timing: Timing = Timing(),  # noqa: B008 - a value
        pool: Pool | None = None,
        clock: Callable[[], float] = time.time,
        entropy: Entropy = os.urandom,
        encode_key: KeyEncoder = encode_key,
        start_agent: StartAgent = start_agent,
    ) -> None:
        access = self._access = SessionAccess(
            reactor, state, environ,
            timing=timing, pool=pool or Pool(reactor), clock=clock, entropy=entropy, encode_key=encode_key,
        )  # fmt: skip
        self.accounts: gateway.Accounts = LiveAccounts(access, begin_demo, until_quit=until_quit)
        self.files: gateway.Files = LiveFiles(access)
        self.transfers: Transfers = LiveTransfers(access)
        self.people: gateway.People = LivePeople(access)
        self.keys: gateway.OwnKeys = LiveOwnKeys(access, self.use)
        self.activity: gateway.Activity = LiveActivity(access)
        self.local: gateway.LocalState = LiveLocalState(access, start_agent)

    @property
    def connection(self) -> ConnectionInfo:
        return self._access.connection

    def listen(self, listener: EventListener) -> None:
        self._access.listeners.append(listener)

    async def use(self, account: str, passphrase: str | None = None) -> None:
        access = self._access
        profile = await access.blocking(Profiles(access.state).choose, account)
        ask = passphrase_from(access.environ, given(passphrase))
        access.checked.clear()
        # Whoever is asked for last has it, also while an earlier one is still being called.
        before = access.reconnector
        reconnector = Reconnector(
            access.reactor, access.state, profile,
            ask=ask, pool=access.pool, emit=access.emit, keep_fault=access.log.keep, timing=access.timing,
            connect=partial(connect, clock=access.clock), now=access.clock,
        )  # fmt: skip
        access.reconnector = reconnector
        if before is not None:
            await from_coroutine(before.end())
        await from_coroutine(reconnector.begin())

    def again(self) -> None:
        if self._access.reconnector is not None:
            self._access.reconnector.again()

    async def close(self) -> None:
        access = self._access
        access.listeners.clear()
        if access.reconnector is not None:
            await from_coroutine(access.reconnector.end())
        for lock in access.holds.values():
            os.close(lock)
        access.holds.clear()
        access.pool.stop()
