"""Joining a server, by an invitation or by its link.

Rules. The key is made here and never leaves this computer. Key and profile are stored before the server hears of them: so the
same invitation with the same key goes on where an earlier attempt stopped, and a taken name, a wrong passphrase or a lost
connection spends nothing. What was made for an invitation that is void is put aside. A key that came from elsewhere is copied
as it is.
"""

from __future__ import annotations

import os
import random as random_numbers
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sft.client.api.people import show_self
from sft.client.concurrency import running_pool
from sft.client.connecting import log_in
from sft.client.identity import Ask, Identity, KeyEncoder, encode_key, key_file_name, open_protected, read_key_file
from sft.client.profiles import Profile, Profiles
from sft.client.state import StateFolder
from sft.client.statements import sign_act
from sft.crypto import key_file as key_files
from sft.crypto.comment import NO_HEAD
from sft.crypto.keys import InvitationKey, SigningKey
from sft.crypto.statement import JOIN
from sft.crypto.words import drawn
from sft.errors import (
    InviteExpiredError,
    InviteUnknownError,
    InviteUsedError,
    InviteWithdrawnError,
    KeyLockedError,
    KeyUnknownError,
    RegistrationClosedError,
    UserNameNotAllowedError,
)
from sft.model.links import InvitationLink, Link
from sft.model.names import parse_device_name, parse_user_name
from sft.model.records import ServerInfo, User
from sft.wire.handshake import Claim

if TYPE_CHECKING:
    from sft.transport.threads import Pool

_PASSPHRASE_WORDS: Final = 5
_VOID: Final = (InviteExpiredError, InviteUnknownError, InviteUsedError, InviteWithdrawnError)


@dataclass(frozen=True, slots=True)
class Joined:
    """A person as the server now has them."""

    profile: Profile
    user: User
    server: ServerInfo


def suggested_user_name(environ: Mapping[str, str]) -> str:
    """Return the name that this computer has for its user; empty where it is no name."""
    for variable in ("LOGNAME", "USER", "USERNAME"):
        try:
            return parse_user_name(environ.get(variable, ""))
        except UserNameNotAllowedError:
            continue
    return ""


def suggested_device_name() -> str:
    """Return the name of this computer, or a plain one where it is no name."""
    try:
        return parse_device_name(socket.gethostname().partition(".")[0])
    except UserNameNotAllowedError:
        return "computer"


def suggested_passphrase(entropy: Callable[[int], bytes] = os.urandom) -> str:
    """Draw five words: 55 bits, each try of which costs whoever stole the key file 64 MiB and a fifth of a second."""
    return drawn(_PASSPHRASE_WORDS, entropy)


def pending(state: StateFolder, link: Link) -> Profile | None:
    """Find the profile that an earlier attempt with this link left (blocks): its key exists."""
    invitation = _point(link)
    for profile in Profiles(state).all():
        if profile.server_id != link.server_id or profile.invitation != invitation:
            continue
        if invitation or not profile.joined:
            return profile
    return None


async def join(
    reactor: Any,
    state: StateFolder,
    link: Link,
    *,
    user_name: str,
    device: str,
    passphrase: str | None,
    ask: Ask,
    key_file: Path | None = None,
    encode_key: KeyEncoder = encode_key,
    pool: Pool | None = None,
    random: Callable[[], float] = random_numbers.random,
    clock: Callable[[], float] = time.time,
) -> Joined:
    """Join a server.

    Args:
        passphrase: protects a new key, and one that an earlier attempt left unprotected; None leaves it unprotected.
        ask: opens a key that exists already.
        key_file: a minisign secret key to join with, copied.
        encode_key: writes keys down, and says what a guess at the passphrase of a new key costs.

    Raises:
        UserNameNotAllowedError: not a name.
        KeyUnknownError: with a server's link alone: somebody there has to let the key in, which is kept here.
        RequestError: the server refused, and says why; the invitation is still good unless it says otherwise.
        UnreachableError, ServerKeyChangedError, ConnectionLostError: nothing was spent.
    """
    user_name, device = parse_user_name(user_name), parse_device_name(device)
    with nullcontext(pool) if pool is not None else running_pool(reactor) as threads:
        key, profile = await _prepared(
            state, link, device=device, passphrase=passphrase, ask=ask, key_file=key_file,
            encode_key=encode_key, pool=threads, now=int(clock()),
        )  # fmt: skip
        invitation = InvitationKey.from_seed(link.seed) if isinstance(link, InvitationLink) else None
        point = b"" if invitation is None else invitation.point
        said = {"name": user_name, "key": key.public.encode(), "device": device, "invitation": point}
        statement = sign_act(key, JOIN, said, server_id=link.server_id, user_id=0, now=int(clock()), head=NO_HEAD)
        claim = Claim.join(user_name, key.public, device, invitation, statement=statement)
        try:
            session = await log_in(
                reactor, state, profile, key, claim, invitation,
                pool=threads, owns_pool=False, random=random, clock=clock,
                promised=link.head if isinstance(link, InvitationLink) else None,
            )  # fmt: skip
        except _VOID:
            # Put aside, not destroyed: a server that had let the key in, and whose answer was lost, may say this too.
            await threads.run(Profiles(state).forget, profile.name)
            raise
        except RegistrationClosedError as error:
            if invitation is not None:
                raise
            public = key.public
            raise KeyUnknownError(
                server=link.server_name, words=public.words(), key=public.text(), device=device
            ) from error
        async with session:
            shown = await show_self(session)
            await threads.run(session.pins.learn, [shown.user], now=int(clock()))
        profile = await threads.run(Profiles(state).update, profile.name, joined_at=int(clock()))
        return Joined(profile, shown.user, shown.server)


async def _prepared(
    state: StateFolder,
    link: Link,
    *,
    device: str,
    passphrase: str | None,
    ask: Ask,
    key_file: Path | None,
    encode_key: KeyEncoder,
    pool: Pool,
    now: int,
) -> tuple[SigningKey, Profile]:
    """Return key and profile, both stored."""
    earlier = await pool.run(pending, state, link)
    if key_file is not None:
        text = await pool.run(read_key_file, key_file)
        if key_files.is_encrypted(text):
            key = await open_protected(pool, text, await ask())
        else:
            key = key_files.decode(text, _never_asked)
    elif earlier is not None:
        identity = Identity(state, earlier)
        key = await identity.open(pool, ask)
        bare = passphrase is not None and not await pool.run(identity.encrypted)
        text = await pool.run(encode_key, key, passphrase) if bare else ""
    else:
        key = SigningKey.generate()
        text = await pool.run(encode_key, key, passphrase)

    def store() -> Profile:
        name = key_file_name(key.public)
        if text:
            state.write(name, text.encode())
        elif earlier is not None:
            name = earlier.key_file
        fields: dict[str, str | int | bytes] = {
            "host": link.host,
            "port": link.port,
            "public_key": key.public.encode(),
            "key_file": name,
            "device": device,
        }
        if earlier is not None:
            return Profiles(state).update(earlier.name, **fields)
        return Profiles(state).add(
            Profile(
                name=link.server_name,
                server_name=link.server_name,
                host=link.host,
                port=link.port,
                server_key=link.server_key,
                server_id=link.server_id,
                public_key=key.public.encode(),
                key_file=name,
                device=device,
                pinned_at=now,
                invitation=_point(link),
            )
        )

    return key, await pool.run(store)


def _point(link: Link) -> bytes:
    """Return the public half of an invitation; empty for a server link."""
    return InvitationKey.from_seed(link.seed).point if isinstance(link, InvitationLink) else b""


def _never_asked() -> str:
    raise KeyLockedError
