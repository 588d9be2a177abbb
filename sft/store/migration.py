"""How a database gets the program's own version.

Rules. Migrations are Alembic's, without its configuration file. A migration is one transaction: done, or as
before. It runs with foreign keys off, as SQLite asks of whoever rebuilds tables, and all of them are
checked before it commits.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from sft import durable
from sft.crypto.row_mac import RowMac, RowValue
from sft.errors import RowForgedError, StoreError
from sft.store.connections import BEGIN_WRITING, connect, faults_as_ours
from sft.store.migrated_sum import SumBefore
from sft.store.revision import current_revision, migrations_folder


class TableMacs:
    """Makes and checks the MACs of rows by the name of their table, whatever columns that had or will have."""

    def __init__(self, row_key: bytes, server_id: bytes) -> None:
        self._row_key = row_key
        self._server_id = server_id

    def make(self, table: str, values: Sequence[RowValue]) -> bytes:
        return RowMac(self._row_key, self._server_id, table).make(values)

    def require(self, table: str, values: Sequence[RowValue], mac: bytes) -> None:
        """Refuse a row that the server did not write: a migration must not make it one that it did."""
        if not RowMac(self._row_key, self._server_id, table).holds(values, mac):
            raise RowForgedError(table, str(values[0]))


class MigrationMacs(NamedTuple):
    """What a migration makes and checks MACs with: as the rows before it have them, and as those after it must."""

    old: TableMacs
    new: TableMacs
    row_key: bytes
    server_id: bytes

    @classmethod
    def of(cls, row_key: bytes, server_id: bytes) -> MigrationMacs:
        return cls(TableMacs(row_key, server_id), TableMacs(row_key, server_id), row_key, server_id)


def keep_copy(path: Path, *, free_bytes: Callable[[int], int] = durable.free_bytes) -> Path:
    """Copy a database as it is beside it, whole and readable by itself, named for its version.

    Raises:
        StoreError: there is no room for the copy and for the upgrade after it.
    """
    copy = path.with_name(f"{path.name}.before-upgrade-from-{current_revision(path)}")
    begun = copy.with_name(f"{copy.name}.part")
    size = path.stat().st_size + sum(part.stat().st_size for part in path.parent.glob(f"{path.name}-wal"))
    try:
        with durable.opened_folder(path.parent) as folder:
            # Once for the copy, and once for the log of a migration that writes every row anew.
            if free_bytes(folder) < 2 * size:
                raise StoreError(problem=f"there is no room to copy it first: {2 * size} bytes")
            for leftover in (begun, copy):
                leftover.unlink(missing_ok=True)
            os.close(durable.create_new(folder, begun.name))
            with faults_as_ours(), closing(sqlite3.connect(path)) as connection:
                connection.execute("VACUUM INTO ?", (str(begun),))
            with faults_as_ours(), closing(sqlite3.connect(begun)) as connection:
                # That is no part of what is copied; without it no server opens what was put back.
                connection.execute("PRAGMA journal_mode = WAL")
            with begun.open("rb") as file:
                durable.sync_file(file.fileno())
            durable.rename_no_replace(folder, begun.name, folder, copy.name)
            durable.sync_folder(folder)
    except OSError as error:
        raise StoreError(str(error), problem="it cannot be copied") from error
    return copy


def upgrade(path: Path, macs: MigrationMacs | None = None) -> None:
    """Bring a database to the program's version, in one transaction.

    Args:
        macs: for the rows of a database that has any.

    Raises:
        StoreError: it is not there, is of a later version, or does not take the changes; it is as it
            was then.
    """
    migrate(path, lambda config: command.upgrade(config, "head"), macs)


def migrate(path: Path, work: Callable[[Config], None], macs: MigrationMacs | None = None) -> None:
    """Run one of Alembic's commands on a database, in one transaction that ends with a check.

    A migration finds the MACs in ``alembic.context.config.attributes["macs"]``; the sum of all MACs follows what it changes.
    """
    if not path.is_file():
        raise StoreError(problem="it is not there")
    engine = _engine(path)
    try:
        with faults_as_ours(), engine.begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            config.attributes["macs"] = macs
            before = None if macs is None else SumBefore(connection, macs.row_key, macs.server_id)
            work(config)
            if macs is not None and before is not None:
                before.renew(macs.row_key)
            _check_references(connection)
    except CommandError as error:
        raise StoreError(str(error), problem="its version is unknown to this program") from error
    except SQLAlchemyError as error:
        detail = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        raise StoreError(f"{type(error).__name__}: {detail}", problem=f"SQLite refused it ({detail})") from error
    finally:
        engine.dispose()


def _engine(path: Path) -> Engine:
    """Make what Alembic works with: one connection, set as all are, with foreign keys off."""
    engine = create_engine(
        "sqlite+pysqlite://",
        creator=lambda: connect(path, writing=True, foreign_keys=False),
        poolclass=StaticPool,
        hide_parameters=True,
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(BEGIN_WRITING))
    return engine


def _config() -> Config:
    config = Config()
    # The value passes through ConfigParser, to which a percent sign means more.
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StoreError(problem=f"a row of {broken[0]} refers to one that is not there")
