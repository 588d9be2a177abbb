"""Every derived key: one function and one label each, by HKDF-SHA-512 (RFC 5869).

Rules. A key that came out of here has one use. What a key must be bound to goes into its
derivation: SecretBox has no associated data. Labels stand side by side so that it is seen that no
two are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sft.crypto.keys import KEY_BYTES

TRANSCRIPT_BYTES: Final = 64  # SHA-512

_CLIENT_TO_SERVER: Final = b"sft/%d client to server"  # the number is the protocol's version on this connection
_SERVER_TO_CLIENT: Final = b"sft/%d server to client"
_NEXT_TRAFFIC: Final = b"sft/1 next traffic key"
_PAYLOAD: Final = b"sft/1 vault payload"  # followed by the object's header
_LATER_KEY: Final = b"sft/1 vault later key"  # followed by the header of the first segment under it
_WRAPPING: Final = b"sft/1 master data keys"
_KEYRING: Final = b"sft/1 master keyring"
_KEYRING_CHECK: Final = b"sft/1 master check value"
_OBJECT_SIDECAR: Final = b"sft/1 vault sidecar"  # followed by the object's header


@dataclass(frozen=True, slots=True)
class TrafficKeys:
    """The first key of each direction."""

    client_to_server: bytes = field(repr=False)
    server_to_client: bytes = field(repr=False)


def traffic_keys(version: int, th1: bytes, kem_secret: bytes, session_key: bytes) -> TrafficKeys:
    """Derive both directions' first keys (sft/wire/PROTOCOL.md).

    They depend on the whole transcript: a server that relays one session key into two sessions
    gets different keys. Their labels name the version: what is sealed in one never opens in another.

    Args:
        version: of the protocol, as the hellos agreed.
        th1: SHA-512 over both hellos as sent, 64 bytes.
        kem_secret: what ML-KEM-768 agreed, 32 bytes.
        session_key: what the server delivered, 32 bytes.
    """
    if len(th1) != TRANSCRIPT_BYTES:
        raise ValueError(f"a transcript hash has {TRANSCRIPT_BYTES} bytes, not {len(th1)}")
    secret = _key(kem_secret) + _key(session_key)
    return TrafficKeys(
        client_to_server=_derive(secret, _CLIENT_TO_SERVER % version, salt=th1),
        server_to_client=_derive(secret, _SERVER_TO_CLIENT % version, salt=th1),
    )


def next_traffic_key(key: bytes) -> bytes:
    """Turn the one-way ratchet of one direction: the old key does not follow from the new."""
    return _derive(_key(key), _NEXT_TRAFFIC)


def payload_key(data_key: bytes, header: bytes) -> bytes:
    """Derive the key of a segment's chunks, so that they open under their own header alone."""
    return _derive(_key(data_key), _PAYLOAD + header)


def later_key_key(data_key: bytes, header: bytes) -> bytes:
    """Derive what seals the data key of a later run, from the object's first one and the header that the run begins at."""
    return _derive(_key(data_key), _LATER_KEY + header)


def wrapping_key(master_key: bytes) -> bytes:
    """Derive the key that seals the objects' data keys."""
    return _derive(_key(master_key), _WRAPPING)


def keyring_key(master_key: bytes) -> bytes:
    """Derive the key that seals the keyring."""
    return _derive(_key(master_key), _KEYRING)


def keyring_check(master_key: bytes) -> bytes:
    """Derive a value that tells a wrong master key from a damaged keyring; it opens nothing."""
    return _derive(_key(master_key), _KEYRING_CHECK)


def object_sidecar_key(row_key: bytes, header: bytes) -> bytes:
    """Derive the key of what lies beside one object: from the row key, which stays through a rotation."""
    return _derive(_key(row_key), _OBJECT_SIDECAR + header)


def _key(key: bytes) -> bytes:
    # HKDF takes any length: an empty or cut key would pass unseen.
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
    return key


def _derive(secret: bytes, info: bytes, salt: bytes | None = None) -> bytes:
    return HKDF(algorithm=SHA512(), length=KEY_BYTES, salt=salt, info=info).derive(secret)
