"""Another key follows ours: made and kept here before the server hears of it, so that no kill leaves a person outside.

    new key file written  →  profile names it as the next  →  server asked  →  profile names it as ours, the old one as former

Rules. Before the server's answer either of the two may be the one that it takes, and both are here: whoever is refused with the
old one tries the next (``session.connect``), and who begins again goes on with the same. The new file has the old one's
passphrase. The old file stays: it signs nothing any more, and tells whose old signatures are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from sft.client.api import Requester
from sft.client.api.people import rotate_key
from sft.client.identity import Ask, Identity, KeyEncoder, encode_key, key_file_name
from sft.client.profiles import Profile, Profiles
from sft.client.state import StateFolder
from sft.crypto.keys import SigningKey

if TYPE_CHECKING:
    from sft.transport.threads import Pool


def as_rotated(profile: Profile) -> Profile:
    """Return a profile as it is once the server took the next key; only with one that has a next key."""
    return replace(
        profile,
        public_key=profile.next_key,
        key_file=profile.next_key_file,
        former_keys=(*profile.former_keys, profile.public_key),
        next_key=b"",
        next_key_file="",
    )


def keep_rotated(state: StateFolder, profile: Profile) -> Profile:
    """Have the next key be ours from now on (blocks)."""
    new = as_rotated(profile)
    return Profiles(state).update(
        profile.name,
        public_key=new.public_key,
        key_file=new.key_file,
        former_keys=new.former_keys,
        next_key=b"",
        next_key_file="",
    )


async def prepare(
    state: StateFolder, profile: Profile, pool: Pool, ask: Ask, *, encode_key: KeyEncoder = encode_key
) -> tuple[Profile, SigningKey]:
    """Make the next key and keep it, or open the one that an earlier attempt left.

    Args:
        ask: the passphrase of the key that is there.

    Raises:
        KeyLockedError, PassphraseWrongError, KeyFormatError: as ``Identity.open``.
    """
    if profile.next_key:
        return profile, await Identity(state, as_rotated(profile)).open(pool, ask)
    identity = Identity(state, profile)
    await identity.open(pool, ask)
    passphrase = await ask() if await pool.run(identity.encrypted) else None
    key = SigningKey.generate()
    text = await pool.run(encode_key, key, passphrase)

    def store() -> Profile:
        name = key_file_name(key.public)
        state.write(name, text.encode())
        return Profiles(state).update(profile.name, next_key=key.public.encode(), next_key_file=name)

    return await pool.run(store), key


async def rotate(session: Requester, state: StateFolder, pool: Pool, profile: Profile) -> Profile:
    """Ask that the next key follows the session's, and keep that it did.

    Args:
        profile: as ``prepare`` returned it.
    """
    await rotate_key(session, profile.next_key, profile.device)
    return await pool.run(keep_rotated, state, profile)
