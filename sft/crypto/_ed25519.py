"""Ed25519 on raw bytes, for keys, signatures and notes alone.

PyNaCl's binding reads 32 bytes of a key whatever its length: every length is checked here first.
libsodium refuses small-order keys and a second form of the same signature (S + L).
"""

from __future__ import annotations

from typing import Final

import nacl.bindings

from sft.crypto._faults import FaultsAs
from sft.errors import SignatureInvalidError

SEED_BYTES: Final = 32
POINT_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_REFUSED = FaultsAs(SignatureInvalidError)


class Ed25519Secret:
    """A seed, expanded once. Never shown: neither ``repr`` nor pickle gives it away."""

    __slots__ = ("_expanded", "point")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
        self.point, self._expanded = nacl.bindings.crypto_sign_seed_keypair(seed)

    @property
    def seed(self) -> bytes:
        """The 32 bytes that everything else follows from."""
        return self._expanded[:SEED_BYTES]

    def sign(self, message: bytes) -> bytes:
        """Sign raw bytes; the caller has given them a form that no other row of the table has."""
        return nacl.bindings.crypto_sign(message, self._expanded)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        return "Ed25519Secret(…)"

    def __reduce__(self) -> str:
        raise TypeError("a secret key is not serialized by accident")


def verify(point: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature over raw bytes; SignatureInvalidError: of another key, over other bytes, or malformed."""
    if len(point) != POINT_BYTES or len(signature) != SIGNATURE_BYTES:
        raise SignatureInvalidError("a key or signature of another length")
    with _REFUSED:
        nacl.bindings.crypto_sign_open(signature + message, point)


def is_point(point: bytes) -> bool:
    """Return whether 32 bytes can be a public key at all: on the curve, in its prime-order group."""
    try:
        nacl.bindings.crypto_sign_ed25519_pk_to_curve25519(point)
    except RuntimeError:
        return False
    return True
