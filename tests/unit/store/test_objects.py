import pytest

from sft.store.database import Database
from sft.store.files import versions_at
from sft.store.objects import (
    BEFORE_ALL,
    inline_ids,
    known_objects,
    small_ids,
    small_object,
    small_object_ids,
    version_keys,
    versions_before_epoch,
)
from sft.store.row_types import UploadRow
from tests.unit.store.folder_tree import file_row, grow, object_id_of, plant, purging, require_indexed, small
from tests.unit.store.samples import reading, tamper, writing

STRAY = b"s" * 16
PURGED = b"p" * 16
OPEN = b"o" * 16


@pytest.fixture
def folder_tree(empty: Database) -> Database:
    """Files 1 (two versions) and 2 inline; 3 and 4 in the vault, sealed under key 2."""
    with writing(empty) as transaction:
        plant(transaction)
        grow(transaction, [file_row(1, 2, "a", newest=2), file_row(2, 2, "b")])
        grow(transaction, [file_row(3, 2, "c"), file_row(4, 2, "d")], inline=0, epoch=2)
        small(transaction, object_id_of(1), object_id_of(1, 2), object_id_of(2), STRAY)
        purging(transaction, PURGED)
        transaction.rows.insert([UploadRow(OPEN, 1, "x", 1)])
    return empty


def test_small_objects_are_found(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert small_object(reader, object_id_of(2)) == b"sealed"
        assert small_object(reader, object_id_of(3)) is None
        assert small_ids(reader, [object_id_of(1), object_id_of(3)]) == [object_id_of(1)]


def test_an_object_in_the_vault_is_known_by_its_version_its_upload_or_its_purge(folder_tree: Database) -> None:
    asked = [object_id_of(1), object_id_of(3), object_id_of(4), PURGED, OPEN, STRAY, bytes(16)]
    with reading(folder_tree) as reader:
        assert known_objects(reader, asked) == {object_id_of(3), object_id_of(4), PURGED, OPEN}


def test_versions_are_walked_through(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert version_keys(reader, (0, 0), 9) == [(1, 1), (1, 2), (2, 1), (3, 1), (4, 1)]
        assert version_keys(reader, (1, 1), 2) == [(1, 2), (2, 1)]
        assert version_keys(reader, (4, 1), 2) == []
        assert {(v.file, v.number) for v in versions_at(reader, [(1, 2), (3, 1), (9, 9)])} == {(1, 2), (3, 1)}


def test_versions_of_older_keys_are_walked_through(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        assert versions_before_epoch(reader, 1, BEFORE_ALL, 9) == []
        assert versions_before_epoch(reader, 2, BEFORE_ALL, 2) == [(1, 1, 1), (1, 1, 2)]
        assert versions_before_epoch(reader, 2, (1, 1, 2), 9) == [(1, 2, 1)]
        assert len(versions_before_epoch(reader, 3, BEFORE_ALL, 9)) == 5


def test_small_strays_are_told_apart(folder_tree: Database) -> None:
    with reading(folder_tree) as reader:
        found = small_object_ids(reader, b"", 9)
        assert len(found) == 4
        assert set(found) - inline_ids(reader, found) == {STRAY}
        assert small_object_ids(reader, object_id_of(2), 9) == [STRAY]
        assert inline_ids(reader, [object_id_of(3)]) == set()


def test_a_walk_goes_past_what_was_tampered_with(folder_tree: Database) -> None:
    tamper(folder_tree.path, "UPDATE versions SET size = 9 WHERE file = 2")
    with reading(folder_tree) as reader:
        assert (2, 1) in version_keys(reader, (0, 0), 9)


def test_no_query_reads_a_whole_table(folder_tree: Database) -> None:
    object_id = "sqlite_autoindex_versions"
    require_indexed(folder_tree, lambda r: known_objects(r, [bytes(16), STRAY]), object_id)
    require_indexed(folder_tree, lambda r: inline_ids(r, [bytes(16), STRAY]), object_id)
    require_indexed(folder_tree, lambda r: versions_before_epoch(r, 2, (1, 1, 1), 200), "ix_versions_epoch")
    require_indexed(folder_tree, lambda r: version_keys(r, (1, 1), 200))
    require_indexed(folder_tree, lambda r: versions_at(r, [(1, 1)]))
    require_indexed(folder_tree, lambda r: small_object_ids(r, bytes(16), 200))
