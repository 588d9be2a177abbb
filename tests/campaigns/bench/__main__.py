"""Measure the product against OpenSSH's sftp, rclone's sftp over a crypt remote, and the bare job; and what one server holds.

    python -m tests.campaigns.bench [PART …] [--small] [--rounds 5] [--keep]

Every figure of a transfer is that of a whole client process, with its start and its login, and the peers take turns in every
round. Machines are noisy, so only ratios of what was measured in one run are worth keeping; processors' seconds of both ends
stand beside each. Only sft hashes, signs and seals everything, and acknowledges what is durable. Peers that are missing are
installed where this user may and the distribution has them; what could not be measured is said.

--keep writes the table into the README, where nothing of it is typed by hand.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.campaigns.bench.crowd import Crowd
from tests.campaigns.bench.peers import PROJECT, install_missing, missing_programs
from tests.campaigns.bench.report import Report, keep
from tests.campaigns.bench.together import CLIENTS, GIB_FILE, Facts, measure_fairness, measure_listing, measure_memory
from tests.campaigns.bench.transfers import MIB, SMALL_BYTES, Costs, Transfers, large_on_cores
from tests.campaigns.places import disk_folder, file_system, machine, roomy_folder, usable_cores
from tests.processes import say

PARTS = ("large", "small", "disk", "cores", "listing", "fairness", "crowd", "memory")
CORES = (1, 2, 4, 8)


class Bench:
    """One run.

    Args:
        folder: where everything lies, but what is measured on a disk.
    """

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._folder = folder
        self._options = options
        self.costs, self.facts = Costs(), Facts()
        self.disk = ""

    def run(self) -> Report:
        """Measure the parts that are asked for."""
        parts: dict[str, Callable[[], None]] = {
            "large": self._large, "small": self._small, "disk": self._on_disk, "cores": self._cores,
            "listing": lambda: measure_listing(self._folder / "listing", self.facts, mib=self._options.mib),
            "fairness": self._fairness,
            "crowd": self._crowd,
            "memory": lambda: measure_memory(self._folder / "memory", self.facts, mib=self._options.huge_mib),
        }  # fmt: skip
        for name in PARTS:
            if name in (self._options.parts or PARTS):
                say(f"-- {name}, load {os.getloadavg()[0]:.1f}")
                try:
                    parts[name]()
                except Exception as fault:  # noqa: BLE001 - what the other parts have measured is told all the same
                    traceback.print_exc()
                    self.facts.missing.append(f"{name}, whole: {type(fault).__name__}: {fault}")
        return Report(self.costs, self.facts, mib=self._options.mib, counts=self._options.counts)

    def _large(self) -> None:
        self._transfers("large", self._folder).large(self._options.mib)

    def _small(self) -> None:
        for count in self._options.counts:
            self._transfers(f"small-{count}", self._folder).small(count)

    def _on_disk(self) -> None:
        counts = self._options.counts
        wanted = [self._options.disk] if self._options.disk else []
        found = disk_folder(sum(counts) * SMALL_BYTES * 16 * self._options.rounds, wanted)
        if found is None:
            self.facts.missing.append("small files on a disk: no file system here keeps what is synced")
            return
        with tempfile.TemporaryDirectory(prefix="sft-bench-", dir=found) as folder:
            self.disk = file_system(Path(folder))
            for count in counts:
                self._transfers(f"small-{count}", Path(folder), " on disk").small(count)

    def _cores(self) -> None:
        here = usable_cores()
        counts = [count for count in CORES if count <= here]
        self.facts.missing += [f"{count} cores: {here} are here" for count in CORES if count > here]
        place = self._folder / "cores"
        place.mkdir()
        large_on_cores(place, self.costs, counts, rounds=self._options.rounds, mib=self._options.mib)

    def _fairness(self) -> None:
        options = self._options
        measure_fairness(self._folder / "fairness", self.facts, mib=options.mib // 4 or 1, clients=options.clients)

    def _crowd(self) -> None:
        options = self._options
        crowd = Crowd(self._folder / "crowd", self.facts, files=options.rows, sessions=options.sessions)
        crowd.first_page()
        crowd.logins(options.logins)
        crowd.busy(options.busy)
        crowd.unread(options.unread)
        crowd.idle()

    def _transfers(self, name: str, folder: Path, suffix: str = "") -> Transfers:
        place = folder / name
        place.mkdir()
        return Transfers(place, self.costs, rounds=self._options.rounds, suffix=suffix)


def options_of(words: list[str] | None = None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all, unless told")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mib", type=int, default=512, help="of the large file")
    parser.add_argument("--huge-mib", type=int, default=GIB_FILE, help="of the file whose memory is measured")
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000], help="of small files")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the home whose first page is asked for")
    parser.add_argument("--sessions", type=int, default=10_000, help="that are idle at once")
    parser.add_argument("--busy", type=int, default=500, help="sessions that ask without a pause")
    parser.add_argument("--unread", type=int, default=100, help="sessions that do not read what they asked for")
    parser.add_argument("--logins", type=int, default=2_000)
    parser.add_argument("--clients", type=int, default=CLIENTS, help="that put and get at once, each its share")
    parser.add_argument("--folder", type=Path, help="where everything lies; memory, if it has the room")
    parser.add_argument("--disk", type=Path, help="a folder on a real disk; else one is looked for")
    parser.add_argument("--small", action="store_true", help="a look at everything, with tiny sizes")
    parser.add_argument("--keep", action="store_true", help="write the table into the README")
    options = parser.parse_args(words)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {sorted(unknown)}")
    if options.small:
        options.mib, options.huge_mib, options.counts, options.rows = 8, 16, [20, 100], 500
        options.sessions, options.busy, options.logins = 80, 20, 30
        options.unread, options.clients = 4, 3
    return options


def main() -> int:
    """Read the options and run."""
    options = options_of()
    install_missing()
    needed = ((options.rounds * 4 + 12) * options.mib + options.huge_mib * 4) * MIB + options.rows * 4096
    chosen = options.folder or roomy_folder(needed)
    with tempfile.TemporaryDirectory(prefix="sft-bench-", dir=chosen) as folder:
        about = f"{machine()}, files on {file_system(Path(folder))}"
        say(f"{about}, load {os.getloadavg()[0]:.1f} at the start")
        bench = Bench(Path(folder), options)
        bench.facts.missing += [f"what needs {name}, which is not here" for name in missing_programs()]
        report = bench.run()
    about += f" and on {bench.disk}" if bench.disk else ""
    say(report.text())
    if options.keep:
        keep(PROJECT / "README.md", report.markdown(about))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
