import pytest

from sft.errors import RowForgedError
from sft.store.database import Database
from sft.store.files import (
    file_by_row_id,
    file_row_ids,
    files_after,
    files_by_file_id,
    files_in,
    files_named,
    files_without_folder,
    files_without_version,
    longest_names,
    newest_versions,
    oldest_versions,
    replaced_before,
    versions_at,
    versions_of_file,
)
from tests.unit.store.asked import asked_of
from tests.unit.store.folder_tree import (
    ALL,
    NOTHING,
    OF_MAX,
    file_row,
    grow,
    plans,
    plant,
    require_indexed,
    trashed_row,
)
from tests.unit.store.samples import reading, tamper, writing


@pytest.fixture
def folder_tree(empty: Database) -> Database:
    """A/ holds 1 b (two versions), 2 C, 3 a; B/ holds 4 a; 5 was deleted from A/."""
    with writing(empty) as transaction:
        plant(transaction)
        grow(
            transaction,
            [
                file_row(1, 2, "b", newest=2),
                file_row(2, 2, "C"),
                file_row(3, 2, "a"),
                file_row(4, 3, "a"),
                trashed_row(5, "A/gone", 7),
            ],
        )
    return empty


def test_live_files_are_found_by_place(folder_tree: Database) -> None:
    keys = {(2, "b"), (2, "c"), (2, "C"), (3, "a"), (2, "gone"), (4, "a")}
    with reading(folder_tree) as reader:
        found = files_named(reader, keys)
    assert {key: row.id for key, row in found.items()} == {(2, "b"): 1, (2, "c"): 2, (3, "a"): 4}


def test_all_files_are_found_by_id(folder_tree: Database) -> None:
    ids = [n.to_bytes(16, "big") for n in (1, 5, 9)]
    with reading(folder_tree) as reader:
        found = files_by_file_id(reader, ids)
    assert {row.id for row in found.values()} == {1, 5}


def test_pages_come_in_folded_order_with_the_newest_version(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        page = files_in(reader, 2, None, 9, ALL)
        assert [(f.id, v.file, v.number) for f, v in page] == [(3, 3, 1), (1, 1, 2), (2, 2, 1)]
        assert [f.id for f, _ in files_in(reader, 2, "a", 1, ALL)] == [1]
        assert [f.id for f, _ in files_in(reader, 2, "b", 9, ALL)] == [2]
        assert files_in(reader, 2, "c", 9, ALL) == []


def test_all_live_files_come_in_order_of_creation(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert [f.id for f, _ in files_after(reader, 0, 9, ALL)] == [1, 2, 3, 4]
        assert [f.id for f, _ in files_after(reader, 2, 1, ALL)] == [3]


def test_a_scope_filters_pages(folder_tree: Database) -> None:
    with writing(folder_tree) as transaction:
        grow(transaction, [file_row(20, 2, "mine", owner_id=2)])
    with reading(folder_tree) as reader:
        assert [f.id for f, _ in files_in(reader, 2, None, 9, OF_MAX)] == [20]
        assert [f.id for f, _ in files_after(reader, 0, 9, OF_MAX)] == [20]
        assert files_in(reader, 2, None, 9, NOTHING) == files_after(reader, 0, 9, NOTHING) == []
    require_indexed(folder_tree, lambda r: files_in(r, 2, None, 501, OF_MAX))


def test_versions_are_found(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        first = file_by_row_id(reader, 1)
        assert first is not None
        assert newest_versions(reader, [first])[1].number == 2
        assert [row.number for row in versions_at(reader, [(1, 1), (1, 2), (1, 3)])] == [1, 2]
        assert [row.number for row in oldest_versions(reader, [first.id], 9)] == [1, 2]
        assert [row.number for row in oldest_versions(reader, [first.id], 1)] == [1]
        assert [row.number for row in versions_of_file(reader, 1)] == [1, 2]
        assert newest_versions(reader, []) == {}


def test_oldest_versions_of_many_files_are_few_questions(empty: Database) -> None:
    with writing(empty) as transaction:
        plant(transaction)
        grow(transaction, [file_row(number, 2, f"f{number}", newest=1 + number % 3) for number in range(1, 201)])
    with asked_of(empty.read_connections) as asked, reading(empty) as reader:
        found = oldest_versions(reader, range(200, 0, -1), 150)
    every = [(file, number) for file in range(1, 201) for number in range(1, 2 + file % 3)]
    assert [(row.file, row.number) for row in found] == every[:150]
    assert len(asked) <= 5


def test_a_newest_version_that_is_gone_is_a_forgery(folder_tree: Database) -> None:
    tamper(folder_tree.path, "DELETE FROM versions WHERE number = 2")
    with reading(folder_tree) as reader:
        row = file_by_row_id(reader, 1)
        assert row is not None
        with pytest.raises(RowForgedError) as forged:
            newest_versions(reader, [row])
    assert (forged.value.table, forged.value.row) == ("versions", "1, 2")


def test_names_are_measured_in_bytes(folder_tree: Database) -> None:
    with writing(folder_tree) as transaction:
        grow(transaction, [file_row(6, 4, "äöü"), file_row(7, 4, "abcd")])
    with reading(folder_tree) as reader:
        assert longest_names(reader, [1, 2, 4]) == {2: 1, 4: 6}


def test_broken_files_are_found(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        ids = file_row_ids(reader, 0, 9)
        assert ids == [1, 2, 3, 4, 5]
        assert files_without_version(reader, ids) == []
        assert files_without_folder(reader, ids) == []
        assert file_row_ids(reader, 4, 9) == [5]
        assert file_row_ids(reader, 0, 2) == [1, 2]
    tamper(folder_tree.path, "DELETE FROM versions WHERE file = 2")
    tamper(folder_tree.path, "DELETE FROM folders WHERE id = 3")
    with reading(folder_tree) as reader:
        assert files_without_version(reader, ids) == [2]
        assert files_without_folder(reader, ids) == [4]


@pytest.mark.parametrize("statement", ["UPDATE files SET owner_id = 2", "UPDATE versions SET size = 1"])
def test_no_forged_row_comes_out(folder_tree: Database, statement: str) -> None:
    tamper(folder_tree.path, statement)
    with reading(folder_tree) as reader:
        for query in (lambda: files_in(reader, 2, None, 9, ALL), lambda: files_after(reader, 0, 9, ALL)):
            with pytest.raises(RowForgedError):
                query()


def test_no_query_reads_a_whole_table(folder_tree: Database) -> None:
    """The first page of a folder of a million files costs what it costs in a folder of a hundred."""
    place = "uq_files_place"
    require_indexed(folder_tree, lambda r: files_in(r, 2, None, 501, ALL), place)
    require_indexed(folder_tree, lambda r: files_in(r, 2, "m", 501, ALL), place)
    require_indexed(folder_tree, lambda r: files_after(r, 3, 501, ALL))
    require_indexed(folder_tree, lambda r: files_named(r, [(2, "a"), (3, "b")]), f"{place} (folder_id=? AND folded=?)")
    require_indexed(folder_tree, lambda r: files_by_file_id(r, [bytes(16)]), "files")
    require_indexed(folder_tree, lambda r: longest_names(r, [2, 3]), place)
    # What it counts it sorts, and reads the files alone of which more is there.
    found = plans(folder_tree, lambda r: replaced_before(r, 2))
    assert any("ix_files_replaced (contents_kept>?)" in line for line in found), found
    assert any("(file=? AND number>? AND number<?)" in line for line in found), found
    version = "sqlite_autoindex_versions_1 (file=? AND number=?)"
    one, two = file_row(1, 2, "b", newest=2), file_row(2, 2, "C")
    require_indexed(folder_tree, lambda r: newest_versions(r, [one, two]), version)
    require_indexed(folder_tree, lambda r: versions_of_file(r, 1))
