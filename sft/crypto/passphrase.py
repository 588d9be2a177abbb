"""A server's master key from a passphrase: Argon2id.

Salt and parameters lie beside what the key opens, in the clear; a hostile file may ask for much,
so both have a bound.
"""

from __future__ import annotations

from typing import Final

import nacl.bindings

from sft import limits
from sft.crypto.keys import KEY_BYTES
from sft.errors import KeyFormatError

SALT_BYTES: Final = 16
OPSLIMIT: Final = 3  # libsodium's "moderate": 0.4 s once, when a server starts
MEMLIMIT: Final = 256 * limits.MIB

_MOST_OPSLIMIT: Final = 16
_LEAST_MEMLIMIT: Final = 8 * limits.KIB  # the least that Argon2id takes
_MOST_MEMLIMIT: Final = limits.GIB


def derive(passphrase: str, salt: bytes, ops: int = OPSLIMIT, mem: int = MEMLIMIT) -> bytes:
    """Derive 32 bytes; a wrong passphrase gives a key that opens nothing.

    Args:
        passphrase: as typed, byte for byte; it is not normalized.
        salt: 16 random bytes.
        ops: passes over the memory.
        mem: memory, in bytes.

    Raises:
        KeyFormatError: parameters or a salt out of bounds.
        MemoryError: this computer has not so much free.
    """
    if len(salt) != SALT_BYTES:
        raise KeyFormatError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    if not 1 <= ops <= _MOST_OPSLIMIT or not _LEAST_MEMLIMIT <= mem <= _MOST_MEMLIMIT:
        raise KeyFormatError(f"{ops} passes over {mem} bytes are out of bounds")
    try:
        return nacl.bindings.crypto_pwhash_alg(
            KEY_BYTES,
            passphrase.encode("utf-8", "surrogateescape"),
            salt,
            ops,
            mem,
            nacl.bindings.crypto_pwhash_ALG_ARGON2ID13,
        )
    except RuntimeError as fault:  # the only way in which it can still fail
        raise MemoryError(f"Argon2id needs {mem} bytes") from fault
