"""Connections to the database file: what every one of them is set to, and how transactions begin and end.

Rules. Every connection gets the same settings before its first use, and they are read back. A
writing transaction begins with BEGIN IMMEDIATE: with the driver's own transactions two of them read
the same value, and one update is lost without an error. Readers open the file with ``mode=ro``.
Nothing checkpoints by itself. Parameters of statements are in no message. What the driver raises leaves the package as
StoreError.
"""

from __future__ import annotations

import functools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Semaphore
from typing import Final
from urllib.parse import quote

from sft.errors import StoreError

BUSY_MILLISECONDS: Final = 5000  # an operator's own look into the file may hold it for a moment
BEGIN_WRITING: Final = "BEGIN IMMEDIATE"
BEGIN_READING: Final = "BEGIN"
COMMIT: Final = "COMMIT"
KEPT_STATEMENTS: Final = 512  # of a connection, prepared: all that there are, in the lengths that are common

_SETTINGS: Final = {
    "busy_timeout": BUSY_MILLISECONDS,
    "synchronous": 2,  # FULL: with NORMAL a commit that was acknowledged vanishes with the power
    "trusted_schema": 0,
    "secure_delete": 1,
    "fullfsync": 1,  # macOS: fsync alone ends in the disk's own memory; elsewhere nothing
    "checkpoint_fullfsync": 1,
    "temp_store": 2,  # MEMORY: what a statement keeps aside has names and sealed rows in it
    "wal_autocheckpoint": 0,
    # The log's file shrinks when it starts over: its length then tells how much waits for a checkpoint, and not what once did.
    "journal_size_limit": 0,
}
# Without it, text that is no UTF-8 ends the whole query before its row can be named.
_lenient_text: Final = functools.partial(str, encoding="utf-8", errors="surrogateescape")


def connect(path: Path, *, writing: bool, foreign_keys: bool = True) -> sqlite3.Connection:
    """Open one connection; whoever has it may hand it to another thread.

    Args:
        path: of a file that is there: nothing here makes one.
        writing: a reader's cannot write whatever it is asked to run.
        foreign_keys: off for migrations, which rebuild tables and check them as a whole.
    """
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode={'rw' if writing else 'ro'}"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=KEPT_STATEMENTS
    )
    try:
        _prepare(connection, {**_SETTINGS, "foreign_keys": int(foreign_keys), "query_only": int(not writing)})
    except BaseException:
        connection.close()
        raise
    return connection


class Connections:
    """A few connections to one file, opened as they are needed and lent to one thread at a time.

    Args:
        most: how many there may be; who comes when all are lent waits.
    """

    def __init__(self, path: Path, *, writing: bool, most: int) -> None:
        self._path = path
        self._writing = writing
        self._begin = BEGIN_WRITING if writing else BEGIN_READING
        self._free = Semaphore(most)
        self._idle: list[sqlite3.Connection] = []  # the last one used is lent first: its statements are prepared

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for the block, in no transaction."""
        with self._free:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = connect(self._path, writing=self._writing)
            try:
                yield connection
            finally:
                self._idle.append(connection)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Begin a transaction on one of them: the end of the block commits it, an exception rolls it back."""
        with self.lend() as connection:
            connection.execute(self._begin)
            try:
                yield connection
                connection.execute(COMMIT)
            except BaseException:
                connection.rollback()
                raise

    def close(self) -> None:
        """Close those that are not lent; later ones are opened anew."""
        while self._idle:
            self._idle.pop().close()


@contextmanager
def faults_as_ours() -> Iterator[None]:
    """Turn what the driver raises into StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(error) from error


def store_error(error: sqlite3.Error) -> StoreError:
    """Translate a fault of the driver; its own words go to the log."""
    return StoreError(f"{type(error).__name__}: {error}", problem="SQLite refused it")


def is_disk_full(error: BaseException) -> bool:
    return _code_of(error) == sqlite3.SQLITE_FULL


def is_busy(error: BaseException) -> bool:
    """Return whether another process held the database for too long."""
    return _code_of(error) == sqlite3.SQLITE_BUSY


def _code_of(error: BaseException) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF  # the rest says more of the same


def _prepare(connection: sqlite3.Connection, settings: dict[str, int]) -> None:
    connection.text_factory = _lenient_text
    for name, setting in settings.items():
        connection.execute(f"PRAGMA {name} = {setting}")
        if connection.execute(f"PRAGMA {name}").fetchone() != (setting,):
            raise StoreError(problem=f"SQLite does not take the setting {name}")
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        raise StoreError(problem="it has no write-ahead log")
