"""Objects as bytes: sealing and opening a whole small one, and what lies beside one (FORMAT.md §3, §5).

Rules. Pure: no file, no clock, and the only random source is the keyring's. A content is sealed under a data key of its own
that is never used again. Nothing of a content is returned before its tags held. Small objects lie in the database as what
``seal_whole`` returns; they are the same bytes that a file would hold.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import NamedTuple

from sft.crypto.digests import blake2b_512
from sft.crypto.kdf import object_sidecar_key
from sft.crypto.sealing import open_box, seal
from sft.crypto.stream import seal_chunk
from sft.errors import DecryptionFailedError
from sft.limits import CHUNK_BYTES
from sft.vault.keyring import Keyring
from sft.vault.layout import (
    HEADER_BYTES,
    LATER_KEY_BYTES,
    NONCE_BYTES,
    SIDECAR_HEADER,
    SIDECAR_HEADER_BYTES,
    SIDECAR_KEYS,
    SIDECAR_MAGIC,
    SIDECAR_MOST_BYTES,
    TAG_BYTES,
    VERSION,
    SealedKey,
    chunk_count,
    chunk_span,
    corrupt,
    encode_header,
    fits_inline,
    require_header,
    sealed_size,
    segment_count,
    segment_size,
)
from sft.vault.object_keys import ObjectKeys, new_object

__all__ = [
    "check_whole",
    "fits_inline",
    "open_sidecar",
    "open_whole",
    "reseal_whole",
    "seal_sidecar",
    "seal_whole",
    "sealed_size",
]


class OpenedSidecar(NamedTuple):
    """What lies beside an object, opened: its first data key, those of later runs as its row holds them, and the rest."""

    data_key: bytes
    later: bytes
    content: bytes


def seal_sidecar(keyring: Keyring, keys: ObjectKeys, later: bytes, content: bytes) -> bytes:
    """Seal what lies beside an object, so that it opens for this object alone."""
    plain = SIDECAR_KEYS.pack(keys.data_key, len(later) // LATER_KEY_BYTES) + later + content
    if len(plain) > SIDECAR_MOST_BYTES - SIDECAR_HEADER_BYTES - TAG_BYTES:
        raise ValueError(f"a sidecar of {len(content)} bytes is too long")
    nonce = keyring.random(NONCE_BYTES)
    header = SIDECAR_HEADER.pack(SIDECAR_MAGIC, VERSION, 0, nonce)
    return header + seal(_sidecar_key(keyring, keys.object_id), nonce, plain)


def open_sidecar(keyring: Keyring, object_id: bytes, sealed: bytes) -> OpenedSidecar:
    """Open what lies beside an object.

    Raises:
        ObjectCorruptError: changed, or of another object.
    """
    nonce = sealed[SIDECAR_HEADER_BYTES - NONCE_BYTES : SIDECAR_HEADER_BYTES]
    if len(nonce) != NONCE_BYTES or not sealed.startswith(SIDECAR_HEADER.pack(SIDECAR_MAGIC, VERSION, 0, nonce)):
        raise corrupt(object_id, "has a sidecar of an unknown form")
    try:
        plain = open_box(_sidecar_key(keyring, object_id), nonce, sealed[SIDECAR_HEADER_BYTES:])
    except DecryptionFailedError as fault:
        raise corrupt(object_id, "has a damaged sidecar") from fault
    if len(plain) < SIDECAR_KEYS.size:
        raise corrupt(object_id, "has a sidecar that is too short")
    data_key, runs = SIDECAR_KEYS.unpack_from(plain)
    rest = SIDECAR_KEYS.size + runs * LATER_KEY_BYTES
    if len(plain) < rest:
        raise corrupt(object_id, "has a sidecar that is too short")
    return OpenedSidecar(data_key, plain[SIDECAR_KEYS.size : rest], plain[rest:])


def _sidecar_key(keyring: Keyring, object_id: bytes) -> bytes:
    return object_sidecar_key(keyring.row_key, encode_header(object_id))


def seal_whole(keyring: Keyring, object_id: bytes, content: bytes) -> tuple[SealedKey, bytes]:
    """Seal a content of one segment in one piece.

    Returns:
        The sealed key, for the object's row, and the object.
    """
    if segment_count(len(content)) > 1:
        raise ValueError(f"a content of {len(content)} bytes is no single segment")
    key, keys = new_object(keyring, object_id)
    final = chunk_count(len(content)) - 1
    return key, encode_header(object_id) + b"".join(
        seal_chunk(keys.payload(0), i, i == final, content[i * CHUNK_BYTES : (i + 1) * CHUNK_BYTES])
        for i in range(final + 1)
    )


def open_whole(keyring: Keyring, object_id: bytes, size: int, key: SealedKey, sealed: bytes) -> bytes:
    """Open what ``seal_whole`` made.

    Args:
        keyring: that holds the key's epoch.
        object_id: size and key likewise, from the authenticated row.
        size: of the content, in bytes.
        sealed: the object.

    Raises:
        ObjectCorruptError: anything is not as it was sealed.
    """
    return b"".join(_chunks(keyring, object_id, size, key, sealed))


def check_whole(keyring: Keyring, object_id: bytes, size: int, digest: bytes, key: SealedKey, sealed: bytes) -> None:
    """Check that an object holds the content that its row names.

    Raises:
        ObjectCorruptError: it does not open, or holds another content.
    """
    found = blake2b_512()
    for chunk in _chunks(keyring, object_id, size, key, sealed):
        found.update(chunk)
    require_digest(object_id, found.digest(), digest)


def require_digest(object_id: bytes, found: bytes, digest: bytes) -> None:
    """Refuse a content that is not the one that its row names."""
    if not hmac.compare_digest(found, digest):
        raise corrupt(object_id, "holds another content than its row names")


def reseal_whole(
    keyring: Keyring, object_id: bytes, size: int, key: SealedKey, sealed: bytes, new_object_id: bytes
) -> tuple[SealedKey, bytes]:
    """Seal the same content as a new object under a new data key, as after a leak."""
    return seal_whole(keyring, new_object_id, open_whole(keyring, object_id, size, key, sealed))


def _chunks(keyring: Keyring, object_id: bytes, size: int, key: SealedKey, sealed: bytes) -> Iterator[bytes]:
    if segment_count(size) > 1:
        raise corrupt(object_id, f"is no content of {size} bytes")
    require_length(object_id, len(sealed), size)
    require_header(sealed[:HEADER_BYTES], object_id)
    keys = ObjectKeys.opened(keyring, object_id, key)
    final = chunk_count(size) - 1
    for index in range(final + 1):
        at, length = chunk_span(index, size)
        yield keys.open_chunk(index, sealed[at : at + length], last=index == final)


def require_length(object_id: bytes, found: int, size: int, segment: int = 0) -> None:
    """Refuse a segment of another length than a content of ``size`` bytes gives it, before a byte is opened."""
    wanted = segment_size(segment, size)
    if found != wanted:
        which = f" in segment {segment}" if segment else ""
        raise corrupt(object_id, f"has {found} bytes instead of {wanted}{which}")
