"""Kill an upgrade at random points, again and again: the next one finishes, no row is lost, and the copy leads back.

A home with files is taken down to the first version of the database, as an older program would have left it. Each trial
upgrades a copy of it in a process of its own, which is killed after a random part of the time that an upgrade takes; then it is
either killed again, or goes through. Every row of every table of the first version is compared, and every content.

    python -m tests.campaigns.upgrades --kills 50 --seed 7
"""

from __future__ import annotations

import argparse
import contextlib
import random
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from alembic import command

from sft.operator.bootstrap import open_master_keys
from sft.operator.home import Home
from sft.store import migration
from sft.store.revision import current_revision, needed_revision
from tests.campaigns.faults import KEPT, content_of, filled, serving
from tests.processes import say

FIRST = "0001"
OVER = "after its end"
PATIENCE_SECONDS = 120
# It says when everything is loaded: to be killed while it loads tells nothing.
UPGRADE = """
import sys
from pathlib import Path
from sft.operator.control import upgrade
from sft.operator.home import Home
from sft.store import migration, revision
from sft.operator import bootstrap
print("begins", flush=True)
sys.exit(upgrade(Home(Path(sys.argv[1]))))
"""
_OF_PROGRAM = {"alembic_version", "row_sums"}


def rows(path: Path, tables: set[str] | None = None) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of a database, sorted, by table; of those tables, or of all that there are."""
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        wanted = (names if tables is None else tables) - _OF_PROGRAM
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in wanted}  # noqa: S608


def made_by_first_version(home: Home) -> None:
    """Make a home with files as the first version of the database has it."""
    filled(home)
    keyring = open_master_keys(home, "file").open()
    macs = migration.MigrationMacs.of(keyring.row_key, keyring.server_id)
    migration.migrate(home.database, lambda config: command.downgrade(config, FIRST), macs)


def begin(home: Home) -> subprocess.Popen[str]:
    """Begin an upgrade; return when all of it is loaded."""
    process = subprocess.Popen(
        [sys.executable, "-c", UPGRADE, str(home.path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n", process.communicate()
    return process


def finish(home: Home) -> float:
    """Upgrade to the end; return the seconds of its work."""
    process = begin(home)
    began = time.monotonic()
    assert process.stdout is not None
    # Through the same buffer as its first line, behind which all else may lie already: communicate would not see that.
    said = process.stdout.read()
    fault = process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert f"the database is at version {needed_revision()}" in said, said + fault
    return time.monotonic() - began


def require_whole(home: Home, before: dict[str, list[tuple[object, ...]]]) -> None:
    """Demand that a home is of the newest version, has every row, and opens every content."""
    assert current_revision(home.database) == needed_revision()
    assert rows(home.database, set(before)) == before
    with serving(home) as whole:
        for path, content in KEPT.items():
            assert content_of(whole, path) == content, path


def go_back(home: Home) -> None:
    """Put the copy back as the guide says it (docs/upgrade.md)."""
    for name in ("-wal", "-shm"):
        home.database.with_name(f"{home.database.name}{name}").unlink(missing_ok=True)
    home.database.with_name(f"{home.database.name}.before-upgrade-from-{FIRST}").rename(home.database)


def run(folder: Path, kills: int, chance: random.Random) -> Counter[str]:
    """Kill so many upgrades at their work; return how many were met at which version, and how many were over."""
    source = Home(folder / "source" / "home")
    source.path.parent.mkdir()
    made_by_first_version(source)
    before = rows(source.database)
    whole = _copied(source, folder / "whole")
    seconds = finish(whole)
    require_whole(whole, before)
    met: Counter[str] = Counter()
    while (done := met.total() - met[OVER]) < kills:
        trial = _copied(source, folder / f"trial-{met.total()}")
        for _ in range(min(chance.choice((1, 1, 2)), kills - done)):
            process = begin(trial)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0, seconds))
            ended = process.poll() is not None
            process.kill()
            process.communicate()
            version = current_revision(trial.database)
            assert version in {FIRST, needed_revision()}, version
            met[OVER if ended else f"at version {version}"] += 1
        finish(trial)
        require_whole(trial, before)
        shutil.rmtree(trial.path.parent)
    return met


def _copied(source: Home, folder: Path) -> Home:
    shutil.copytree(source.path.parent, folder, symlinks=True)
    return Home(folder / "home")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 32))
    asked = parser.parse_args()
    say(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory() as folder:
        met = run(Path(folder), asked.kills, random.Random(asked.seed))
    say(f"{asked.kills} upgrades killed, the next one finished each, no row lost: {dict(met)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
