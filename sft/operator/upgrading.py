"""``twistd sft upgrade``: the database to this program's version, under the home's lock, with no server running."""

from __future__ import annotations

import sys

from sft.cli.failures import error_lines
from sft.errors import HomeError, SftError
from sft.operator.clock import wall_clock
from sft.operator.home import Home, HomeLock, HomeState
from sft.operator.next_steps import NEXT_STEPS
from sft.store import migration


def upgrade(home: Home) -> int:
    """Upgrade; gives the exit status."""
    lock = HomeLock(home)
    try:
        if not home.path.is_dir() or home.state() is HomeState.NEW:
            raise HomeError(
                home=str(home.path),
                problem="there is no server in it",
                remedy="Start one first: twistd -n sft --home DIR",
            )
        if not lock.take():
            raise HomeError(
                home=str(home.path), problem="a server runs on it", remedy="Stop it, then upgrade"
            )
        before = migration.current_revision(home.database)
        migration.upgrade(home.database)
        after = migration.current_revision(home.database)
    except SftError as error:
        for line in error_lines(error, now=wall_clock(), steps=NEXT_STEPS):
            print(line, file=sys.stderr)
        return error.exit_status
    finally:
        lock.drop()
    print(
        f"the database is at version {after}"
        + (" already" if before == after else f" (was {before})")
    )
    return 0
