import pytest

from sft.errors import RowForgedError
from sft.model.access import Scope
from sft.store.database import Database
from sft.store.trash import purge_ids, purges_by_id, trash_page, trashed_from, trashed_until
from tests.unit.store.folder_tree import ALL, file_row, grow, plant, purging, require_indexed, trashed_row
from tests.unit.store.samples import reading, tamper, writing


@pytest.fixture
def folder_tree(empty: Database) -> Database:
    with writing(empty) as transaction:
        plant(transaction)
        grow(
            transaction,
            [
                trashed_row(1, "A/x", 10),
                trashed_row(2, "A/x", 30),
                trashed_row(3, "A/X", 20),
                trashed_row(4, "y", 20, owner_id=2),
                trashed_row(5, "y", 20, owner_id=2),
                file_row(6, 2, "x"),
            ],
        )
        purging(transaction, b"1" * 16, b"3" * 16, b"2" * 16)
    return empty


def test_the_last_deleted_from_a_path_comes_first(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert [row.id for row in trashed_from(reader, "A/x", "a/x")] == [2, 1]
        assert [row.id for row in trashed_from(reader, "A/X", "a/x")] == [3]
        assert [row.id for row in trashed_from(reader, "y", "y")] == [5, 4]
        assert trashed_from(reader, "z", "z") == []


def test_pages_go_on_after_the_last_one_seen(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert [f.id for f, _ in trash_page(reader, ALL, None, 9)] == [2, 5, 4, 3, 1]
        assert [f.id for f, _ in trash_page(reader, ALL, (20, 5), 2)] == [4, 3]
        assert [f.id for f, _ in trash_page(reader, Scope(owner_id=2), None, 9)] == [5, 4]
        assert [f.id for f, _ in trash_page(reader, Scope(owner_id=1), (20, 5), 9)] == [3, 1]


def test_what_has_ended_comes_oldest_first(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert [row.id for row in trashed_until(reader, 20, 9)] == [1, 3, 4, 5]
        assert [row.id for row in trashed_until(reader, 20, 1)] == [1]
        assert trashed_until(reader, 9, 9) == []


def test_purges_are_walked_through(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert purge_ids(reader, b"", 2) == [b"1" * 16, b"2" * 16]
        assert purge_ids(reader, b"2" * 16, 2) == [b"3" * 16]
        assert {r.object_id for r in purges_by_id(reader, [b"1" * 16, b"9" * 16])} == {b"1" * 16}


def test_a_forged_purge_is_refused(folder_tree: Database) -> None:
    tamper(folder_tree.path, "UPDATE purges SET purged_at = 0")
    with reading(folder_tree) as reader, pytest.raises(RowForgedError):
        purges_by_id(reader, [b"1" * 16])


def test_no_query_reads_a_whole_table(folder_tree: Database) -> None:
    require_indexed(folder_tree, lambda r: trashed_from(r, "y", "y"), "ix_files_trash")
    require_indexed(folder_tree, lambda r: trash_page(r, ALL, None, 501), "ix_files_trashed_at")
    require_indexed(folder_tree, lambda r: trash_page(r, ALL, (20, 5), 501), "ix_files_trashed_at")
    require_indexed(folder_tree, lambda r: trash_page(r, Scope(owner_id=2), None, 501), "ix_files_trashed_at")
    require_indexed(folder_tree, lambda r: trashed_until(r, 20, 200), "ix_files_trashed_at")
