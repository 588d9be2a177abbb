"""The chunks of one object: each a SecretBox that holds at its own place alone.

    nonce = 15 zero bytes ‖ u64 big-endian index ‖ u8 last (1 for the last chunk, else 0)

Rules. One encoding per content: every chunk is full but the last, which is empty only for empty
content. So cutting, swapping, repeating and lengthening are all refused. No index is sealed twice
under one key: the caller makes a new data key for everything that it writes anew.
"""

# ruff: noqa: FBT001 - the flag is part of a chunk's place, as the index is

from __future__ import annotations

from typing import Final

from sft import limits
from sft.crypto.sealing import TAG_BYTES, open_box, seal
from sft.errors import DecryptionFailedError

CHUNK_BYTES: Final = limits.CHUNK_BYTES

_PADDING: Final = bytes(15)


def seal_chunk(key: bytes, index: int, last: bool, chunk: bytes) -> bytes:
    """Seal one chunk for its place.

    Args:
        key: the object's payload key.
        index: from 0, each once.
        last: nothing follows.
        chunk: 65,536 bytes, or fewer if last.
    """
    if not _fits(index, last, len(chunk)):
        raise ValueError(f"chunk {index} of {len(chunk)} bytes (last: {last}) has no encoding")
    return seal(key, _nonce(index, last), chunk)


def open_chunk(key: bytes, index: int, last: bool, box: bytes) -> bytes:
    """Open the chunk of a place; DecryptionFailedError: changed, of another place or object, or of a wrong length."""
    if not _fits(index, last, len(box) - TAG_BYTES):
        raise DecryptionFailedError(f"chunk {index} has {len(box)} bytes (last: {last})")
    return open_box(key, _nonce(index, last), box)


def _fits(index: int, last: bool, size: int) -> bool:
    if not last:
        return size == CHUNK_BYTES
    return (0 if index == 0 else 1) <= size <= CHUNK_BYTES


def _nonce(index: int, last: bool) -> bytes:
    return _PADDING + index.to_bytes(8, "big") + (b"\x01" if last else b"\x00")
