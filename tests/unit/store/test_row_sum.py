"""A row that was put back as it once was, or taken out, leaves a sum that no longer holds; nothing of the server's does."""

import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from sft.errors import RowForgedError, StoreError
from sft.store.database import Database, open_database
from sft.store.row_types import SettingRow, UserRow
from sft.store.rows import Transaction
from sft.store.schema import UserModel
from sft.store.statements import rows_of
from tests.unit.store.samples import ADA, GONE, MAX, NOW, ROOT, ROW_KEY, SAMPLES, SERVER_ID, reading, tamper, writing


def holds(database: Database) -> bool:
    with reading(database) as reader:
        return reader.rows.sum_holds()


def copied(database: Database, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database.path)) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 -- a table's name


def put_back(database: Database, table: str, rows: list[tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(database.path)) as connection:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", rows)  # noqa: S608 -- likewise
        connection.commit()


def test_it_holds_after_all_that_the_server_writes(database: Database) -> None:
    assert holds(database)
    with writing(database) as transaction:
        rows = transaction.rows
        rows.update([replace(MAX, role="guest")])  # one that was never loaded here
        (ada,) = rows.all(rows_of(UserRow, UserModel.id == 1))
        rows.update([replace(ada, role="guest")])
        rows.update([replace(ada, role="maintainer")])
        rows.insert([SettingRow("new", b"1")])
        rows.delete([SettingRow("new", b"")])
        rows.delete([row for row in SAMPLES[6] if row.file == GONE.id])
        rows.delete([GONE])
    assert holds(database)


def test_it_holds_after_what_was_undone(database: Database) -> None:
    def undone(transaction: Transaction) -> None:
        with transaction.savepoint():
            transaction.rows.update([replace(MAX, role="guest")])
            transaction.rows.insert([SettingRow("new", b"1")])
            transaction.rows.delete([SettingRow("none", b"1")])

    with writing(database) as transaction:
        transaction.rows.update([replace(MAX, state="disabled")])
        with pytest.raises(StoreError):
            undone(transaction)
        transaction.rows.update([replace(MAX, role="admin")])
    assert holds(database)
    with pytest.raises(RuntimeError), writing(database) as transaction:
        transaction.rows.update([replace(MAX, role="guest")])
        raise RuntimeError
    assert holds(database)


def test_an_old_row_that_was_put_back_is_noticed(database: Database) -> None:
    old = copied(database, "users")
    with writing(database) as transaction:
        transaction.rows.update([replace(ADA, role="guest")])
    assert holds(database)
    put_back(database, "users", old)
    with reading(database) as reader:
        assert reader.rows.one(rows_of(UserRow, UserModel.id == 1)) == ADA  # its MAC is good
    assert not holds(database)


@pytest.mark.parametrize("table", ["users", "settings", "files", "versions", "purges", "uploads"])
def test_a_row_that_was_taken_out_is_noticed(database: Database, table: str) -> None:
    tamper(database.path, f"DELETE FROM {table} WHERE rowid = 1")  # noqa: S608 -- a table's name
    assert not holds(database)


def test_a_row_that_was_put_in_twice_is_noticed(database: Database) -> None:
    tamper(database.path, "INSERT INTO purges SELECT object_id || X'00', purged_at, mac FROM purges")
    assert not holds(database)


def test_an_old_sum_put_back_with_an_old_row_is_no_old_database(database: Database) -> None:
    """Whoever puts back some rows of many must put back all: then it is the old database."""
    users, sums = copied(database, "users"), copied(database, "row_sums")
    with writing(database) as transaction:
        transaction.rows.update([replace(ADA, role="guest")])
        transaction.rows.insert([SettingRow("since", b"1")])
    put_back(database, "users", users)
    put_back(database, "row_sums", sums)
    assert not holds(database)


@pytest.mark.parametrize("change", ["UPDATE row_sums SET sum = zeroblob(32)", "DELETE FROM row_sums"])
def test_the_sum_itself_cannot_be_changed_or_taken_away(database: Database, change: str) -> None:
    tamper(database.path, change)
    with reading(database) as reader, pytest.raises(RowForgedError):
        reader.rows.sum_holds()
    with pytest.raises(RowForgedError), writing(database) as transaction:
        transaction.rows.update([ROOT])
    database.close()
    with pytest.raises(RowForgedError):
        open_database(database.path, ROW_KEY, SERVER_ID)


def test_no_transaction_is_before_one_that_is_stored(database: Database) -> None:
    """Deleted while the clock says 1970, a file would be destroyed when it is right again."""
    with database.write_connections.transaction() as connection:
        transaction = Transaction(connection, database.row_macs, 5)
        assert transaction.now == NOW
        transaction.rows.insert([SettingRow("early", b"")])
    with database.write_connections.transaction() as connection:
        transaction = Transaction(connection, database.row_macs, NOW + 7)
        transaction.rows.insert([SettingRow("late", b"")])
    with database.write_connections.transaction() as connection:
        assert Transaction(connection, database.row_macs, NOW).now == NOW + 7
    assert holds(database)
