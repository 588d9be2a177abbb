"""The line to the world in memory: it can be cut, come back, lead to another server, or be refused."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib

from sft.client.connection_info import ConnectionInfo, Event, EventListener, ServerNotice, Status
from sft.crypto.keys import ServerKey
from sft.errors import (
    ConnectionLostError,
    KeyLockedError,
    LoginRefusedError,
    PassphraseWrongError,
    ServerKeyChangedError,
    SessionEndedError,
    SftError,
    UnreachableError,
)
from sft.model.records import UserState
from tui.gateway import Account
from tui.memory.book import Book
from tui.memory.door import Visit
from tui.memory.world import World

_AGAIN_SECONDS = 8
_STATUS_OF: tuple[tuple[type[SftError], Status], ...] = (
    (KeyLockedError, Status.LOCKED),
    (PassphraseWrongError, Status.LOCKED),
    (ServerKeyChangedError, Status.STOPPED),
    (LoginRefusedError, Status.REFUSED),
)


class Line:
    """One connection, as the gateway's user sees it.

    Args:
        fail_next: errors to be raised once, by what is asked.
    """

    def __init__(self, world: World, book: Book, fail_next: dict[str, SftError]) -> None:
        self._world = world
        self._book = book
        self._fail_next = fail_next
        self.connection = ConnectionInfo(since=world.now)
        self.listeners: list[EventListener] = []
        self._visit = 0  # number of the session; 0 without one
        self.cut = False

    async def turn(self, what: str, *, online: bool = True) -> None:
        """Take one turn of the loop, and fail where that was asked for.

        Raises:
            ConnectionLostError: it is to be online, and is not.
        """
        await asyncio.sleep(0)
        if what in self._fail_next:
            raise self._fail_next.pop(what)
        if online and not self.connection.online:
            raise ConnectionLostError

    async def use(self, account: Account, passphrase: str | None) -> None:
        """Connect an account."""
        base = ConnectionInfo(
            Status.CONNECTING, account.name, account.server, account.address, account.user,
            since=self._world.now,
        )  # fmt: skip
        self.become(base)
        await self.turn("connect", online=False)
        try:
            self._require_way(account, passphrase)
        except SftError as error:
            status = next((s for kind, s in _STATUS_OF if isinstance(error, kind)), Status.AWAY)
            self.become(dataclasses.replace(base, status=status, error=error))
            raise
        self.come_online(base)

    def lose(self) -> None:
        """Cut it."""
        self.cut = True
        now = self._world.now
        again_at, error = now + _AGAIN_SECONDS, ConnectionLostError()
        self._turn_to(Status.AWAY, error, again_at=again_at)

    def change_key(self) -> None:
        """Put another server in the place of this one."""
        seed = hashlib.blake2b(self._world.key.public.point, digest_size=32).digest()
        self._world.key = ServerKey.from_seed(seed)
        self._turn_to(Status.STOPPED, self._other_key())

    def revoke(self) -> None:
        """Have the server let this key in no more."""
        self._turn_to(Status.REFUSED, LoginRefusedError(server=self._world.name))

    def again(self) -> None:
        """Try now."""
        if self.connection.status is Status.AWAY and not self.cut:
            self.come_online(self.connection)

    def come_online(self, base: ConnectionInfo) -> None:
        """Log in, unless this person is kept out."""
        user = self._world.user(base.user)
        if user.state is not UserState.ACTIVE:
            error = LoginRefusedError(server=self._world.name)
            self.become(dataclasses.replace(base, status=Status.REFUSED, error=error))
            raise error
        online = dataclasses.replace(
            base, status=Status.ONLINE, user_id=user.id, role=user.role, error=None,
            since=self._world.now, again_at=None,
        )  # fmt: skip
        self.become(online)

    def become(self, connection: ConnectionInfo) -> None:
        """Stand otherwise, and tell."""
        self.connection = connection
        if self._visit and not connection.online:
            self._world.door.leave(self._visit)
            self._visit = 0
        elif connection.online and not self._visit:
            visit = Visit(
                connection.user_id, "198.51.100.7:50122", int(self._world.now), ended=self._kicked
            )
            self._visit = self._world.door.enter(visit)
        self.emit(connection)

    def emit(self, event: Event) -> None:
        """Tell everybody who listens."""
        for listener in self.listeners:
            listener(event)

    def _kicked(self, by: str) -> None:
        self.emit(ServerNotice("ended", {"why": "kicked", "by": by}))
        self._turn_to(Status.REFUSED, SessionEndedError(by=by))

    def _turn_to(self, status: Status, error: SftError, again_at: float | None = None) -> None:
        changed = dataclasses.replace(
            self.connection, status=status, since=self._world.now, again_at=again_at, error=error
        )
        self.become(changed)

    def _require_way(self, account: Account, passphrase: str | None) -> None:
        wanted = self._book.passphrases.get(account.name, "")
        if wanted and passphrase is None:
            raise KeyLockedError
        if wanted and passphrase != wanted:
            raise PassphraseWrongError
        if "use" in self._fail_next:
            raise self._fail_next.pop("use")
        if self.cut or account.address != self._world.address:
            raise UnreachableError(
                address=account.address, reason="connection refused", profile=account.name
            )
        if account.server_words != self._world.key.public.words():
            raise self._other_key()

    def _other_key(self) -> ServerKeyChangedError:
        return ServerKeyChangedError(
            server=self.connection.account,
            shown=self._world.key.public.words(),
            evidence=f"evidence/{self._world.key.public.point.hex()[:16]}.txt",
        )
