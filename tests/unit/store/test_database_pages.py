"""The pages of a database are of one moment, whatever is written and moved out of the log while they are read."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sft.errors import StoreError
from sft.store import database_pages
from sft.store.database import Database
from sft.store.database_pages import DatabasePages, pages_of
from tests.unit.store.samples import tamper


def settings(path: Path) -> list[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute("SELECT name, value FROM settings WHERE name LIKE 'test%' ORDER BY name").fetchall()


def copy(pages: DatabasePages, to: Path, each: Callable[[], None] = lambda: None, at_once: int = 8) -> Path:
    with to.open("wb") as file:
        for first in range(0, pages.count, at_once):
            file.write(pages.read(first, at_once))
            each()
    assert to.stat().st_size == pages.count * pages.page_bytes
    return to


def write(database: Database, *rows: tuple[str, bytes]) -> None:
    with database.write_connections.transaction() as connection:
        connection.executemany("INSERT OR REPLACE INTO settings (name, value, mac) VALUES (?, ?, x'')", rows)


def log_bytes(database: Database) -> int:
    return database.wal_bytes()


def test_what_is_written_while_they_are_read_is_not_in_them(database: Database, tmp_path: Path):
    write(database, *((f"test{n:04}", bytes(3000)) for n in range(400)))
    before, steps = settings(database.path), 0

    def change() -> None:
        nonlocal steps
        steps += 1
        write(database, (f"testlater{steps}", b"later"), ("test0399", b"changed"))
        database._checkpoint("PASSIVE")

    with pages_of(database.path) as pages:
        done = copy(pages, tmp_path / "copy", change)
        assert pages.log_bytes() > 0
        assert len(pages.revision()) == 4
    assert steps > 3
    assert settings(done) == before


def test_where_all_of_the_log_was_moved_it_may_start_over_meanwhile(database: Database, tmp_path: Path):
    write(database, *((f"test{n:04}", bytes(3000)) for n in range(100)))
    database._checkpoint("PASSIVE")
    assert log_bytes(database) > 0
    before = settings(database.path)
    with pages_of(database.path) as pages:
        ended = log_bytes(database)
        # What is written now stands in the log from its beginning on, over the frames that were moved.
        write(database, *((f"test{n:04}", b"changed") for n in range(100)))
        assert log_bytes(database) < ended
        database._checkpoint("PASSIVE")
        assert settings(copy(pages, tmp_path / "copy")) == before
    assert settings(database.path) != before


def test_a_log_that_starts_over_between_two_looks_leaves_all_in_the_file(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(database, *((f"test{n:04}", bytes(3000)) for n in range(100)))
    database._checkpoint("PASSIVE")
    before, begin = settings(database.path), DatabasePages._begin

    def begin_late(pages: DatabasePages):
        moment = begin(pages)
        write(database, ("test0001", b"changed"))
        return moment

    monkeypatch.setattr(DatabasePages, "_begin", begin_late)
    with pages_of(database.path) as pages:
        assert settings(copy(pages, tmp_path / "copy")) == before


def test_a_commit_between_the_looks_at_the_log_has_it_begun_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    look, looks = database_pages._look, 0

    def written_meanwhile(connection: sqlite3.Connection) -> None:
        nonlocal looks
        looks += 1
        if looks <= 4:
            write(database, ("test", b"%d" % looks))
        look(connection)

    monkeypatch.setattr(database_pages, "_look", written_meanwhile)
    with pages_of(database.path) as pages:
        assert looks == 5
        assert settings(copy(pages, tmp_path / "copy")) == [("test", b"4")]
    monkeypatch.setattr(database_pages, "_ATTEMPTS", 2)
    looks = 1
    with pytest.raises(StoreError) as refused, pages_of(database.path):
        pass
    assert "rest" in refused.value.values["problem"]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.sampled(4)
def test_of_any_order_of_writing_moving_and_reading_the_pages_are_those_of_the_moment(
    empty: Database, tmp_path: Path, seed: int
):
    draw = random.Random(seed)

    def act() -> None:
        for _ in range(draw.randrange(3)):
            chosen = draw.random()
            if chosen < 0.6:
                names = [f"test{draw.randrange(60):03}" for _ in range(draw.randint(1, 20))]
                write(empty, *((name, draw.randbytes(draw.randrange(9000))) for name in set(names)))
            elif chosen < 0.7:
                with empty.write_connections.transaction() as connection:
                    connection.execute("DELETE FROM settings WHERE name LIKE 'test%' AND name > ?", ["test030"])
            else:
                empty._checkpoint(draw.choice(["PASSIVE", "TRUNCATE"]), wait_milliseconds=0)

    for number in range(8):
        for _ in range(draw.randrange(4)):
            act()
        before = settings(empty.path)
        with pages_of(empty.path) as pages:
            done = copy(pages, tmp_path / f"copy{number}", act, draw.choice([1, 3, 64]))
        assert settings(done) == before


def test_pages_stand_where_they_stood(database: Database, tmp_path: Path):
    with pages_of(database.path) as pages:
        one = copy(pages, tmp_path / "one").read_bytes()
    write(database, ("test", b"new"))
    with pages_of(database.path) as pages:
        two = copy(pages, tmp_path / "two").read_bytes()
    differing = [at for at in range(0, len(one), 4096) if one[at : at + 4096] != two[at : at + 4096]]
    assert 0 < len(differing) <= 5


def test_a_file_that_ends_before_its_last_page_is_said_so(database: Database):
    database._checkpoint("TRUNCATE")
    with pages_of(database.path) as pages:
        size = database.path.stat().st_size
        with database.path.open("r+b") as file:
            file.truncate(size - 100)
        with pytest.raises(StoreError) as refused:
            copy(pages, database.path.with_name("copy"))
        assert f"page {pages.count} of" in refused.value.values["problem"]


def test_no_descriptor_of_the_database_is_closed(database: Database):
    with pages_of(database.path) as pages:
        opened = {pages._file, pages._log, pages._index}
    with pages_of(database.path) as pages:
        assert {pages._file, pages._log, pages._index} == opened


def test_objects_come_by_rising_id_and_only_as_objects(database: Database):
    with pages_of(database.path) as pages:
        found = list(pages.objects())
    assert found == sorted(set(found))
    assert found
    tamper(database.path, "UPDATE versions SET destroyed_at = 7 WHERE object_id = ?", found[0][0])
    with pages_of(database.path) as pages:
        assert list(pages.objects()) == found[1:]
    assert all(len(object_id) == 16 and size >= 0 for object_id, size in found)
    tamper(database.path, "UPDATE versions SET inline = 0, object_id = x'07' || rowid")
    with pages_of(database.path) as pages, pytest.raises(StoreError):
        list(pages.objects())
