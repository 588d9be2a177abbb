"""SecretBoxes, and the SealedBox that delivers a session key.

Rules. The nonce is always given: a box carries none, and no pair of key and nonce is used twice (a
counter or a chunk index sees to that). Every fault of opening is one error, so that nothing can be
learned from which it was. The client's key is made for one connection attempt and dropped with its
first use: that is what gives forward secrecy.
"""

from __future__ import annotations

import os
from typing import Final

import nacl.bindings

from sft.crypto._faults import FaultsAs
from sft.crypto.keys import KEY_BYTES, Entropy
from sft.errors import DecryptionFailedError, KeyExchangeError

TAG_BYTES: Final = 16
SEALED_SESSION_KEY_BYTES: Final = 80  # sender's key 32, tag 16, session key 32

_OPENING = FaultsAs(DecryptionFailedError)
_EXCHANGE = FaultsAs(KeyExchangeError)


def seal(key: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    """Seal by XSalsa20-Poly1305: tag and ciphertext, 16 bytes longer than the plaintext; the nonce is not in it."""
    return nacl.bindings.crypto_secretbox_easy(plaintext, nonce, key)


def open_box(key: bytes, nonce: bytes, box: bytes) -> bytes:
    """Open what ``seal`` made; DecryptionFailedError if it is changed, cut, or of another key or nonce."""
    with _OPENING:
        return nacl.bindings.crypto_secretbox_open_easy(box, nonce, key)


def deliver_session_key(client_public: bytes, session_key: bytes) -> bytes:
    """Seal a session key to the key that a client made for this connection attempt.

    Args:
        client_public: the peer's X25519 key.
        session_key: 32 bytes.

    Returns:
        80 bytes; they say nothing of who sealed them.

    Raises:
        KeyExchangeError: a key of low order or another length.
    """
    if len(session_key) != KEY_BYTES:
        raise ValueError(f"a session key has {KEY_BYTES} bytes, not {len(session_key)}")
    with _EXCHANGE:
        return nacl.bindings.crypto_box_seal(session_key, client_public)


class EphemeralBox:
    """A client's X25519 key for one connection attempt: it receives once."""

    __slots__ = ("_secret", "public")

    def __init__(self, secret: bytes) -> None:
        self.public = nacl.bindings.crypto_scalarmult_base(secret)
        self._secret: bytes | None = secret

    @classmethod
    def generate(cls, entropy: Entropy = os.urandom) -> EphemeralBox:
        return cls(entropy(KEY_BYTES))

    def receive(self, sealed: bytes) -> bytes:
        """Open the delivered session key and forget the secret, whether it opened or not.

        Raises:
            KeyExchangeError: changed, for another key, of another length, or the second call.
        """
        secret, self._secret = self._secret, None
        if secret is None or len(sealed) != SEALED_SESSION_KEY_BYTES:
            raise KeyExchangeError("used already, or not 80 bytes")
        with _EXCHANGE:
            return nacl.bindings.crypto_box_seal_open(sealed, self.public, secret)

    def __repr__(self) -> str:
        return f"EphemeralBox(public={self.public.hex()})"
