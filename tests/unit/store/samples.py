"""A database with something in every table, and the ways that tests get at it."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sft.store.database import Database, ReadPool, create_database, open_database
from sft.store.row_types import (
    CheckRow,
    DamageRow,
    DeviceKeyRow,
    DownloadRow,
    FileRow,
    FolderHandOverRow,
    FolderRow,
    GrowthRow,
    HookRow,
    InvitationRow,
    LedgerRow,
    LogLeafRow,
    LogTileRow,
    PurgeRow,
    Row,
    SearchBlockRow,
    SettingRow,
    SmallObjectRow,
    StateBlockRow,
    UploadRow,
    UserFiguresRow,
    UserRoleRow,
    UserRow,
    VersionRow,
)
from sft.store.rows import ReadTransaction, Rows, Transaction
from sft.store.writer import Writer

ROW_KEY = bytes(range(32))
SERVER_ID = bytes(range(32, 64))
NOW = 1_777_777_777
SALT = b"s" * 16

ADA = UserRow(1, "Ada", "ada", "admin", "active", 100, SALT)
MAX = UserRow(2, "max", "max", "maintainer", "active", 200, SALT)
ADAS_KEY = DeviceKeyRow(1, 1, b"Ed" + b"a" * 40, "laptop", 100, None, 1)
MAXS_KEY = DeviceKeyRow(2, 2, b"Ed" + b"m" * 40, "desk", 200, 900, 2, 4, 3, "lost", b"vouched")
ROOT = FolderRow(1, None, "", "", None, 50, 0, SALT, 0, 1, 1, 1, 3, 5, 16)
FINANCE = FolderRow(2, 1, "Finance", "finance", 1, 150, 1, SALT, 1, 0, 1, 0, 2, 4, 8)
OLD_FOLDER = FolderRow(
    3, None, "Old", "old", 2, 160, 2, SALT, 0, 0, 0, 0, 0, 0, 0, "trashed", 330, 1, "Finance/Old", "finance/old"
)
PLAN = FileRow(
    1, b"p" * 16, 2, "Plan.pdf", "plan.pdf", 2, 2, "live", 300, 3, SALT, b"p" * 32, None, None, None, None, 2, 900
)
GONE = FileRow(
    2, b"g" * 16, None, "Old", "old", 1, 1, "trashed", 310, 4, SALT, b"q" * 32, 320, 2, "Finance/Old", "finance/old"
)

# Every column of every table has a value in some row.
SAMPLES: tuple[tuple[Row, ...], ...] = (
    (SettingRow("server_name", b"acme-files"), SettingRow("registration", b"invite"), SettingRow("admins", b"1")),
    (ADA, MAX),
    (ADAS_KEY, MAXS_KEY),
    (
        InvitationRow(1, b"i" * 32, "guest", "ivo", 1, 400, 500, 450, 2, None, 2),
        InvitationRow(2, b"j" * 32, "admin", None, None, 410, 510, None, None, 420),
    ),
    (ROOT, FINANCE, OLD_FOLDER),
    (PLAN, GONE),
    (
        VersionRow(1, 1, 2, 2, 10, b"d" * 64, -5, 300, 3, "Plan.pdf", b"sig", b"1" * 16, 1, 1, b"k" * 104),
        VersionRow(1, 2, 2, 2, 20, b"e" * 64, 7, 301, 4, "Finance/Plan.pdf", b"s2", b"2" * 16, 0, 1, b"l" * 104),
        VersionRow(
            2,
            1,
            1,
            1,
            30,
            b"f" * 64,
            8,
            302,
            4,
            "Old",
            b"s3",
            b"3" * 16,
            0,
            2,
            b"m" * 104,
            b"n" * 152,
            b"o" * 32,
            340,
            1,
        ),
    ),
    (SmallObjectRow(b"1" * 16, b"sealed bytes"),),
    (
        UploadRow(b"7" * 16, None, "Finance/Plan.pdf", 610),
        UploadRow(
            b"8" * 16,
            2,
            "Film",
            611,
            b"u" * 16,
            2,
            b"f" * 16,
            1,
            40_000_000,
            2,
            b"p" * 64,
            2,
            b"k" * 104,
            b"l" * 76,
            700,
            1,
        ),
    ),
    (PurgeRow(b"9" * 16, 600),),
    (UserFiguresRow(1, 1, 30, None, 1 << 40, -1), UserFiguresRow(2, 1, 30, 1)),
    (UserRoleRow(1, 1, "admin", 1), UserRoleRow(2, 1, "guest", 2), UserRoleRow(2, 2, "maintainer", 3)),
    (LedgerRow(1, 2, 5, 2, 6, 1),),
    (
        LogLeafRow(1, b"begun", 96, 50, None, None, None, b"{}", SALT, None, None),
        LogLeafRow(2, b"joined", 1, 100, 1, 2, None, b"{}", SALT, b'{"name":"max"}', b"t" * 16),
        LogLeafRow(3, b"stored", 16, 300, 2, None, b"p" * 16, b"{}", SALT, b"{}", b"u" * 16),
    ),
    (DownloadRow(b"p" * 16, 1, 1, b"d" * 64, 3), DownloadRow(b"p" * 16, 2, 1, b"d" * 64, 3, 4)),
    (CheckRow("check", 620, 1, 2, 3, 60, 1, 615, 2, 50, 4), CheckRow("scrub")),
    (DamageRow(b"3" * 16, b"g" * 16, 1, "Finance/Old", 630, "object 33 is missing"),),
    (GrowthRow(1, 20, 10, 30, 1 << 40),),
    (HookRow("chat", 3), HookRow("scan", 1)),
    (LogTileRow(0, 0, b"h" * 96),),
    (StateBlockRow(1, 0, b"i" * 64), StateBlockRow(2, 0, b"j" * 64)),
    (FolderHandOverRow(1, 1, 4, 620, 3, 4096),),
    (SearchBlockRow(0, 3, 10, 20, 300, 310, b"plan.pdf", bytes(48)),),
)


def clock() -> int:
    return NOW


def never(error: BaseException) -> None:
    raise AssertionError(error)


def fill(transaction: Transaction) -> None:
    for rows in SAMPLES:
        transaction.rows.insert(rows)


def make_database(folder: Path, *, readers: int = 2) -> Database:
    """Make and open a database that has no row."""
    path = folder / "sft.db"
    create_database(path)
    return open_database(path, ROW_KEY, SERVER_ID, readers=readers)


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        create_database(Path(folder) / "sft.db")
        return (Path(folder) / "sft.db").read_bytes()


def copy_empty(path: Path) -> None:
    """Make a database as ``create_database`` does, a copy of one that it made: to run every migration takes longest."""
    if path.exists():
        create_database(path)  # which refuses that
    path.write_bytes(_empty())
    path.chmod(0o600)


def copy_database(folder: Path) -> Database:
    """Open a database that has no row, made so."""
    path = folder / "sft.db"
    copy_empty(path)
    return open_database(path, ROW_KEY, SERVER_ID, readers=2)


@contextmanager
def writing(database: Database) -> Iterator[Transaction]:
    """A writing transaction on this thread, for tests that need no writer."""
    with database.write_connections.transaction() as connection:
        yield Transaction(connection, database.row_macs, NOW)


@contextmanager
def reading(database: Database) -> Iterator[ReadTransaction]:
    with ReadPool(database, clock).reading() as reader:
        yield reader


@contextmanager
def writer_of(database: Database, *, on_fatal: Callable[[BaseException], None] = never) -> Iterator[Writer]:
    writer = Writer(database, clock, on_fatal=on_fatal)
    writer.start()
    yield writer
    writer.stop()


@contextmanager
def tampered(database: Database, *statements: str) -> Iterator[tuple[sqlite3.Connection, ReadTransaction]]:
    """See the database as it would be after changes that nothing of ours made; they are undone."""
    with database.write_connections.lend() as connection:
        connection.execute("BEGIN")
        connection.execute("PRAGMA defer_foreign_keys = ON")
        for statement in statements:
            connection.execute(statement)
        try:
            yield connection, ReadTransaction(Rows(connection, database.row_macs), NOW)
        finally:
            connection.rollback()


def tamper(path: Path, statement: str, *values: Any) -> None:
    """Change the database file as somebody would who has only the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement, values)
        connection.commit()


def look(path: Path, statement: str) -> list[Any]:
    """Read the database file past everything of ours."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(statement).fetchall()


def grown(database: Database) -> int:
    """Cut the write-ahead log; say what is left of it because a reader holds it."""
    database._checkpoint("TRUNCATE")
    return database.wal_bytes()
