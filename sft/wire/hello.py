"""M1, M2 and M3: their layouts, and the transcript that keys and signatures depend on.

Rules. A parser takes exactly one layout: every field has a fixed length, nothing is optional, nothing may follow. The
transcript is over bytes as they were sent, never over a second encoding. Layouts: PROTOCOL.md §6.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from sft.crypto import kem
from sft.crypto.keys import KEY_BYTES, ServerPublic
from sft.crypto.sealing import SEALED_SESSION_KEY_BYTES
from sft.crypto.signatures import SIGNATURE_BYTES
from sft.errors import HandshakeFailedError, VersionUnknownError
from sft.wire.states import FrameType

VERSION: Final = 1
VERSIONS: Final = (VERSION,)  # that this program speaks, the best first

_MAGIC: Final = b"SFT1"
RANDOM_BYTES: Final = 32
_VERSION_BYTES: Final = 2
_PUBLIC_BYTES: Final = 32
_TH1: Final = b"sft/1 TH1"
_TH2: Final = b"sft/1 TH2"


@dataclass(frozen=True, slots=True)
class ClientHello:
    """M1: what the client offers; both keys are for this attempt alone."""

    versions: tuple[int, ...]
    random: bytes
    box_key: bytes
    kem_key: bytes

    def encode(self) -> bytes:
        offered = b"".join(version.to_bytes(_VERSION_BYTES, "big") for version in self.versions)
        count = len(self.versions).to_bytes(1, "big")
        return _MAGIC + count + offered + self.random + self.box_key + self.kem_key

    @classmethod
    def decode(cls, data: bytes) -> ClientHello:
        """Read M1.

        Raises:
            VersionUnknownError: no version in common; the rest was not looked at.
            HandshakeFailedError: another layout.
        """
        head, offers = data[:5], data[5:]
        if len(head) != len(_MAGIC) + 1 or head[:4] != _MAGIC:
            raise HandshakeFailedError("not the hello of a client")
        end = head[4] * _VERSION_BYTES
        if not end or len(offers) < end:
            raise HandshakeFailedError("a hello without its versions")
        versions = tuple(
            int.from_bytes(offers[at : at + _VERSION_BYTES], "big") for at in range(0, end, _VERSION_BYTES)
        )
        if VERSION not in versions:
            raise VersionUnknownError(theirs=_listed(versions), ours=_listed(VERSIONS))
        random, box_key, kem_key = _split(offers[end:], RANDOM_BYTES, _PUBLIC_BYTES, kem.PUBLIC_BYTES)
        return cls(versions, random, box_key, kem_key)


@dataclass(frozen=True, slots=True)
class ServerHello:
    """M2: the version for this connection, and the server's halves of both key exchanges."""

    version: int
    random: bytes
    sealed_key: bytes
    kem_ciphertext: bytes

    def encode(self) -> bytes:
        version = self.version.to_bytes(_VERSION_BYTES, "big")
        return version + self.random + self.sealed_key + self.kem_ciphertext

    @classmethod
    def decode(cls, data: bytes) -> ServerHello:
        """Read M2.

        Raises:
            VersionUnknownError: a version that was not offered; the rest was not looked at.
            HandshakeFailedError: another layout.
        """
        if len(data) < _VERSION_BYTES:
            raise HandshakeFailedError("not the hello of a server")
        version = int.from_bytes(data[:_VERSION_BYTES], "big")
        if version not in VERSIONS:
            raise VersionUnknownError(theirs=str(version), ours=_listed(VERSIONS))
        random, sealed_key, kem_ciphertext = _split(
            data[_VERSION_BYTES:], RANDOM_BYTES, SEALED_SESSION_KEY_BYTES, kem.CIPHERTEXT_BYTES
        )
        return cls(version, random, sealed_key, kem_ciphertext)


@dataclass(frozen=True, slots=True)
class ServerProof:
    """M3: which key the server has, and its signature over the first transcript."""

    server: ServerPublic
    signature: bytes

    def encode(self) -> bytes:
        return bytes([FrameType.SERVER_PROOF]) + self.server.point + self.signature

    @classmethod
    def decode(cls, plaintext: bytes) -> ServerProof:
        """Read M3's plaintext; HandshakeFailedError for another layout."""
        _, point, signature = _split(plaintext, 1, KEY_BYTES, SIGNATURE_BYTES)
        return cls(ServerPublic(point), signature)


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


def _listed(versions: tuple[int, ...]) -> str:
    return ", ".join(map(str, versions[:8]))
