"""What is said to an agent, and what it answers: one question a connection, each side one frame.

    frame      u16 length, big-endian ‖ body
    question   1 SIGN ‖ the bytes to sign        2 SHOW        3 LOCK
    answer     0 DONE ‖ signature 64             0 DONE ‖ key id 8 ‖ point 32 ‖ u32 seconds left      0 DONE
               1 REFUSED

Rules. A frame has at most ``FRAME_BYTES``; one that is longer, or cut short, ends the connection without an answer.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from sft import limits

FRAME_BYTES: Final = 64 + limits.COMMENT_BYTES + 1  # the longest: a signature and its comment

_LENGTH: Final = struct.Struct(">H")
LONGEST: Final = _LENGTH.size + FRAME_BYTES  # with its length


class Question(IntEnum):
    """What is wanted."""

    SIGN = 1
    SHOW = 2
    LOCK = 3


class Answer(IntEnum):
    """Whether it was done."""

    DONE = 0
    REFUSED = 1


def frame_of(kind: int, body: bytes = b"") -> bytes:
    """Return a frame."""
    return _LENGTH.pack(1 + len(body)) + bytes([kind]) + body


def frame_in(came: bytes) -> tuple[int, bytes] | None:
    """Read a frame out of what came so far: kind and body; None if it is not whole yet, EOFError for one that is none."""
    if len(came) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(came)
    if not 1 <= length <= FRAME_BYTES:
        raise EOFError("a frame of another length")
    body = came[_LENGTH.size : _LENGTH.size + length]
    return (body[0], body[1:]) if len(body) == length else None


def receive_frame(
    connection: socket.socket, seconds: float, clock: Callable[[], float] = time.monotonic
) -> tuple[int, bytes]:
    """Receive a frame; EOFError for one that is none, OSError (a timeout too) if it does not come whole in so many seconds."""
    ends, came = clock() + seconds, b""
    while (frame := frame_in(came)) is None:
        left = ends - clock()
        if left <= 0:
            raise TimeoutError("a frame that does not come")
        connection.settimeout(left)
        more = connection.recv(LONGEST - len(came))
        if not more:
            raise EOFError("a frame that is cut short")
        came += more
    return frame
