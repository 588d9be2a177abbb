"""ML-KEM-768 (FIPS 203): who records today and has a quantum computer later, reads nothing.

Its secret goes into the traffic keys before the session key; either alone keeps them secret.

Rules. A key receives once, as in ``sft.crypto.sealing``. A changed ciphertext of the right length
gives another secret, no error: the first box then does not open. A library built without ML-KEM is
told apart at the start, by ``require_available``.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from sft.crypto._faults import FaultsAs
from sft.crypto.keys import Entropy
from sft.errors import CryptoUnavailableError, KeyExchangeError

PUBLIC_BYTES: Final = 1184
CIPHERTEXT_BYTES: Final = 1088
_SEED_BYTES: Final = 64

_EXCHANGE = FaultsAs(KeyExchangeError)


def require_available() -> None:
    """Make sure that the library has ML-KEM-768; called once, when a program starts.

    Raises:
        CryptoUnavailableError: it was built on an OpenSSL older than 3.5.
    """
    _private_key(bytes(_SEED_BYTES))


class EphemeralKem:
    """A client's ML-KEM-768 key for one connection attempt: it receives once."""

    __slots__ = ("_secret", "public")

    def __init__(self, secret: MLKEM768PrivateKey) -> None:
        self.public = secret.public_key().public_bytes_raw()
        self._secret: MLKEM768PrivateKey | None = secret

    @classmethod
    def generate(cls, entropy: Entropy = os.urandom) -> EphemeralKem:
        """Draw a key from 64 bytes; CryptoUnavailableError if the library has no ML-KEM-768."""
        return cls(_private_key(entropy(_SEED_BYTES)))

    def receive(self, ciphertext: bytes) -> bytes:
        """Recover the 32-byte secret and forget the key; KeyExchangeError for another length, or a second call."""
        secret, self._secret = self._secret, None
        if secret is None:
            raise KeyExchangeError("used already")
        with _EXCHANGE:
            return secret.decapsulate(ciphertext)

    def __repr__(self) -> str:
        return "EphemeralKem(…)"


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """Agree on a secret with the holder of a public key.

    Returns:
        The secret, 32 bytes, and the ciphertext for the peer, 1,088.

    Raises:
        KeyExchangeError: another length, or coefficients that are not reduced.
        CryptoUnavailableError: the library has no ML-KEM-768.
    """
    try:
        with _EXCHANGE:
            return MLKEM768PublicKey.from_public_bytes(public).encapsulate()
    except UnsupportedAlgorithm as fault:
        raise CryptoUnavailableError(str(fault)) from fault


def _private_key(seed: bytes) -> MLKEM768PrivateKey:
    try:
        return MLKEM768PrivateKey.from_seed_bytes(seed)
    except UnsupportedAlgorithm as fault:
        raise CryptoUnavailableError(str(fault)) from fault
