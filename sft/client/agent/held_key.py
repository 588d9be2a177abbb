"""A key that an agent holds: found where its socket lies, and used as any other.

Rules. Each signature is one connection, so any thread may ask. An agent that is gone, or slow, is no agent: the key is locked
then, and whoever wants to use it says so.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sft.client.agent.messages import Answer, Question, frame_of, receive_frame
from sft.client.agent.place import is_private, is_same_person, socket_path
from sft.errors import KeyLockedError

if TYPE_CHECKING:
    from sft.crypto.keys import PublicKey, SigningKey

_SECONDS: Final = 5  # for an answer: a signature takes less than a millisecond
_SIGNATURE_BYTES: Final = 64
_SECONDS_BYTES: Final = 4


def held_key(folder: Path | None, public: PublicKey) -> SigningKey | None:
    """Return a key that an agent holds (blocks); None where none does."""
    from sft.crypto.keys import SigningKey

    if folder is None or seconds_left(folder, public) is None:
        return None
    return SigningKey(_HeldSecret(folder, public), public.key_id)


def seconds_left(folder: Path, public: PublicKey) -> int | None:
    """Ask for how long an agent holds a key still (blocks); None where none does."""
    answer = _asked(folder, public, Question.SHOW)
    shown, left = (b"", b"") if answer is None else (answer[:-_SECONDS_BYTES], answer[-_SECONDS_BYTES:])
    return int.from_bytes(left) if shown == public.key_id + public.point else None


def lock(folder: Path, public: PublicKey) -> bool:
    """Have an agent forget a key (blocks); False where none holds it."""
    return _asked(folder, public, Question.LOCK) is not None


class _HeldSecret:
    """What signs for a public key: the agent."""

    def __init__(self, folder: Path, public: PublicKey) -> None:
        self._folder = folder
        self._public = public

    @property
    def point(self) -> bytes:
        return self._public.point

    @property
    def seed(self) -> bytes:
        raise KeyLockedError

    def sign(self, message: bytes) -> bytes:
        signature = _asked(self._folder, self._public, Question.SIGN, message)
        if signature is None or len(signature) != _SIGNATURE_BYTES:
            raise KeyLockedError
        return signature


def _asked(folder: Path, public: PublicKey, question: Question, body: bytes = b"") -> bytes | None:
    """Ask an agent; None where there is none, it is another user's, or it does not do it."""
    if not is_private(folder):
        return None
    with suppress(OSError, EOFError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(str(socket_path(folder, public)))
        if is_same_person(connection):
            connection.sendall(frame_of(question, body))
            kind, answer = receive_frame(connection, _SECONDS)
            return answer if kind == Answer.DONE else None
    return None
