"""What searches look through is made behind what happens, and never lacks a file: held against a plain filter of listings."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest

from sft.errors import RequestError, RowForgedError
from sft.model.access import Scope
from sft.model.file_criteria import FileCriteria
from sft.model.names import fold
from sft.model.records import File, Page
from sft.service import folders, trash
from sft.service.files import list_folder, list_trash, show_file
from sft.service.maintenance import purging
from sft.service.maintenance.search_blocks import can_make_blocks, make_search_blocks
from sft.service.name_search import search_names
from sft.store.search_blocks import BlockColumn, block_of, blocks_before, make_block, next_gap
from sft.store.version_search import VersionsWanted
from tests.unit.service.service_fixture import GUS, MAX, MIA, OPERATOR, ServiceFixture
from tests.unit.service.test_events import EXAMPLES
from tests.unit.service.test_files import names, put_many
from tests.unit.store.asked import asked_of

EVERY_LEAF = 2**62


def make_all(services: ServiceFixture) -> None:
    leaf: int | None = -1
    while leaf is not None:
        with services.transaction() as transaction:
            leaf = make_block(transaction, leaf)


def blocks(services: ServiceFixture) -> dict[int, tuple[int, list[tuple[int, int, int, str]]]]:
    """Each block's last leaf, and leaf, row, folder and name of each of its files, by its first leaf."""
    with services.reading() as reading:
        ranges = blocks_before(reading, EVERY_LEAF, 10_000, named=True, **VersionsWanted().bounds())
        found = {}
        for each in ranges:
            block = block_of(reading, each)
            rows = [block.column(column) for column in (BlockColumn.LEAF, BlockColumn.FILE, BlockColumn.FOLDER)]
            shown = block.names.decode().split("\0") if block.files else []
            found[each.low] = each.high, list(zip(*rows, shown, strict=True))
    return found


def require_complete(services: ServiceFixture) -> None:
    """Every file that lies in a folder is in the block of its newest version, as it is; blocks do not overlap."""
    with services.database.read_connections.lend() as connection:
        files = connection.execute(
            "SELECT leaf, id, folder_id, folded FROM files JOIN versions ON file = id AND number = newest"
            " WHERE folder_id IS NOT NULL"
        ).fetchall()
        dead = {row for (row,) in connection.execute("SELECT file FROM versions")}
    there = blocks(services)
    covered = [leaf for low, (high, _) in there.items() for leaf in range(low, high + 1)]
    assert len(covered) == len(set(covered))
    entries = {entry for _, each in there.values() for entry in each}
    missing = [file for file in files if file[0] in set(covered) and file not in entries]
    assert not missing
    assert {row for _, row, _, _ in entries} <= dead, "a name of a file that was destroyed"


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda function: function.__name__)
def test_no_act_leaves_a_block_without_a_file(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch, function: Any
) -> None:
    monkeypatch.setattr("sft.store.search_blocks.BLOCK_VERSIONS", 1)
    act_each = ServiceFixture.act_each

    def watched(self: ServiceFixture, act: Any, *items: Any, **fields: Any) -> Any:
        make_all(self)
        outcomes = act_each(self, act, *items, **fields)
        require_complete(self)
        return outcomes

    monkeypatch.setattr(ServiceFixture, "act_each", watched)
    EXAMPLES[function](services)


class _Model:
    """Makes changes at random, and searches as anybody could who lists everything."""

    def __init__(self, services: ServiceFixture, draw: random.Random) -> None:
        self.services = services
        self.draw = draw
        self.number = 0

    def step(self) -> None:
        acts = (self._put, self._put, self._put, self._replace, self._move, self._delete, self._restore, self._collect)
        with suppress(RequestError):  # as people meet them: a name in use, a folder that is gone
            self.draw.choice(acts)()
        self.services.now += self.draw.randint(0, 2)
        if self.draw.random() < 0.5:
            make_all(self.services)
        elif self.draw.random() < 0.5:
            with self.services.transaction() as transaction:
                make_block(transaction, next_gap(transaction, -1)[0])

    def listed(self, path: str = "") -> tuple[list[str], list[File]]:
        page = self.services.ask(list_folder, GUS, path=path)
        folders, files = [folder.path for folder in page.folders], list(page.files)
        for folder in list(folders):
            more = self.listed(folder)
            folders, files = folders + more[0], files + more[1]
        return folders, files

    def _path(self) -> str:
        return "/".join(self.draw.choice("abc") for _ in range(self.draw.randint(1, 3)))

    def _put(self) -> None:
        self.number += 1
        path = f"{self._path()}{self.number}"
        content = b"x" * self.draw.randint(1, 9)
        self.services.put(self.draw.choice((MAX, MIA)), path, content)

    def _some(self, what: int) -> str:
        found = self.listed()[what]
        chosen = self.draw.choice(found) if found else None
        return "nothing" if chosen is None else chosen if isinstance(chosen, str) else chosen.path

    def _replace(self) -> None:
        seen = self.services.ask(show_file, MAX, path=self._some(1))
        who = MAX if seen.owner_id == MAX.id else MIA
        self.services.replace(who, seen.path, b"y" * self.draw.randint(1, 9), seen)

    def _move(self) -> None:
        who, old = self.draw.choice((MAX, MIA)), self._some(self.draw.randint(0, 1))
        self.services.act(folders.move, folders.MoveInput(who.caller, old, self._path()))

    def _delete(self) -> None:
        what = self.draw.randint(0, 1)
        item = trash.Deletion(OPERATOR, self._some(what), recursive=what == 0)
        self.services.act(trash.delete, item)

    def _restore(self) -> None:
        page = self.services.ask(list_trash, OPERATOR)
        paths = [each.path for each in (*page.folders, *page.files)]
        if paths:
            who, path = self.draw.choice((MAX, MIA)).caller, self.draw.choice(paths)
            seen = self.services.seen_in_trash(who, path)
            self.services.act(trash.restore, trash.Restoration(who, path, seen))

    def _collect(self) -> None:
        if self.draw.random() < 0.3:
            self.services.now += 40 * 86_400
            self.services.ask(purging.collect, OPERATOR, context=self.services.job_context)()


def searched(services: ServiceFixture, words: tuple[str, ...], criteria: FileCriteria | None) -> list[Page]:
    shown: list[Page] = []
    cursor = ""
    while True:
        page = services.ask(search_names, GUS, words=words, criteria=criteria, cursor=cursor)
        shown.append(page)
        if not page.next:
            return shown
        assert page.next != cursor
        cursor = page.next


def question(draw: random.Random, now: int) -> tuple[tuple[str, ...], FileCriteria | None]:
    words = tuple(draw.choice("abc0123456789") for _ in range(draw.randint(0, 2)))
    bounds: dict[str, Any] = {
        "author": draw.choice(("max", "MIA", "nobody")),
        "smallest": draw.randint(1, 9),
        "largest": draw.randint(1, 9),
        "since": now - draw.randint(0, 60),
        "until": now - draw.randint(0, 60),
    }
    some = {name: value for name, value in bounds.items() if draw.random() < 0.3}
    return (words, FileCriteria(**some)) if some or not words else (words, None)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.sampled(5)
def test_what_is_found_is_what_a_plain_filter_of_all_listings_finds(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    model = _Model(services, draw)
    monkeypatch.setattr("sft.store.search_blocks.BLOCK_VERSIONS", draw.randint(1, 5))
    monkeypatch.setattr("sft.store.search_blocks._SEVERAL", draw.randint(0, 3))
    monkeypatch.setattr("sft.service.version_search._FEW", draw.randint(0, 9))
    monkeypatch.setattr("sft.service.version_search._ONE_BY_ONE", draw.randint(1, 5))
    monkeypatch.setattr("sft.service.version_search._BLOCKS", (draw.randint(1, 3),))
    monkeypatch.setattr("sft.service.version_search.PAGE_FOUND", draw.randint(1, 9))
    monkeypatch.setattr("sft.service.version_search.SEARCH_EFFORT", draw.choice((1, 100, 1000, 60_000)))
    monkeypatch.setattr("sft.service.name_search.NAMES_SCANNED", draw.randint(1, 9))
    monkeypatch.setattr("sft.service.name_search._FOUND", draw.randint(1, 5))
    for _ in range(3):
        for _ in range(8):
            model.step()
        require_complete(services)
        all_folders, all_files = model.listed()
        for _ in range(8):
            words, criteria = question(draw, services.now)
            scope = draw.choice((Scope(everything=True), Scope(owner_ids=(MAX.id,)), Scope(owner_ids=())))
            monkeypatch.setattr("sft.service.name_search.scope_of", lambda *_, scope=scope: scope)
            shown = searched(services, words, criteria)
            expected = [
                file
                for file in sorted(all_files, key=lambda file: -file.version.leaf)
                if all(word in fold(file.path.rpartition("/")[2]) for word in words)
                and (criteria is None or criteria.fits(file.version))
                and (scope.everything or file.owner_id in scope.owner_ids)
            ]
            said = (seed, words, criteria, scope)
            assert [file for page in shown for file in page.files] == expected, said
            found = {folder.path for page in shown for folder in page.folders}
            if scope.everything:
                named = {path for path in all_folders if all(word in path.rpartition("/")[2] for word in words)}
                assert found == (named if criteria is None else set()), said


def test_the_last_versions_have_no_block_while_they_are_few(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sft.store.search_blocks.BLOCK_VERSIONS", 3)
    put_many(services, "a", "b")
    assert not services.ask(can_make_blocks, OPERATOR)
    put_many(services, "c", "d")
    assert services.ask(can_make_blocks, OPERATOR)
    report = services.ask(make_search_blocks, OPERATOR, context=services.job_context)()
    assert report.versions == 1
    assert [[name for *_, name in files] for _, files in blocks(services).values()] == [["a", "b", "c"]]
    assert not services.ask(can_make_blocks, OPERATOR)


def test_what_changed_its_name_has_another_block_made(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sft.store.search_blocks.BLOCK_VERSIONS", 2)
    put_many(services, "a", "b", "c", "d")
    make_all(services)
    services.act(folders.move, folders.MoveInput(MAX.caller, "a", "z"))
    assert len(blocks(services)) == 1
    assert services.ask(can_make_blocks, OPERATOR)
    make_all(services)
    assert [[name for *_, name in files] for _, files in blocks(services).values()] == [["c", "d"], ["z", "b"]]


def test_what_nothing_can_be_found_in_is_not_read(services: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sft.store.search_blocks.BLOCK_VERSIONS", 2)
    put_many(services, *(f"f{number}" for number in range(10)))
    services.put(MAX, "large", b"x" * 99)
    services.put(MAX, "other")
    make_all(services)

    def read(words: tuple[str, ...], criteria: FileCriteria | None = None) -> int:
        with asked_of(services.database.read_connections) as asked:
            searched(services, words, criteria)
        return sum("SELECT search_blocks.entries" in text for text, _, _ in asked)

    assert len(blocks(services)) == 6
    assert read(("f3",)) == 1
    assert read((), FileCriteria(smallest=50)) == 1
    assert read((), FileCriteria(since=services.now + 1)) == 0
    assert read(("nothing",)) == 0


def test_what_lies_below_deleted_folders_is_passed_over_without_its_rows(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sft.store.search_blocks.BLOCK_VERSIONS", 8)
    services.put(MAX, "stays")
    put_many(services, *(f"gone/deep/f{number}" for number in range(50)))
    services.act(trash.delete, trash.Deletion(MAX.caller, "gone", recursive=True))
    for _ in range(2):
        with asked_of(services.database.read_connections) as asked:
            (page,) = searched(services, (), FileCriteria(since=0))
        assert names(page) == ["stays"]
        loaded = [rows for text, values, rows in asked if text.startswith("SELECT files.id, files.file_id")]
        assert len(loaded) == 1
        make_all(services)


@pytest.mark.parametrize("change", ["entries = X'00'", "names = X'6100'", "entries = entries || X'0000000000000000'"])
def test_a_block_of_another_shape_is_refused(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr("sft.store.search_blocks.BLOCK_VERSIONS", 1)
    put_many(services, "a")
    make_all(services)
    services.tamper(f"UPDATE search_blocks SET {change}")  # noqa: S608 -- our own text
    with pytest.raises(RowForgedError):
        searched(services, ("a",), None)


def test_a_name_that_a_block_lies_about_is_not_shown(services: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sft.store.search_blocks.BLOCK_VERSIONS", 1)
    put_many(services, "a")
    make_all(services)
    services.tamper("UPDATE search_blocks SET names = X'62'")
    assert [name for page in searched(services, ("b",), None) for name in names(page)] == []
