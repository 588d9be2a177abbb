"""A person's session at one server: the logged-in connection, the opened key, the pinned people.

``connect`` opens the key, dials, proves both ends and returns a Session; ``connect_operator`` returns the bare connection to a
server's own control socket. Closing is authenticated, so that a peer that vanished is told from one that left.
"""

from __future__ import annotations

import random as random_numbers
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from msgspec.structs import replace

from sft.client.api.people import show_user_by_id
from sft.client.carried_over import CarriedOver
from sft.client.concurrency import Lock, gather_limited
from sft.client.connection import ServerConnection
from sft.client.dialing import CONNECT_SECONDS, Dialer
from sft.client.evidence import keep_key
from sft.client.fault_log import FaultLog
from sft.client.heads import Head, Heads
from sft.client.identity import Ask, Identity
from sft.client.log_follower import Exhibit, LogFollower
from sft.client.loop import loop_of
from sft.client.pins import Pins, own_pin
from sft.client.profiles import Profile, Profiles
from sft.client.proved import ProvedState
from sft.client.rotating import as_rotated, keep_rotated
from sft.client.state import StateFolder
from sft.client.statements import sign_act
from sft.client.stopped import known_heads, stop
from sft.client.versions_seen import VersionsSeen
from sft.client.witnessed import keep_cosigned
from sft.crypto.keys import InvitationKey, PublicKey, ServerPublic, SigningKey
from sft.errors import (
    AccountChangedError,
    LedgerError,
    LocalProtocolError,
    LoginRefusedError,
    NotFoundError,
    OwnKeyUnknownError,
    ServerKeyChangedError,
)
from sft.ledger.slots import SlotKey
from sft.model.access import Role
from sft.model.links import LinkHead
from sft.model.records import File, User, UserState
from sft.wire.connection import Connection
from sft.wire.handshake import Claim, Welcome
from sft.wire.messages import Notice, Reply, Request

if TYPE_CHECKING:
    from sft.transport.threads import Pool

R = TypeVar("R", bound=Reply)

_ASKED_AT_ONCE: Final = 8

OnNotice = Callable[[Notice], None]


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
    looking: bool = False
    looks_at_keys: bool = False
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
        return [key for key in own.keys if key.public_key not in known and key.end is None]

    async def learn_own(self) -> None:
        """Learn which other keys of ours one that is known here vouches for."""
        shown = await self._shown(self.user_id)
        if shown is not None:
            await self.pool.run(self.pins.learn, [shown], now=int(self.clock()))

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


async def connect(
    reactor: Any,
    state: StateFolder,
    profile: Profile,
    *,
    ask: Ask,
    pool: Pool | None = None,
    random: Callable[[], float] = random_numbers.random,
    on_notice: OnNotice | None = None,
    clock: Callable[[], float] = time.time,
    unknown_keys: bool = False,
    looking: bool = False,
) -> Session:
    """Log in with a profile.

    Args:
        looking: a person looks at the log that the server shows now; nothing of it is kept.
        unknown_keys: a person looks at those of ours that this computer does not know.
        reactor: Twisted's, or the loop of a command.
        ask: returns the key's passphrase, if it has one.
        pool: shared with other sessions; else the session has its own.
        random: returns 0 to 1.
        on_notice: called with what the server says unasked.
        clock: Unix seconds.

    Raises:
        KeyLockedError, PassphraseWrongError, KeyFormatError: the key does not open.
        UnreachableError, ServerKeyChangedError, VersionUnknownError, ConnectionLostError: no connection.
        LoginRefusedError: the server does not let this key in.
        LedgerError: its log is not the one that this computer knows.
        OwnKeyUnknownError: somebody else may sign as us.
    """
    owns_pool = pool is None
    if pool is None:
        pool = loop_of(reactor).new_pool()
        pool.start()

    async def with_key_of(profile: Profile) -> Session:
        key = await Identity(state, profile).unlock(pool, ask)
        claim = Claim.login(profile.user_name, key.public, profile.device)
        session = await log_in(
            reactor, state, profile, key, claim, None,
            pool=pool, owns_pool=owns_pool, random=random, clock=clock, on_notice=on_notice, looking=looking,
        )  # fmt: skip
        session.looks_at_keys = unknown_keys
        await _know_ourselves(session)
        return session

    async def with_either_key() -> Session:
        try:
            return await with_key_of(profile)
        except LoginRefusedError:
            if not profile.next_key:
                raise
        # The server took the next key, and we heard no answer.
        session = await with_key_of(as_rotated(profile))
        session.profile = await pool.run(keep_rotated, state, profile)
        return session

    try:
        return await with_either_key()
    except BaseException:
        if owns_pool:
            pool.stop()
        raise


async def _know_ourselves(session: Session) -> None:
    """Look at our own place in the log; what is there that we know nothing of is an alarm."""
    try:
        unknown = session.unknown_own_keys()
        if unknown:
            await session.learn_own()
            unknown = session.unknown_own_keys()
    except BaseException:
        session.connection.abort()
        raise
    if unknown and not session.looks_at_keys:
        session.connection.abort()
        first, profile = unknown[0].public_key, session.profile
        raise OwnKeyUnknownError(
            server=profile.name,
            name=profile.user_name,
            shown=PublicKey.decode(first).words(),
            added_at=session.pins.people[session.user_id].shown_later.get(first, int(session.clock())),
        )


async def log_in(
    reactor: Any,
    state: StateFolder,
    profile: Profile,
    key: SigningKey,
    claim: Claim,
    invitation: InvitationKey | None,
    *,
    pool: Pool,
    owns_pool: bool,
    random: Callable[[], float],
    clock: Callable[[], float],
    on_notice: OnNotice | None = None,
    promised: LinkHead | None = None,
    looking: bool = False,
) -> Session:
    """Dial with an opened key and a claim, and keep what the server says of us.

    Args:
        promised: of whoever joins, the head of the server's log that the invitation names.
        looking: as for ``connect``.

    Raises:
        ServerKeyChangedError: another key than the pinned one, or another first key than the profile's.
        AccountChangedError: another person than the one who joined.
        LedgerError: its log is not the one that this computer knows, or its answers do not follow from it.
    """
    kept = await pool.run(known_heads, state, profile, looking=looking)

    def keep_contradiction(error: LedgerError, exhibits: list[Exhibit]) -> LedgerError:
        return stop(state, profile, error, exhibits, now=int(clock()))

    def follower() -> LogFollower:
        return LogFollower(profile.name, profile.server_id, kept, keep_contradiction, promised, looking=looking)

    claim = replace(claim, log_sizes=follower().log_sizes)
    dialer = Dialer(
        reactor,
        lambda protocol: loop_of(reactor).connect_tcp(protocol, profile.host, profile.port, CONNECT_SECONDS),
        address=profile.address,
        profile=profile.name,
        new_wire=lambda: Connection.client(profile.server, claim, key, invitation, server_id=profile.server_id),
        new_connection=lambda wire: ServerConnection(
            reactor,
            wire,
            pool,
            address=profile.address,
            on_notice=on_notice,
            keep_fault=FaultLog(state.data).keep,
            log=follower(),
        ),
        random=random,
    )
    try:
        connection = await dialer.dial()
    except ServerKeyChangedError as changed:
        now = int(clock())
        raise await pool.run(keep_key, state, profile, changed, now=now) from changed
    try:
        welcome = connection.welcome
        _require_pinned_id(profile, welcome.server.server_id)
        _require_same_account(profile, welcome)
        seen: dict[str, str | int | bytes | tuple[bytes, ...]] = {
            "user_id": welcome.user_id,
            "user_name": welcome.name,
            "role": welcome.role,
        }
        followed = None
        if connection.server_key != profile.server:  # the handshake has seen that the pinned one says so
            followed = profile.server
            earlier = (*profile.earlier_keys, profile.server_key)
            seen |= {"server_key": connection.server_key.point, "pinned_at": int(clock()), "earlier_keys": earlier}
        role_before = profile.role if profile.role != welcome.role else ""
        if any(getattr(profile, name) != value for name, value in seen.items()):
            profile = await pool.run(Profiles(state).update, profile.name, **seen)
        pins = Pins(state, profile.server_id, own_pin(profile))
        session = Session(
            connection, state, profile, key, pins, pool, owns_pool, clock, followed=followed, role_before=role_before,
            looking=looking,
        )  # fmt: skip
        await pool.run(_settle, state, profile, pins, None if looking else session.log)
    except BaseException:
        connection.abort()
        raise
    return session


def _settle(state: StateFolder, profile: Profile, pins: Pins, log: LogFollower | None) -> None:
    """Keep the head of a login, and read who is known."""
    if log is not None:
        Heads(state, profile.server_id).keep(log.told, log.named)
        if log.cosigned is not None:
            keep_cosigned(state, profile.server_id, log.cosigned)
    pins.load()


def _keep_head(state: StateFolder, server_id: bytes, head: Head, before: Head | None) -> None:
    Heads(state, server_id).keep(head, [] if before is None else [before])


async def log_in_again(reactor: Any, before: Session, random: Callable[[], float] = random_numbers.random) -> Session:
    """Log in with the key of a session whose connection is lost, to go on with what that cut off.

    Raises:
        SftError: as ``connect``.
    """
    profile = before.profile
    session = await log_in(
        reactor, before.state, profile, before.key, Claim.login(profile.user_name, before.key.public, profile.device),
        None, pool=before.pool, owns_pool=False, random=random, clock=before.clock,
    )  # fmt: skip
    session.looks_at_keys = before.looks_at_keys
    await _know_ourselves(session)
    session.carried_over = before.carried_over
    session.versions_seen = before.versions_seen  # what others have stored since is newer than what was asked for
    session.log.begun_at = before.log.begun_at
    session.limit(before.limited_to)
    return session


def _require_pinned_id(profile: Profile, server_id: bytes) -> None:
    """Refuse a server that states another id: people's keys are pinned under it, and under a new one nobody's is yet."""
    if server_id != profile.server_id:
        raise ServerKeyChangedError("it states another server id", server=profile.name)


def _require_same_account(profile: Profile, welcome: Welcome) -> None:
    """Refuse a server that takes us for somebody else: an id never changes, and what is signed here names it.

    The name is the one that was claimed: the handshake holds the server to it.
    """
    if welcome.user_id != (profile.user_id or welcome.user_id) or welcome.user_id < 1:
        detail = f"it gives us the id {welcome.user_id}"
        raise AccountChangedError(detail, server=profile.name, name=welcome.name)


async def connect_operator(
    reactor: Any, socket_path: str, server_key: ServerPublic, *, pool: Pool, on_notice: OnNotice | None = None
) -> ServerConnection:
    """Speak to a server as its operator, over the control socket in its home; UnreachableError if nobody serves it."""

    def new_connection(wire: Connection) -> ServerConnection:
        made = ServerConnection(reactor, wire, pool, on_notice=on_notice, log=None)
        made.protocol.session_ends = False
        return made

    dialer = Dialer(
        reactor,
        lambda protocol: loop_of(reactor).connect_unix(protocol, socket_path, CONNECT_SECONDS),
        address=socket_path,
        profile=socket_path,
        new_wire=lambda: Connection.client(server_key, Claim.operator()),
        new_connection=new_connection,
        random=random_numbers.random,
    )
    return await dialer.dial()
