"""A database is made whole or not at all, opened only when it is the program's own, and its log is looked after."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sft.errors import SchemaOutdatedError, StoreError
from sft.store import database as module
from sft.store.connections import BUSY_MILLISECONDS
from sft.store.database import Database, create_database, open_database
from sft.store.revision import needed_revision
from sft.store.row_types import SettingRow, UserRow
from sft.store.statements import rows_of
from tests.unit.store.samples import (
    ADA,
    ROW_KEY,
    SERVER_ID,
    copy_database,
    look,
    make_database,
    reading,
    tamper,
    writing,
)


def test_a_new_database_is_closed_to_others_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        database = make_database(tmp_path)
        with writing(database) as transaction:
            transaction.rows.insert([ADA])
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(old)
    assert modes == {"sft.db": 0o600, "sft.db-wal": 0o600, "sft.db-shm": 0o600}
    database.close()


def test_a_database_is_never_made_over_something(tmp_path: Path) -> None:
    make_database(tmp_path).close()
    before = (tmp_path / "sft.db").read_bytes()
    with pytest.raises(StoreError) as refused:
        create_database(tmp_path / "sft.db")
    assert refused.value.values["problem"] == "it cannot be made"
    assert (tmp_path / "sft.db").read_bytes() == before


def test_what_a_crash_left_half_made_is_made_anew(tmp_path: Path) -> None:
    for name in ("sft.db.new", "sft.db.new-wal", "sft.db.new-shm"):
        (tmp_path / name).write_bytes(b"half")
    database = make_database(tmp_path)
    with writing(database) as transaction:
        transaction.rows.insert([ADA])
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["sft.db"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        create_database(tmp_path / "none" / "sft.db")


def test_a_name_full_of_odd_characters_is_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "a?mode=memory&b #%20 c"
    folder.mkdir()
    database = copy_database(folder)
    with writing(database) as transaction:
        transaction.rows.insert([ADA])
    with reading(database) as reader:
        assert reader.rows.all(rows_of(UserRow)) == [ADA]
    database.close()
    assert look_names(folder) == ["sft.db"]


def look_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_database_of_another_version_is_not_opened(tmp_path: Path) -> None:
    copy_database(tmp_path).close()
    path = tmp_path / "sft.db"
    tamper(path, "UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(SchemaOutdatedError) as refused:
        open_database(path, ROW_KEY, SERVER_ID, home=tmp_path)
    assert refused.value.values == {"found": "0000", "needed": needed_revision(), "home": str(tmp_path)}
    tamper(path, "DELETE FROM alembic_version")
    with pytest.raises(SchemaOutdatedError) as refused:
        open_database(path, ROW_KEY, SERVER_ID)
    assert refused.value.values["found"] == "none"


@pytest.mark.parametrize(
    "code",
    [
        "CREATE TRIGGER odd AFTER INSERT ON users BEGIN DELETE FROM device_keys; END",
        "CREATE VIEW odd AS SELECT * FROM users",
    ],
)
def test_a_database_that_holds_code_is_not_opened(tmp_path: Path, code: str) -> None:
    copy_database(tmp_path).close()
    tamper(tmp_path / "sft.db", code)
    with pytest.raises(StoreError) as refused:
        open_database(tmp_path / "sft.db", ROW_KEY, SERVER_ID)
    assert "odd" in str(refused.value.values["problem"])


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_what_is_no_database_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sft.db"
    with pytest.raises(StoreError):
        open_database(path, ROW_KEY, SERVER_ID)
    path.write_bytes(content)
    with pytest.raises(StoreError):
        open_database(path, ROW_KEY, SERVER_ID)


def grow(database: Database, size_bytes: int) -> None:
    with writing(database) as transaction:
        transaction.rows.insert([SettingRow(f"{database.wal_bytes()}", bytes(size_bytes))])


def test_nothing_checkpoints_by_itself(empty: Database, tmp_path: Path) -> None:
    before = empty.path.stat().st_size
    for _ in range(6):  # well over SQLite's own thousand pages
        grow(empty, 1 << 20)
    assert empty.path.stat().st_size == before
    assert empty.wal_bytes() > 6 << 20


def test_a_checkpoint_waits_until_the_log_has_grown(empty: Database) -> None:
    before = empty.path.stat().st_size
    grow(empty, 1 << 20)
    empty.checkpoint()
    assert empty.path.stat().st_size == before
    for _ in range(4):
        grow(empty, 1 << 20)
    empty.checkpoint()
    assert empty.path.stat().st_size > 4 << 20
    after = empty.path.stat().st_size
    grow(empty, 1 << 20)
    assert empty.wal_bytes() < 2 << 20  # it started over, and is no longer than what it holds
    empty.checkpoint()
    assert empty.path.stat().st_size == after  # so the next checkpoint waits as the first one did


def test_a_log_that_readers_kept_is_cut_when_it_is_far_too_long(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FULL_CHECKPOINT_BYTES", module.CHECKPOINT_BYTES)
    for _ in range(5):
        grow(empty, 1 << 20)
    empty.checkpoint()
    assert empty.wal_bytes() == 0


def test_closing_leaves_one_whole_file(tmp_path: Path) -> None:
    database = copy_database(tmp_path)
    with writing(database) as transaction:
        transaction.rows.insert([ADA])
    with reading(database) as reader:
        assert reader.rows.all(rows_of(UserRow)) == [ADA]
    database.close()
    assert look_names(tmp_path) == ["sft.db"]
    assert look(tmp_path / "sft.db", "SELECT name FROM users") == [("Ada",)]


def test_a_log_that_was_never_made_measures_nothing(tmp_path: Path) -> None:
    database = copy_database(tmp_path)
    database.close()
    assert database.wal_bytes() == 0


def test_deleted_content_is_overwritten(empty: Database) -> None:
    secret = b"0123456789abcdef" * 64
    row = SettingRow("secret", secret)
    with writing(empty) as transaction:
        transaction.rows.insert([row])
    with writing(empty) as transaction:
        transaction.rows.delete([row])
    empty.close()
    assert secret not in empty.path.read_bytes()
    with closing(sqlite3.connect(empty.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_checkpoint_waits_for_no_reader(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL_CHECKPOINT_BYTES", module.CHECKPOINT_BYTES)
    asked: list[str] = []
    with empty.write_connections.lend() as connection:
        connection.set_trace_callback(asked.append)
    with closing(sqlite3.connect(empty.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM settings").fetchall()
        for _ in range(5):
            grow(empty, 1 << 20)
        asked.clear()
        empty.checkpoint()
        assert asked[1:3] == ["PRAGMA busy_timeout = 0", "PRAGMA wal_checkpoint(TRUNCATE)"]
        assert empty.wal_bytes() > 4 << 20
    empty.checkpoint()
    assert empty.wal_bytes() == 0
    with empty.write_connections.lend() as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (BUSY_MILLISECONDS,)
