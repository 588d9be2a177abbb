"""A terminal for tests: a pty that sft runs on, and what a terminal emulator would show of what sft writes.

Only what the UI writes is understood: text, places, erasing, and modes switched on and off. Whoever waits, waits for what the
screen shows, with a deadline.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

PATIENCE_SECONDS = 90.0  # of a machine that has much else to do; nothing takes it
RUN = "from sft.cli.main import run; run()"
# The pty becomes the terminal of the new session, as it is for a program that a shell starts.
IN_FRONT = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"

_TOKEN = re.compile(
    r"\x1b\[(?P<marks>[?<>=]?)(?P<numbers>[0-9;:]*)(?P<between>[ -/]*)(?P<ends>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[()].|\x1b[^\[\]()PX^_]"
    r"|(?P<text>[^\x00-\x1f]+)|(?P<control>[\x00-\x1a\x1c-\x1f])"
)
# What has to be off (or on) for a shell that comes after us, by the numbers of DEC's private modes.
OFF_AT_LAST = {1000, 1002, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2026, 2048}
ON_AT_LAST = {7, 25}


class Screen:
    """What is on the screen, and which modes are on."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.modes = dict.fromkeys(ON_AT_LAST, True)
        self.keyboards = 0
        self.written = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._pages = {False: self._blank(), True: self._blank()}
        self._x = self._y = 0

    @property
    def text(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self._lines)

    @property
    def sane(self) -> bool:
        off = not any(self.modes.get(mode, False) for mode in OFF_AT_LAST)
        return off and all(self.modes[mode] for mode in ON_AT_LAST) and self.keyboards == 0

    def feed(self, data: bytes) -> None:
        text = self._decode(data)
        self.written += text
        self._rest += text
        at = 0
        while at < len(self._rest):
            found = _TOKEN.match(self._rest, at)
            if found is None:
                break  # the rest of a sequence is still to come
            self._take(found)
            at = found.end()
        self._rest = self._rest[at:]

    @property
    def _lines(self) -> list[list[str]]:
        return self._pages[self.modes.get(1049, False)]

    def _blank(self) -> list[list[str]]:
        return [[" "] * self.columns for _ in range(self.rows)]

    def _take(self, found: re.Match[str]) -> None:
        if found["text"]:
            for character in found["text"]:
                self._put(character)
        elif found["control"]:
            self._control(found["control"])
        elif found["ends"]:
            numbers = [int(part) if part else 0 for part in re.split("[;:]", found["numbers"])]
            self._sequence(found["marks"] + found["between"] + found["ends"], numbers)

    def _put(self, character: str) -> None:
        if unicodedata.combining(character):
            return
        if self._x < self.columns:
            self._lines[self._y][self._x] = character
        self._x += 1
        if unicodedata.east_asian_width(character) in "WF":
            if self._x < self.columns:
                self._lines[self._y][self._x] = ""
            self._x += 1

    def _control(self, control: str) -> None:
        if control == "\r":
            self._x = 0
        elif control == "\n":
            self._y += 1
            if self._y == self.rows:
                self._y -= 1
                self._lines.append([" "] * self.columns)
                del self._lines[0]
        elif control == "\b":
            self._x = max(0, self._x - 1)

    def _sequence(self, kind: str, numbers: list[int]) -> None:
        first = numbers[0]
        if kind in {"?h", "?l"}:
            for number in numbers:
                if number == 1049 and kind == "?h" and not self.modes.get(1049):
                    self._pages[True] = self._blank()
                self.modes[number] = kind == "?h"
        elif kind in {">u", "<u"}:
            self.keyboards += 1 if kind == ">u" else -(first or 1)
        elif kind in {"H", "f"}:
            column = numbers[1] if len(numbers) > 1 else 1
            self._y = min(max(first, 1), self.rows) - 1
            self._x = min(max(column, 1), self.columns) - 1
        elif kind == "J" and first == 2:
            self._lines[:] = self._blank()
        elif kind in {"J", "K"}:
            self._lines[self._y][self._x :] = [" "] * (self.columns - self._x)


class PtyTerminal:
    """A program on a terminal of its own."""

    def __init__(
        self, command: list[str], folder: Path, environ: Mapping[str, str], *, columns: int = 100, rows: int = 30
    ) -> None:
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self._theirs)
        self.screen = Screen(columns, rows)
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={
                **{name: value for name, value in environ.items() if name not in {"COLUMNS", "LINES"}},
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
            },
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            start_new_session=True,
        )

    @property
    def modes(self) -> list[object]:
        return termios.tcgetattr(self._theirs)

    def type(self, text: str | bytes) -> None:
        os.write(self._ours, text if isinstance(text, bytes) else text.encode())

    def paste(self, text: str) -> None:
        self.type(f"\x1b[200~{text}\x1b[201~")

    def until(self, shown: str | Callable[[str], bool]) -> str:
        """Wait until the screen shows a text, or fulfills a condition; gives the screen."""
        fulfilled = shown if callable(shown) else lambda text: shown in text
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not fulfilled(self.screen.text):
            left = deadline - time.monotonic()
            assert left > 0, f"no {shown!r} on:\n{self.screen.text}"
            self._read(min(left, 1.0))
        return self.screen.text

    def ended(self) -> int:
        """Wait until the program has ended; gives its status."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self.screen.text}"
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.returncode

    def hang_up(self) -> None:
        """Go away, as a closed window does."""
        os.close(self._theirs)
        os.close(self._ours)
        self._ours = self._theirs = -1

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self._ours >= 0:
            self.hang_up()

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        self.screen.feed(os.read(self._ours, 65_536))
        return True


class TmuxTerminal:
    """A program in a window of tmux, on a socket of its own."""

    def __init__(
        self, command: list[str], folder: Path, environ: Mapping[str, str], *, columns: int = 100, rows: int = 30
    ) -> None:
        self._place = Path(tempfile.mkdtemp(prefix="tmux-"))
        self._socket = str(self._place / "socket")
        self._ended = self._place / "ended"
        script = 'f=$1; shift; "$@"; echo $? >"$f"; while :; do read -r _; done'
        self._tmux(
            *("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows)),
            *("-c", str(folder), "/bin/sh", "-c", script, "sh", str(self._ended), *command),
            environ=environ,
        )

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", "--", text)

    def paste(self, text: str) -> None:
        self._tmux("set-buffer", "--", text)
        self._tmux("paste-buffer", "-p", "-d")

    def until(self, shown: str | Callable[[str], bool]) -> str:
        fulfilled = shown if callable(shown) else lambda text: shown in text
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not fulfilled(text := self._tmux("capture-pane", "-p")):
            assert time.monotonic() < deadline, f"no {shown!r} on:\n{text}"
            select.select([], [], [], 0.05)
        return text

    def ended(self) -> int:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (self._ended.exists() and self._ended.read_text().strip()):
            assert time.monotonic() < deadline, self._tmux("capture-pane", "-p")
            select.select([], [], [], 0.05)
        return int(self._ended.read_text())

    def close(self) -> None:
        self._tmux("kill-server", check=False)
        shutil.rmtree(self._place)

    def _tmux(self, *words: str, environ: Mapping[str, str] | None = None, check: bool = True) -> str:
        done = subprocess.run(
            [shutil.which("tmux") or "tmux", "-S", self._socket, *words],
            env={**(os.environ if environ is None else environ), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout


def sft_on_terminal(*arguments: str, first: str = "") -> list[str]:
    """Give the command that runs sft on a pty; ``first`` is done before."""
    return [sys.executable, "-P", "-c", f"{IN_FRONT}{first}\n{RUN}", *arguments]
