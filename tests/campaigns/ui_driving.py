"""What the campaign of the UI stands on: a server with a full folder, the UI in a terminal, and times of keys.

A key's time runs from writing it until the end of the frame that answers it has been read.
"""

from __future__ import annotations

import json
import random
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.campaigns.places import roomy_folder
from tests.campaigns.screen import Screen, Terminal
from tests.processes import Person, ServerProcess, say

MIB = 1024 * 1024
WIDTH, HEIGHT = 120, 36
CURSOR = "#6cb6ff"  # the dark theme's: only the line under the cursor of the list in use has it
NAME = re.compile(r"f(\d{6})\.txt")
FIRST = "0-large.bin"  # stands above all others
PATIENCE_SECONDS = 20
IDLE_SHARE = 0.85
DOWN, UP, PAGE_DOWN, PAGE_UP = "\x1b[B", "\x1b[A", "\x1b[6~", "\x1b[5~"
END, HOME, ENTER, BACK, ESCAPE, TAB = "\x1b[F", "\x1b[H", "\r", "\x7f", "\x1b", "\t"


@dataclass
class Times:
    """Milliseconds by kind of key."""

    found: dict[str, list[float]] = field(default_factory=dict)

    def add(self, kind: str, began: float, ended: float) -> None:
        """Note one."""
        self.found.setdefault(kind, []).append((ended - began) * 1000)

    def show(self, title: str) -> None:
        """Print them."""
        say(f"\n{title:42}{'keys':>6}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}  ms")
        for kind, times in self.found.items():
            ordered = sorted(times)
            at = [ordered[min(int(len(ordered) * part), len(ordered) - 1)] for part in (0.5, 0.95, 0.99)]
            cells = "".join(f"{each:8.1f}" for each in (*at, ordered[-1]))
            say(f"{kind:42}{len(times):6}{cells}")


class Ui:
    """The running UI.

    Args:
        folder: of this computer that it shows.
    """

    def __init__(self, person: Person, folder: Path) -> None:
        self._report = person.folder / "watched.json"
        words = [sys.executable, str(Path(__file__).parent / "watched.py"), str(self._report)]
        project = str(Path(__file__).parents[2])
        env = {**person.environment, "PYTHONPATH": project}
        self.terminal = Terminal(words, width=WIDTH, height=HEIGHT, cwd=folder, env=env)
        self.began = time.perf_counter()

    def cursor(self, screen: Screen) -> str:
        """Give the line under the cursor, in the list that is in use."""
        for row in range(2, screen.height - 2):
            ground = screen.grounds[row]
            if CURSOR in ground:
                first = ground.index(CURSOR)
                last = screen.width - ground[::-1].index(CURSOR)
                return "".join(screen.letters[row][first:last]).strip()
        return ""

    def number(self, screen: Screen) -> int:
        """Give the number of the file under the cursor; -1 where there is none."""
        found = NAME.search(self.cursor(screen))
        return -1 if found is None else int(found[1])

    def go(self, keys: str, reached: Callable[[Screen], bool]) -> None:
        """Press unless the screen shows that already."""
        if not reached(self.terminal.screen):
            self.press(keys, reached)

    def press(self, keys: str, reached: Callable[[Screen], bool]) -> tuple[float, float]:
        """Press, and wait until a frame shows the answer and nothing more comes."""
        began = self.terminal.write(keys)
        ended = self.terminal.until(reached)
        self.terminal.quiet()
        return began, ended

    def walk(self, keys: int, a_second: float, times: Times, kind: str, still: Callable[[Screen], bool]) -> int:
        """Press the down key so often, at a steady rate, while ``still`` holds; gives how often it was."""
        first = target = self.number(self.terminal.screen)
        waiting: list[tuple[int, float]] = []
        next_at = time.perf_counter()
        while (target - first < keys and still(self.terminal.screen)) or waiting:
            now = time.perf_counter()
            if now >= next_at and target - first < keys and still(self.terminal.screen):
                target += 1
                waiting.append((target, self.terminal.write(DOWN)))
                next_at += 1 / a_second
            _, moment = self.terminal.step(min(max(next_at - now, 0.0), 0.1))
            if moment is not None:
                number = self.number(self.terminal.screen)
                while waiting and number >= waiting[0][0]:
                    times.add(kind, waiting.pop(0)[1], moment)
            if waiting and now - waiting[0][1] > PATIENCE_SECONDS:
                raise TimeoutError(f"{kind}: no answer\n{self.terminal.screen.text}")
        return target - first

    def counted(self) -> dict[str, Any]:
        """Give what it counted since the last time."""
        self._report.unlink(missing_ok=True)
        self.terminal.signal(signal.SIGUSR1)
        while not self._report.exists():
            self.terminal.step(0.05)
        return dict(json.loads(self._report.read_text(encoding="utf-8")))


def has(text: str) -> Callable[[Screen], bool]:
    """Make what looks for a text."""
    return lambda screen: text in screen.text


def memory_folder(needed: int) -> Path | None:
    """Choose memory where that leaves the machine as much again: what is put stays, in the server's trash."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable" and int(amount.split()[0]) * 1024 > needed * 2:
            return roomy_folder(needed)
    return None


# -- the stage ------------------------------------------------------------------------------------------


@contextmanager
def stage(folder: Path, *, files: int, mib: int) -> Iterator[Person]:
    """Run a server with a full folder and a large file on it."""
    folder.mkdir(parents=True, exist_ok=True)
    server = ServerProcess(folder)
    is_new = not server.home.exists()
    person = Person(folder, "max")
    port = folder / "port"
    if not is_new:
        server.port = int(port.read_text())
    server.start()
    try:
        if is_new:
            port.write_text(str(server.port))
            person.join(server, "admin")
            _fill(person, files=files, mib=mib)
        for remembered in (folder / "max" / "state").glob("files-*.json"):
            remembered.unlink()  # each run begins in the first folder
        yield person
    finally:
        server.stop()


def _fill(person: Person, *, files: int, mib: int) -> None:
    for name in ("many", "work"):
        (person.folder / name).mkdir()
    for number in range(files):
        (person.folder / "many" / f"f{number:06}.txt").write_bytes(b"%d\n" % number)
    draw = random.Random(1)
    with (person.folder / FIRST).open("wb") as file:
        for _ in range(mib):
            file.write(draw.randbytes(MIB))
    began = time.perf_counter()
    for words in (["put", "many"], ["put", FIRST, "--to", "many"]):
        done = person.begin(*words)
        if done.wait(3600):
            raise RuntimeError(f"{words}: {done.communicate()}")
    say(f"stored {files:,} files and one of {mib} MiB in {time.perf_counter() - began:.0f} s")


# -- the machine -----------------------------------------------------------------------------------------


def calm(seconds: float) -> bool:
    """Wait until others leave the machine nearly idle, for so long at most; say whether they did."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        before = _ticks()
        time.sleep(0.5)
        after = _ticks()
        if after[1] - before[1] >= IDLE_SHARE * (after[0] - before[0]):
            return True
    return False


def _ticks() -> tuple[int, int]:
    numbers = [int(each) for each in Path("/proc/stat").read_text(encoding="ascii").split()[1:9]]
    return sum(numbers), numbers[3] + numbers[4]
