"""Sixteen people's processes at once store and get different files; the server's memory stays bounded."""

from __future__ import annotations

import contextlib
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import Person, ServerProcess, all_good

PROCESSES = 16  # each is one that starts, twice; fifty sessions at once are of integration/test_many.py
MEGABYTE = 1_000_000
# A server with its libraries takes about 90 MB; each of the transfers may hold 16 MiB and takes far less.
SERVER_MOST_BYTES = 200 * MEGABYTE


def peak_bytes(pid: int) -> int:
    """Read how much memory a process ever had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_many_processes_store_and_get_different_files_at_once(
    server: ServerProcess, joined: Callable[..., Person]
) -> None:
    draw = random.Random(50)
    people = [joined(f"user{number}") for number in range(4)]
    contents = {}
    for number in range(PROCESSES):
        size = draw.choice((0, 900, 16_300, 70_000, 700_000, 3_000_000))
        contents[f"f{number}.bin"] = draw.randbytes(size)
    names = list(contents)
    whose = {name: people[number % len(people)] for number, name in enumerate(names)}
    for name, content in contents.items():
        (whose[name].folder / name).write_bytes(content)

    all_good([whose[name].begin("put", "--json", name, "--to", "crowd") for name in names])
    # Everybody gets what somebody else has stored.
    other = {name: people[(number + 1) % len(people)] for number, name in enumerate(names)}
    got = all_good([other[name].begin("get", "--json", f"crowd/{name}", "--to", f"got-{name}/") for name in names])
    assert [document["done"] for document in got] == [1] * PROCESSES
    for name, content in contents.items():
        assert (other[name].folder / f"got-{name}" / name).read_bytes() == content, name

    assert peak_bytes(server.pid) < SERVER_MOST_BYTES
    assert server.operate_json("vault", "check", "--read-data")["faults"] == []
    assert "Traceback" not in server.log.read_text()


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_a_large_file_takes_no_more_memory_than_a_small_one(
    server: ServerProcess, joined: Callable[..., Person]
) -> None:
    max_ = joined("max")
    sizes = {"small.bin": 200_000, "large.bin": 144 * 1024 * 1024}
    peaks: dict[str, list[int]] = {}
    for name, size in sizes.items():
        with (max_.folder / name).open("wb") as file:
            file.truncate(size)
        peaks[name] = [
            measured(max_.begin("put", name)),
            measured(max_.begin("get", name, "--to", "got")),
            peak_bytes(server.pid),
        ]
        (max_.folder / "got" / name).unlink()
    growth = [large - small for small, large in zip(peaks["small.bin"], peaks["large.bin"], strict=True)]
    assert max(growth) < 64 * 1024 * 1024, growth


def measured(running: subprocess.Popen[str]) -> int:
    """Wait for a command; gives the most memory that it ever had."""
    most = 0
    while True:
        with contextlib.suppress(AssertionError, OSError):  # a dead process has no memory to tell of
            most = max(most, peak_bytes(running.pid))
        try:
            running.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        out, err = running.communicate()
        assert running.returncode == 0, out + err
        return most
