"""A copy of a database is of one moment, whatever is written while it is made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sft.errors import StoreError
from sft.store.database import Database
from sft.store.database_copy import copy_database, objects_of
from sft.store.row_types import SettingRow
from tests.unit.store.samples import tamper, writing


def settings(path: Path) -> list[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute("SELECT name, value FROM settings WHERE name LIKE 'test%' ORDER BY name").fetchall()


def test_what_is_written_while_it_is_copied_is_not_in_it(database: Database, tmp_path: Path):
    with writing(database) as transaction:
        transaction.rows.insert([SettingRow(f"test{n:04}", bytes(3000)) for n in range(400)])
    before, steps = settings(database.path), 0

    def write(_count: int) -> None:
        nonlocal steps
        steps += 1
        with writing(database) as transaction:
            transaction.rows.insert([SettingRow(f"testlater{steps}", b"later")])
            transaction.rows.update([SettingRow("test0399", b"changed")])
        database._checkpoint("PASSIVE")

    copy = tmp_path / "copy"
    copy_database(database.path, copy, each=write)
    assert steps > 3
    assert settings(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600


def test_pages_stand_where_they_stood(database: Database, tmp_path: Path):
    copy_database(database.path, tmp_path / "one")
    with writing(database) as transaction:
        transaction.rows.insert([SettingRow("test", b"new")])
    copy_database(database.path, tmp_path / "two")
    one, two = (tmp_path / "one").read_bytes(), (tmp_path / "two").read_bytes()
    differing = [at for at in range(0, len(one), 4096) if one[at : at + 4096] != two[at : at + 4096]]
    assert 0 < len(differing) <= 5


def test_whoever_ends_it_hears_of_it_and_the_database_goes_on(database: Database, tmp_path: Path):
    def end(_count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_database(database.path, tmp_path / "copy", each=end)
    with pytest.raises(FileExistsError):
        copy_database(database.path, tmp_path / "copy")
    with writing(database) as transaction:
        transaction.rows.insert([SettingRow("test", b"on")])


def test_objects_come_by_rising_id_and_only_as_objects(database: Database):
    found = list(objects_of(database.path))
    assert found == sorted(set(found))
    assert found
    tamper(database.path, "UPDATE versions SET destroyed_at = 7 WHERE object_id = ?", found[0][0])
    assert list(objects_of(database.path)) == found[1:]
    assert all(len(object_id) == 16 and size >= 0 for object_id, size in found)
    tamper(database.path, "UPDATE versions SET inline = 0, object_id = x'07' || rowid")
    with pytest.raises(StoreError):
        list(objects_of(database.path))
