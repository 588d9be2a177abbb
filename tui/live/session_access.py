"""What every part of the gateway over the client library stands on: the account in use, its session, the pool and who listens.

Rules. Whoever asks the server goes through ``ask``: a line that is gone is said as such, and the keeper looks at once. What
blocks runs on the pool.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from sft.client.concurrency import Pool
from sft.client.connection_info import ConnectionInfo, Event, EventListener
from sft.client.fault_log import FaultLog
from sft.client.profiles import Profile, Profiles
from sft.client.reconnect import Reconnector, Timing
from sft.client.session import Session
from sft.client.state import StateFolder
from sft.client.trust import SignatureState
from sft.errors import ConnectionLostError, KeyLockedError
from tui.gateway import Account
from tui.live import account_records
from tui.live.as_future import crossing, landed

T = TypeVar("T")


class SessionAccess:
    """The way to the server in use.

    Args:
        reactor: runs on the app's loop.
        environ: SFT_PASSPHRASE_FILE opens keys without a question.
    """

    def __init__(
        self, reactor: Any, state: StateFolder, environ: Mapping[str, str], timing: Timing
    ) -> None:
        self.reactor = reactor
        self.state = state
        self.log = FaultLog(state.data)  # also while a demo has taken the place of the state
        self.environ = environ
        self.timing = timing
        self.pool = Pool(reactor)
        self.pool.start()
        self.keeper: Reconnector | None = None
        self.none = ConnectionInfo(since=time.time())
        self.listeners: list[EventListener] = []
        self.holds: dict[str, int] = {}  # open lock files, by the name that is owned
        self.checked: dict[tuple[bytes, int], SignatureState] = {}  # versions read here, whole

    @property
    def connection(self) -> ConnectionInfo:
        """The account in use, now."""
        return self.none if self.keeper is None else self.keeper.connection

    @property
    def session(self) -> Session | None:
        """Its session, if it has one."""
        return None if self.keeper is None else self.keeper.session

    async def ask(self, act: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """Ask the server.

        Raises:
            ConnectionLostError: the line is gone, or breaks meanwhile.
        """
        if self.keeper is None:
            raise ConnectionLostError
        return await crossing(self.keeper.ask(act))

    async def blocking(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run what blocks on the pool."""
        return await landed(self.pool.run(function, *args, **kwargs))

    async def profile(self) -> Profile:
        """Give the profile in use, or the one that would be."""
        name = self.connection.account or None
        return await self.blocking(Profiles(self.state).choose, name)

    async def account(self, profile: Profile) -> Account:
        """Describe a profile as the screens see it."""
        default = await self.blocking(Profiles(self.state).default_name)
        return await self.blocking(account_records.account_of, self.state, profile, default)

    def emit(self, event: Event) -> None:
        """Tell everybody who listens."""
        for listener in self.listeners:
            listener(event)


def giving(passphrase: str | None) -> Callable[[], Coroutine[Any, Any, str]]:
    """Make what answers the question for a passphrase: with this one, or not at all."""

    async def give() -> str:
        if passphrase is None:
            raise KeyLockedError
        return passphrase

    return give
