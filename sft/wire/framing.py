"""Frames: u32 big-endian length, then so many bytes.

Rules. A length is judged when its fourth byte is there, before a byte of the frame is kept. What is kept is what has
arrived, never what was announced. Every byte is looked at once, so the work is linear however the stream is cut; a frame
that lies whole in one segment is copied once, one that does not, twice.
"""

from __future__ import annotations

from typing import Final

from sft.errors import FrameTooLargeError

HEADER_BYTES: Final = 4


def frame(payload: bytes) -> bytes:
    """Put the length before a frame's bytes."""
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


class Framer:
    """Cuts one direction of a stream into frames.

    The caller feeds a segment and then takes frames until there is none, giving the limit anew each time, because a frame
    may change it.
    """

    __slots__ = ("_body", "_data", "_header", "_length", "_position", "bytes_fed", "frames_taken")

    def __init__(self) -> None:
        self._data = b""
        self._position = 0
        self._header = b""
        self._length = -1  # unknown
        self._body = bytearray()
        self.bytes_fed = 0
        self.frames_taken = 0

    def feed(self, data: bytes) -> None:
        """Add a segment, when all frames of the one before were taken."""
        self._data = data if self._position == len(self._data) else self._data[self._position :] + data
        self._position = 0
        self.bytes_fed += len(data)

    @property
    def has_bytes(self) -> bool:
        """Bytes that no frame has taken yet are there."""
        return self._position < len(self._data)

    @property
    def bytes_in_frame(self) -> int:
        """How much of an unfinished frame has arrived, with its header."""
        if self._length < 0:
            return len(self._header)
        return HEADER_BYTES + len(self._body)

    def next_frame(self, limit: int) -> bytes | None:
        """Take the next frame.

        Args:
            limit: largest length that is allowed now.

        Returns:
            The bytes after the header; None if the frame is not whole yet: then all bytes are taken in.

        Raises:
            FrameTooLargeError: the length is over the limit; nothing of the frame was kept.
        """
        data = self._data
        at = self._position
        if self._length < 0:
            header = self._header + data[at : at + HEADER_BYTES - len(self._header)]
            at += len(header) - len(self._header)
            if len(header) < HEADER_BYTES:
                self._header = header
                self._release()
                return None
            length = int.from_bytes(header, "big")
            if length > limit:
                raise FrameTooLargeError(f"a frame of {length} bytes, where {limit} are allowed")
            self._header = b""
            self._length = length
        end = at + self._length - len(self._body)
        if end > len(data):
            self._body += memoryview(data)[at:]
            self._release()
            return None
        if self._body:
            self._body += memoryview(data)[at:end]
            whole = bytes(self._body)
            self._body = bytearray()
        else:
            whole = data[at:end]
        self._length = -1
        self._position = end
        self.frames_taken += 1
        if end == len(data):
            self._release()
        return whole

    def _release(self) -> None:
        self._data = b""  # an idle connection holds no segment
        self._position = 0
