"""M1, M2 and M3: their layouts, and the transcript that keys and signatures depend on.

Rules. M1 has one layout for ever, so that every server can read every client's: versions and key shares are lists, and a
share of a group that is not known here is passed over. All else is a version's own, and a parser takes exactly that: nothing
is optional, nothing may follow. The transcript is over bytes as they were sent, never over a second encoding. Layouts:
PROTOCOL.md §6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from sft.crypto import kem
from sft.crypto.keys import KEY_BYTES, ServerPublic
from sft.crypto.sealing import SEALED_SESSION_KEY_BYTES
from sft.crypto.signatures import SIGNATURE_BYTES
from sft.crypto.succession import SUCCESSION_BYTES, SUCCESSIONS_MOST
from sft.errors import HandshakeFailedError, LocalProtocolError
from sft.wire.states import FrameType

# Numbers of key shares: those that TLS has for the same groups.
X25519: Final = 0x001D
ML_KEM_768: Final = 0x0201

_MAGIC: Final = b"SFT1"
RANDOM_BYTES: Final = 32
_VERSION_BYTES: Final = 2
_GROUP_BYTES: Final = 2
_LENGTH_BYTES: Final = 2
_SHARE_BYTES: Final = MappingProxyType({X25519: 32, ML_KEM_768: kem.PUBLIC_BYTES})
_TH1: Final = b"sft/1 TH1"
_TH2: Final = b"sft/1 TH2"


class ClientHello(Struct, frozen=True):
    """M1: what the client offers; the key of each share is for this attempt alone."""

    versions: tuple[int, ...]
    random: bytes
    shares: Mapping[int, bytes]

    def encode(self) -> bytes:
        offered = b"".join(version.to_bytes(_VERSION_BYTES, "big") for version in self.versions)
        count = len(self.versions).to_bytes(1, "big")
        shares = b"".join(
            group.to_bytes(_GROUP_BYTES, "big") + len(share).to_bytes(_LENGTH_BYTES, "big") + share
            for group, share in self.shares.items()
        )
        return _MAGIC + count + offered + self.random + shares

    @classmethod
    def decode(cls, data: bytes) -> ClientHello:
        """Read M1, with the shares of groups that are not known here; HandshakeFailedError for another layout."""
        head, offers = data[:5], data[5:]
        if len(head) != len(_MAGIC) + 1 or head[:4] != _MAGIC:
            raise HandshakeFailedError("not the hello of a client")
        end = head[4] * _VERSION_BYTES
        if not end or len(offers) < end:
            raise HandshakeFailedError("a hello without its versions")
        versions = tuple(
            int.from_bytes(offers[at : at + _VERSION_BYTES], "big") for at in range(0, end, _VERSION_BYTES)
        )
        random, shares = offers[end : end + RANDOM_BYTES], offers[end + RANDOM_BYTES :]
        if len(random) != RANDOM_BYTES:
            raise HandshakeFailedError("a hello that is cut")
        return cls(versions, random, _shares(shares))


class ServerHello(Struct, frozen=True):
    """M2 of version 1: the version for this connection, and the server's halves of both key exchanges."""

    version: int
    random: bytes
    sealed_key: bytes
    kem_ciphertext: bytes

    def encode(self) -> bytes:
        version = self.version.to_bytes(_VERSION_BYTES, "big")
        return version + self.random + self.sealed_key + self.kem_ciphertext

    @staticmethod
    def version_of(data: bytes) -> int:
        """Read which version M2 names, whatever the rest of it is; HandshakeFailedError if it names none."""
        if len(data) < _VERSION_BYTES:
            raise HandshakeFailedError("not the hello of a server")
        return int.from_bytes(data[:_VERSION_BYTES], "big")

    @classmethod
    def decode(cls, data: bytes) -> ServerHello:
        """Read M2; HandshakeFailedError for another layout."""
        version = cls.version_of(data)
        random, sealed_key, kem_ciphertext = _split(
            data[_VERSION_BYTES:], RANDOM_BYTES, SEALED_SESSION_KEY_BYTES, kem.CIPHERTEXT_BYTES
        )
        return cls(version, random, sealed_key, kem_ciphertext)


class ServerProof(Struct, frozen=True):
    """M3: which key the server has, its signature over the first transcript, and which keys this one followed.

    Args:
        successions: notes, oldest first; LocalProtocolError for more than M3 has room for.
    """

    server: ServerPublic
    signature: bytes
    successions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.successions) > SUCCESSIONS_MOST or any(len(note) > SUCCESSION_BYTES for note in self.successions):
            raise LocalProtocolError(f"{len(self.successions)} successions do not fit")

    def encode(self) -> bytes:
        notes = [note.encode("utf-8") for note in self.successions]
        return (
            bytes([FrameType.SERVER_PROOF])
            + self.server.point
            + self.signature
            + bytes([len(notes)])
            + b"".join(len(note).to_bytes(_LENGTH_BYTES, "big") + note for note in notes)
        )

    @classmethod
    def decode(cls, plaintext: bytes) -> ServerProof:
        """Read M3's plaintext; HandshakeFailedError for another layout."""
        end = 1 + KEY_BYTES + SIGNATURE_BYTES + 1
        _, point, signature, count = _split(plaintext[:end], 1, KEY_BYTES, SIGNATURE_BYTES, 1)
        if count[0] > SUCCESSIONS_MOST:
            raise HandshakeFailedError("more successions than may come")
        notes, rest = [], plaintext[end:]
        for _ in range(count[0]):
            note, rest = _prefixed(rest)
            if len(note) > SUCCESSION_BYTES:
                raise HandshakeFailedError("a succession that is too long")
            try:
                notes.append(note.decode("utf-8"))
            except UnicodeDecodeError:
                raise HandshakeFailedError("a succession that is no text") from None
        if rest:
            raise HandshakeFailedError("bytes after the successions")
        return cls(ServerPublic(point), signature, tuple(notes))


def first_transcript(m1_frame: bytes, m2_frame: bytes) -> bytes:
    """Compute TH1 over both hellos as sent, frame headers included."""
    return hashlib.sha512(_TH1 + m1_frame + m2_frame).digest()


def second_transcript(th1: bytes, m3_plaintext: bytes) -> bytes:
    """Compute TH2, which adds who the server is."""
    return hashlib.sha512(_TH2 + th1 + m3_plaintext).digest()


def _split(data: bytes, *lengths: int) -> list[bytes]:
    if len(data) != sum(lengths):
        raise HandshakeFailedError(f"{len(data)} bytes, where {sum(lengths)} belong")
    fields, at = [], 0
    for length in lengths:
        fields.append(data[at : at + length])
        at += length
    return fields


def _shares(data: bytes) -> Mapping[int, bytes]:
    shares: dict[int, bytes] = {}
    while data:
        group = int.from_bytes(data[:_GROUP_BYTES], "big")
        share, data = _prefixed(data[_GROUP_BYTES:])
        if group in shares or len(share) != _SHARE_BYTES.get(group, len(share)):
            raise HandshakeFailedError(f"the key share of group {group} is there twice, or has another length")
        shares[group] = share
    return shares


def _prefixed(data: bytes) -> tuple[bytes, bytes]:
    """Take a length and so many bytes from the left; return them and the rest."""
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    if len(data) < max(end, _LENGTH_BYTES):
        raise HandshakeFailedError("a field that is cut")
    return data[_LENGTH_BYTES:end], data[end:]
