"""A person's session at one server: the logged-in connection, the opened key, the pinned people.

Rules. It signs what its person asks for, without a question. The newest head of the log that it was told is kept when it ends.
Closing is authenticated, so that a peer that vanished is told from one that left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from sft.client.api.people import show_user_by_id
from sft.client.carried_over import CarriedOver
from sft.client.concurrency import Lock, gather_limited
from sft.client.connection import ServerConnection
from sft.client.heads import Head, Heads
from sft.client.known_moves import KnownMoves
from sft.client.log_follower import LogFollower
from sft.client.pins import Pins
from sft.client.profiles import Profile
from sft.client.proved import ProvedState
from sft.client.state import StateFolder
from sft.client.statements import sign_act
from sft.client.versions_seen import VersionsSeen
from sft.crypto.keys import ServerPublic, SigningKey
from sft.errors import LocalProtocolError, NotFoundError
from sft.ledger.slots import SlotKey
from sft.model.access import Role
from sft.model.links import LinkHead
from sft.model.records import File, User, UserState
from sft.wire.messages import Reply, Request

if TYPE_CHECKING:
    from sft.transport.threads import Pool

R = TypeVar("R", bound=Reply)

_ASKED_AT_ONCE: Final = 8


@dataclass(slots=True)
class Session:
    """A logged-in person.

    Args:
        key: the opened key: it signs what is stored.
        pins: the server's people as this computer knows them.
        followed: the key that was pinned until this login, if it said that the server's key now follows it.
        versions_seen: the server's files as this computer has seen them.
        clock: Unix seconds.
        carried_over: transfers that an earlier session's end cut off; whoever comes back sets the one of before.
        role_before: our role as last seen, where it is another one now.
        added_keys: keys of ours that this computer had not seen, which began after ours: another one vouched for them.
        looking: nothing of the log is kept: a person has not decided yet.
        looks_at_keys: a person looks at keys of ours that this computer does not know: they end no login.
    """

    connection: ServerConnection
    state: StateFolder
    profile: Profile
    key: SigningKey
    pins: Pins
    pool: Pool
    owns_pool: bool
    clock: Callable[[], float] = time.time
    versions_seen: VersionsSeen = field(init=False)
    followed: ServerPublic | None = None
    carried_over: CarriedOver = field(default_factory=CarriedOver)
    limited_to: int | None = None
    role_before: str = ""
    added_keys: tuple[SlotKey, ...] = ()
    looking: bool = False
    looks_at_keys: bool = False
    moves: KnownMoves = field(default_factory=KnownMoves)
    _learning: Lock = field(default_factory=Lock)
    _kept_head: Head | None = None

    def __post_init__(self) -> None:
        self.versions_seen = VersionsSeen(self.state, self.profile.server_id)
        self._kept_head = self.log.head

    @property
    def user_id(self) -> int:
        return self.connection.welcome.user_id

    @property
    def user_name(self) -> str:
        return self.connection.welcome.name

    @property
    def role(self) -> Role:
        """Our role at login; a notice tells when it changes."""
        return Role(self.connection.welcome.role)

    @property
    def server_name(self) -> str:
        return self.connection.server_name

    @property
    def server_key(self) -> ServerPublic:
        return self.connection.server_key

    @property
    def server_id(self) -> bytes:
        """The server's id, as file signatures name it."""
        return self.connection.welcome.server.server_id

    @property
    def address(self) -> str:
        return self.connection.address

    @property
    def quiet_seconds(self) -> float:
        """How long the server has said nothing to what is asked; 0 where nothing is."""
        return self.connection.quiet_seconds

    @property
    def alive(self) -> bool:
        return self.connection.alive

    @property
    def log(self) -> LogFollower:
        """The server's log as this session is shown it: without one there is no session, for nothing would be proved."""
        if self.connection.log is None:
            raise LocalProtocolError("a session that follows no log")
        return self.connection.log

    @property
    def head_text(self) -> str:
        """The newest head that was seen, as comments and statements name it."""
        return self.log.told.checkpoint.head_text()

    @property
    def link_head(self) -> LinkHead:
        """The newest head that was seen, as an invitation names it."""
        seen = self.log.told.checkpoint
        return LinkHead(seen.origin.epoch, seen.size, seen.root)

    def limit(self, bytes_per_second: int | None) -> None:
        """Move content no faster than that, both ways together, until the session ends; None for as fast as can be."""
        self.limited_to = bytes_per_second
        if bytes_per_second is not None:
            self.connection.limit(bytes_per_second)

    def sign_act(self, act: str, **fields: object) -> bytes:
        """Sign an act that is asked for: without a question, for the key is open."""
        return sign_act(
            self.key,
            act,
            fields,
            server_id=self.server_id,
            user_id=self.user_id,
            now=int(self.clock()),
            head=self.head_text,
        )

    async def request(self, kind: type[Request], reply: type[R] | tuple[type[R], ...], /, **fields: Any) -> R:
        return await self.connection.request(kind, reply, **fields)

    def unknown_own_keys(self) -> list[SlotKey]:
        """Return the keys that the log has for us, and this computer knows nothing of.

        One that has ended counts too: what it signed in between is ours to whoever never saw a key of ours. One that was
        stolen from its first leaf on signed nothing that anybody takes: a thief's, that fell with the one that vouched.

        Raises:
            LogProofError: it does not have us as we were let in.
        """
        what = "who you are there"
        welcome = self.connection.welcome
        own = ProvedState(self.log, welcome.evidence, what).user(self.user_id)
        ours = own.key(self.profile.public_key)
        if (own.name, own.role, own.state) != (self.user_name, self.role, UserState.ACTIVE) or ours is None or ours.end:
            self.log.refuse(what, welcome.evidence, "another name, role, state or key")
        known = self.pins.people[self.user_id].keys
        return [key for key in own.keys if key.public_key not in known and key.cut_off != key.start]

    async def learn_own(self, unknown: Sequence[SlotKey]) -> None:
        """Learn which other keys of ours one that is known here vouches for, and note those that are new."""
        shown = await self._shown(self.user_id)
        if shown is None:
            return
        await self.pool.run(self.pins.learn, [shown], now=int(self.clock()))
        known = self.pins.people[self.user_id].keys
        began = next((each.start_leaf for each in shown.keys if each.public_key == self.profile.public_key), 0)
        self.added_keys = tuple(each for each in unknown if each.public_key in known and each.start > began)

    async def pin_authors(self, files: Sequence[File]) -> None:
        """Pin the keys of the authors of these files, whoever this computer has not seen yet: in one rewrite."""
        if not self._unknown_authors(files):
            return
        async with self._learning:
            asked = await gather_limited(_ASKED_AT_ONCE, self._unknown_authors(files), self._shown)
            shown = [author for author in asked if author is not None]
            await self.pool.run(self.pins.learn, shown, now=int(self.clock()))

    def _unknown_authors(self, files: Sequence[File]) -> list[int]:
        signed = {(file.version.author_id, file.version.public_key) for file in files}
        return sorted({author for author, key in signed if not self.pins.knows(author, key)})

    async def _shown(self, user_id: int) -> User | None:
        try:
            return await show_user_by_id(self, user_id)
        except NotFoundError:
            return None  # the verdict will say so

    async def close(self) -> None:
        """Close, and wait until the server's end is down too."""
        try:
            await self.keep_head()
            await self.connection.close()
        finally:
            self._end_pool()

    async def keep_head(self) -> None:
        """Keep the newest head that was seen, for the sessions to come."""
        log = self.log
        if not self.looking and log.failed is None and log.head is not self._kept_head:
            before, self._kept_head = self._kept_head, log.head
            await self.pool.run(_keep_head, self.state, self.profile.server_id, log.told, before)

    def abort(self) -> None:
        self.connection.abort()
        self._end_pool()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _end_pool(self) -> None:
        if self.owns_pool:
            self.owns_pool = False
            self.pool.stop()


def _keep_head(state: StateFolder, server_id: bytes, head: Head, before: Head | None) -> None:
    Heads(state, server_id).keep(head, [] if before is None else [before])
