"""Queries on the ledger: its row, leaves by range and by what they are about, tiles and blocks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sft.errors import RowForgedError
from sft.store import ledger
from sft.store.database import Database
from sft.store.ledger import LeafFilter
from sft.store.row_types import LedgerRow, LogLeafRow, LogTileRow, StateBlockRow
from tests.unit.store.folder_tree import plans
from tests.unit.store.samples import SALT, copy_database, reading, tamper, writing

SIZE = 400
FILES = [bytes([number]) * 16 for number in range(5)]


def leaf(number: int, **changes: Any) -> LogLeafRow:
    fields: dict[str, Any] = {
        "number": number,
        "entry": b"entry %d" % number,
        "kind": 16,
        "time": 1000 + number // 3,
        "user_id": None,
        "subject_user_id": None,
        "file_id": None,
        "facts": b"{}",
        "facts_salt": SALT,
        "personal": None,
        "personal_salt": None,
    }
    return LogLeafRow(**(fields | changes))


def some_leaves() -> list[LogLeafRow]:
    draw = random.Random(8)
    return [
        leaf(
            number,
            kind=draw.choice((1, 4, 16, 17)),
            user_id=draw.choice((None, 1, 2, 3)),
            subject_user_id=draw.choice((None, None, 1, 2)),
            file_id=draw.choice((None, *FILES)),
        )
        for number in range(SIZE)
    ]


LEAVES = some_leaves()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A log of SIZE leaves, for tests that leave it as it is."""
    database = copy_database(tmp_path_factory.mktemp("log"))
    with writing(database) as transaction:
        ledger.begin_ledger(transaction)
        ledger.add_leaves(transaction, LEAVES)
        ledger.change_ledger(transaction, replace(ledger.ledger_row(transaction), size=SIZE))
    yield database
    database.close()


# -- its row ------------------------------------------------------------------------------------------


def test_a_ledger_begins_empty_and_is_written_over(empty: Database) -> None:
    with writing(empty) as transaction:
        ledger.begin_ledger(transaction)
    with reading(empty) as reader:
        row = ledger.ledger_row(reader)
    assert row == LedgerRow(1, 1, 0, 0, 0, 0)
    with writing(empty) as transaction:
        ledger.change_ledger(transaction, replace(row, size=7, users=2, files=5, redo=3))
    with reading(empty) as reader:
        assert ledger.ledger_row(reader) == LedgerRow(1, 1, 7, 2, 5, 3)


@pytest.mark.parametrize("statement", ["DELETE FROM ledger", "UPDATE ledger SET size = 4", "UPDATE ledger SET id = 2"])
def test_a_ledger_that_was_changed_or_taken_away_is_refused(database: Database, statement: str) -> None:
    tamper(database.path, statement)
    with reading(database) as reader, pytest.raises(RowForgedError) as refused:
        ledger.ledger_row(reader)
    assert (refused.value.table, refused.value.row) == ("ledger", "1")


# -- leaves -------------------------------------------------------------------------------------------


def test_a_leaf_is_found_by_its_number(log: Database) -> None:
    with reading(log) as reader:
        assert [ledger.leaf_at(reader, number) for number in (0, 7, SIZE - 1)] == [LEAVES[0], LEAVES[7], LEAVES[-1]]
        with pytest.raises(RowForgedError) as refused:
            ledger.leaf_at(reader, SIZE)
    assert (refused.value.table, refused.value.row) == ("log_leaves", str(SIZE))


@pytest.mark.parametrize(("start", "limit"), [(0, 3), (5, 9), (SIZE - 2, 9), (SIZE, 4), (0, SIZE)])
def test_a_range_of_leaves_ends_with_the_log(log: Database, start: int, limit: int) -> None:
    with reading(log) as reader:
        assert ledger.leaves_from(reader, start, limit) == LEAVES[start : start + limit]


@pytest.mark.parametrize("number", [0, 5, SIZE - 1])
def test_a_leaf_that_was_taken_out_is_missed(tmp_path: Path, log: Database, number: int) -> None:
    database = copy_database(tmp_path)
    with log.read_connections.lend() as source, database.write_connections.lend() as target:
        source.backup(target)
    tamper(database.path, "DELETE FROM log_leaves WHERE number = ?", number)
    with reading(database) as reader:
        start = max(0, number - 2)
        with pytest.raises(RowForgedError) as refused:
            ledger.leaves_from(reader, start, 5)
        assert refused.value.row == str(number)
        assert ledger.leaves_from(reader, start, number - start) == LEAVES[start:number]
    database.close()


def meant(wanted: LeafFilter, row: LogLeafRow) -> bool:
    return (
        (wanted.user_id is None or wanted.user_id in {row.user_id, row.subject_user_id})
        and (wanted.file_id is None or wanted.file_id == row.file_id)
        and (not wanted.kinds or row.kind in wanted.kinds)
    )


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(("user_id", "file_id"), [*product([None, 1, 3, 9], [None, FILES[0], b"?" * 16])])
@pytest.mark.parametrize("kinds", [(), (4,), (1, 17), (99,)])
def test_leaves_are_paged_by_what_they_are_about(
    log: Database, user_id: int | None, file_id: bytes | None, kinds: tuple[int, ...], *, newest_first: bool
) -> None:
    wanted = LeafFilter(user_id, file_id, kinds)
    start, end = 20, SIZE - 20
    found: list[LogLeafRow] = []
    with reading(log) as reader:
        while page := ledger.leaves_about(reader, wanted, start, end, 7, newest_first=newest_first):
            assert len(page) <= 7
            found += page
            start, end = (start, page[-1].number) if newest_first else (page[-1].number + 1, end)
    expected = [row for row in LEAVES[20 : SIZE - 20] if meant(wanted, row)]
    assert found == (expected[::-1] if newest_first else expected)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(
    ("wanted", "indexes"),
    [
        (LeafFilter(), ["INTEGER PRIMARY KEY"]),
        (LeafFilter(kinds=(4, 16)), ["ix_log_leaves_kind", "ix_log_leaves_kind"]),
        (LeafFilter(user_id=1), ["ix_log_leaves_user_id", "ix_log_leaves_subject_user_id"]),
        (LeafFilter(user_id=1, kinds=(4, 16)), ["ix_log_leaves_user_id", "ix_log_leaves_subject_user_id"]),
        (LeafFilter(file_id=FILES[0]), ["ix_log_leaves_file_id", "INTEGER PRIMARY KEY"]),
        (
            LeafFilter(user_id=1, file_id=FILES[0], kinds=(4,)),
            ["ix_log_leaves_file_id", "ix_log_leaves_file_id", "INTEGER PRIMARY KEY"],
        ),
    ],
)
def test_leaves_come_from_an_index_in_order(
    log: Database, wanted: LeafFilter, indexes: list[str], *, newest_first: bool
) -> None:
    lines = plans(log, lambda reader: ledger.leaves_about(reader, wanted, 0, SIZE, 7, newest_first=newest_first))
    # What a file was downloaded among, by the rows of its downloads: an index gives these, and they give the leaves in order.
    among = [
        line
        for line in lines
        if line.startswith("SEARCH downloads USING INDEX sqlite_autoindex_downloads_1 (file_id=?)")
    ]
    assert len(among) == 2 * (wanted.file_id is not None)
    made = ("LIST SUBQUERY", "COMPOUND QUERY", "LEFT-MOST SUBQUERY", "UNION USING")
    lines = [line for line in lines if line not in among and not line.startswith(made)]
    assert [line for line in lines if not line.startswith("SEARCH log_leaves USING ")] == []
    assert len(lines) == len(indexes)
    assert all(f"{index} (" in line for index, line in zip(indexes, lines, strict=True)), lines


def test_a_moment_is_the_number_of_its_first_leaf(log: Database) -> None:
    with reading(log) as reader:
        for moment in (0, 1000, 1001, 1077, LEAVES[-1].time, 9999):
            first = next((row.number for row in LEAVES if row.time >= moment), SIZE)
            assert ledger.first_leaf_since(reader, moment, SIZE) == first
        assert ledger.first_leaf_since(reader, 5, 0) == 0
        with pytest.raises(RowForgedError):
            ledger.first_leaf_since(reader, 9999, SIZE + 5)


# -- tiles and blocks ---------------------------------------------------------------------------------


def test_tiles_are_written_over(empty: Database) -> None:
    with writing(empty) as transaction:
        ledger.put_tiles(
            transaction, [LogTileRow(0, 0, b"full"), LogTileRow(1, 0, b"short"), LogTileRow(0, 1, b"next")]
        )
    with writing(empty) as transaction:
        ledger.put_tiles(transaction, [LogTileRow(1, 0, b"longer"), LogTileRow(1, 1, b"new")])
        ledger.put_tiles(transaction, [])
    with reading(empty) as reader:
        assert ledger.tiles_at(reader, [(0, 0), (1, 1), (1, 0), (3, 0)]) == {
            (0, 0): b"full",
            (1, 1): b"new",
            (1, 0): b"longer",
        }
        # Any first half stands beside any second half: what was not asked for is not given.
        assert ledger.tiles_at(reader, [(0, 1), (1, 0)]) == {(0, 1): b"next", (1, 0): b"longer"}
        assert ledger.tiles_at(reader, []) == {}


def test_blocks_are_written_over_and_come_in_order(empty: Database) -> None:
    first = [StateBlockRow(kind, number, b"%d %d" % (kind, number)) for kind in (1, 2) for number in range(300)]
    with writing(empty) as transaction:
        ledger.put_blocks(transaction, first)
    with writing(empty) as transaction:
        ledger.put_blocks(transaction, [StateBlockRow(2, 1, b"later"), StateBlockRow(1, 300, b"new")])
    with reading(empty) as reader:
        found = ledger.blocks_from(reader, 2, 0, 2)
        assert [(row.number, row.hashes) for row in found] == [(0, b"2 0"), (1, b"later")]
        assert [row.number for row in ledger.blocks_from(reader, 1, 299, 9)] == [299, 300]
        assert ledger.blocks_from(reader, 3, 0, 9) == []


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE log_tiles SET hashes = 'text'", "0, 0"),
        ("UPDATE log_tiles SET number = X'00'", "0, 00"),
        ("UPDATE log_tiles SET level = 0.5", "0.5, 0"),
    ],
)
def test_what_has_no_mac_has_its_types(database: Database, statement: str, row: str) -> None:
    tamper(database.path, statement)
    with reading(database) as reader:
        faults, _ = reader.rows.check(LogTileRow)
    assert [fault.row for fault in faults] == [row]
