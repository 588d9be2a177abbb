"""The agent's own process: it takes a key from its standard input, holds it, and signs until it ends.

    python -P -m sft.client.agent.process SOCKET SECONDS LEADER      reads key id ‖ seed, writes a line: "ready", or a fault

Rules. It ends, and zeroes the key first: at the time's end, also of a computer that slept; when it is asked to; when its socket
is gone or another's, as at logout where the system removes that folder; where it does not, with the login's first process
(``LEADER``); and with SIGTERM, SIGHUP or SIGINT. No core of it is written, and no process of the same user reads its memory.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final

from sft.client.agent.messages import Answer, Question, frame_of
from sft.client.agent.peers import Peers
from sft.client.agent.place import is_private
from sft.crypto.locked_key import LockedKey
from sft.errors import CryptoError
from sft.hardening import keep_memory_private
from sft.uptime import uptime

LOOK_SECONDS: Final = 2.0  # how often it looks whether its time, its socket and its login are still there
READY: Final = "ready"
_QUEUE: Final = 64
_ENDING: Final = tuple(each for each in signal.Signals if each.name in {"SIGTERM", "SIGHUP", "SIGINT"})


class _EndedError(BaseException):
    """A signal ends the agent."""


class Agent:
    """Answers at one socket with one key.

    Args:
        seconds: for how long it holds the key.
        clocks: each tells seconds, and the first by which they are over ends it: one stops in sleep, another can be set.
        is_logged_in: whether the login that it belongs to is still there.
    """

    def __init__(
        self,
        path: Path,
        key: LockedKey,
        seconds: int,
        *,
        clocks: tuple[Callable[[], float], ...] = (uptime, time.time),
        is_logged_in: Callable[[], bool] = lambda: True,
    ) -> None:
        self._path = path
        self._key = key
        self._ends = tuple((clock, clock() + seconds) for clock in clocks)
        self._is_logged_in = is_logged_in
        self._asked_to_end = False
        self._listening = _listen_at(path)
        self._mine = _identity(path)

    def seconds_left(self) -> int:
        return int(self._left())

    def _left(self) -> float:
        return max(0.0, min(end - clock() for clock, end in self._ends))

    def is_over(self) -> bool:
        """Return whether the key is to be forgotten."""
        return (
            self._asked_to_end
            or any(clock() >= end for clock, end in self._ends)
            or _identity(self._path) != self._mine
            or not self._is_logged_in()
        )

    def run(self) -> None:
        """Answer until it is over; then the key is zeroed and the socket gone."""
        peers = Peers(self._listening, self._answered)
        try:
            while not self.is_over():
                peers.serve(min(LOOK_SECONDS, self._left()))
        finally:
            self._key.forget()
            peers.close()
            if _identity(self._path) == self._mine:
                self._path.unlink(missing_ok=True)

    def _answered(self, kind: int, body: bytes) -> bytes:
        answer = None if self.is_over() else self._answer(kind, body)
        return frame_of(Answer.REFUSED) if answer is None else frame_of(Answer.DONE, answer)

    def _answer(self, kind: int, body: bytes) -> bytes | None:
        if kind == Question.SHOW and not body:
            public = self._key.public
            return public.key_id + public.point + min(self.seconds_left(), 2**32 - 1).to_bytes(4)
        if kind == Question.LOCK and not body:
            self._asked_to_end = True
            self._key.forget()
            return b""
        if kind == Question.SIGN:
            with suppress(ValueError, CryptoError):
                return self._key.sign(body)
        return None


def _listen_at(path: Path) -> socket.socket:
    """Listen at a path, in place of what lies there; OSError: its folder is another's, or open to others."""
    with suppress(FileExistsError):
        path.parent.mkdir(mode=0o700)
    if not is_private(path.parent):
        raise OSError(f"{path.parent} is not yours alone")
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(str(path))
    finally:
        os.umask(before)
    listening.listen(_QUEUE)
    return listening


def _identity(path: Path) -> tuple[int, int, int] | None:
    """Say which socket lies at a path: file systems give the number of one that is gone to the next."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns


def login_of(leader: int) -> Callable[[], bool]:
    """Return what tells whether a process is still there, and none that has its number since; 0 is for one that always is."""
    if not leader:
        return lambda: True
    try:
        process = os.pidfd_open(leader)
    except ProcessLookupError:
        return lambda: False
    except (AttributeError, OSError):  # no such descriptors here
        return lambda: _is_running(leader)
    return lambda: not select.select([process], [], [], 0)[0]


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end(_number: int, _frame: FrameType | None) -> None:
    for number in _ENDING:  # a second one, as at logout, would end the forgetting
        signal.signal(number, signal.SIG_IGN)
    raise _EndedError


def main(arguments: list[str]) -> int:
    """Run one agent; return the exit status."""
    path, seconds, leader = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    if os.fork():  # nobody's child: whoever started it waits for no end of it; locked memory comes after that
        os._exit(0)
    keep_memory_private()
    for number in _ENDING:
        signal.signal(number, _end)
    key: LockedKey | None = None
    try:
        key = LockedKey()
        key.read(lambda view: os.readv(0, [view]))
        agent = Agent(path, key, seconds, is_logged_in=login_of(leader))
        print(READY, flush=True)  # noqa: T201 - what whoever started it waits for
        _let_go()
        agent.run()
    except _EndedError:
        return 0
    except (OSError, CryptoError) as fault:
        print(fault, flush=True)  # noqa: T201 - likewise
        return 1
    finally:
        if key is not None:
            key.forget()
    return 0


def _let_go() -> None:
    """Keep nothing open of whoever started it, nor the folder that it was started in."""
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
