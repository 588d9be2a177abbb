"""Every connection has its settings, and no two transactions lose each other's updates."""

import sqlite3
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from sft.errors import StoreError
from sft.store.connections import faults_as_ours, is_busy, is_disk_full, read_engine, write_engine
from sft.store.database import Database
from tests.unit.store.samples import ADA, make_database, reading, writing

WANTED = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "secure_delete": 1,
    "busy_timeout": 5000,
    "wal_autocheckpoint": 0,
    "journal_size_limit": 0,
}


def settings_of(engine: Engine, connections: int) -> list[dict[str, object]]:
    with ExitStack() as stack:
        opened = [stack.enter_context(engine.connect()) for _ in range(connections)]
        return [
            {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in (*WANTED, "query_only")}
            for connection in opened
        ]


def test_every_connection_has_the_settings(empty: Database) -> None:
    assert settings_of(empty.write_engine, 1) == [{**WANTED, "query_only": 0}]
    assert settings_of(empty.read_engine, 2) == [{**WANTED, "query_only": 1}] * 2


def test_migrations_alone_run_without_foreign_keys(empty: Database) -> None:
    engine = write_engine(empty.path, foreign_keys=False)
    assert settings_of(engine, 1) == [{**WANTED, "foreign_keys": 0, "query_only": 0}]
    engine.dispose()


def test_there_is_one_writing_connection(empty: Database) -> None:
    assert empty.write_engine.pool.size() == 1  # type: ignore[attr-defined]
    assert empty.write_engine.pool._max_overflow == 0  # type: ignore[attr-defined]
    assert empty.read_engine.pool.size() == 2  # type: ignore[attr-defined]


def test_a_writing_transaction_takes_the_lock_at_its_beginning(empty: Database) -> None:
    other = sqlite3.connect(empty.path, timeout=0, isolation_level=None)
    with writing(empty), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_no_update_is_lost_between_connections(empty: Database) -> None:
    engines = [write_engine(empty.path) for _ in range(4)]
    with engines[0].begin() as connection:
        connection.exec_driver_sql("CREATE TABLE counter (value INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (0)")

    def count(engine: Engine) -> None:
        for _ in range(30):
            with engine.begin() as connection:
                value = connection.exec_driver_sql("SELECT value FROM counter").scalar_one()
                connection.exec_driver_sql("UPDATE counter SET value = ?", (value + 1,))

    threads = [threading.Thread(target=count, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engines[0].begin() as connection:
        assert connection.exec_driver_sql("SELECT value FROM counter").scalar_one() == 120
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize("query_only", [True, False])
def test_a_reader_cannot_write(database: Database, query_only: bool) -> None:
    with database.read_engine.connect() as connection:
        if not query_only:  # the file itself is open for reading alone
            connection.exec_driver_sql("PRAGMA query_only = 0")
        with pytest.raises(OperationalError, match="readonly"):
            connection.exec_driver_sql("UPDATE users SET role = 'admin'")


def test_no_engine_makes_a_file(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    for engine in (write_engine(path), read_engine(path, connections=1)):
        with pytest.raises(StoreError), faults_as_ours(), engine.connect():
            pass
        engine.dispose()
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_its_log_is_refused(tmp_path: Path) -> None:
    make_database(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "sft.db")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    engine = write_engine(tmp_path / "sft.db")
    with pytest.raises(StoreError) as refused, engine.connect():
        pass
    assert refused.value.values["problem"] == "it has no write-ahead log"
    engine.dispose()


def test_what_a_statement_was_given_is_in_no_message(database: Database) -> None:
    with pytest.raises(StoreError) as refused, faults_as_ours(), writing(database) as transaction:
        transaction.rows.insert([ADA])
    fault: BaseException | None = refused.value
    while fault is not None:
        assert "Ada" not in str(fault)
        assert "active" not in str(fault)
        fault = fault.__cause__ or fault.__context__
    assert "UNIQUE constraint failed" in refused.value.detail


def test_text_that_is_no_text_reaches_the_mac_that_refuses_it(empty: Database) -> None:
    with empty.write_engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT CAST(X'61FF' AS TEXT)").scalar()
    assert found == "a\udcff"


def test_faults_are_told_apart(empty: Database) -> None:
    other = sqlite3.connect(empty.path, timeout=0, isolation_level=None)
    with writing(empty), pytest.raises(sqlite3.OperationalError) as busy:
        other.execute("BEGIN IMMEDIATE")
    pages = other.execute("PRAGMA page_count").fetchone()[0]
    other.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError) as full:
        other.execute("CREATE TABLE more AS SELECT zeroblob(100000) AS bytes")
    other.close()
    assert (is_busy(busy.value), is_disk_full(busy.value)) == (True, False)
    assert (is_busy(full.value), is_disk_full(full.value)) == (False, True)
    assert not is_busy(ValueError())


def test_our_own_faults_pass(empty: Database) -> None:
    with pytest.raises(KeyError), faults_as_ours():
        raise KeyError
    with reading(empty) as reader:
        assert reader.rows is not None
