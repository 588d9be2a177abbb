"""ML-DSA-44 (FIPS 204) on raw bytes, for cosignatures alone; with an empty context, as C2SP has it.

The library is loaded at the first use: starting is most of what a short command costs, and most never see a cosignature.
"""

from __future__ import annotations

from typing import Final

from sft.errors import SignatureInvalidError

SEED_BYTES: Final = 32
PUBLIC_BYTES: Final = 1312
SIGNATURE_BYTES: Final = 2420


class MlDsa44Secret:
    """A seed, expanded once. Never shown: neither ``repr`` nor pickle gives it away."""

    __slots__ = ("_secret", "public")

    def __init__(self, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
        self._secret = MLDSA44PrivateKey.from_seed_bytes(seed)
        self.public = self._secret.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Sign raw bytes; the library draws randomness of its own, so no two signatures are alike."""
        return self._secret.sign(message)

    def __repr__(self) -> str:
        return "MlDsa44Secret(…)"

    def __reduce__(self) -> str:
        raise TypeError("a secret key is not serialized by accident")


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature over raw bytes; SignatureInvalidError: of another key, over other bytes, or malformed."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
        raise SignatureInvalidError("a key or signature of another length")
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature as fault:
        raise SignatureInvalidError("ML-DSA-44: the signature does not hold") from fault
