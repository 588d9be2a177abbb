"""What every part of the gateway over the client library stands on: the account in use, its session, the pool and who listens.

Rules. Whoever asks the server goes through ``ask``, over the reconnector. What blocks runs on the pool.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from sft.client.connection_info import ConnectionInfo, Event, EventListener
from sft.client.fault_log import FaultLog
from sft.client.identity import Identity, KeyEncoder
from sft.client.profiles import Profile, Profiles
from sft.client.reconnect import Pool, Reconnector, Timing
from sft.client.session import Session
from sft.client.state import StateFolder
from sft.crypto.keys import Entropy
from sft.errors import ConnectionLostError, SftError
from tui.gateway import Account
from tui.live.as_future import from_coroutine, from_deferred
from tui.live.checked import Checked

P = ParamSpec("P")
T = TypeVar("T")


class SessionAccess:
    """The way to the server in use, made of what ``LiveGateway`` is given."""

    def __init__(
        self,
        reactor: Any,
        state: StateFolder,
        environ: Mapping[str, str],
        *,
        timing: Timing,
        pool: Pool,
        clock: Callable[[], float],
        entropy: Entropy,
        encode_key: KeyEncoder,
    ) -> None:
        self.reactor = reactor
        self.state = state
        self.log = FaultLog(state.data)  # also while a demo has taken the place of the state
        self.environ = environ
        self.timing = timing
        self.clock = clock
        self.entropy = entropy
        self.encode_key = encode_key
        self.pool = pool
        self.pool.start()
        self.reconnector: Reconnector | None = None
        self.none = ConnectionInfo(since=clock())
        self.listeners: list[EventListener] = []
        self.holds: dict[str, int] = {}  # open lock files, by the name that is owned
        self.checked = Checked()

    @property
    def connection(self) -> ConnectionInfo:
        return self.none if self.reconnector is None else self.reconnector.connection

    @property
    def session(self) -> Session | None:
        return None if self.reconnector is None else self.reconnector.session

    async def ask(self, act: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
        """Ask the server; ConnectionLostError if the connection is gone, or breaks meanwhile."""
        if self.reconnector is None:
            raise ConnectionLostError
        return await from_coroutine(self.reconnector.ask(act))

    def asking(
        self, act: Callable[Concatenate[Session, P], Coroutine[Any, Any, T]]
    ) -> Callable[P, Coroutine[Any, Any, T]]:
        """Return an act over a session as one over the session in use."""

        async def asked(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.ask(lambda session: act(session, *args, **kwargs))

        return asked

    async def blocking(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run what blocks on the pool."""
        return await from_deferred(self.pool.run(function, *args, **kwargs))

    async def profile(self) -> Profile:
        """Return the profile in use, or the one that would be."""
        name = self.connection.account or None
        return await self.blocking(Profiles(self.state).choose, name)

    async def account(self, profile: Profile) -> Account:
        default = await self.blocking(Profiles(self.state).default_name)
        return await self.blocking(account_of, self.state, profile, default)

    def emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)


def account_of(state: StateFolder, profile: Profile, default: str) -> Account:
    """Describe a profile as the screens see it (blocks)."""
    protected = locked = False
    with contextlib.suppress(SftError):  # a key that is missing says so when it is opened
        identity = Identity(state, profile)
        protected, locked = identity.encrypted(), identity.needs_passphrase()
    key = profile.key
    return Account(
        name=profile.name,
        server=profile.server_name,
        address=profile.address,
        user=profile.user_name,
        role=profile.role,
        device=profile.device,
        joined=profile.joined,
        protected=protected,
        locked=locked,
        in_use_first=profile.name == default,
        key_words=key.words(),
        minisign_key=key.text(),
        server_id=profile.server_id,
        server_words=profile.server.words(),
        pinned_at=profile.pinned_at,
        joined_at=profile.joined_at,
    )
