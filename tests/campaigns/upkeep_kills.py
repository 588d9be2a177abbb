"""Kill a rotation and a rebuild at random moments, again and again: does the next run finish, and is anything lost?

    python tests/campaigns/upkeep_kills.py [--only rotate-key|rebuild] [--kills 50] [--seed 1] [--folder DIR]

A home of some dozens of files is rotated to another master key, killed, and rotated to the end: fifty times on the same home.
Then its database is taken away, and ``vault rebuild`` is killed and run to the end: fifty times, from the beginning each time.
After each the check reads every content and finds nothing, and every version is there. The moments are drawn from the seed,
between where the work begins and where it ends.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import Person, ServerProcess, say

FILES = 40
SIZES = (17_000, 40_000, 70_000, 200_000)


@dataclass
class Tally:
    """How many were killed at their work, and how many were over, of each kind."""

    killed: dict[str, int] = field(default_factory=dict)
    over: dict[str, int] = field(default_factory=dict)


def upkeep_kills(folder: Path, *, kills: int, seed: int, only: str | None = None) -> Tally:
    """Run the campaign; AssertionError says what was lost."""
    draw, tally = random.Random(seed), Tally()
    server = ServerProcess(folder)
    _fill(server, folder, draw)
    if only != "rebuild":
        _many(server, tally, draw, kills, "rotate-key", lambda: None)
    if only == "rotate-key":
        return tally
    lost = folder / "lost"
    _without_database(server.home)
    shutil.copytree(server.home, lost)

    def lose() -> None:
        shutil.rmtree(server.home)
        shutil.copytree(lost, server.home)

    _many(server, tally, draw, kills, "rebuild", lose)
    return tally


def _fill(server: ServerProcess, folder: Path, draw: random.Random) -> None:
    server.start()
    try:
        person = Person(folder, "max")
        person.join(server, "maintainer")
        many = person.folder / "many"
        many.mkdir()
        for number in range(FILES):
            (many / f"{number}.bin").write_bytes(draw.randbytes(draw.choice(SIZES)))
        done = person.sft("put", "many")
        assert done.returncode == 0, done.stderr
    finally:
        server.stop()


def _without_database(home: Path) -> None:
    for path in (home / "data").glob("sft.sqlite*"):
        path.unlink()


def _many(server: ServerProcess, tally: Tally, draw: random.Random, kills: int, act: str, before: object) -> None:
    assert callable(before)
    before()
    began = time.monotonic()
    _finish(server, act)
    whole = time.monotonic() - began
    began = time.monotonic()
    server.operate("vault", "status")
    idle = time.monotonic() - began
    first = min(idle, whole) * 0.5  # a process that loads has done nothing yet
    while tally.killed.get(act, 0) < kills:
        before()
        process = server.begin_operating("vault", act)
        try:
            process.communicate(timeout=draw.uniform(first, whole))
            tally.over[act] = tally.over.get(act, 0) + 1
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            tally.killed[act] = tally.killed.get(act, 0) + 1
        _finish(server, act)
        report = server.operate_json("vault", "check", "--read-data")
        assert isinstance(report, dict)
        assert report["faults"] == [], report["faults"]
        assert report["versions"] == FILES, report["versions"]
        say(f"{act}: {tally.killed.get(act, 0)} killed at work, {tally.over.get(act, 0)} were over")


def _finish(server: ServerProcess, act: str) -> None:
    done = server.operate("vault", act)
    assert done.returncode == 0, done.stdout + done.stderr


def main() -> None:
    """Run the campaign as the options say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("rotate-key", "rebuild"))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        tally = upkeep_kills(Path(folder), kills=options.kills, seed=options.seed, only=options.only)
    say(f"nothing lost: killed {tally.killed}, over {tally.over}")


if __name__ == "__main__":
    main()
