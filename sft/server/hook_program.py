"""Starting a hook's program once: it gets one event on standard input, and so many seconds; runs on a thread of its own.

Rules. It is a process group of its own, below others in priority where the system lets it be, with no open file of the
server's, nothing of its environment and the root as its folder. Of what it prints the first bytes are kept and the rest is
read, so that it never waits for us. When it has ended, at its time, or when the server stops, whatever is left of its group is
killed: nothing of a hook runs beside its next try. Status 0 says that it has taken the event, whatever it has read of it.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Final

from msgspec import Struct

from sft.limits import HOOK_OUTPUT_BYTES

ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
_NICE: Final = 10
_LOOK_SECONDS: Final = 0.1  # one that leaves its output to another process is seen to have ended so soon
_PIECE_BYTES: Final = 64 * 1024


class ProgramEnd(Struct, frozen=True):
    """How it ended.

    Attributes:
        status: its exit status, less than 0 for a signal; None where its time was over.
        output: what it printed first.
    """

    status: int | None
    output: bytes


class HookPrograms:
    """Starts programs; ``cut`` kills what is under way, and has nothing be started any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def __call__(
        self, arguments: Sequence[str], event: bytes, environment: Mapping[str, str], *, seconds: float
    ) -> ProgramEnd:
        """Start a program and wait for it; OSError where it cannot be started, or the server stops."""
        deadline = time.monotonic() + seconds
        with self._started(arguments, {**ENVIRONMENT, **environment}) as process:
            with suppress(OSError):  # a sandbox may forbid it
                os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)
            ended, output = _converse(process, event, deadline)
        if self._ended:
            raise OSError("the server stops")
        return ProgramEnd(process.returncode if ended else None, output)

    def cut(self) -> None:
        """Kill what is under way: the server stops."""
        with self._lock:
            self._ended = True
            for each in self._under_way:
                _kill_group(each)

    @contextmanager
    def _started(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        with self._lock:
            if self._ended:
                raise OSError("the server stops")
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=environment,
                start_new_session=True,
            )
            self._under_way.add(process)
        try:
            yield process
        finally:
            _kill_group(process)
            with self._lock:
                self._under_way.discard(process)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            process.wait()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill all of a process group; its leader was not waited for yet, so the number is nobody else's."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Ask without waiting for it, where the system can: what was waited for may be another process's number."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _converse(process: subprocess.Popen[bytes], event: bytes, deadline: float) -> tuple[bool, bytes]:
    """Give an event and take output, until the program has ended or its time is over; return whether it has ended."""
    output = bytearray()
    given = 0
    with selectors.DefaultSelector() as selector:
        for pipe, what in ((process.stdin, selectors.EVENT_WRITE), (process.stdout, selectors.EVENT_READ)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, what)
        while True:
            # Asked before it is read: what it printed before its end is there then.
            ended = _has_ended(process)
            left = deadline - time.monotonic()
            for key, _ in selector.select(0 if ended else max(0.0, min(left, _LOOK_SECONDS))):
                if key.fileobj is process.stdin:
                    given += _given(key.fd, event[given : given + _PIECE_BYTES])
                    if given >= len(event):
                        _close(selector, process.stdin)
                elif not _took(key.fd, output):
                    _close(selector, process.stdout)
            if ended or left <= 0:
                return ended, bytes(output)


def _given(pipe: int, piece: bytes) -> int:
    try:
        return os.write(pipe, piece)
    except BlockingIOError:
        return 0
    except BrokenPipeError:  # it has read as much as it wants
        return 1 << 62


def _took(pipe: int, output: bytearray) -> bool:
    """Read once; return whether more may come."""
    try:
        piece = os.read(pipe, _PIECE_BYTES)
    except BlockingIOError:
        return True
    output += piece[: HOOK_OUTPUT_BYTES - len(output)]
    return bool(piece)


def _close(selector: selectors.BaseSelector, pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        selector.unregister(pipe)
        pipe.close()
