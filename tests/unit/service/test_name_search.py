"""Names are found by words, in bounded stretches, and never what is deleted."""

from __future__ import annotations

import random

import msgspec
import pytest

from sft.errors import BadRequestError
from sft.model.names import fold
from sft.model.records import Page
from sft.service.name_search import search_names
from sft.service.trash import Deletion, delete
from sft.wire import messages as m
from tests.unit.service.service_fixture import GUS, MAX, OPERATOR, ServiceFixture
from tests.unit.service.test_files import names, put_many
from tests.unit.store.asked import asked_of

NAMES = ("Report.pdf", "x/annual REPORT 2026.pdf", "x/reports/notes.md", "y/Übersicht.md", "y/100%_sure", "reporter/a")


def pages(services: ServiceFixture, *words: str, signatures: bool = False) -> list[Page]:
    found: list[Page] = []
    cursor = ""
    while True:
        page = services.ask(search_names, GUS, words=words, cursor=cursor, signatures=signatures)
        assert page.next != cursor or not cursor
        found.append(page)
        cursor = page.next
        if not cursor:
            return found


def found(services: ServiceFixture, *words: str) -> list[str]:
    return [name for page in pages(services, *words) for name in names(page)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("report",), ["reporter", "x/reports", "x/annual REPORT 2026.pdf", "Report.pdf"]),
        (("REPORT", "pdf"), ["x/annual REPORT 2026.pdf", "Report.pdf"]),
        (("2026", "annual"), ["x/annual REPORT 2026.pdf"]),
        (("über",), ["y/Übersicht.md"]),
        (("%_s",), ["y/100%_sure"]),
        (("%",), ["y/100%_sure"]),
        (("_",), ["y/100%_sure"]),
        (("x/reports",), []),
        (("nothing",), []),
        (("\0",), []),
    ],
)
def test_a_name_that_holds_every_word_is_found(
    services: ServiceFixture, words: tuple[str, ...], expected: list[str]
) -> None:
    put_many(services, *NAMES)
    assert found(services, *words) == expected


def test_files_come_with_signatures_if_asked(services: ServiceFixture) -> None:
    put_many(services, "a1", "a2")
    (page,) = pages(services, "a", signatures=True)
    assert all(file.version.signature for file in page.files)
    (page,) = pages(services, "a")
    assert not any(file.version.signature for file in page.files)


def test_what_is_deleted_is_not_found_and_its_name_not_told(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(services, "gone/secret1", "gone/secret2", "gone/sub/secret3", "secret4", "stays/secret5")
    services.act(delete, Deletion(MAX.caller, "gone", recursive=True))
    services.act(delete, Deletion(MAX.caller, "secret4"))
    for scanned in (1, 2, 3, 50_000):
        monkeypatch.setattr("sft.service.name_search.NAMES_SCANNED", scanned)
        shown = pages(services, "secret")
        assert [name for page in shown for name in names(page)] == ["stays/secret5"]
        assert not any(word in page.next for page in shown for word in ("secret1", "secret2", "secret3", "secret4"))


def test_what_folders_are_called_below_a_deleted_one_is_neither_found_nor_told(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(services, *(f"gone/secret{number}/x" for number in range(4)), "stays/secret4/x", "stays/secret5/x")
    services.act(delete, Deletion(MAX.caller, "gone", recursive=True))
    for scanned in (1, 2, 3, 50_000):
        monkeypatch.setattr("sft.service.name_search.NAMES_SCANNED", scanned)
        shown = pages(services, "secret")
        assert [name for page in shown for name in names(page)] == ["stays/secret4", "stays/secret5"]
        assert not any(f"secret{number}" in page.next for page in shown for number in range(4))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.sampled(4)
def test_pages_join_without_gap_or_repetition(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = random.Random(seed)
    paths = sorted({"/".join(rng.choices("ab", k=rng.randint(1, 3))) + str(rng.randint(0, 9)) for _ in range(30)})
    put_many(services, *paths)
    folders = sorted({path[:end] for path in paths for end in range(len(path)) if path[end] == "/"})
    monkeypatch.setattr("sft.service.name_search.NAMES_SCANNED", rng.randint(1, 9))
    monkeypatch.setattr("sft.service.name_search.PAGE_FILES", rng.randint(1, 9))
    monkeypatch.setattr("sft.service.version_search.PAGE_FOUND", rng.randint(1, 9))
    word = rng.choice("ab0123")
    expected = sorted(path for path in (*folders, *paths) if word in fold(path.rpartition("/")[2]))
    assert sorted(found(services, word)) == expected, seed


def test_one_question_looks_through_so_many_names_at_most(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(services, *(f"f{number}/x" for number in range(10)))
    monkeypatch.setattr("sft.service.name_search.NAMES_SCANNED", 3)
    assert [len(page.folders) for page in pages(services, "f9")] == [0, 0, 0, 1]
    monkeypatch.setattr("sft.service.name_search.NAMES_SCANNED", 9)
    assert [len(page.folders) for page in pages(services, "f", "9", "f9")] == [0, 0, 0, 1], "each word has its cost"
    assert [len(page.folders) for page in pages(services, "F9", "f9")] == [0, 1]


def test_one_question_loads_a_page_of_folders_at_most(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(services, *(f"f{number}/x" for number in range(9)))
    monkeypatch.setattr("sft.service.name_search.PAGE_FILES", 2)
    monkeypatch.setattr("sft.service.name_search._FOUND", 3)
    with asked_of(services.database.read_connections) as asked:
        shown = pages(services, "f")
    assert [name for page in shown for name in names(page)] == [f"f{number}" for number in range(9)]
    loaded = [
        len(set(values)) for text, values, _ in asked if text.startswith("SELECT folders.id, folders.parent_id, fol")
    ]
    assert max(loaded) == 2


def test_a_page_is_full_and_the_next_goes_on(services: ServiceFixture) -> None:
    put_many(services, *(f"{'x' * 180}{number:03}" for number in range(400)))
    shown = pages(services, "xx")
    assert [file.path[-3:] for page in shown for file in page.files] == [
        f"{number:03}" for number in reversed(range(400))
    ]
    assert len(shown) > 1


def test_a_name_that_grows_when_it_is_folded_fits_into_a_cursor(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(services, "\ufdfa" * 85 + "/a", "z/a")  # 255 bytes, and 1,530 letters
    monkeypatch.setattr("sft.service.name_search.NAMES_SCANNED", 1)
    shown = pages(services, "z")
    assert [name for page in shown for name in names(page)] == ["z"]
    for page in shown:
        msgspec.convert(msgspec.to_builtins(page), Page)
        msgspec.msgpack.decode(msgspec.msgpack.encode(m.SearchNames(1, ("z",), cursor=page.next)), type=m.SearchNames)


def test_names_of_folders_are_read_from_an_index_alone(services: ServiceFixture) -> None:
    put_many(services, *NAMES)
    with asked_of(services.database.read_connections) as asked:
        services.ask(search_names, GUS, words=("report", "pdf"))
    with services.database.read_connections.lend() as connection:
        plans = [
            str(line[3])
            for text, values, _ in asked
            if "replace(" in text or ("OFFSET" in text and "folders" in text)
            for line in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)
        ]
    assert len(plans) == 2
    assert all("USING COVERING INDEX" in plan and plan.startswith("SEARCH") for plan in plans), plans


@pytest.mark.parametrize("cursor", ["x", "f", "d", "d1", "d-1.a", "d²5.a", "x1.a", "f1.a", "d" + "9" * 30 + ".a"])
def test_a_cursor_that_no_page_had_is_refused(services: ServiceFixture, cursor: str) -> None:
    with pytest.raises(BadRequestError):
        services.ask(search_names, GUS, words=("a",), cursor=cursor)


def test_a_word_that_holds_nothing_is_refused(services: ServiceFixture) -> None:
    with pytest.raises(BadRequestError):
        services.ask(search_names, GUS, words=("a", "\u200d"))


def test_the_operator_finds_too(services: ServiceFixture) -> None:
    put_many(services, "a")
    assert names(services.ask(search_names, OPERATOR, words=("a",))) == ["a"]
