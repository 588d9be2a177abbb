"""The kinds of key, and how a person sees one.

    SigningKey / PublicKey      a user's device: a minisign key pair, everywhere in minisign's form
    ServerKey / ServerPublic    the server's identity
    InvitationKey               one invitation: the link carries the seed, the server its point

Rules. A public key is looked up by all of its 42 bytes, never by its key id: eight random bytes
that anyone can copy. What signs is chosen by type, so that no key serves two kinds. Secrets are in
no ``repr``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct

from sft.crypto import _ed25519
from sft.crypto._ed25519 import Ed25519Secret
from sft.crypto.base64_text import decode_base64, encode_base64
from sft.crypto.words import words
from sft.errors import KeyFormatError

Entropy = Callable[[int], bytes]  # so many random bytes

KEY_BYTES: Final = 32  # every symmetric key
SEED_BYTES: Final = _ed25519.SEED_BYTES
KEY_ID_BYTES: Final = 8

_ALGORITHM: Final = b"Ed"
_PUB_FILE_LINES: Final = 2


class PublicKey(Struct, frozen=True):
    """A user's public key in minisign's form."""

    key_id: bytes
    point: bytes

    def __post_init__(self) -> None:
        if len(self.key_id) != KEY_ID_BYTES or len(self.point) != _ed25519.POINT_BYTES:
            raise KeyFormatError("a public key has 8 bytes of key id and 32 of point")

    def __repr__(self) -> str:
        return f"PublicKey({self.text()})"

    def encode(self) -> bytes:
        """The 42 bytes: "Ed", key id, point."""
        return _ALGORITHM + self.key_id + self.point

    @classmethod
    def decode(cls, data: bytes) -> PublicKey:
        """Read the 42 bytes; KeyFormatError for another length or algorithm."""
        if data[:2] != _ALGORITHM:
            raise KeyFormatError("not a minisign public key")
        return cls(key_id=data[2:10], point=data[10:])

    @classmethod
    def decode_or_none(cls, data: bytes) -> PublicKey | None:
        """Read what a peer shows as somebody's key."""
        try:
            return cls.decode(data)
        except KeyFormatError:
            return None

    def text(self) -> str:
        """The 56 characters that minisign's ``-P`` takes; they begin with ``RW``."""
        return encode_base64(self.encode())

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read the 56 characters or a whole ``.pub`` file; KeyFormatError for anything else, or a bad point."""
        lines = text.strip().splitlines()
        if not 1 <= len(lines) <= _PUB_FILE_LINES:
            raise KeyFormatError("neither one line nor a comment and a key")
        line = lines[-1].strip()
        try:
            key = cls.decode(decode_base64(line))
        except ValueError as fault:
            raise KeyFormatError("not base64") from fault
        if not _ed25519.is_point(key.point):
            raise KeyFormatError("no point of the curve")
        return key

    def pub_file(self) -> str:
        """The two lines of minisign's ``.pub`` file; the comment shows the id as the tool does."""
        key_id = int.from_bytes(self.key_id, "little")
        return f"untrusted comment: minisign public key {key_id:X}\n{self.text()}\n"

    def words(self) -> str:
        """The eight words that people compare."""
        return words(self.encode())


class Secret(Protocol):
    """What signs for a public key: here, or elsewhere (``sft.client.agent``)."""

    @property
    def point(self) -> bytes: ...

    @property
    def seed(self) -> bytes:
        """The secret itself; KeyLockedError where it is elsewhere and does not come here."""

    def sign(self, message: bytes) -> bytes: ...


class SigningKey:
    """A user's secret key. It signs through ``sft.crypto.signatures`` alone."""

    __slots__ = ("_secret", "public")

    def __init__(self, secret: Secret, key_id: bytes) -> None:
        self._secret = secret
        self.public = PublicKey(key_id, secret.point)

    @classmethod
    def generate(cls, entropy: Entropy = os.urandom) -> SigningKey:
        """Draw a key: 32 bytes of seed, then 8 of key id."""
        seed = entropy(SEED_BYTES)
        return cls.from_seed(seed, entropy(KEY_ID_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes, key_id: bytes) -> SigningKey:
        """Make the key that follows from a 32-byte seed."""
        return cls(Ed25519Secret(seed), key_id)

    @property
    def seed(self) -> bytes:
        """The secret, for the key file alone."""
        return self._secret.seed

    def _sign(self, message: bytes) -> bytes:
        return self._secret.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.text()})"


class ServerPublic(Struct, frozen=True):
    """A server's public key, which a link carries and a client pins."""

    point: bytes

    def __post_init__(self) -> None:
        if len(self.point) != _ed25519.POINT_BYTES:
            raise KeyFormatError("a server's key has 32 bytes")

    def __repr__(self) -> str:
        return f"ServerPublic({self.point.hex()})"

    def words(self) -> str:
        return words(self.point)

    def server_id(self) -> bytes:
        """BLAKE2b-256 of the key; of a server's first key it is what file comments name."""
        return hashlib.blake2b(self.point, digest_size=32).digest()


class ServerKey:
    """A server's secret identity. It signs hellos and notes alone."""

    __slots__ = ("_secret", "public")

    def __init__(self, secret: Ed25519Secret) -> None:
        self._secret = secret
        self.public = ServerPublic(secret.point)

    @classmethod
    def generate(cls, entropy: Entropy = os.urandom) -> ServerKey:
        return cls.from_seed(entropy(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> ServerKey:
        """Make the key that follows from a 32-byte seed."""
        return cls(Ed25519Secret(seed))

    @property
    def seed(self) -> bytes:
        """The secret, for the keyring alone."""
        return self._secret.seed

    def _sign(self, message: bytes) -> bytes:
        return self._secret.sign(message)

    def __repr__(self) -> str:
        return f"ServerKey(public={self.public.point.hex()})"


class InvitationKey:
    """One invitation. It signs one statement, which admits no other key than the one beside it."""

    __slots__ = ("_secret",)

    def __init__(self, secret: Ed25519Secret) -> None:
        self._secret = secret

    @classmethod
    def generate(cls, entropy: Entropy = os.urandom) -> InvitationKey:
        return cls.from_seed(entropy(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> InvitationKey:
        """Make the key of the 32 bytes that a link carries."""
        return cls(Ed25519Secret(seed))

    @property
    def seed(self) -> bytes:
        """The secret, for the link alone."""
        return self._secret.seed

    @property
    def point(self) -> bytes:
        """The public half, all that the server keeps."""
        return self._secret.point

    def _sign(self, message: bytes) -> bytes:
        return self._secret.sign(message)

    def __repr__(self) -> str:
        return f"InvitationKey(point={self.point.hex()})"
