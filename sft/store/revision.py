"""Which version a database has, and which this program works with.

Rules. Every start asks, so this loads nothing of what migrates (``sft.store.migration``): that costs 150 ms. Migrations are
numbered files, each after the one before.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from sqlalchemy import inspect

from sft.errors import StoreError
from sft.store.connections import faults_as_ours, write_engine

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
    engine = write_engine(path)
    try:
        with faults_as_ours(), engine.begin() as connection:
            if not inspect(connection).has_table(_TABLE):
                return None
            found = connection.exec_driver_sql(f"SELECT version_num FROM {_TABLE}").scalars().all()  # noqa: S608 -- Alembic's
    finally:
        engine.dispose()
    if len(found) > 1:
        raise StoreError(problem="it has two versions at once")
    return str(found[0]) if found else None


def migrations_folder() -> Path:
    """Return where migrations lie: in the wheel within the package, in a checkout beside it."""
    package = Path(str(files("sft")))
    shipped = package / "migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"
