import pytest

from sft.errors import RowForgedError
from sft.model.access import Scope
from sft.store.database import Database
from sft.store.trash import (
    BEFORE_ALL_TRASH,
    folder_trash_page,
    folders_trashed_until,
    purge_ids,
    purges_by_id,
    purging_folders,
    trash_page,
    trashed_folders_on_way,
    trashed_from,
    trashed_until,
)
from tests.unit.store.folder_tree import (
    ALL,
    NOTHING,
    OF_MAX,
    file_row,
    grow,
    plans,
    plant,
    purging,
    require_indexed,
    trashed_folder_row,
    trashed_row,
)
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
    def found(path: str, folded: str, scope: Scope = ALL) -> int | None:
        with reading(folder_tree) as reader:
            row = trashed_from(reader, path, folded, scope)
            return None if row is None else row.id

    assert found("A/x", "a/x") == 2
    assert found("A/X", "a/x") == 3
    assert found("y", "y") == 5
    assert found("z", "z") is None
    assert found("y", "y", Scope(owner_ids=(1,))) is None
    assert found("A/x", "a/x", Scope(owner_ids=(1,))) == 2


def test_pages_go_on_after_the_last_one_seen(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert [f.id for f, _ in trash_page(reader, ALL, None, 9)] == [2, 5, 4, 3, 1]
        assert [f.id for f, _ in trash_page(reader, ALL, (20, 5), 2)] == [4, 3]
        assert [f.id for f, _ in trash_page(reader, Scope(owner_ids=(2,)), None, 9)] == [5, 4]
        assert [f.id for f, _ in trash_page(reader, Scope(owner_ids=(1,)), (20, 5), 9)] == [3, 1]


@pytest.fixture
def folder_trash(folder_tree: Database) -> Database:
    with writing(folder_tree) as transaction:
        transaction.rows.insert(
            [
                trashed_folder_row(10, "A/B", 10),
                trashed_folder_row(11, "A", 20, files_below=1),
                trashed_folder_row(12, "A", 20, maker_id=2, folders_below=1),
                trashed_folder_row(13, "a", 30),
                trashed_folder_row(14, "A/B/C", 5),
                trashed_folder_row(15, "A/B", 40, state="purging"),
                trashed_folder_row(16, "A/B", 40, state="purging"),
            ]
        )
    return folder_tree


def test_folders_deleted_from_a_path_or_above_come_last_first(folder_trash: Database) -> None:
    def found(path: str, scope: Scope = ALL) -> list[int]:
        with reading(folder_trash) as reader:
            return [row.id for row in trashed_folders_on_way(reader, path, path.casefold(), scope)]

    assert found("A/B/x") == [12, 11]
    assert found("a/B/x") == []
    assert found("A/B/C") == [12, 11, 14]
    assert found("A/B") == [12, 11, 10]
    assert found("a") == [13]
    assert found("B/A") == []
    assert (found("A/B", OF_MAX), found("A/B", NOTHING)) == ([12], [])


def test_deleted_folders_are_paged_through_and_end_like_files(folder_trash: Database) -> None:
    with reading(folder_trash) as reader:
        assert [row.id for row in folder_trash_page(reader, ALL, None, 9)] == [13, 12, 11, 10, 14]
        assert [row.id for row in folder_trash_page(reader, ALL, (20, 12), 2)] == [11, 10]
        assert [row.id for row in folder_trash_page(reader, OF_MAX, None, 9)] == [12]
        assert folder_trash_page(reader, NOTHING, None, 9) == []
        assert folders_trashed_until(reader, 20, BEFORE_ALL_TRASH, 9) == [(5, 14), (10, 10), (20, 11), (20, 12)]
        assert folders_trashed_until(reader, 20, (10, 10), 1) == [(20, 11)]
        assert purging_folders(reader, 0, 9) == [15, 16]
        assert purging_folders(reader, 15, 9) == [16]


def test_no_query_of_folders_reads_a_whole_table(folder_trash: Database) -> None:
    require_indexed(folder_trash, lambda r: trashed_folders_on_way(r, "A/B", "a/b", OF_MAX), "ix_folders_trash")
    require_indexed(folder_trash, lambda r: folder_trash_page(r, ALL, (20, 5), 501), "ix_folders_trash_time")
    require_indexed(folder_trash, lambda r: folders_trashed_until(r, 20, (20, 4), 200), "ix_folders_trash_time")
    assert any("ix_folders_purging" in line for line in plans(folder_trash, lambda r: purging_folders(r, 0, 200)))


def test_what_has_ended_comes_oldest_first(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert trashed_until(reader, 20, BEFORE_ALL_TRASH, 9) == [(10, 1), (20, 3), (20, 4), (20, 5)]
        assert trashed_until(reader, 20, (10, 1), 2) == [(20, 3), (20, 4)]
        assert trashed_until(reader, 20, (20, 5), 9) == []
        assert trashed_until(reader, 9, BEFORE_ALL_TRASH, 9) == []


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
    require_indexed(folder_tree, lambda r: trashed_from(r, "y", "y", ALL), "ix_files_trash")
    require_indexed(folder_tree, lambda r: trashed_from(r, "y", "y", Scope(owner_ids=(2,))), "ix_files_trash")
    require_indexed(folder_tree, lambda r: trash_page(r, ALL, None, 501), "ix_files_trash_time")
    require_indexed(folder_tree, lambda r: trash_page(r, ALL, (20, 5), 501), "ix_files_trash_time")
    require_indexed(folder_tree, lambda r: trash_page(r, Scope(owner_ids=(2,)), None, 501), "ix_files_trash_owner")
    require_indexed(folder_tree, lambda r: trash_page(r, Scope(owner_ids=(2,)), (20, 5), 501), "ix_files_trash_owner")
    require_indexed(folder_tree, lambda r: trashed_until(r, 20, (20, 4), 200), "ix_files_trash_time")
