"""Names for a shell, read beside a server: what is found, and that nothing is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sft.errors import StoreError
from sft.store import offered
from sft.store.database import Database
from sft.store.offered import entries_offered, invitations_offered, people_offered
from tests.unit.store.folder_tree import file_row, folder_row
from tests.unit.store.samples import ADA, FINANCE, MAX, PLAN, ROOT, copy_database, writing


@pytest.fixture
def path(tmp_path: Path, database: Database) -> Path:
    """The file of a database that is being served, with something in every table."""
    return tmp_path / "sft.db"


@pytest.fixture
def resting(tmp_path: Path) -> Iterator[Path]:
    """The file of a database that nobody serves, in a folder that has nothing else."""
    folder = tmp_path / "rests"
    folder.mkdir()
    database = copy_database(folder)
    with writing(database) as transaction:
        transaction.rows.insert([ADA, replace(MAX, state="removed")])
        transaction.rows.insert([ROOT, FINANCE, folder_row(4, 2, "2026")])
        transaction.rows.insert([PLAN, file_row(7, 1, "final.txt")])
    database.close()
    yield folder / "sft.db"
    assert [each.name for each in folder.iterdir()] == ["sft.db"], "SQLite has left a file of its own"


def test_people_who_begin_so_are_found_whatever_their_case(path: Path) -> None:
    assert people_offered(path, "") == ["Ada", "max"]
    assert people_offered(path, "a") == ["Ada"]
    assert people_offered(path, "x") == []


def test_what_is_served_is_read_as_it_is_now(path: Path, database: Database) -> None:
    with writing(database) as transaction:
        transaction.rows.insert([replace(MAX, id=3, name="eva", folded="eva")])
    assert people_offered(path, "e") == ["eva"]


def test_without_a_server_the_file_alone_is_read(resting: Path) -> None:
    assert people_offered(resting, "") == ["Ada"], "who was removed is nobody's aim"
    assert entries_offered(resting, [], "FI") == (["Finance"], ["final.txt"])
    assert entries_offered(resting, ["finance"], "") == (["2026"], ["Plan.pdf"])
    assert entries_offered(resting, ["Finance", "2026"], "") == ([], [])
    assert entries_offered(resting, ["finance", "none", "more"], "") == ([], [])


def test_who_is_not_its_owner_leaves_no_file_to_a_server_that_stops(
    resting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = resting.with_name("sft.db-wal")
    log.touch()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert people_offered(resting, "") == ["Ada"]
    log.unlink()


def test_open_invitations_are_found(path: Path) -> None:
    assert invitations_offered(path, 0) == []
    database = path.parent / "more"
    database.mkdir()
    opened = copy_database(database)
    from tests.unit.store.samples import SAMPLES

    (invitations,) = [rows for rows in SAMPLES if type(rows[0]).__name__ == "InvitationRow"]
    with writing(opened) as transaction:
        transaction.rows.insert([ADA, MAX])
        transaction.rows.insert(
            [replace(each, used_at=None, used_by_id=None, withdrawn_at=None) for each in invitations]
        )
    assert invitations_offered(database / "sft.db", 500) == ["2"], "the first is over"
    opened.close()


def test_what_takes_long_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offered, "_SECONDS", -1.0)
    monkeypatch.setattr(offered, "_STEPS", 1)
    with pytest.raises(StoreError):
        people_offered(path, "")


@pytest.mark.parametrize("content", [None, b"", b"no database" * 1000])
def test_what_is_no_database_is_said_to_be_none(tmp_path: Path, content: bytes | None) -> None:
    odd = tmp_path / "odd"
    if content is not None:
        odd.write_bytes(content)
    with pytest.raises(StoreError):
        people_offered(odd, "")
    assert odd.exists() == (content is not None)
