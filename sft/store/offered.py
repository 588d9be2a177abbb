"""Names for a shell to offer, read beside whatever serves the database: people, what lies in a folder, open invitations.

Rules. Nobody asked for anything: no key is needed, no row is verified, nothing is written, and SQLite leaves no file of its own
behind. What is found is good for typing alone. It takes a moment or is given up.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sft.model.names import fold
from sft.store.connections import faults_as_ours

MOST: Final = 1000
_SECONDS: Final = 0.5
_STEPS: Final = 10_000  # of SQLite's machine, between two looks at the clock: some hundred microseconds
_LAST: Final = "\U0010ffff"


def people_offered(database: Path, begin: str) -> list[str]:
    """Return the names of people that begin so; of whoever was removed none. StoreError where that cannot be read."""
    return _names(
        database,
        "SELECT name FROM users WHERE state <> 'removed' AND folded >= ? AND folded < ? ORDER BY folded LIMIT ?",
        *_range(begin),
    )


def invitations_offered(database: Path, now: float) -> list[str]:
    """Return the numbers of invitations that are open. StoreError as above."""
    return _names(
        database,
        "SELECT id FROM invitations WHERE used_at IS NULL AND withdrawn_at IS NULL AND expires_at > ? ORDER BY id LIMIT ?",
        int(now),
        MOST,
    )


def entries_offered(database: Path, folder: Sequence[str], begin: str) -> tuple[list[str], list[str]]:
    """Return the names in a folder that begin so: of folders, then of files. StoreError as above.

    Args:
        folder: the parts of its path; none are the root.
    """
    with _reading(database) as connection:
        found = connection.execute("SELECT id FROM folders WHERE parent_id IS NULL AND state = 'live'").fetchone()
        for part in folder if found else ():
            asked = "SELECT id FROM folders WHERE parent_id = ? AND folded = ? AND state = 'live'"
            found = connection.execute(asked, (*found, fold(part))).fetchone()
            if found is None:
                break
        if found is None:
            return [], []
        within = (*found, *_range(begin))
        folders = connection.execute(
            "SELECT name FROM folders WHERE parent_id = ? AND state = 'live' AND folded >= ? AND folded < ?"
            " ORDER BY folded LIMIT ?",
            within,
        ).fetchall()
        files = connection.execute(
            "SELECT name FROM files WHERE folder_id = ? AND state = 'live' AND folded >= ? AND folded < ?"
            " ORDER BY folded LIMIT ?",
            within,
        ).fetchall()
    return [str(name) for (name,) in folders], [str(name) for (name,) in files]


def _range(begin: str) -> tuple[str, str, int]:
    folded = fold(begin)
    return folded, folded + _LAST, MOST


def _names(database: Path, asked: str, *values: str | int) -> list[str]:
    with _reading(database) as connection:
        return [str(found) for (found,) in connection.execute(asked, values)]


@contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    # Where nothing writes there is no log, and SQLite would make one to read: as whoever asks, which may be root. As a file
    # that does not change it is read without. So it is for somebody who may read a server's log but does not run it.
    log = database.with_name(f"{database.name}-wal")
    is_served = log.exists() and database.stat().st_uid == os.geteuid()
    until = time.monotonic() + _SECONDS
    uri = f"file:{quote(os.fsencode(database.absolute()))}?mode=ro{'' if is_served else '&immutable=1'}"
    with faults_as_ours(), closing(sqlite3.connect(uri, uri=True, timeout=_SECONDS)) as connection:
        connection.execute("PRAGMA query_only = 1")
        connection.execute("PRAGMA trusted_schema = 0")
        connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        yield connection
