"""One thread, one commit for many acts, and no answer before the commit."""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import closing
from queue import SimpleQueue
from typing import Any

import pytest
from msgspec.structs import replace

from sft.errors import (
    DatabaseBusyError,
    InviteUsedError,
    LastAdminError,
    NotFoundError,
    OutcomeUnknownError,
    RequestError,
    RowForgedError,
    ServerFullError,
    StoreError,
    TooLargeError,
)
from sft.limits import GROUP_ACTS, GROUP_BYTES
from sft.model.access import operator_caller
from sft.model.events import DomainEvent, UploadGivenUp
from sft.model.policy import ServerPolicy
from sft.store.connections import store_error
from sft.store.database import CHECKPOINT_BYTES, Database
from sft.store.row_types import DeviceKeyRow, SettingRow, UserRow
from sft.store.rows import Transaction
from sft.store.schema import SettingModel
from sft.store.statements import rows_of
from sft.store.users import user_by_id
from sft.store.writer import Writer
from tests.unit.store.samples import (
    ADA,
    ADAS_KEY,
    NOW,
    ROW_KEY,
    SERVER_ID,
    clock,
    look,
    never,
    reading,
    tamper,
    writer_of,
    writing,
)

WAIT = 20  # seconds; a test that waits so long has failed


@pytest.fixture
def queued(empty: Database) -> Iterator[Writer]:
    """A writer that was not started: what a test submits lies in its queue."""
    writer = Writer(empty, clock, on_fatal=never)
    yield writer
    if writer._thread.ident is None:
        writer.start()
    writer.stop()


def put(transaction: Transaction, names: Sequence[str]) -> list[str]:
    transaction.rows.insert([SettingRow(name, b"") for name in names])
    return [name.upper() for name in names]


def test_an_act_has_the_policy_that_rules_when_its_group_begins(database: Database) -> None:
    def days(transaction: Transaction, inputs: Sequence[Any]) -> list[int]:
        return [transaction.policy.trash_days for _ in inputs]

    with writer_of(database) as writer:
        assert writer.submit(days, None).result(WAIT) == 30
        database.policy = ServerPolicy(trash_days=3)
        assert writer.submit(days, None).result(WAIT) == 3


def names_of(database: Database) -> set[str]:
    with reading(database) as reader:
        return {row.name for row in reader.rows.all(rows_of(SettingRow))}


def recording(calls: list[tuple[str, list[Any]]], name: str) -> Callable[[Transaction, Sequence[Any]], list[Any]]:
    def act(transaction: Transaction, inputs: Sequence[Any]) -> list[Any]:
        calls.append((name, list(inputs)))
        return list(inputs)

    return act


def faults_of(futures: Sequence[Future[Any]]) -> list[BaseException | None]:
    return [future.exception(WAIT) for future in futures]


def test_an_act_gets_a_transaction_and_gives_results(empty: Database) -> None:
    def act(transaction: Transaction, inputs: Sequence[int]) -> list[tuple[int, int]]:
        return [(number, transaction.now) for number in inputs]

    with writer_of(empty) as writer:
        assert writer.submit(act, 7).result(WAIT) == (7, NOW)
        assert writer.submit(put, "a").result(WAIT) == "A"
    assert names_of(empty) == {"a"}


@pytest.mark.parametrize("count", [3, 200])
def test_several_inputs_have_one_end_and_each_an_outcome(empty: Database, count: int) -> None:
    """Also where they fill several groups; what one of them meets is its own."""

    def act(transaction: Transaction, inputs: Sequence[int]) -> list[int | RequestError]:
        if any(number == 1 for number in inputs):
            if len(inputs) > 1:
                raise ZeroDivisionError
            raise LookupError
        return [TooLargeError(what="it", limit=number) if number % 3 == 2 else number * 2 for number in inputs]

    ended: SimpleQueue[list[Any]] = SimpleQueue()
    with writer_of(empty) as writer:
        writer.submit_all(act, [(number, 10) for number in range(count)], arrived=ended.put)
        outcomes = ended.get(timeout=WAIT)
    assert ended.empty()
    for number, outcome in enumerate(outcomes):
        if number == 1:
            assert isinstance(outcome, LookupError)
        elif number % 3 == 2:
            assert isinstance(outcome, TooLargeError)
        else:
            assert outcome == number * 2


def test_several_inputs_of_a_writer_that_has_ended_end_too(empty: Database) -> None:
    ended: list[list[Any]] = []
    with writer_of(empty) as writer:
        pass
    writer.submit_all(put, [("a", 0), ("b", 0)], arrived=ended.append)
    ((first, second),) = ended
    assert isinstance(first, StoreError)
    assert isinstance(second, StoreError)
    assert names_of(empty) == set()


def test_no_update_is_lost(empty: Database) -> None:
    def count(transaction: Transaction, inputs: Sequence[None]) -> list[int]:
        counts = []
        for _ in inputs:
            row = transaction.rows.one(rows_of(SettingRow, SettingModel.name == "count"))
            assert row is not None
            number = int(row.value) + 1
            transaction.rows.update([replace(row, value=b"%d" % number)])
            counts.append(number)
        return counts

    def zero(transaction: Transaction, inputs: Sequence[None]) -> Sequence[None]:
        transaction.rows.insert([SettingRow("count", b"0")])
        return inputs

    counts: list[int] = []

    def ask(writer: Writer) -> None:
        counts.extend(writer.submit(count, None).result(WAIT) for _ in range(30))

    with writer_of(empty) as writer:
        writer.submit(zero, None).result(WAIT)
        threads = [threading.Thread(target=ask, args=(writer,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(counts) == list(range(1, 121))
    assert look(empty.path, "SELECT value FROM settings") == [(b"120",)]


def test_acts_of_one_kind_that_follow_one_another_are_one_list(queued: Writer) -> None:
    calls: list[tuple[str, list[Any]]] = []
    first, second = recording(calls, "first"), recording(calls, "second")
    futures = [queued.submit(act, number) for number, act in enumerate([first, first, second, first, second, second])]
    queued.start()
    assert [future.result(WAIT) for future in futures] == [0, 1, 2, 3, 4, 5]
    assert calls == [("first", [0, 1]), ("second", [2]), ("first", [3]), ("second", [4, 5])]


def transactions_of(database: Database) -> list[str]:
    statements: list[str] = []

    def note(statement: str) -> None:
        if "row_sums" not in statement:  # which each transaction reads first
            statements.append(statement)

    with database.write_connections.lend() as connection:
        connection.set_trace_callback(note)
    return statements


def test_a_group_is_one_transaction_of_so_many_acts(empty: Database, queued: Writer) -> None:
    calls: list[tuple[str, list[Any]]] = []
    statements = transactions_of(empty)
    act = recording(calls, "act")
    futures = [queued.submit(act, number) for number in range(2 * GROUP_ACTS + 1)]
    queued.start()
    assert [future.result(WAIT) for future in futures] == list(range(2 * GROUP_ACTS + 1))
    assert [len(inputs) for _, inputs in calls] == [GROUP_ACTS, GROUP_ACTS, 1]
    assert statements == ["BEGIN IMMEDIATE", "COMMIT"] * 3


def test_a_group_holds_so_many_bytes(queued: Writer) -> None:
    calls: list[tuple[str, list[Any]]] = []
    act = recording(calls, "act")
    sizes = [GROUP_BYTES // 2, GROUP_BYTES // 2, 1, GROUP_BYTES, 0, 3 * GROUP_BYTES, 1]
    futures = [queued.submit(act, size, size=size) for size in sizes]
    queued.start()
    assert [future.result(WAIT) for future in futures] == sizes
    assert [inputs for _, inputs in calls] == [sizes[:2], sizes[2:3], sizes[3:5], sizes[5:6], [1]]


def test_a_result_comes_after_the_commit(empty: Database, queued: Writer) -> None:
    seen: list[list[Any]] = []
    future = queued.submit(put, "a")
    future.add_done_callback(lambda _: seen.append(look(empty.path, "SELECT name FROM settings")))
    queued.submit(put, "b")
    queued.start()
    future.result(WAIT)
    queued.stop()
    assert seen == [[("a",), ("b",)]]


# -- refusals and faults ----------------------------------------------------------------------------

REASONS: list[Callable[[str], BaseException]] = [
    lambda name: NotFoundError(what="file", name=name),
    lambda name: LastAdminError(name=name),
    lambda name: InviteUsedError(used_at=len(name)),
    lambda name: RowForgedError("users", name),
    KeyError,
    ValueError,
    sqlite3.OperationalError,
]


def test_of_64_inputs_every_third_fails_each_for_another_reason(empty: Database, queued: Writer) -> None:
    # Refusals that are returned, refusals that are raised, and faults of every kind, in one group.
    attempts: list[int] = []

    def act(transaction: Transaction, inputs: Sequence[int]) -> list[str | RequestError]:
        attempts.append(len(inputs))
        results: list[str | RequestError] = []
        for number in inputs:
            if number % 3 == 0:
                fault = REASONS[number // 3 % len(REASONS)](f"n{number}")
                if not isinstance(fault, RequestError) or number % 2:
                    transaction.rows.insert([SettingRow(f"trace{number}", b"")])
                    raise fault
                results.append(fault)
            else:
                results += put(transaction, [f"n{number}"])
        return results

    futures = [queued.submit(act, number) for number in range(64)]
    queued.start()
    for number, fault in enumerate(faults_of(futures)):
        if number % 3:
            assert fault is None
            assert futures[number].result() == f"N{number}"
        else:
            wanted = REASONS[number // 3 % len(REASONS)](f"n{number}")
            if isinstance(wanted, sqlite3.Error):
                wanted = store_error(wanted)
            assert type(fault) is type(wanted)
            assert fault.args == wanted.args
            assert getattr(fault, "values", None) == getattr(wanted, "values", None)
    assert names_of(empty) == {f"n{number}" for number in range(64) if number % 3}
    assert attempts == [64] + [1] * 64


def test_refusals_that_are_returned_cost_the_group_nothing(empty: Database, queued: Writer) -> None:
    lists: list[int] = []

    def act(transaction: Transaction, inputs: Sequence[int]) -> list[str | RequestError]:
        lists.append(len(inputs))
        return [
            put(transaction, [f"n{number}"])[0] if number % 3 else NotFoundError(what="file", name=str(number))
            for number in inputs
        ]

    futures = [queued.submit(act, number) for number in range(64)]
    queued.start()
    assert [fault is None for fault in faults_of(futures)] == [number % 3 > 0 for number in range(64)]
    assert lists == [64]
    assert len(names_of(empty)) == 42


def test_a_fault_of_one_kind_of_act_does_not_end_another(empty: Database, queued: Writer) -> None:
    def broken(transaction: Transaction, inputs: Sequence[str]) -> list[str]:
        put(transaction, inputs)
        raise ZeroDivisionError

    futures = [queued.submit(put, "a"), queued.submit(broken, "b"), queued.submit(put, "c")]
    queued.start()
    assert [type(fault) for fault in faults_of(futures)] == [type(None), ZeroDivisionError, type(None)]
    assert names_of(empty) == {"a", "c"}


def test_a_fault_of_the_database_is_ours(queued: Writer) -> None:
    futures = [queued.submit(put, "a"), queued.submit(put, "a")]
    queued.start()
    first, second = faults_of(futures)
    assert first is None
    assert isinstance(second, StoreError)
    assert "UNIQUE" in second.detail


@pytest.mark.parametrize("results", [[], ["one", "two"]])
def test_an_act_answers_each_input(empty: Database, results: list[str]) -> None:
    def act(transaction: Transaction, inputs: Sequence[str]) -> list[str]:
        put(transaction, inputs)
        return results

    with writer_of(empty) as writer:
        assert isinstance(writer.submit(act, "a").exception(WAIT), TypeError)
    assert names_of(empty) == set()


def test_a_forged_row_ends_only_what_needs_it(database: Database) -> None:
    tamper(database.path, "UPDATE users SET role = 'admin' WHERE id = 2")

    def act(transaction: Transaction, inputs: Sequence[int]) -> list[UserRow | None]:
        return [user_by_id(transaction, number) for number in inputs]

    writer = Writer(database, clock, on_fatal=never)
    futures = [writer.submit(act, number) for number in (1, 2, 1)]
    writer.start()
    writer.stop()
    forged = futures[1].exception()
    assert isinstance(forged, RowForgedError)
    assert (forged.table, forged.row) == ("users", "2")
    assert [futures[0].result(), futures[2].result()] == [ADA, ADA]


def test_a_full_disk_refuses_what_needs_room_and_goes_on(empty: Database) -> None:
    def large(transaction: Transaction, inputs: Sequence[int]) -> list[int]:
        transaction.rows.insert([SettingRow(f"s{size}", bytes(size)) for size in inputs])
        return list(inputs)

    with empty.write_connections.lend() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 10}")
    writer = Writer(empty, clock, on_fatal=never)
    futures = [writer.submit(large, size, size=size) for size in (10, 1_000_000, 20)]
    writer.start()
    writer.stop()
    full = futures[1].exception()
    assert isinstance(full, ServerFullError)
    assert full.values == {"size_bytes": 1_000_000}
    assert [futures[0].result(), futures[2].result()] == [10, 20]
    assert names_of(empty) == {"s10", "s20"}


def test_on_a_full_disk_the_room_that_is_held_is_given_up_once(empty: Database) -> None:
    def large(transaction: Transaction, inputs: Sequence[int]) -> list[int]:
        transaction.rows.insert([SettingRow(f"s{size}", bytes(size)) for size in inputs])
        return list(inputs)

    def allow(more: int) -> None:
        with closing(sqlite3.connect(empty.path)) as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
        with empty.write_connections.lend() as connection:
            connection.execute(f"PRAGMA max_page_count = {pages + more}")

    held = [500]

    def make_room() -> bool:
        for more in held:
            allow(more)
        return bool(held) and held.pop() > 0

    allow(10)
    writer = Writer(empty, clock, on_fatal=never, make_room=make_room)
    futures = [writer.submit(large, size, size=size) for size in (1_000_000, 3_000_000)]
    writer.start()
    writer.stop()
    assert futures[0].result() == 1_000_000
    assert isinstance(futures[1].exception(), ServerFullError)
    assert (names_of(empty), held) == ({"s1000000"}, [])


def test_a_disk_that_is_full_within_a_savepoint_is_told_as_full(empty: Database) -> None:
    """SQLite gives up the whole transaction then, and the savepoint with it."""

    def large(transaction: Transaction, inputs: Sequence[int]) -> list[int]:
        for size in inputs:
            with transaction.savepoint():
                transaction.rows.insert([SettingRow(f"s{size}", bytes(size))])
        return list(inputs)

    with empty.write_connections.lend() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 10}")
    with writer_of(empty) as writer:
        assert isinstance(writer.submit(large, 1_000_000, size=7).exception(WAIT), ServerFullError)
        assert writer.submit(large, 20).result(WAIT) == 20


def test_another_process_that_holds_the_file_fails_the_group_once(empty: Database) -> None:
    with empty.write_connections.lend() as connection:
        connection.execute("PRAGMA busy_timeout = 0")
    writer = Writer(empty, clock, on_fatal=never)
    statements = transactions_of(empty)
    ran: list[tuple[str, list[Any]]] = []
    futures = [writer.submit(recording(ran, "act"), number) for number in range(3)]
    with closing(sqlite3.connect(empty.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer.start()
        assert [type(fault) for fault in faults_of(futures)] == [DatabaseBusyError] * 3
    assert (ran, statements) == ([], ["BEGIN IMMEDIATE"])  # each wait takes seconds
    assert writer.submit(put, "later").result(WAIT) == "LATER"
    writer.stop()


# -- ends -------------------------------------------------------------------------------------------


def uncommittable(transaction: Transaction, inputs: Sequence[int]) -> list[int]:
    """Write what only the commit refuses: a key whose user is missing."""
    transaction._connection.execute("PRAGMA defer_foreign_keys = ON")
    transaction.rows.insert([replace(ADAS_KEY, id=number, user_id=99) for number in inputs])
    return list(inputs)


def test_a_failed_commit_is_the_end(empty: Database) -> None:
    told: list[BaseException] = []
    ended = threading.Event()

    def on_fatal(error: BaseException) -> None:
        told.append(error)
        ended.set()

    writer = Writer(empty, clock, on_fatal=on_fatal)
    group = [writer.submit(put, "a"), writer.submit(uncommittable, 5)]
    filling = [writer.submit(put, f"f{number}", size=GROUP_BYTES) for number in range(3)]
    cancelled = writer.submit(put, "c")
    assert cancelled.cancel()
    writer.start()
    assert ended.wait(WAIT)
    # Of what never ran it is certain that it is not on the disk.
    assert [type(fault) for fault in faults_of(group + filling)] == [OutcomeUnknownError] * 3 + [StoreError] * 2
    assert len(told) == 1
    assert "FOREIGN KEY" in str(told[0])
    assert isinstance(writer.submit(put, "late").exception(WAIT), StoreError)
    writer.stop()
    assert (names_of(empty), told[1:]) == (set(), [])
    with writing(empty) as transaction:  # nothing was left open
        assert transaction.rows.all(rows_of(DeviceKeyRow)) == []


def test_a_failed_commit_is_the_end_also_one_at_a_time(empty: Database) -> None:
    told: list[BaseException] = []

    def broken(transaction: Transaction, inputs: Sequence[int]) -> list[int]:
        raise ZeroDivisionError

    writer = Writer(empty, clock, on_fatal=told.append)
    futures: list[Future[Any]] = [
        writer.submit(put, "a"),
        writer.submit(broken, 1),
        writer.submit(uncommittable, 5),
        writer.submit(put, "b"),
    ]
    writer.start()
    assert [type(fault) for fault in faults_of(futures)] == [
        type(None),
        ZeroDivisionError,
        OutcomeUnknownError,
        OutcomeUnknownError,
    ]
    writer.stop()
    assert names_of(empty) == {"a"}
    assert len(told) == 1


def test_nobody_waits_for_a_writer_that_was_told_to_exit(empty: Database) -> None:
    told: list[BaseException] = []

    def leave(transaction: Transaction, inputs: Sequence[int]) -> list[int]:
        raise SystemExit

    writer = Writer(empty, clock, on_fatal=told.append)
    futures: list[Future[Any]] = [writer.submit(leave, 1), writer.submit(put, "a")]
    writer.start()
    assert [type(fault) for fault in faults_of(futures)] == [StoreError, StoreError]
    writer.stop()
    assert [type(error) for error in told] == [SystemExit]


def test_what_is_queued_is_done_before_the_end(empty: Database, queued: Writer) -> None:
    futures = [queued.submit(put, f"n{number}", size=GROUP_BYTES) for number in range(5)]
    queued.start()
    queued.stop()
    queued.stop()
    assert [future.result(0) for future in futures] == [f"N{number}" for number in range(5)]
    assert isinstance(queued.submit(put, "late").exception(0), StoreError)
    assert len(names_of(empty)) == 5


def test_a_cancelled_input_is_not_done(empty: Database, queued: Writer) -> None:
    futures = [queued.submit(put, name) for name in "abc"]
    assert futures[1].cancel()
    queued.start()
    queued.stop()
    with pytest.raises(CancelledError):
        futures[1].result(0)
    assert names_of(empty) == {"a", "c"}


def test_the_writer_looks_after_the_log(empty: Database) -> None:
    def large(transaction: Transaction, inputs: Sequence[int]) -> list[int]:
        transaction.rows.insert([SettingRow(f"s{number}", bytes(1 << 20)) for number in inputs])
        return list(inputs)

    with writer_of(empty) as writer:
        for number in range(12):
            writer.submit(large, number).result(WAIT)
    assert empty.wal_bytes() < CHECKPOINT_BYTES + (4 << 20)
    assert empty.path.stat().st_size > 6 << 20


def full_disk() -> sqlite3.OperationalError:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as full:
            connection.execute("CREATE TABLE large AS SELECT zeroblob(100000)")
    return full.value


@pytest.mark.parametrize(("fault", "fatal"), [(full_disk(), False), (sqlite3.OperationalError("disk I/O error"), True)])
def test_a_checkpoint_may_wait_for_room_and_for_nothing_else(
    empty: Database, fault: sqlite3.Error, fatal: bool
) -> None:
    class Stubborn(Database):
        def checkpoint(self) -> None:
            raise fault

    stubborn = Stubborn(empty.path, ROW_KEY, None, SERVER_ID, readers=1)
    told: list[BaseException] = []
    writer = Writer(stubborn, clock, on_fatal=told.append)
    writer.start()
    assert writer.submit(put, "a").result(WAIT) == "A"
    later = writer.submit(put, "b").exception(WAIT)
    writer.stop()
    assert (later is not None, told) == (fatal, [fault] if fatal else [])
    stubborn.close()


# -- events -------------------------------------------------------------------------------------------


def said(*texts: str) -> list[DomainEvent]:
    return [UploadGivenUp(by=operator_caller(), object_id=b"", path=text, segments=0) for text in texts]


def tell(transaction: Transaction, names: Sequence[str]) -> list[str | RequestError]:
    """Write and log each name; refuse "no", and fail for "bad" after it was logged."""
    results: list[str | RequestError] = []
    for name in names:
        try:
            with transaction.savepoint():
                put(transaction, [name])
                transaction.log(said(name)[0])
                if name == "no":
                    raise NotFoundError(what="x", name="x")
            results.append(name)
        except NotFoundError as refusal:
            results.append(refusal)
        if name == "bad":
            raise ZeroDivisionError
    return results


class Told:
    """What a writer told, in order: groups before and after their commit, then results and events."""

    def __init__(self, database: Database) -> None:
        self.before: list[list[DomainEvent]] = []
        self.after: list[Any] = []
        self.committed: list[list[DomainEvent]] = []
        self.fatal: list[BaseException] = []
        self.refuse = ""
        self.refuse_late = ""
        self.names: Sequence[str] = ()
        self.futures: list[Future[Any]] = []
        self.database = database
        self.writer = Writer(
            database,
            clock,
            on_fatal=self.fatal.append,
            on_events=self.after.append,
            before_commit=self.before_commit,
            after_commit=self.after_commit,
        )

    def before_commit(self, transaction: Transaction, events: Sequence[DomainEvent]) -> None:
        self.before.append(list(events))
        put(transaction, [f"head {len(self.before)} of {len(events)}"])
        if said(self.refuse)[0] in events:
            raise ZeroDivisionError

    def after_commit(self, events: Sequence[DomainEvent]) -> None:
        self.committed.append(list(events))
        told = {event.path for event in events if isinstance(event, UploadGivenUp)}
        assert told <= names_of(self.database)  # another connection sees it
        done = [name for name, future in zip(self.names, self.futures, strict=True) if future.done()]
        assert not told & set(done)  # and nobody knows
        if said(self.refuse_late)[0] in events:
            raise OSError(errno.ENOSPC, "no room")

    def run(self, *names: str) -> list[BaseException | None]:
        self.names = names
        self.futures = [
            self.writer.submit(tell, name, arrived=lambda each: self.after.append(each.done())) for name in names
        ]
        self.writer.start()
        self.writer.stop()
        return faults_of(self.futures)


def test_a_groups_events_are_told_once_before_and_after_its_commit(empty: Database) -> None:
    told = Told(empty)
    assert told.run("a", "b") == [None, None]
    assert told.before == [said("a", "b")]
    assert told.committed == told.before
    assert told.after == [True, True, said("a", "b")]
    assert names_of(empty) == {"a", "b", "head 1 of 2"}


def test_what_was_refused_is_not_told(empty: Database) -> None:
    told = Told(empty)
    faults = told.run("a", "no", "b")
    assert [type(fault) for fault in faults] == [type(None), NotFoundError, type(None)]
    assert told.before == [said("a", "b")]
    assert told.after == [True, True, True, said("a", "b")]


def test_a_group_that_is_run_again_tells_each_once(empty: Database) -> None:
    told = Told(empty)
    faults = told.run("a", "bad", "b")
    assert [type(fault) for fault in faults] == [type(None), ZeroDivisionError, type(None)]
    assert told.before == [said("a"), said("b")]
    assert told.committed == told.before
    assert told.after == [True, said("a"), True, True, said("b")]


def test_who_steps_in_before_a_commit_can_end_it(empty: Database) -> None:
    told = Told(empty)
    told.refuse = "b"
    faults = told.run("a", "b")
    assert [type(fault) for fault in faults] == [type(None), ZeroDivisionError]
    assert told.committed == [said("a")]
    assert told.after == [True, said("a"), True]
    assert names_of(empty) == {"a", "head 2 of 1"}


def test_a_commit_that_is_not_followed_is_the_end(empty: Database) -> None:
    told = Told(empty)
    told.refuse_late = "b"
    faults = told.run("a", "b")
    # All of it is on the disk, and it is not done once more: a full disk here is none of the database's.
    assert [type(fault) for fault in faults] == [OutcomeUnknownError, OutcomeUnknownError]
    assert names_of(empty) == {"a", "b", "head 1 of 2"}
    assert told.committed == [said("a", "b")]
    assert told.after == [True, True]
    assert [str(error) for error in told.fatal] == ["[Errno 28] no room"]
    assert isinstance(told.writer.submit(tell, "late").exception(WAIT), StoreError)


def test_a_group_that_said_nothing_has_both_steps_all_the_same(empty: Database) -> None:
    told = Told(empty)
    assert told.run("no")[0] is not None
    assert (told.before, told.committed, told.after) == ([[]], [[]], [True])


def test_a_group_is_handed_out_in_one_call_results_first(empty: Database) -> None:
    told = Told(empty)
    calls: list[Callable[[], None]] = []
    told.writer.hand_out(told.after.append, calls.append)
    assert told.run("a", "b") == [None, None]  # whoever waits for a future needs no call
    assert told.after == []
    (call,) = calls
    call()
    assert told.after == [True, True, said("a", "b")]


def test_who_is_refused_by_an_ended_writer_hears_of_it(empty: Database) -> None:
    told = Told(empty)
    told.run("a")
    late = told.writer.submit(tell, "b", arrived=lambda each: told.after.append(each.exception()))
    assert told.after[-1] is late.exception(WAIT)
