"""The bytes of version 1: what lies where in a segment, a sealed data key and a sidecar (FORMAT.md §3 to §5).

Rules. Nothing here knows a key. Every length follows from the content's size, so a reader knows it beforehand and refuses
any other. Whatever this version does not know (a magic, a version, a chunk size) is refused, never skipped.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from sft.errors import ObjectCorruptError
from sft.limits import CHUNK_BYTES, FILE_BYTES, INLINE_OBJECT_BYTES, KIB, SEGMENT_BYTES, SEGMENT_CHUNKS, UPLOAD_RUNS

VERSION: Final = 1
OBJECT_MAGIC: Final = b"SFTOBJ"
SIDECAR_MAGIC: Final = b"SFTMET"
CHUNK_LOG2: Final = 16

OBJECT_ID_BYTES: Final = 16
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 24
TAG_BYTES: Final = 16
BINDING_BYTES: Final = 32

HEADER: Final = struct.Struct(">6sBB16sI")
LATER_KEY: Final = struct.Struct(">I24s")
SIDECAR_HEADER: Final = struct.Struct(">6sBB24s")
SIDECAR_KEYS: Final = struct.Struct(">32sH")

HEADER_BYTES: Final = HEADER.size
SEALED_KEY_BYTES: Final = NONCE_BYTES + TAG_BYTES + KEY_BYTES + BINDING_BYTES
LATER_KEY_BYTES: Final = LATER_KEY.size + TAG_BYTES + KEY_BYTES
LATER_KEYS_MOST: Final = UPLOAD_RUNS - 1
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
SIDECAR_HEADER_BYTES: Final = SIDECAR_HEADER.size
# Names, comment and signature of one version are below 8 KiB; the rest is for the keys of many runs.
SIDECAR_MOST_BYTES: Final = 96 * KIB

EPOCH_MOST: Final = (1 << 32) - 1


def corrupt(object_id: bytes, what: str) -> ObjectCorruptError:
    """Make the one error for an object whose bytes are not what was sealed."""
    return ObjectCorruptError(problem=f"object {object_id.hex()} {what}")


def require_object_id(object_id: bytes) -> None:
    """Raise ValueError unless this can be an object's id."""
    if len(object_id) != OBJECT_ID_BYTES:
        raise ValueError(f"an object id has {OBJECT_ID_BYTES} bytes, not {len(object_id)}")


def chunk_count(size: int) -> int:
    """Count the chunks of a content: the empty one has one, empty, chunk."""
    if not 0 <= size <= FILE_BYTES:
        raise ValueError(f"no content has {size} bytes")
    return max(1, -(-size // CHUNK_BYTES))


def segment_count(size: int) -> int:
    """Count the segments of a content: one of at most 256 chunks has one."""
    return -(-chunk_count(size) // SEGMENT_CHUNKS)


def sealed_size(size: int) -> int:
    """Return how many bytes the object of a content of ``size`` bytes has, all segments together."""
    return HEADER_BYTES * segment_count(size) + size + TAG_BYTES * chunk_count(size)


def segment_size(segment: int, size: int) -> int:
    """Return how many bytes a segment has, sealed; ValueError if a content of ``size`` bytes has no such segment."""
    if not 0 <= segment < segment_count(size):
        raise ValueError(f"a content of {size} bytes has no segment {segment}")
    return sealed_size(min(SEGMENT_BYTES, size - segment * SEGMENT_BYTES))


def fits_inline(size: int) -> bool:
    """Return whether the sealed object lies in the database and not in a file."""
    return sealed_size(size) <= INLINE_OBJECT_BYTES


def chunk_span(index: int, size: int) -> tuple[int, int]:
    """Return offset and length of a sealed chunk within its segment."""
    last = chunk_count(size) - 1
    if not 0 <= index <= last:
        raise ValueError(f"a content of {size} bytes has no chunk {index}")
    length = size - last * CHUNK_BYTES + TAG_BYTES if index == last else SEALED_CHUNK_BYTES
    return HEADER_BYTES + index % SEGMENT_CHUNKS * SEALED_CHUNK_BYTES, length


def encode_header(object_id: bytes, segment: int = 0) -> bytes:
    """Write the immutable header of a segment: with one suite in version 1, id and number are all that varies."""
    require_object_id(object_id)
    return HEADER.pack(OBJECT_MAGIC, VERSION, CHUNK_LOG2, object_id, segment)


def require_header(header: bytes, object_id: bytes, segment: int = 0) -> None:
    """Refuse a header that is not exactly the one of this segment; ObjectCorruptError says which field differs."""
    if len(header) != HEADER_BYTES:
        raise corrupt(object_id, "is shorter than its header")
    magic, version, log2, found, number = HEADER.unpack(header)
    if magic != OBJECT_MAGIC:
        raise corrupt(object_id, "does not begin as an object")
    if version != VERSION:
        raise corrupt(object_id, f"has the format version {version}, which is unknown")
    if log2 != CHUNK_LOG2:
        raise corrupt(object_id, f"has the chunk size 2^{log2}, which is unknown")
    if found != object_id:
        raise corrupt(object_id, f"holds another object, {found.hex()}")
    if number != segment:
        raise corrupt(object_id, f"holds segment {number} in the place of segment {segment}")


@dataclass(frozen=True, slots=True)
class SealedKey:
    """An object's data keys as its row keeps them: which master key seals the first, that one sealed, and those of later runs.

    Attributes:
        epoch: of the master key, from 1.
        sealed: 24 random bytes, then the SecretBox of data key and binding: 104 bytes.
        later: of each run that went on after another, its first segment and its data key under the first: 76 bytes each.
    """

    epoch: int
    sealed: bytes
    later: bytes = b""

    @property
    def runs(self) -> int:
        return 1 + len(self.later) // LATER_KEY_BYTES

    @property
    def nonce(self) -> bytes:
        return self.sealed[:NONCE_BYTES]

    @property
    def box(self) -> bytes:
        return self.sealed[NONCE_BYTES:]
