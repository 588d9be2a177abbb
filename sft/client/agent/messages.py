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
from enum import IntEnum
from typing import Final

from sft import limits

FRAME_BYTES: Final = 64 + limits.COMMENT_BYTES + 1  # the longest: a signature and its comment

_LENGTH: Final = struct.Struct(">H")


class Question(IntEnum):
    """What is wanted."""

    SIGN = 1
    SHOW = 2
    LOCK = 3


class Answer(IntEnum):
    """Whether it was done."""

    DONE = 0
    REFUSED = 1


def send_frame(connection: socket.socket, kind: int, body: bytes = b"") -> None:
    """Send a frame whole; OSError if nobody takes it."""
    connection.sendall(_LENGTH.pack(1 + len(body)) + bytes([kind]) + body)


def receive_frame(connection: socket.socket) -> tuple[int, bytes]:
    """Receive a frame; EOFError for one that is none, OSError (a timeout too) if it does not come."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if not 1 <= length <= FRAME_BYTES:
        raise EOFError("a frame of another length")
    body = _exactly(connection, length)
    return body[0], body[1:]


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError("a frame that is cut short")
        data += more
    return data
