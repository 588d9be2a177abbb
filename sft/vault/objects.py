"""Objects as bytes: sealing and opening a whole one, and the keys of a big one (FORMAT.md §3).

Rules. Pure: no file, no clock, and the only random source is the keyring's. A content is sealed under a data key of its own
that is never used again. Nothing of a content is returned before its tags held. Small objects lie in the database as what
``seal_whole`` returns; they are the same bytes that a file would hold.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sft.crypto.digests import blake2b_512
from sft.crypto.kdf import object_sidecar_key, payload_key
from sft.crypto.sealing import open_box, seal
from sft.crypto.stream import open_chunk, seal_chunk
from sft.errors import DecryptionFailedError
from sft.limits import CHUNK_BYTES
from sft.vault.keyring import Keyring
from sft.vault.layout import (
    HEADER_BYTES,
    KEY_BYTES,
    NONCE_BYTES,
    SIDECAR_HEADER,
    SIDECAR_HEADER_BYTES,
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
)

__all__ = [
    "ObjectKeys",
    "check_whole",
    "fits_inline",
    "new_object",
    "open_sidecar",
    "open_whole",
    "reseal_whole",
    "seal_sidecar",
    "seal_whole",
    "sealed_size",
]


@dataclass(frozen=True, slots=True, eq=False)
class ObjectKeys:
    """The keys of one object, as its row gives them.

    Attributes:
        object_id: 16 bytes.
        data_key: what the row holds sealed; the key of the chunks is derived from it.
        payload: key of the chunks.
    """

    object_id: bytes
    data_key: bytes = field(repr=False)
    payload: bytes = field(repr=False)

    @classmethod
    def of(cls, object_id: bytes, data_key: bytes) -> ObjectKeys:
        return cls(object_id, data_key, payload_key(data_key, encode_header(object_id)))

    @classmethod
    def opened(cls, keyring: Keyring, object_id: bytes, header: bytes, key: SealedKey) -> ObjectKeys:
        """Check an object's header and open its data key.

        Args:
            keyring: that opens it.
            object_id: and key, from the authenticated row.
            header: the object's first bytes, as many as there are of ``HEADER_BYTES``.

        Raises:
            ObjectCorruptError: another header, or a sealed key that does not hold.
        """
        require_header(header, object_id)
        return cls.of(object_id, keyring.unwrap(object_id, key))

    def open_chunk(self, index: int, sealed: bytes, *, last: bool) -> bytes:
        """Open a chunk of this object; ObjectCorruptError if it is changed, or of another place or object."""
        try:
            return open_chunk(self.payload, index, last, sealed)
        except DecryptionFailedError as fault:
            raise corrupt(self.object_id, f"is damaged in chunk {index}") from fault


class OpenedSidecar(NamedTuple):
    """What lies beside an object, opened."""

    data_key: bytes
    content: bytes


def seal_sidecar(keyring: Keyring, keys: ObjectKeys, content: bytes) -> bytes:
    """Seal what lies beside an object, so that it opens for this object alone."""
    plain = keys.data_key + content
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
    return OpenedSidecar(plain[:KEY_BYTES], plain[KEY_BYTES:])


def _sidecar_key(keyring: Keyring, object_id: bytes) -> bytes:
    return object_sidecar_key(keyring.row_key, encode_header(object_id))


def new_object(keyring: Keyring, object_id: bytes) -> tuple[SealedKey, ObjectKeys]:
    """Draw the data key of a new object.

    Returns:
        The key sealed, for the object's row, and the keys.
    """
    data_key = keyring.random(KEY_BYTES)
    return keyring.wrap(object_id, data_key), ObjectKeys.of(object_id, data_key)


def seal_whole(keyring: Keyring, object_id: bytes, content: bytes) -> tuple[SealedKey, bytes]:
    """Seal a content of any size in one piece.

    Returns:
        The sealed key, for the object's row, and the object.
    """
    key, keys = new_object(keyring, object_id)
    final = chunk_count(len(content)) - 1
    return key, encode_header(object_id) + b"".join(
        seal_chunk(keys.payload, i, i == final, content[i * CHUNK_BYTES : (i + 1) * CHUNK_BYTES])
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
    require_length(object_id, len(sealed), size)
    keys = ObjectKeys.opened(keyring, object_id, sealed[:HEADER_BYTES], key)
    final = chunk_count(size) - 1
    for index in range(final + 1):
        at, length = chunk_span(index, size)
        yield keys.open_chunk(index, sealed[at : at + length], last=index == final)


def require_length(object_id: bytes, found: int, size: int) -> None:
    """Refuse an object of another length than that of its content, before a byte is opened."""
    if found != sealed_size(size):
        raise corrupt(object_id, f"has {found} bytes instead of {sealed_size(size)}")
