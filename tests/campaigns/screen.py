"""A program in a terminal of ours: a pty, a thread that drains it at once, and what stands on the screen.

Every piece of output is stamped when it is read and understood later, so that understanding it delays nothing. The model knows
what the UI uses of a terminal and no more: moves, colors, text of one cell a character. Frames end as the synchronized-update
mode says, which most terminals have.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

_FRAME_ENDS = "\x1b[?2026l"
_ASKS_FOR_FRAMES = b"\x1b[?2026$p"
_HAS_FRAMES = b"\x1b[?2026;2$y"
_TOKEN = re.compile(
    r"\x1b\[(?P<given>[0-9;:<=>?]*)[ -/]*(?P<final>[@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^\[\]]|"
    r"(?P<control>[\x00-\x1a\x1c-\x1f])|(?P<text>[^\x00-\x1f\x1b]+)"
)
_TRUE_COLOR = 2


class Screen:
    """What stands where, and on which background."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.letters = [[" "] * width for _ in range(height)]
        self.grounds = [[""] * width for _ in range(height)]
        self._row = self._column = 0
        self._ground = ""

    def line(self, row: int) -> str:
        """Give the text of a line."""
        return "".join(self.letters[row])

    @property
    def text(self) -> str:
        """Give everything."""
        return "\n".join(self.line(row) for row in range(self.height))

    def rows_on(self, ground: str, column: int) -> list[int]:
        """Say which lines have a background at a column."""
        return [row for row in range(self.height) if self.grounds[row][column] == ground]

    def feed(self, text: str) -> str:
        """Take output; gives what is not whole yet."""
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                return text[at:]
            at = token.end()
            if token["text"] is not None:
                self._write(token["text"])
            elif token["control"] == "\n":
                self._row, self._column = self._row + 1, 0
            elif token["control"] == "\r":
                self._column = 0
            elif token["final"] == "H":
                row, _, column = token["given"].partition(";")
                self._row, self._column = int(row or 1) - 1, int(column or 1) - 1
            elif token["final"] == "m":
                self._color(token["given"])
        return ""

    def _write(self, text: str) -> None:
        if not 0 <= self._row < self.height:
            return
        first = self._column
        room = max(self.width - first, 0)
        pieces = list(text[:room])
        self.letters[self._row][first : first + len(pieces)] = pieces
        self.grounds[self._row][first : first + len(pieces)] = [self._ground] * len(pieces)
        self._column += len(text)

    def _color(self, given: str) -> None:
        numbers = [int(each or 0) for each in given.split(";")]
        at = 0
        while at < len(numbers):
            number = numbers[at]
            if number in {0, 49}:
                self._ground = ""
            if number in {38, 48}:
                count = 5 if numbers[at + 1 : at + 2] == [_TRUE_COLOR] else 3
                if number == 48:
                    self._ground = "#" + "".join(f"{n:02x}" for n in numbers[at + 2 : at + count])
                at += count
                continue
            at += 1


class Terminal:
    """A running program and its screen.

    Args:
        words: the program and its arguments.
    """

    def __init__(self, words: Sequence[str], *, width: int, height: int, cwd: Path, env: dict[str, str]) -> None:
        self.screen = Screen(width, height)
        self.drawn_bytes = self.frames = 0
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self._process = subprocess.Popen(
            list(words), stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd,
            env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"}, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._fd = ours
        self._pieces: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
        self._rest = ""
        self._odd = b""
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Give the process's id."""
        return self._process.pid

    def write(self, keys: str) -> float:
        """Press keys; gives the moment before."""
        moment = time.perf_counter()
        os.write(self._fd, keys.encode())
        return moment

    def until(self, reached: Callable[[Screen], bool], seconds: float = 60.0, *, since: float | None = None) -> float:
        """Read on until a whole frame shows something; gives the moment when its end was read.

        Args:
            since: when the last frame was read, if that one may show it already.

        Raises:
            TimeoutError: it does not.
        """
        if since is not None and reached(self.screen):
            return since
        ends = time.perf_counter() + seconds
        while (left := ends - time.perf_counter()) > 0:
            _, moment = self.step(left)
            if moment is not None and reached(self.screen):
                return moment
        raise TimeoutError(f"the screen shows something else:\n{self.screen.text}")

    def step(self, seconds: float) -> tuple[bool, float | None]:
        """Take one piece of output; says whether one came, and when it was read if a frame ended in it."""
        try:
            moment, piece = self._pieces.get(timeout=max(seconds, 0.0001))
        except Empty:
            return False, None
        if not piece:
            raise RuntimeError(f"it ended with {self._process.wait(10)}:\n{self.screen.text}")
        if _ASKS_FOR_FRAMES in piece:
            os.write(self._fd, _HAS_FRAMES)
        self.drawn_bytes += len(piece)
        text, self._odd = _decoded(self._odd + piece)
        text = self._rest + text
        ended = text.count(_FRAME_ENDS)
        self.frames += ended
        self._rest = self.screen.feed(text)
        return True, moment if ended else None

    def quiet(self, seconds: float = 0.05) -> None:
        """Read on until nothing has come for a while."""
        while self.step(seconds)[0]:
            pass

    def memory_bytes(self) -> int:
        """Say how much memory the process holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def processor_seconds(self) -> float:
        """Say how long it has computed."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Have it end in order; gives its status."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(20)

    def _drain(self) -> None:
        while True:
            try:
                piece = os.read(self._fd, 65536)
            except OSError:  # the other side is gone
                piece = b""
            self._pieces.put((time.perf_counter(), piece))
            if not piece:
                return


def _decoded(data: bytes) -> tuple[str, bytes]:
    """Decode what is whole; a character cut in two waits."""
    for cut in range(min(4, len(data) + 1)):
        whole = data[: len(data) - cut]
        try:
            return whole.decode(), data[len(whole) :]
        except UnicodeDecodeError:
            continue
    return data.decode(errors="replace"), b""
