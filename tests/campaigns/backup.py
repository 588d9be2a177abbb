"""Kill backups at random and put back what is there; or back up a million files beside transfers, and see what those lose.

    python -m tests.campaigns.backup [--kills 50] [--seed 1] [--folder DIR]
    python -m tests.campaigns.backup --files 1000000 [--home DIR] [--limit RATE] [--folder DIR] [--backups DIR]

A server takes files while ``sftd backup`` is killed after a moment that is drawn from the seed, and sometimes the
server too. After each kill the folder names whole backups alone, and the next run ends well; every tenth time, and at the end,
what is there is put back into a home of its own, where every content is read, and has every file that the server had.
The second form is ``tests.campaigns.backup_beside``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests.campaigns.backup_beside import measure
from tests.campaigns.places import file_system
from tests.processes import ServerProcess, say

SIZES: Final = (10, 16_340, 16_341, 70_000, 900_000, 17_000_000)
PUT_BACK_EVERY: Final = 10
SERVER_KILLED_EVERY: Final = 7


class Backups:
    """A server whose backups are killed, and one folder of them."""

    def __init__(self, folder: Path, draw: random.Random) -> None:
        self.folder = folder
        self.backups = folder / "backups"
        self.draw = draw
        self.server = ServerProcess(folder)
        self.server.start()
        self.max = self.server.new_person("max", "maintainer")
        self.seconds = 1.0  # that a whole run took last

    def put_some(self, name: str) -> None:
        """Store some files, of a few sizes."""
        for number in range(self.draw.randint(1, 4)):
            (self.max.folder / f"{name}-{number}.bin").write_bytes(self.draw.randbytes(self.draw.choice(SIZES)))
        names = [each.name for each in self.max.folder.glob(f"{name}-*.bin")]
        done = self.max.sft("put", "--to", name, *names)
        assert done.returncode == 0, done.stderr

    def take(self) -> dict[str, Any]:
        """Take a backup, which must end well."""
        began = time.monotonic()
        done = self.server.operate("backup", str(self.backups), "--keep", "3", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        self.seconds = time.monotonic() - began
        return dict(json.loads(done.stdout))

    def names(self) -> list[str]:
        if not (self.backups / "sft-backup").exists():
            return []
        done = self.server.operate("restore", str(self.backups), "--list", "--json")
        assert done.returncode == 0, done.stderr
        return [each["name"] for each in json.loads(done.stdout)]

    def kill_one(self, number: int) -> None:
        """Kill a run at a moment of its life, and look."""
        before = self.names()
        running = self.server.begin_operating("backup", str(self.backups), "--keep", "3", "--json")
        try:
            running.wait(self.draw.uniform(0.2, 1.0) * self.seconds)  # the moment of death, not a wait for anything
        except Exception:  # noqa: BLE001 - it runs
            running.kill()
        if number % SERVER_KILLED_EVERY == SERVER_KILLED_EVERY - 1:
            self.server.kill()
            self.server.start()
        running.communicate(timeout=60)
        after = self.names()
        assert len(set(after) - set(before)) <= 1, (before, after)
        assert set(before) - set(after) == set() or len(after) >= 3, (before, after)

    def put_back(self) -> None:
        """Put the newest backup back, and hold it against the server."""
        home = self.folder / "trial"
        home.mkdir(mode=0o700)
        shutil.copy(self.server.home / "master.key", home / "master.key")
        trial = ServerProcess(self.folder)
        trial.home = home
        done = trial.operate("restore", str(self.backups), "--data", str(home), "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        said = json.loads(done.stdout)
        assert said["published"]
        assert not said["faults"]
        assert _files(trial) == _files(self.server)
        shutil.rmtree(home)


def _files(server: ServerProcess) -> object:
    return server.operate_json("file", "list")


def kill(folder: Path, kills: int, seed: int) -> None:
    """Run the first campaign; AssertionError says what was lost."""
    backups = Backups(folder, random.Random(seed))
    try:
        backups.put_some("begin")
        backups.take()
        copied = 0
        for number in range(kills):
            backups.put_some(f"round{number}")
            backups.kill_one(number)
            copied += backups.take()["copied"]
            if number % PUT_BACK_EVERY == PUT_BACK_EVERY - 1 or number + 1 == kills:
                backups.put_back()
            say(f"kill {number + 1}: {len(backups.names())} backups, all whole; a run takes {backups.seconds:.1f} s")
        say(f"{kills} kills, 0 lost; {copied} objects were left to the run after a kill")
    finally:
        backups.server.kill()


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=0, help="the second campaign, with so many")
    parser.add_argument(
        "--home", type=Path, help="a home of so many files that was made before; a copy of it is measured"
    )
    parser.add_argument("--limit", help="as sftd backup takes it")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--backups", type=Path, help="of the second campaign, on another disk than --folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sft-backup-", dir=options.folder) as name:
        folder = Path(name)
        say(f"seed {options.seed}; on {file_system(folder)}, {len(os.sched_getaffinity(0))} cores")
        if options.files:
            measure(
                folder,
                options.backups or folder / "backups",
                files=options.files,
                home=options.home,
                limit=options.limit,
            )
        else:
            kill(folder, options.kills, options.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
