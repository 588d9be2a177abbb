"""A reading transaction sees one moment, ends with its block, and speaks our errors."""

import threading

import pytest

from sft.errors import RowForgedError, StoreError
from sft.model.policy import ServerPolicy
from sft.store.database import Database, ReadPool
from sft.store.row_types import UserRow
from sft.store.rows import ReadTransaction
from sft.store.statements import rows_of
from sft.store.users import user_by_id
from tests.unit.store.samples import ADA, MAX, NOW, clock, grown, tamper, writing


def test_a_query_runs_in_a_transaction_of_its_own(database: Database) -> None:
    def query(reading: ReadTransaction, number: int, *, role: str) -> tuple[UserRow | None, str, int]:
        return user_by_id(reading, number), role, reading.now

    assert ReadPool(database, clock).run(query, 2, role="any") == (MAX, "any", NOW)


def test_a_transaction_sees_one_moment(empty: Database) -> None:
    readers = ReadPool(empty, clock)
    with readers.reading() as reading:
        assert reading.rows.all(rows_of(UserRow)) == []
        with writing(empty) as transaction:
            transaction.rows.insert([ADA])
        assert reading.rows.all(rows_of(UserRow)) == []
    with readers.reading() as reading:
        assert reading.rows.all(rows_of(UserRow)) == [ADA]


def test_nothing_stays_open_after_a_query(database: Database) -> None:
    readers = ReadPool(database, clock)
    readers.run(user_by_id, 1)
    with pytest.raises(KeyError), readers.reading():
        raise KeyError
    # A transaction that were open would keep the log from being cut.
    assert grown(database) == 0


def test_a_transaction_carries_the_policy_that_ruled_when_it_began(database: Database) -> None:
    readers = ReadPool(database, clock)
    with readers.reading() as before:
        readers.policy = ServerPolicy(trash_days=3)
        with readers.reading() as after:
            assert (before.policy.trash_days, after.policy.trash_days) == (30, 3)


def test_threads_read_side_by_side(database: Database) -> None:
    readers = ReadPool(database, clock)
    both = threading.Barrier(2, timeout=10)

    def query(reading: ReadTransaction) -> UserRow | None:
        both.wait()  # both transactions are open at once, or this breaks
        return user_by_id(reading, 1)

    found: list[UserRow | None] = []
    threads = [threading.Thread(target=lambda: found.append(readers.run(query))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [ADA, ADA]


def test_a_fault_of_the_database_is_ours(database: Database) -> None:
    def query(reading: ReadTransaction) -> object:
        return reading.rows._connection.execute("SELECT * FROM strange")

    with pytest.raises(StoreError) as refused:
        ReadPool(database, clock).run(query)
    assert "no such table" in refused.value.detail
    assert "strange" not in str(refused.value.values)


def test_a_forged_row_passes_as_what_it_is(database: Database) -> None:
    tamper(database.path, "UPDATE users SET role = 'admin' WHERE id = 2")
    with pytest.raises(RowForgedError):
        ReadPool(database, clock).run(user_by_id, 2)
