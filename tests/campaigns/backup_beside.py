"""Back up a server of many files beside transfers: what these lose, and whether a next backup takes what changed.

A home of as many files is made row by row (``population``), or a copy is taken of one that was; every tenth file lies in the
vault. While the first backup runs, transfers follow one another: a large file, or many small ones, put and then got. From
one to the next the backup's process is stopped (SIGSTOP) or goes on, in the order ``stopped going going stopped``, so
that two neighbours are a pair and whatever else the computer does meets both. What is lost is said by the median of the pairs.

Rules. A stopped backup may hold its moment of the database, and the write-ahead log grows meanwhile: so pairs of that time are
also told apart, and how long the log became. A pair in which the backup ended is none. Afterwards backups follow with nothing
else beside them: of nothing new, of a thousandth of the files changed, of a hundredth.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from subprocess import Popen
from typing import Any, Final, NamedTuple

from tests.campaigns.population import Shape, build
from tests.processes import ServerProcess, run, say, script

LARGE_BYTES: Final = 64 * 1024 * 1024
SMALL_BYTES: Final = 16 * 1024
SMALL_FILES: Final = 1_000
CHANGED_BYTES: Final = 20_000  # for the vault
IN_VAULT: Final = 10
PATIENCE: Final = 7200
KINDS: Final = {"large.bin": f"{LARGE_BYTES >> 20} MiB", "small": f"{SMALL_FILES:,} files of 16 KiB"}
_MOMENT_LOCKS: Final = range(123, 128)  # bytes of the wal-index that readers lock (sqlite.org/walformat.html §2.3.1)


class Pair(NamedTuple):
    """Seconds of two rounds that follow one another; and whether the backup held its moment of the database in them."""

    kind: str
    stopped: float
    beside: float
    reading: bool

    @property
    def lost(self) -> float:
        """Tell which part of the speed the round beside the backup lacked."""
        return 1 - self.stopped / self.beside


class Beside:
    """A server with many files, whoever transfers, and backups."""

    def __init__(self, folder: Path, backups: Path, limit: str | None) -> None:
        self.backups = backups
        self.limit = ["--limit", limit] if limit else []
        self.server = ServerProcess(folder)
        self.server.start()
        self.person = self.server.new_person("walker", "maintainer")
        (self.person.folder / "large.bin").write_bytes(os.urandom(LARGE_BYTES))
        _fill(self.person.folder / "small", SMALL_FILES, SMALL_BYTES)
        self.log_most = 0
        self.stopped_seconds = 0.0

    def put(self, name: str) -> None:
        """Store what has this name, anew."""
        done = run(
            script("sft"), "put", "--quiet", "--replace", name,
            cwd=self.person.folder, env=self.person.environment, patience=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def change(self, count: int) -> None:
        """Give so many files another content."""
        _fill(self.person.folder / "changing", count, CHANGED_BYTES)
        self.put("changing")

    def round(self, kind: str) -> float:
        """Put and get once; return the seconds that both took."""
        began = time.monotonic()
        self.put(kind)
        done = self.person.sft("get", "--quiet", kind, "--to", "got", "--force")
        assert done.returncode == 0, done.stderr
        seconds = time.monotonic() - began
        self.log_most = max(self.log_most, self._of_database("-wal").stat().st_size)
        return seconds

    def begin(self) -> Popen[str]:
        return self.server.begin_operating("backup", str(self.backups), "--json", *self.limit)

    def pairs(self, running: Popen[str]) -> Iterator[Pair]:
        """Transfer until a backup has ended; it goes on at the end, whatever that is."""
        kinds, stopped_first = cycle(KINDS), cycle((True, False))
        try:
            while True:
                kind, rounds, reading = next(kinds), dict[bool, float](), False
                first = next(stopped_first)
                for stopped in (first, not first):
                    _stop(running) if stopped else running.send_signal(signal.SIGCONT)
                    rounds[stopped] = self.round(kind)
                    self.stopped_seconds += rounds[stopped] if stopped else 0.0
                    reading = reading or self._holds_moment(running.pid)
                if running.poll() is not None:
                    return
                yield Pair(kind, rounds[True], rounds[False], reading)
        finally:
            running.send_signal(signal.SIGCONT)

    def take(self) -> str:
        """Take a backup with nothing beside it; return what that took."""
        began = time.monotonic()
        said = _ended(self.begin())
        return f"{time.monotonic() - began:.1f} s, {_written(said)}"

    def _of_database(self, end: str) -> Path:
        return self.server.home / "data" / f"sft.sqlite{end}"

    def _holds_moment(self, pid: int) -> bool:
        inode = str(self._of_database("-shm").stat().st_ino)
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            words = line.replace(" -> ", " ").split()
            if words[4] == str(pid) and words[5].rpartition(":")[2] == inode and int(words[6]) in _MOMENT_LOCKS:
                return True
        return False


def _fill(folder: Path, count: int, size: int) -> None:
    for number in range(count):
        path = folder / f"{number // 1000:03}" / f"{number:07}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))


def _stop(process: Popen[str]) -> None:
    process.send_signal(signal.SIGSTOP)
    if process.returncode is None:  # else it has ended, and was waited for
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)


def _ended(running: Popen[str]) -> dict[str, Any]:
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, out + err
    return dict(json.loads(out))


def _written(said: dict[str, Any]) -> str:
    return f"{said['copied']:,} objects, {said['written'] / 2**20:,.1f} MiB written"


def measure(folder: Path, backups: Path, *, files: int, home: Path | None, limit: str | None) -> None:
    """Run the campaign, and print what it measured.

    Args:
        backups: the folder of these; better on another disk, as an operator has it.
        files: of the home.
        home: one that was made before, of which a copy is measured; None: it is made.
    """
    began = time.monotonic()
    if home is None:
        build(
            folder, Shape(files, min(10_000, max(30, files // 100)), int(time.time()), in_vault=IN_VAULT), processes=2
        )
    else:
        shutil.copytree(home, folder / "home")
    size = (folder / "home" / "data" / "sft.sqlite").stat().st_size
    say(f"{files:,} files in {time.monotonic() - began:.0f} s: database {size / 2**20:,.0f} MiB")
    here = Beside(folder, backups, limit)
    try:
        here.change(files // 100)
        for kind in KINDS:
            say(f"{KINDS[kind]}, put and got, before: {here.round(kind):.2f} s")
        os.sync()  # what was made before is on the disk: nobody waits for it in what follows
        _beside(here)
        say(f"a backup of what transfers changed meanwhile: {here.take()}")
        say(f"a backup of nothing new: {here.take()}")
        for changed in (files // 1000, files // 100):
            here.change(changed)
            say(f"a backup of {changed:,} changed files: {here.take()}")
        here.server.stop()
        say(f"a backup of nothing new of a server that is stopped: {here.take()}")
    finally:
        here.server.kill()


def _beside(here: Beside) -> None:
    running, began, pairs = here.begin(), time.monotonic(), list[Pair]()
    try:
        for pair in here.pairs(running):
            pairs.append(pair)
            say(f"  {KINDS[pair.kind]}: stopped {pair.stopped:.2f} s, beside {pair.beside:.2f} s: {pair.lost:.0%} lost")
        seconds, said = time.monotonic() - began, _ended(running)
    finally:
        running.kill()
    going = seconds - here.stopped_seconds
    say(f"first backup: went on for {going:.0f} s beside transfers of {seconds:.0f} s in all; {_written(said)}")
    say(f"the write-ahead log had at most {here.log_most / 2**20:,.1f} MiB")
    for kind, words in KINDS.items():
        of_kind = [pair for pair in pairs if pair.kind == kind]
        say(f"{words}, put and got: {_lost(of_kind)}")
        say(f"  while it read the database: {_lost([pair for pair in of_kind if pair.reading])}")
        say(f"  while it copied contents: {_lost([pair for pair in of_kind if not pair.reading])}")


def _lost(pairs: Sequence[Pair]) -> str:
    if not pairs:
        return "no pair"
    lost = sorted(pair.lost for pair in pairs)
    return (
        f"{statistics.median(lost):.1%} lost, median of {len(pairs)} pairs (quarters {lost[len(lost) // 4]:.1%} to "
        f"{lost[-1 - len(lost) // 4]:.1%}); medians {statistics.median(pair.stopped for pair in pairs):.2f} s stopped, "
        f"{statistics.median(pair.beside for pair in pairs):.2f} s beside"
    )
