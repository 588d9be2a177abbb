"""Which version a database has, and how it gets the program's own.

Rules. Migrations are Alembic's, without its configuration file; they lie in the wheel as
``sft/migrations`` and in a checkout as ``migrations``. A migration is one transaction: done, or as
before. It runs with foreign keys off, as SQLite asks of whoever rebuilds tables, and all of them are
checked before it commits.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from sft.errors import StoreError
from sft.store.connections import faults_as_ours, write_engine


def needed_revision() -> str:
    """Name the version that this program works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise StoreError(problem="this installation of sft has no migrations")
    return head


def current_revision(path: Path) -> str | None:
    """Read which version a database has, None where no migration ever ran; StoreError if it cannot be read."""
    if not path.is_file():
        raise StoreError(problem="it is not there")
    engine = write_engine(path)
    try:
        with faults_as_ours(), engine.begin() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def upgrade(path: Path) -> None:
    """Bring a database to the program's version, in one transaction.

    Raises:
        StoreError: it is not there, is of a later version, or does not take the changes; it is as it
            was then.
    """
    migrate(path, lambda config: command.upgrade(config, "head"))


def migrate(path: Path, work: Callable[[Config], None]) -> None:
    """Run one of Alembic's commands on a database, in one transaction that ends with a check."""
    if not path.is_file():
        raise StoreError(problem="it is not there")
    engine = write_engine(path, foreign_keys=False)
    try:
        with faults_as_ours(), engine.begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            work(config)
            _check_references(connection)
    except CommandError as error:
        raise StoreError(str(error), problem="its version is unknown to this program") from error
    finally:
        engine.dispose()


def _config() -> Config:
    config = Config()
    # The value passes through ConfigParser, to which a percent sign means more.
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    return config


def _folder() -> Path:
    package = Path(str(files("sft")))
    shipped = package / "migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StoreError(problem=f"a row of {broken[0]} refers to one that is not there")
