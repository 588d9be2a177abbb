"""Objects as bytes: sealing and opening a whole one, and the keys of a big one (FORMAT.md §3).

Rules. Pure: no file, no clock, and the only random source is the keyring's. A content is sealed under a data key of its own
that is never used again. Nothing of a content is returned before its tags held. Small objects lie in the database as what
``seal_whole`` returns; they are the same bytes that a file would hold.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field

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
    OBJECT_ID_BYTES,
    PREFIX_BYTES,
    SIDECAR_HEADER,
    SIDECAR_HEADER_BYTES,
    SIDECAR_MAGIC,
    SIDECAR_MOST_BYTES,
    TAG_BYTES,
    VERSION,
    KeySection,
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
    "key_epoch",
    "new_object",
    "open_whole",
    "reseal_whole",
    "rewrap_whole",
    "seal_whole",
    "sealed_size",
]


@dataclass(frozen=True, slots=True, eq=False)
class ObjectKeys:
    """The keys of one object, as its key section gives them.

    Attributes:
        object_id: 16 bytes.
        data_key: what the key section seals; everything else is derived.
        payload: key of the chunks.
    """

    object_id: bytes
    data_key: bytes = field(repr=False)
    payload: bytes = field(repr=False)

    @classmethod
    def of(cls, object_id: bytes, data_key: bytes) -> ObjectKeys:
        return cls(object_id, data_key, payload_key(data_key, encode_header(object_id)))

    @classmethod
    def from_prefix(
        cls, keyring: Keyring, object_id: bytes, prefix: bytes, section: bytes, least_epoch: int
    ) -> ObjectKeys:
        """Check an object's header and open the key section that rules.

        Args:
            keyring: that opens it.
            object_id: as the authenticated row names it.
            prefix: the object's first bytes, as many as there are of ``PREFIX_BYTES``.
            section: the key section that rules, from within the object or from beside it.
            least_epoch: as the row names it.

        Raises:
            ObjectCorruptError: another header, or a key section that does not hold.
        """
        require_header(prefix[:HEADER_BYTES], object_id)
        return cls.of(object_id, keyring.unwrap(object_id, section, least_epoch))

    def open_chunk(self, index: int, sealed: bytes, *, last: bool) -> bytes:
        """Open a chunk of this object; ObjectCorruptError if it is changed, or of another place or object."""
        try:
            return open_chunk(self.payload, index, last, sealed)
        except DecryptionFailedError as fault:
            raise corrupt(self.object_id, f"is damaged in chunk {index}") from fault

    def seal_sidecar(self, keyring: Keyring, content: bytes) -> bytes:
        """Seal what lies beside the object, so that it opens for this object alone."""
        if len(content) > SIDECAR_MOST_BYTES - SIDECAR_HEADER_BYTES - TAG_BYTES:
            raise ValueError(f"a sidecar of {len(content)} bytes is too long")
        nonce = keyring.random(NONCE_BYTES)
        header = SIDECAR_HEADER.pack(SIDECAR_MAGIC, VERSION, 0, nonce)
        return header + seal(self._sidecar_key(), nonce, content)

    def open_sidecar(self, sealed: bytes) -> bytes:
        """Open what lies beside the object; ObjectCorruptError if it is changed, or of another object."""
        nonce = sealed[SIDECAR_HEADER_BYTES - NONCE_BYTES : SIDECAR_HEADER_BYTES]
        if len(nonce) != NONCE_BYTES or not sealed.startswith(SIDECAR_HEADER.pack(SIDECAR_MAGIC, VERSION, 0, nonce)):
            raise corrupt(self.object_id, "has a sidecar of an unknown form")
        try:
            return open_box(self._sidecar_key(), nonce, sealed[SIDECAR_HEADER_BYTES:])
        except DecryptionFailedError as fault:
            raise corrupt(self.object_id, "has a damaged sidecar") from fault

    def _sidecar_key(self) -> bytes:
        return object_sidecar_key(self.data_key, encode_header(self.object_id))


def new_object(keyring: Keyring, object_id: bytes) -> tuple[bytes, ObjectKeys]:
    """Draw the data key of a new object; return header and key section as they begin it, and its keys."""
    header = encode_header(object_id)
    data_key = keyring.random(KEY_BYTES)
    return header + keyring.wrap(object_id, data_key), ObjectKeys.of(object_id, data_key)


def seal_whole(keyring: Keyring, object_id: bytes, content: bytes) -> bytes:
    """Seal a content of any size in one piece; its epoch is the keyring's."""
    prefix, keys = new_object(keyring, object_id)
    final = chunk_count(len(content)) - 1
    return prefix + b"".join(
        seal_chunk(keys.payload, i, i == final, content[i * CHUNK_BYTES : (i + 1) * CHUNK_BYTES])
        for i in range(final + 1)
    )


def open_whole(keyring: Keyring, object_id: bytes, size: int, sealed: bytes, *, least_epoch: int = 1) -> bytes:
    """Open what ``seal_whole`` made.

    Args:
        keyring: that holds the object's epoch.
        object_id: and size, from the authenticated row.
        size: of the content, in bytes.
        sealed: the object.
        least_epoch: from the row.

    Raises:
        ObjectCorruptError: anything is not as it was sealed.
    """
    return b"".join(_chunks(keyring, object_id, size, sealed, least_epoch))


def check_whole(
    keyring: Keyring, object_id: bytes, size: int, digest: bytes, sealed: bytes, *, least_epoch: int = 1
) -> None:
    """Check that an object opens and holds the content that its row names, or raise ObjectCorruptError."""
    found = blake2b_512()
    for chunk in _chunks(keyring, object_id, size, sealed, least_epoch):
        found.update(chunk)
    require_digest(object_id, found.digest(), digest)


def require_digest(object_id: bytes, found: bytes, digest: bytes) -> None:
    """Refuse a content that is not the one that its row names."""
    if not hmac.compare_digest(found, digest):
        raise corrupt(object_id, "holds another content than its row names")


def rewrap_whole(keyring: Keyring, object_id: bytes, sealed: bytes, *, least_epoch: int = 1) -> bytes:
    """Move an object to the current epoch by another key section; ObjectCorruptError if header or section is wrong."""
    prefix = sealed[:PREFIX_BYTES]
    section = prefix[HEADER_BYTES:]
    keys = ObjectKeys.from_prefix(keyring, object_id, prefix, section, least_epoch)
    if key_epoch(sealed) == keyring.epoch:
        return sealed
    wrapped = keyring.wrap(object_id, keys.data_key)
    return prefix[:HEADER_BYTES] + wrapped + sealed[PREFIX_BYTES:]


def reseal_whole(
    keyring: Keyring, object_id: bytes, size: int, sealed: bytes, new_object_id: bytes, *, least_epoch: int = 1
) -> bytes:
    """Seal the same content as a new object under a new data key, as after a leak."""
    content = open_whole(keyring, object_id, size, sealed, least_epoch=least_epoch)
    return seal_whole(keyring, new_object_id, content)


def key_epoch(sealed: bytes) -> int:
    """Read the epoch in an object's key section; nothing vouches for it before the section opens."""
    object_id = sealed[HEADER_BYTES - OBJECT_ID_BYTES : HEADER_BYTES]
    return KeySection.decode(sealed[HEADER_BYTES:PREFIX_BYTES], object_id).epoch


def _chunks(keyring: Keyring, object_id: bytes, size: int, sealed: bytes, least_epoch: int) -> Iterator[bytes]:
    require_length(object_id, len(sealed), size)
    prefix = sealed[:PREFIX_BYTES]
    keys = ObjectKeys.from_prefix(keyring, object_id, prefix, prefix[HEADER_BYTES:], least_epoch)
    final = chunk_count(size) - 1
    for index in range(final + 1):
        at, length = chunk_span(index, size)
        yield keys.open_chunk(index, sealed[at : at + length], last=index == final)


def require_length(object_id: bytes, found: int, size: int) -> None:
    """Refuse an object of another length than that of its content, before a byte is opened."""
    if found != sealed_size(size):
        raise corrupt(object_id, f"has {found} bytes instead of {sealed_size(size)}")
