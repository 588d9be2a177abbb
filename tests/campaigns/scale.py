"""Measure a server with a million files and ten thousand people.

    python tests/campaigns/scale.py [--files 1000000] [--people 10000] [--small] [--times 9] [--folder DIR] [--check]

A home is made row by row (``population``), which takes some minutes, and some two kilobytes a file in memory or on a disk; then
the real server runs on it, in its own process. ``--small`` is for a look at everything within two minutes. With ``--folder``
the home is made there once and kept; each run measures a copy of it.

Machines are noisy: a figure is the median, and the table shows the worst beside it. What a figure may be stands in
``scale_measures``; nothing but this table holds it against that.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

from tests.campaigns.places import file_system, roomy_folder
from tests.campaigns.population import Shape, build
from tests.campaigns.scale_measures import Measures
from tests.processes import run, say, script

BYTES_A_FILE = 4 * 1024  # database and log, twice where a copy is measured
SMALL_FILES, SMALL_PEOPLE = 20_000, 500


def make(folder: Path, shape: Shape) -> None:
    """Make the home."""
    began = time.perf_counter()
    home = build(folder, shape, processes=len(os.sched_getaffinity(0)))
    say(
        f"made {shape.files:,} files, {shape.trashed:,} in the trash, {shape.people:,} people in "
        f"{time.perf_counter() - began:.0f} s: {home.database.stat().st_size / 2**20:,.0f} MiB"
    )


def check(folder: Path) -> None:
    """Have the operator's check read all of it; RuntimeError where it is not clean."""
    began = time.perf_counter()
    done = run(
        script("twistd"),
        "sft",
        "--home",
        str(folder / "home"),
        "vault",
        "check",
        "--read-data",
        cwd=folder,
        patience=7200,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    say(f"{done.stdout.strip()} in {time.perf_counter() - began:.0f} s")


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--small", action="store_true", help=f"{SMALL_FILES:,} files, {SMALL_PEOPLE} people")
    parser.add_argument("--times", type=int, default=9, help="tries of each thing")
    parser.add_argument("--folder", type=Path, help="where the home lies, and stays")
    parser.add_argument("--check", action="store_true", help="have everything checked before: minutes for a million")
    options = parser.parse_args()
    if options.small:
        options.files, options.people = SMALL_FILES, SMALL_PEOPLE
    needed = options.files * BYTES_A_FILE
    with tempfile.TemporaryDirectory(prefix="sft-scale-", dir=roomy_folder(needed)) as own:
        folder, kept = Path(own), options.folder
        say(f"home on {file_system(folder)}, {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
        moment = (
            int(time.time()) if kept is None or not (kept / "home").exists() else int((kept / "moment").read_text())
        )
        shape = Shape(options.files, options.people, moment)
        if kept is not None:
            if not (kept / "home").exists():
                kept.mkdir(parents=True, exist_ok=True)
                make(kept, shape)
                (kept / "moment").write_text(str(moment))
            shutil.copytree(kept / "home", folder / "home")
        else:
            make(folder, shape)
        if options.check:
            check(folder)
        figures = Measures(folder, shape, times=options.times).run()
        figures.show()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
