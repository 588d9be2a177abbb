"""The keys of one object: a data key for each run of its upload, and a key for the chunks of each segment (FORMAT.md §3, §4).

Rules. Pure, and the only random source is the keyring's. A run that goes on where another was cut draws a data key of its
own: so no chunk index is ever sealed twice under one. The first is sealed under the master key, the later ones under the
first, each bound to the segment that its run begins with: a segment of a run that was given up opens under no key of the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sft.crypto.kdf import later_key_key, payload_key
from sft.crypto.sealing import open_box, seal
from sft.crypto.stream import open_chunk
from sft.errors import DecryptionFailedError
from sft.limits import SEGMENT_CHUNKS
from sft.vault.keyring import Keyring
from sft.vault.layout import (
    KEY_BYTES,
    LATER_KEY,
    LATER_KEY_BYTES,
    LATER_KEYS_MOST,
    NONCE_BYTES,
    SealedKey,
    corrupt,
    encode_header,
)

_BEFORE: Final = (-1, b"")


class ObjectKeys:
    """The opened keys of one object.

    Args:
        object_id: 16 bytes.
        runs: first segment and data key of each run, in order; the first begins with segment 0.

    Attributes:
        object_id: likewise.
        data_key: of the first run.
    """

    __slots__ = ("_payload", "_runs", "data_key", "object_id")

    def __init__(self, object_id: bytes, runs: Sequence[tuple[int, bytes]]) -> None:
        self.object_id = object_id
        self._runs = tuple(runs)
        self.data_key = self._runs[0][1]
        self._payload = _BEFORE  # the last one that was derived, with its segment

    @classmethod
    def opened(cls, keyring: Keyring, object_id: bytes, key: SealedKey) -> ObjectKeys:
        """Open what an authenticated row holds; ObjectCorruptError if it does not hold."""
        data_key = keyring.unwrap(object_id, key)
        return cls(object_id, [(0, data_key), *_open_later(object_id, data_key, key.later)])

    def payload(self, segment: int) -> bytes:
        """Return the key of a segment's chunks; the one asked for last costs nothing."""
        number, payload = self._payload
        if number != segment:
            (data_key, *_) = [key for first, key in reversed(self._runs) if first <= segment]
            payload = payload_key(data_key, encode_header(self.object_id, segment))
            self._payload = (segment, payload)
        return payload

    def open_chunk(self, index: int, sealed: bytes, *, last: bool) -> bytes:
        """Open a chunk of this object; ObjectCorruptError if it is changed, or of another place, segment, run or object."""
        try:
            return open_chunk(self.payload(index // SEGMENT_CHUNKS), index, last, sealed)
        except DecryptionFailedError as fault:
            raise corrupt(self.object_id, f"is damaged in chunk {index}") from fault


def new_object(keyring: Keyring, object_id: bytes) -> tuple[SealedKey, ObjectKeys]:
    """Draw the data key of a new object.

    Returns:
        The key sealed, for the object's row, and the keys.
    """
    data_key = keyring.random(KEY_BYTES)
    return keyring.wrap(object_id, data_key), ObjectKeys(object_id, [(0, data_key)])


def next_run(keyring: Keyring, object_id: bytes, key: SealedKey, first_segment: int) -> tuple[SealedKey, ObjectKeys]:
    """Draw the data key of a run that goes on with an object.

    Args:
        key: as the open upload's row holds it.
        first_segment: the one that follows those that are finished; each run has finished one at least.

    Returns:
        Likewise, with the new run.

    Raises:
        ObjectCorruptError: the row's keys do not hold.
        ValueError: it had as many runs as there may be, or the one before has finished none.
    """
    data_key = keyring.unwrap(object_id, key)
    runs = [(0, data_key), *_open_later(object_id, data_key, key.later)]
    if len(runs) > LATER_KEYS_MOST or runs[-1][0] >= first_segment:
        raise ValueError(f"object {object_id.hex()} has no run after {len(runs)} that begins with {first_segment}")
    later, nonce = keyring.random(KEY_BYTES), keyring.random(NONCE_BYTES)
    box = seal(_later_key_key(object_id, data_key, first_segment), nonce, later)
    sealed = replace(key, later=key.later + LATER_KEY.pack(first_segment, nonce) + box)
    return sealed, ObjectKeys(object_id, [*runs, (first_segment, later)])


def _open_later(object_id: bytes, data_key: bytes, later: bytes) -> list[tuple[int, bytes]]:
    if len(later) % LATER_KEY_BYTES or len(later) > LATER_KEYS_MOST * LATER_KEY_BYTES:
        raise corrupt(object_id, "has no whole list of data keys")
    runs: list[tuple[int, bytes]] = []
    before = 0
    for at in range(0, len(later), LATER_KEY_BYTES):
        first, nonce = LATER_KEY.unpack_from(later, at)
        if first <= before:
            raise corrupt(object_id, "has data keys in another order")
        before = first
        try:
            key = open_box(
                _later_key_key(object_id, data_key, first), nonce, later[at + LATER_KEY.size : at + LATER_KEY_BYTES]
            )
        except DecryptionFailedError as fault:
            raise corrupt(object_id, f"has a damaged data key of segment {first}") from fault
        runs.append((first, key))
    return runs


def _later_key_key(object_id: bytes, data_key: bytes, first_segment: int) -> bytes:
    return later_key_key(data_key, encode_header(object_id, first_segment))
