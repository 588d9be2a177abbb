"""Every connection has its settings, and no two transactions lose each other's updates."""

import sqlite3
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from sft.errors import StoreError
from sft.store.connections import Connections, connect, faults_as_ours, is_busy, is_disk_full
from sft.store.database import Database, ReadPool
from sft.store.ledger import tiles_at
from tests.unit.store.samples import ADA, copy_database, reading, writing

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


def settings_of(connection: sqlite3.Connection) -> dict[str, object]:
    return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in (*WANTED, "query_only")}


def lent(connections: Connections, count: int) -> list[dict[str, object]]:
    with ExitStack() as stack:
        return [settings_of(stack.enter_context(connections.lend())) for _ in range(count)]


def test_every_connection_has_the_settings(empty: Database) -> None:
    assert lent(empty.write_connections, 1) == [{**WANTED, "query_only": 0}]
    assert lent(empty.read_connections, 2) == [{**WANTED, "query_only": 1}] * 2


def test_migrations_alone_run_without_foreign_keys(empty: Database) -> None:
    with closing(connect(empty.path, writing=True, foreign_keys=False)) as connection:
        assert settings_of(connection) == {**WANTED, "foreign_keys": 0, "query_only": 0}


def test_there_is_one_writing_connection(empty: Database) -> None:
    for connections, most in ((empty.write_connections, 1), (empty.read_connections, 3)):
        with ExitStack() as stack:
            assert len({id(stack.enter_context(connections.lend())) for _ in range(most)}) == most
            assert not connections._free.acquire(blocking=False)


def test_a_proof_reads_a_tile_while_every_reader_reads(empty: Database) -> None:
    """The last connection is for that: else all who prove would wait for one another, for ever."""
    readers = ReadPool(empty, lambda: 0)
    with readers.reading(), readers.reading():
        assert readers.run(lambda reading: tiles_at(reading, [(0, 0)])) == {}


def test_a_writing_transaction_takes_the_lock_at_its_beginning(empty: Database) -> None:
    other = sqlite3.connect(empty.path, timeout=0, isolation_level=None)
    with writing(empty), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_no_update_is_lost_between_connections(empty: Database) -> None:
    each = [Connections(empty.path, writing=True, most=1) for _ in range(4)]
    with each[0].transaction() as connection:
        connection.execute("CREATE TABLE counter (value INTEGER)")
        connection.execute("INSERT INTO counter VALUES (0)")

    def count(connections: Connections) -> None:
        for _ in range(30):
            with connections.transaction() as connection:
                (value,) = connection.execute("SELECT value FROM counter").fetchone()
                connection.execute("UPDATE counter SET value = ?", (value + 1,))

    threads = [threading.Thread(target=count, args=(connections,)) for connections in each]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with each[0].transaction() as connection:
        assert connection.execute("SELECT value FROM counter").fetchone() == (120,)
    for connections in each:
        connections.close()


def test_a_transaction_that_fails_is_rolled_back_and_the_next_goes_on(empty: Database) -> None:
    with pytest.raises(KeyError), empty.write_connections.transaction() as connection:
        connection.execute("CREATE TABLE counter (value INTEGER)")
        raise KeyError
    with empty.write_connections.transaction() as connection:
        assert connection.execute("SELECT * FROM sqlite_master WHERE name = 'counter'").fetchone() is None


@pytest.mark.parametrize("query_only", [True, False])
def test_a_reader_cannot_write(database: Database, query_only: bool) -> None:
    with database.read_connections.lend() as connection:
        if not query_only:  # the file itself is open for reading alone
            connection.execute("PRAGMA query_only = 0")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("UPDATE users SET role = 'admin'")


def test_no_connection_makes_a_file(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    for writing_too in (True, False):
        with pytest.raises(StoreError), faults_as_ours():
            connect(path, writing=writing_too)
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_its_log_is_refused(tmp_path: Path) -> None:
    copy_database(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "sft.db")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    with pytest.raises(StoreError) as refused:
        connect(tmp_path / "sft.db", writing=True)
    assert refused.value.values["problem"] == "it has no write-ahead log"


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
    with empty.write_connections.lend() as connection:
        (found,) = connection.execute("SELECT CAST(X'61FF' AS TEXT)").fetchone()
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
