"""Logging in: from a profile and a key to a session, whose server, account and log are those that this computer knows.

    key opened, dialed, both ends proved → same server id, same account → log goes on what was seen → our own place in it

``connect`` does all of it; ``log_in`` is for whoever has the key open already, and ``log_in_again`` for whoever comes back.
``connect_operator`` returns the bare connection to a server's own control socket.

Rules. What is kept of a login is kept after all of that held. What does not hold ends the connection, and nothing was sent.
"""

from __future__ import annotations

import random as random_numbers
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from sft.client.connection import ServerConnection
from sft.client.dialing import CONNECT_SECONDS, Dialer
from sft.client.evidence import keep_key
from sft.client.fault_log import FaultLog
from sft.client.heads import Heads
from sft.client.identity import Ask, Identity
from sft.client.log_follower import Exhibit, LogFollower
from sft.client.loop import loop_of
from sft.client.pins import Pins, own_pin
from sft.client.profiles import Profile, Profiles
from sft.client.rotating import as_rotated, keep_rotated
from sft.client.session import Session
from sft.client.state import StateFolder
from sft.client.stopped import known_heads, stop
from sft.client.witnessed import keep_cosigned
from sft.crypto.keys import InvitationKey, PublicKey, ServerPublic, SigningKey
from sft.errors import AccountChangedError, LedgerError, LoginRefusedError, OwnKeyUnknownError, ServerKeyChangedError
from sft.model.links import LinkHead
from sft.wire.connection import Connection
from sft.wire.handshake import Claim, Welcome
from sft.wire.messages import Notice

if TYPE_CHECKING:
    from sft.transport.threads import Pool

OnNotice = Callable[[Notice], None]


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
            await session.learn_own(unknown)
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
    before = await pool.run(Heads(state, profile.server_id).before)

    def keep_contradiction(error: LedgerError, exhibits: list[Exhibit]) -> LedgerError:
        return stop(state, profile, error, exhibits, now=int(clock()))

    def follower() -> LogFollower:
        return LogFollower(profile.name, profile.server_id, kept, keep_contradiction, promised, before, looking=looking)

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


async def log_in_again(reactor: Any, before: Session, random: Callable[[], float] = random_numbers.random) -> Session:
    """Log in with the key of a session whose connection is lost, to go on with what that cut off.

    Raises:
        SftError: as ``connect``.
    """
    await before.keep_head()  # what it was told last, the server is held to
    profile = before.profile
    session = await log_in(
        reactor, before.state, profile, before.key, Claim.login(profile.user_name, before.key.public, profile.device),
        None, pool=before.pool, owns_pool=False, random=random, clock=before.clock,
    )  # fmt: skip
    session.looks_at_keys = before.looks_at_keys
    await _know_ourselves(session)
    session.carried_over = before.carried_over
    session.versions_seen = before.versions_seen  # what others have stored since is newer than what was asked for
    session.log.begun_at, session.moves = before.log.begun_at, before.moves
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
