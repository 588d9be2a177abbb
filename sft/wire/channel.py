"""One direction of sealed traffic: key, counter, ratchet.

    box      SecretBox(key, nonce = 16 zero bytes ‖ u64 big-endian counter, type ‖ body)
    counter  0 for the first box under a key, then one more each; never sent
    rekey    a sealed REKEY frame, after which key = next(key) and counter = 0

Rules. No counter is used twice under one key, so a frame that is repeated, dropped, moved or sent back does not open. A
key seals at most 1 GiB of boxes: the sender turns the ratchet before, and the receiver refuses what goes on under the
old key. Sealing cannot fail, so that whoever checks first never leaves half a step.
"""

from __future__ import annotations

import struct
from typing import Final

from sft.crypto.kdf import next_traffic_key
from sft.crypto.sealing import TAG_BYTES, open_box, seal
from sft.errors import LocalProtocolError
from sft.limits import EARLY_REKEYS, REKEY_BYTES, REKEY_LEAST_BYTES
from sft.wire.framing import frame
from sft.wire.states import FrameType

_NONCE: Final = struct.Struct(">16xQ")
_REKEY: Final = bytes([FrameType.REKEY])


class _TrafficKey:
    """A direction's key, and how often and for how much it was used: both ends count alike."""

    __slots__ = ("_counter", "_key", "used_bytes")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._counter = 0
        self.used_bytes = 0

    def seal(self, plaintext: bytes) -> bytes:
        box = seal(self._key, _NONCE.pack(self._counter), plaintext)
        self._count(box)
        return box

    def open(self, box: bytes) -> bytes:
        plaintext = open_box(self._key, _NONCE.pack(self._counter), box)
        self._count(box)
        return plaintext

    def turn(self) -> None:
        self._key = next_traffic_key(self._key)
        self._counter = 0
        self.used_bytes = 0

    def _count(self, box: bytes) -> None:
        self._counter += 1
        self.used_bytes += len(box)


class Sealer:
    """The sending end of a direction.

    Args:
        key: the direction's first key.
        limit: bytes of boxes under one key.
    """

    __slots__ = ("_key", "_limit")

    def __init__(self, key: bytes, limit: int = REKEY_BYTES) -> None:
        self._key = _TrafficKey(key)
        self._limit = limit

    def seal(self, plaintext: bytes) -> bytes:
        """Make the frame of a plaintext (type ‖ body), after a rekey frame where one is due."""
        if self._key.used_bytes + TAG_BYTES + len(plaintext) > self._limit:
            return self.rekey() + frame(self._key.seal(plaintext))
        return frame(self._key.seal(plaintext))

    def rekey(self) -> bytes:
        """Make a rekey frame and turn the ratchet."""
        announcement = frame(self._key.seal(_REKEY))
        self._key.turn()
        return announcement


class Opener:
    """The receiving end of a direction; the same arguments.

    Args:
        least: bytes of boxes under one key, below which a turn is early.
    """

    __slots__ = ("_key", "_least", "_limit", "early_left")

    def __init__(self, key: bytes, limit: int = REKEY_BYTES, least: int = REKEY_LEAST_BYTES) -> None:
        self._key = _TrafficKey(key)
        self._limit = limit
        self._least = least
        self.early_left = (
            EARLY_REKEYS  # turns that may come though little was opened under a key; the owner allows more
        )

    def open(self, box: bytes) -> bytes:
        """Open the next box.

        Returns:
            type ‖ body. A rekey frame has turned the ratchet already.

        Raises:
            DecryptionFailedError: not the box that is next here.
            LocalProtocolError: a rekey frame is malformed, was due, or came too soon.
        """
        plaintext = self._key.open(box)
        if plaintext[:1] == _REKEY:
            if len(plaintext) != 1:
                raise LocalProtocolError("a rekey frame with a body")
            if self._key.used_bytes < self._least:
                if not self.early_left:
                    raise LocalProtocolError("rekey frames without an end")
                self.early_left -= 1
            self._key.turn()
        elif self._key.used_bytes > self._limit:
            raise LocalProtocolError("a key was used beyond its limit")
        return plaintext
