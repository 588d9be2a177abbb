"""Files, folders and objects in some number, for the tests of queries; and how SQLite means to answer them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from sft.model.access import Scope
from sft.store.database import Database
from sft.store.row_types import DeviceKeyRow, FileRow, FolderRow, PurgeRow, SmallObjectRow, UserRow, VersionRow
from sft.store.rows import ReadTransaction, Transaction
from tests.unit.store.asked import asked_of
from tests.unit.store.samples import NOW, SALT, reading

ALL = Scope(everything=True)
OF_MAX = Scope(owner_ids=(2,))
NOTHING = Scope()


def file_row(number: int, folder_id: int | None, name: str, **changes: Any) -> FileRow:
    fields: dict[str, Any] = {
        "id": number,
        "file_id": number.to_bytes(16, "big"),
        "folder_id": folder_id,
        "name": name,
        "folded": name.casefold(),
        "owner_id": 1,
        "newest": 1,
        "state": "live",
        "created_at": NOW,
        "slot": 100 + number,
        "salt": SALT,
        "versions_peaks": b"",
        "trashed_at": None,
        "trashed_by_id": None,
        "trashed_path": None,
        "trashed_folded": None,
    }
    return FileRow(**(fields | changes))


def trashed_row(number: int, path: str, moment: int, **changes: Any) -> FileRow:
    trashed = {
        "state": "trashed",
        "trashed_at": moment,
        "trashed_by_id": 1,
        "trashed_path": path,
        "trashed_folded": path.casefold(),
    }
    return file_row(number, None, path.rpartition("/")[2], **(trashed | changes))


def version_row(file: int, number: int = 1, **changes: Any) -> VersionRow:
    fields: dict[str, Any] = {
        "file": file,
        "number": number,
        "author_id": 1,
        "key_id": 1,
        "size": 10,
        "digest": bytes(64),
        "dated_at": 0,
        "stored_at": NOW,
        "leaf": file,
        "signed_name": f"{file}",
        "signature": b"s" * 600,
        "object_id": object_id_of(file, number),
        "inline": 1,
        "epoch": 1,
        "sealed_key": b"k" * 104,
    }
    return VersionRow(**(fields | changes))


def object_id_of(file: int, number: int = 1) -> bytes:
    return file.to_bytes(8, "big") + number.to_bytes(8, "big")


def folder_row(number: int, parent: int, name: str) -> FolderRow:
    return FolderRow(number, parent, name, name.casefold(), 1, NOW, number, SALT)


def trashed_folder_row(number: int, path: str, moment: int, **changes: Any) -> FolderRow:
    trashed = {
        "parent_id": None,
        "state": "trashed",
        "trashed_at": moment,
        "trashed_by_id": 1,
        "trashed_path": path,
        "trashed_folded": path.casefold(),
    }
    return replace(folder_row(number, 1, path.rpartition("/")[2]), **(trashed | changes))


def plant(transaction: Transaction) -> None:
    """Make one user, the root, and below it: A/{B/{C/},D/}."""
    rows = transaction.rows
    rows.insert([UserRow(1, "ada", "ada", "admin", "active", 1, SALT)])
    rows.insert([UserRow(2, "max", "max", "maintainer", "active", 1, SALT)])
    rows.insert([DeviceKeyRow(1, 1, b"Ed" + b"a" * 40, "laptop", 1, None, 1)])
    rows.insert([FolderRow(1, None, "", "", None, 1, 0, SALT)])
    rows.insert([folder_row(2, 1, "A"), folder_row(3, 2, "B"), folder_row(4, 3, "C"), folder_row(5, 2, "D")])


def grow(transaction: Transaction, files: list[FileRow], **version: Any) -> None:
    """Add files, each with its versions up to the newest."""
    transaction.rows.insert(files)
    transaction.rows.insert([version_row(f.id, n, **version) for f in files for n in range(1, f.newest + 1)])


def small(transaction: Transaction, *object_ids: bytes) -> None:
    transaction.rows.insert([SmallObjectRow(object_id, b"sealed") for object_id in object_ids])


def purging(transaction: Transaction, *object_ids: bytes) -> None:
    transaction.rows.insert([PurgeRow(object_id, NOW) for object_id in object_ids])


def plans(database: Database, query: Callable[[ReadTransaction], object]) -> list[str]:
    """Tell how SQLite answers a query: the lines of its plans."""
    with asked_of(database.read_connections) as asked, reading(database) as reader:
        query(reader)
    lines = []
    with database.read_connections.lend() as connection:
        for each in asked:
            found = connection.execute(f"EXPLAIN QUERY PLAN {each.text}", each.values)
            lines += [row[3] for row in found]
    return lines


def require_indexed(database: Database, query: Callable[[ReadTransaction], object], *indexes: str) -> None:
    """Fail where a query reads a table from end to end or sorts what it found."""
    lines = plans(database, query)
    assert lines
    for line in lines:
        assert not line.startswith(("SCAN files", "SCAN versions", "SCAN folders")), lines
        assert "TEMP B-TREE" not in line, lines
    for index in indexes:
        assert any(index in line for line in lines), lines
