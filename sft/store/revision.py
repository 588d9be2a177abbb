"""Which version a database has, and which this program works with.

Rules. Every start asks, so this loads nothing of what migrates (``sft.store.migration``): that costs 150 ms. Migrations are
numbered files, each after the one before.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Final

from sft.errors import SchemaLaterError, StoreError
from sft.store.connections import connect, faults_as_ours

_TABLE: Final = "alembic_version"
_NUMBERED: Final = "versions/[0-9][0-9][0-9][0-9]_*.py"


def needed_revision() -> str:
    """Name the version that this program works with."""
    numbers = [path.name[:4] for path in migrations_folder().glob(_NUMBERED)]
    if not numbers:
        raise StoreError(problem="this installation of sft has no migrations")
    return max(numbers)


def current_revision(path: Path) -> str | None:
    """Read which version a database has, None where no migration ever ran; StoreError if it cannot be read."""
    if not path.is_file():
        raise StoreError(problem="it is not there")
    with faults_as_ours(), closing(connect(path, writing=True)) as connection:
        return revision_of(connection)


def require_no_later(found: str | None) -> None:
    """Refuse a database of a later program, with SchemaLaterError: nothing here can read it, or bring it back."""
    needed = needed_revision()
    if found is not None and found > needed:
        raise SchemaLaterError(found=found, needed=needed)


def revision_of(connection: sqlite3.Connection) -> str | None:
    """Read which version a database has within a transaction, or in one of its own."""
    if not connection.execute(f"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{_TABLE}'").fetchone():  # noqa: S608
        return None
    found = connection.execute(f"SELECT version_num FROM {_TABLE}").fetchall()  # noqa: S608 -- Alembic's
    if len(found) > 1:
        raise StoreError(problem="it has two versions at once")
    return str(found[0][0]) if found else None


def migrations_folder() -> Path:
    """Return where migrations lie: in the wheel within the package, in a checkout beside it."""
    package = Path(str(files("sft")))
    shipped = package / "migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"
