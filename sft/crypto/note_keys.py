"""The keys of signed notes: names, hashes and text form, and what each type signs (C2SP signed-note, tlog-cosignature).

    0x01  Ed25519             the note's text
    0x04  Ed25519 cosignature "cosignature/v1", a line with the time, the text
    0x06  ML-DSA-44 cosignature   "subtree/v1": cosigner's name, time, origin, first leaf (0), size and root of a checkpoint

A key's hash is the first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key). A key's text form (*vkey*, of policy
files) is ``name+hash+base64(type ‖ public key)``, the hash in hexadecimal.

Rules. A hash finds a key and proves nothing: anybody can make another key with it. A cosignature is made of the text of a
checkpoint alone, of exactly three lines: the ML-DSA one would not cover any other. Its time is the cosigner's word.
"""

from __future__ import annotations

import hashlib
import os
import re
from enum import IntEnum
from typing import Final

from msgspec import Struct

from sft.crypto import _ed25519, _mldsa
from sft.crypto._ed25519 import Ed25519Secret
from sft.crypto._mldsa import MlDsa44Secret
from sft.crypto.base64_text import decode_base64, encode_base64
from sft.crypto.comment import MOST, NUMBER, check_numbers
from sft.crypto.keys import SEED_BYTES, Entropy
from sft.errors import KeyFormatError, SignatureInvalidError

KEY_NAME_BYTES: Final = 255  # what "subtree/v1" has room for, of a cosigner and of an origin
KEY_HASH_BYTES: Final = 4

_TIME_BYTES: Final = 8
_SUBTREE: Final = b"subtree/v1\n\x00"
# Compiled when the first one is read: starting is most of what a short command costs.
_CHECKPOINT: Final = rf"(?P<origin>[^\n]+)\n(?P<size>{NUMBER})\n(?P<root>[A-Za-z0-9+/]{{43}}=)\n"
_VKEY: Final = r"(?P<name>[^+]+)\+(?P<hash>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]+=*)"


class SignatureType(IntEnum):
    """C2SP's numbers of the types of signature that are known here."""

    ED25519 = 0x01
    ED25519_COSIGNATURE = 0x04
    MLDSA44_COSIGNATURE = 0x06


_PUBLIC_BYTES: Final = {
    SignatureType.ED25519: _ed25519.POINT_BYTES,
    SignatureType.ED25519_COSIGNATURE: _ed25519.POINT_BYTES,
    SignatureType.MLDSA44_COSIGNATURE: _mldsa.PUBLIC_BYTES,
}


class NoteKey(Struct, frozen=True):
    """A public key that signs notes, with the name and type that it does so under; KeyFormatError for what is none."""

    name: str
    kind: SignatureType
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise KeyFormatError("a key's name has no space and no plus")
        if len(self.public) != _PUBLIC_BYTES[self.kind]:
            raise KeyFormatError("a note's key of another length")

    def __repr__(self) -> str:
        return f"NoteKey({self.name}+{self.key_hash().hex()})"

    def key_hash(self) -> bytes:
        """The four bytes that a signature line names the key by, beside its name."""
        named = self.name.encode("utf-8") + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:KEY_HASH_BYTES]

    def vkey(self) -> str:
        """Write the text form that policy files have."""
        return f"{self.name}+{self.key_hash().hex()}+{encode_base64(bytes([self.kind]) + self.public)}"

    @classmethod
    def parse_vkey(cls, text: str) -> NoteKey:
        """Read what ``vkey`` writes and nothing else; KeyFormatError for another form or type, or a bad point."""
        found = re.fullmatch(_VKEY, text)
        try:
            data = decode_base64(found["key"]) if found else b""
            key = cls(found["name"] if found else "", SignatureType(data[0] if data else 0), data[1:])
        except ValueError as fault:
            raise KeyFormatError("not the text form of a note's key") from fault
        if key.vkey() != text:
            raise KeyFormatError("the hash is another key's")
        if len(key.public) == _ed25519.POINT_BYTES and not _ed25519.is_point(key.public):
            raise KeyFormatError("no point of the curve")
        return key

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check a signature of a note's text.

        Returns:
            When a cosigner says that it signed, in Unix seconds; None for a signature that has no time.

        Raises:
            SignatureInvalidError: of another key or text, malformed, or a cosignature of what is no checkpoint.
        """
        if self.kind is SignatureType.ED25519:
            _ed25519.verify(self.public, text.encode("utf-8"), signature)
            return None
        timestamp = int.from_bytes(signature[:_TIME_BYTES], "big")
        if timestamp > MOST:
            raise SignatureInvalidError("a time that no clock shows")
        message = _cosigned(self.kind, self.name, text, timestamp)
        verify = _ed25519.verify if self.kind is SignatureType.ED25519_COSIGNATURE else _mldsa.verify
        verify(self.public, message, signature[_TIME_BYTES:])
        return timestamp


class CosignerKey:
    """A cosigner's secret key. It signs the text of checkpoints alone, each with a time."""

    __slots__ = ("_secret", "public")

    def __init__(self, name: str, kind: SignatureType, seed: bytes) -> None:
        """Make the key that follows from a 32-byte seed; ValueError for a type that is no cosignature."""
        if kind is SignatureType.ED25519:
            raise ValueError("not a type of cosignature")
        if kind is SignatureType.MLDSA44_COSIGNATURE:
            mldsa = MlDsa44Secret(seed)
            self._secret: Ed25519Secret | MlDsa44Secret = mldsa
            self.public = NoteKey(name, kind, mldsa.public)
        else:
            ed25519 = Ed25519Secret(seed)
            self._secret = ed25519
            self.public = NoteKey(name, kind, ed25519.point)

    @classmethod
    def generate(cls, name: str, kind: SignatureType, entropy: Entropy = os.urandom) -> CosignerKey:
        return cls(name, kind, entropy(SEED_BYTES))

    def cosign(self, text: str, *, timestamp: int) -> bytes:
        """Say that the log was seen at this checkpoint, and grown from all that were seen before.

        Returns:
            What a signature line holds after the key's hash: time and signature.

        Raises:
            SignatureInvalidError: the text is no checkpoint's.
        """
        check_numbers(timestamp=timestamp)
        message = _cosigned(self.public.kind, self.public.name, text, timestamp)
        return timestamp.to_bytes(_TIME_BYTES, "big") + self._secret.sign(message)

    def __repr__(self) -> str:
        return f"CosignerKey(public={self.public!r})"


def is_key_name(name: str) -> bool:
    """Return whether a key may have this name: no space of any script, no plus, no control character."""
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        return False
    try:
        return len(name.encode("utf-8")) <= KEY_NAME_BYTES
    except UnicodeEncodeError:
        return False


def _cosigned(kind: SignatureType, name: str, text: str, timestamp: int) -> bytes:
    found = re.fullmatch(_CHECKPOINT, text)
    if found is None:
        raise SignatureInvalidError("not the text of a checkpoint")
    try:
        root = decode_base64(found["root"])
        size = int(found["size"])
        check_numbers(size=size)
        named = _short(name) + timestamp.to_bytes(_TIME_BYTES, "big") + _short(found["origin"])
    except ValueError as fault:
        raise SignatureInvalidError(f"not the text of a checkpoint: {fault}") from fault
    if kind is SignatureType.ED25519_COSIGNATURE:
        return f"cosignature/v1\ntime {timestamp}\n{text}".encode()
    return _SUBTREE + named + bytes(8) + size.to_bytes(8, "big") + root


def _short(text: str) -> bytes:
    data = text.encode("utf-8")
    if not 1 <= len(data) <= KEY_NAME_BYTES:
        raise ValueError(f"a name has 1 to {KEY_NAME_BYTES} bytes")
    return bytes([len(data)]) + data
