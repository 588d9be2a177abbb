"""What an act costs: seconds on the wall, and of processors at both ends; and the most memory of a process."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import clean_environment

SAMPLE_SECONDS = 0.02
SETTLING_SECONDS = 10.0
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Seconds: of a whole client process on the wall, its processors' and those of the server."""

    wall: float
    client: float = 0.0
    server: float = 0.0

    @property
    def both(self) -> float:
        return self.client + self.server


def median(costs: Sequence[Cost]) -> Cost:
    """Give the median of each figure by itself."""
    return Cost(*(statistics.median(getattr(each, name) for each in costs) for name in ("wall", "client", "server")))


def percentile(values: Sequence[float], part: float) -> float:
    """Give the value that this part of all, such as 0.99, does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def cpu_of(pid: int) -> float:
    """Read the processors' seconds of a process and its threads, exactly; its children are not counted."""
    return time.clock_gettime((~pid << 3) | 2)  # the process's own clock, as clock_getcpuclockid makes it


def cpu_with_children(pid: int) -> float:
    """Read those of a process and of the children that it has waited for, in hundredths; it waits until all have ended."""
    until = time.monotonic() + SETTLING_SECONDS
    while Path(f"/proc/{pid}/task/{pid}/children").read_text().strip() and time.monotonic() < until:
        time.sleep(0.005)  # they end by themselves
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:15]) / TICKS_A_SECOND


def run_for_cost(
    words: Sequence[str],
    *,
    cwd: Path,
    env: dict[str, str] | None = None,
    given: str = "",
    server_cpu: Callable[[], float] = lambda: 0.0,
) -> tuple[Cost, str]:
    """Run a client to its end; gives its cost and what it said.

    Args:
        given: to its standard input.
        server_cpu: reads the seconds of the server so far.

    Raises:
        RuntimeError: it did not do what it should.
    """
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as said:
        stdin.write(given.encode())
        stdin.seek(0)
        before = server_cpu()
        began = time.perf_counter()
        process = subprocess.Popen(
            words, stdin=stdin, stdout=said, stderr=said, cwd=cwd, env=env or clean_environment()
        )
        _, status, used = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        server = server_cpu() - before
        said.seek(0)
        text = said.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}: {text[-2000:]}")
    return Cost(took, used.ru_utime + used.ru_stime, server), text


def pss_bytes(pid: int) -> int:
    """Read the memory of a process, of what it shares its part."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no Pss")


@dataclass
class Peak:
    """The most that was seen of a process's memory, in bytes."""

    bytes: int = 0
    samples: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def watch(self, pid: int) -> None:
        """Look until told to end, or until the process has."""
        with contextlib.suppress(OSError, RuntimeError):
            while not self._ended.wait(SAMPLE_SECONDS):
                self.bytes = max(self.bytes, pss_bytes(pid))
                self.samples += 1

    def end(self) -> None:
        self._ended.set()


@contextmanager
def watched_peak(pid: int) -> Iterator[Peak]:
    """Sample the memory of a process during the block."""
    peak = Peak()
    thread = threading.Thread(target=peak.watch, args=(pid,))
    thread.start()
    try:
        yield peak
    finally:
        peak.end()
        thread.join()


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Have this process, and what it starts, use so many cores only."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
