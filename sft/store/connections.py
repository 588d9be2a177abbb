"""Connections to the database file: what every one of them is set to, and how transactions begin.

Rules. Every connection gets the same settings before its first use, and they are read back. A
writing transaction begins with BEGIN IMMEDIATE: with the driver's own transactions two of them read
the same value, and one update is lost without an error. Readers open the file with ``mode=ro``.
Nothing checkpoints by itself. Parameters of statements are in no message. What the database library
raises leaves the package as StoreError.
"""

from __future__ import annotations

import functools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from sft.errors import StoreError

BUSY_MILLISECONDS: Final = 5000  # an operator's own look into the file may hold it for a moment

_SETTINGS: Final = {
    "busy_timeout": BUSY_MILLISECONDS,
    "synchronous": 2,  # FULL: with NORMAL a commit that was acknowledged vanishes with the power
    "trusted_schema": 0,
    "secure_delete": 1,
    "temp_store": 2,  # MEMORY: what a statement keeps aside has names and sealed rows in it
    "wal_autocheckpoint": 0,
    # The log's file shrinks when it starts over: its length then tells how much waits for a checkpoint, and not what once did.
    "journal_size_limit": 0,
}
# Without it, text that is no UTF-8 ends the whole query before its row can be named.
_lenient_text: Final = functools.partial(str, encoding="utf-8", errors="surrogateescape")


def write_engine(path: Path, *, foreign_keys: bool = True) -> Engine:
    """Make the engine of the one writing connection.

    Args:
        path: of a file that is there: nothing here makes one.
        foreign_keys: off for migrations, which rebuild tables and check them as a whole.
    """
    return _engine(path, "rw", "BEGIN IMMEDIATE", connections=1, foreign_keys=foreign_keys)


def read_engine(path: Path, *, connections: int) -> Engine:
    """Make the engine of the readers, who cannot write whatever they are asked to run."""
    return _engine(path, "ro", "BEGIN", connections=connections)


@contextmanager
def faults_as_ours() -> Iterator[None]:
    """Turn what the database library raises into StoreError."""
    try:
        yield
    except SQLAlchemyError as error:
        raise store_error(error) from error
    except sqlite3.Error as error:
        raise StoreError(str(error), problem="SQLite refused it") from error


def store_error(error: SQLAlchemyError) -> StoreError:
    """Translate a fault of the database library; its own words go to the log."""
    detail = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return StoreError(f"{type(error).__name__}: {detail}", problem="SQLite refused it")


def is_disk_full(error: BaseException) -> bool:
    return _code_of(error) == sqlite3.SQLITE_FULL


def is_busy(error: BaseException) -> bool:
    """Return whether another process held the database for too long."""
    return _code_of(error) == sqlite3.SQLITE_BUSY


def _code_of(error: BaseException) -> int | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code: int | None = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF  # the rest says more of the same


def _engine(path: Path, mode: str, begin: str, *, connections: int, foreign_keys: bool = True) -> Engine:
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"

    settings = {**_SETTINGS, "foreign_keys": int(foreign_keys), "query_only": int(mode == "ro")}

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, settings)
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "sqlite+pysqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _prepare(connection: sqlite3.Connection, settings: dict[str, int]) -> None:
    connection.text_factory = _lenient_text
    for name, value in settings.items():
        connection.execute(f"PRAGMA {name} = {value}")
        if connection.execute(f"PRAGMA {name}").fetchone() != (value,):
            raise StoreError(problem=f"SQLite does not take the setting {name}")
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        raise StoreError(problem="it has no write-ahead log")
