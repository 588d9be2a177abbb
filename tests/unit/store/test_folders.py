from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sft.errors import RowForgedError
from sft.store.criteria import GROUP_PAIRS
from sft.store.database import Database
from sft.store.folders import (
    FolderPath,
    children_of,
    folder_by_id,
    folder_ids_after,
    folder_ids_in,
    folders_in,
    folders_named,
    folders_that_hang_on_nothing,
    path_of,
    paths_of,
    root,
)
from sft.store.row_types import FolderRow
from tests.unit.store.asked import asked_of
from tests.unit.store.folder_tree import (
    ALL,
    NOTHING,
    OF_MAX,
    file_row,
    folder_row,
    grow,
    plant,
    require_indexed,
    trashed_folder_row,
)
from tests.unit.store.samples import NOW, SALT, reading, tamper, writing


@pytest.fixture
def folder_tree(empty: Database) -> Iterator[Database]:
    with writing(empty) as transaction:
        plant(transaction)
    return empty


def test_folders_are_found_by_place(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        found = folders_named(reader, {(1, "a"), (2, "b"), (2, "A"), (3, "b"), (9, "a")})
    assert {key: row.id for key, row in found.items()} == {(1, "a"): 2, (2, "b"): 3}


def test_many_places_take_few_statements(folder_tree: Database) -> None:
    keys = {(1, f"{n}") for n in range(3 * GROUP_PAIRS - 1)} | {(2, "d")}
    with asked_of(folder_tree.read_connections) as asked, reading(folder_tree) as reader:
        assert folders_named(reader, keys)[(2, "d")].id == 5
    assert len(asked) == 3


def test_paths_are_spelled(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert [path_of(reader, n).text for n in (1, 2, 3, 4, 5)] == ["", "A", "A/B", "A/B/C", "A/D"]
        assert root(reader).id == 1


def test_a_folder_above_many_is_loaded_once(folder_tree: Database) -> None:
    known: dict[int, FolderPath] = {}
    with asked_of(folder_tree.read_connections) as asked, reading(folder_tree) as reader:
        assert [path_of(reader, n, known).text for n in (4, 5, 3, 4)] == ["A/B/C", "A/D", "A/B", "A/B/C"]
    assert len(asked) == 5


def test_a_folder_that_is_gone_is_a_forgery(folder_tree: Database, tmp_path: Path) -> None:
    tamper(folder_tree.path, "DELETE FROM folders WHERE id = 3")
    with reading(folder_tree) as reader:
        for query in (lambda: path_of(reader, 4), lambda: folder_by_id(reader, 3)):
            with pytest.raises(RowForgedError) as forged:
                query()
            assert (forged.value.table, forged.value.row) == ("folders", "3")


def test_a_circle_of_folders_is_a_forgery(folder_tree: Database) -> None:
    with writing(folder_tree) as transaction:
        transaction.rows.update([folder_row(3, 4, "B")])
    with reading(folder_tree) as reader, pytest.raises(RowForgedError):
        path_of(reader, 4)


def test_what_hangs_on_a_deleted_folder_lives_no_more(folder_tree: Database) -> None:
    with writing(folder_tree) as transaction:
        transaction.rows.update([trashed_folder_row(3, "A/B", 5)])
    with reading(folder_tree) as reader:
        paths = paths_of(reader, [1, 3, 4, 5])
    assert {n: (path.text, path.top.id, path.live) for n, path in paths.items()} == {
        1: ("", 1, True),
        2: ("A", 1, True),
        3: ("A/B", 3, False),
        4: ("A/B/C", 3, False),
        5: ("A/D", 1, True),
    }


def test_many_paths_take_a_query_a_level(folder_tree: Database) -> None:
    with writing(folder_tree) as transaction:
        transaction.rows.insert([folder_row(n, 4, f"{n}") for n in range(10, 260)])
    with asked_of(folder_tree.read_connections) as asked, reading(folder_tree) as reader:
        assert paths_of(reader, range(10, 260))[10].text == "A/B/C/10"
    assert len(asked) == 5


@pytest.mark.parametrize(
    "changes",
    [{"parent_id": None}, {"parent_id": None, "state": "trashed"}, {"parent_id": None, "trashed_path": "A/B"}],
)
def test_a_folder_that_hangs_on_nothing_is_a_forgery(folder_tree: Database, changes: dict[str, object]) -> None:
    with writing(folder_tree) as transaction:
        transaction.rows.update([replace(folder_row(3, 2, "B"), **changes)])
    with reading(folder_tree) as reader, pytest.raises(RowForgedError) as forged:
        path_of(reader, 4)
    assert forged.value.row == "3"


def test_folders_that_hang_on_nothing_are_named(folder_tree: Database) -> None:
    with writing(folder_tree) as transaction:
        transaction.rows.insert([folder_row(6, 1, "E"), trashed_folder_row(7, "F", 5), folder_row(8, 7, "G")])
    ids = range(1, 9)
    with reading(folder_tree) as reader:
        assert folders_that_hang_on_nothing(reader, ids) == []
    tamper(folder_tree.path, "UPDATE folders SET parent_id = NULL WHERE id = 3")
    tamper(folder_tree.path, "UPDATE folders SET parent_id = 99 WHERE id = 4")
    tamper(folder_tree.path, "UPDATE folders SET state = 'trashed' WHERE id = 5")
    tamper(folder_tree.path, "UPDATE folders SET parent_id = 1 WHERE id = 7")
    tamper(folder_tree.path, "UPDATE folders SET parent_id = 2 WHERE id = 1")
    with reading(folder_tree) as reader:
        assert folders_that_hang_on_nothing(reader, ids) == [1, 3, 4, 5, 7]


def test_folders_are_walked_through_by_number_and_by_level(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert folder_ids_after(reader, 0, 3) == [1, 2, 3]
        assert folder_ids_after(reader, 3, 3) == [4, 5]
        assert folder_ids_in(reader, [1]) == [2]
        assert sorted(folder_ids_in(reader, [2, 3])) == [3, 4, 5]


def test_children_are_those_of_any_of_some_folders(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert sorted(row.id for row in children_of(reader, [2, 3])) == [3, 4, 5]
        assert children_of(reader, [4]) == []


def test_pages_go_on_after_a_name(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert [row.id for row in folders_in(reader, 2, None, 9, ALL)] == [3, 5]
        assert [row.id for row in folders_in(reader, 2, None, 1, ALL)] == [3]
        assert [row.id for row in folders_in(reader, 2, "b", 9, ALL)] == [5]
        assert folders_in(reader, 2, "d", 9, ALL) == []


def test_a_scope_filters_pages(folder_tree: Database) -> None:
    with writing(folder_tree) as transaction:
        grow(transaction, [file_row(1, 2, "x"), file_row(2, 2, "y", owner_id=2)])
        transaction.rows.insert(
            [FolderRow(6, 2, "E", "e", 2, NOW, 6, SALT), FolderRow(7, 2, "F", "f", None, NOW, 7, SALT)]
        )
    with reading(folder_tree) as reader:
        assert [row.id for row in folders_in(reader, 2, None, 9, OF_MAX)] == [6]
        assert folders_in(reader, 2, None, 9, NOTHING) == []
    require_indexed(folder_tree, lambda r: folders_in(r, 2, "b", 500, OF_MAX))


def test_no_query_reads_a_whole_table(folder_tree: Database) -> None:
    place = "sqlite_autoindex_folders_1 (parent_id=?"
    require_indexed(folder_tree, lambda r: folders_in(r, 2, None, 500, ALL), place)
    require_indexed(folder_tree, lambda r: folders_in(r, 2, "b", 500, ALL), place)
    require_indexed(folder_tree, lambda r: children_of(r, [1, 2]), place)
    named = "sqlite_autoindex_folders_1 (parent_id=? AND folded=?)"
    require_indexed(folder_tree, lambda r: folders_named(r, [(1, "a"), (2, "b")]), named)
    require_indexed(folder_tree, lambda r: path_of(r, 4))
    require_indexed(folder_tree, lambda r: folder_ids_in(r, [2, 3]), place)
    require_indexed(folder_tree, lambda r: folders_that_hang_on_nothing(r, [2, 3]))
