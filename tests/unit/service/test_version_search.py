"""Files are found by what their newest versions are like, the last stored first, in bounded stretches."""

from __future__ import annotations

import random

import pytest

from sft.errors import BadRequestError
from sft.model.file_criteria import FileCriteria
from sft.model.records import Page
from sft.service.files import show_file
from sft.service.name_search import search_names
from sft.service.trash import Deletion, delete
from tests.unit.service.service_fixture import ADA, GUS, MAX, ServiceFixture
from tests.unit.service.test_files import names
from tests.unit.store.asked import asked_of


def pages(services: ServiceFixture, *words: str, **criteria: object) -> list[Page]:
    found: list[Page] = []
    cursor = ""
    while True:
        page = services.ask(search_names, GUS, words=words, criteria=FileCriteria(**criteria), cursor=cursor)
        found.append(page)
        if not page.next:
            return found
        assert page.next != cursor
        cursor = page.next


def found(services: ServiceFixture, *words: str, **criteria: object) -> list[str]:
    return [name for page in pages(services, *words, **criteria) for name in names(page)]


@pytest.fixture
def stored(services: ServiceFixture) -> ServiceFixture:
    """Three files of three days, of one and three KiB, by two people; the first one was replaced on the last day."""
    services.put(MAX, "a/old report", b"x" * 1000)
    services.now += 86_400
    services.put(ADA, "plan", b"x" * 3000)
    services.now += 86_400
    services.put(MAX, "a/new report", b"x" * 2000)
    services.replace(MAX, "a/old report", b"y" * 10, services.ask(show_file, MAX, path="a/old report"))
    return services


def test_what_was_stored_last_comes_first(stored: ServiceFixture) -> None:
    assert found(stored) == ["a/old report", "a/new report", "plan"]
    assert found(stored, since=stored.now - 86_400) == ["a/old report", "a/new report", "plan"]
    assert found(stored, since=stored.now) == ["a/old report", "a/new report"]
    assert found(stored, until=stored.now) == ["plan"]


def test_who_signed_it_and_how_large_it_is(stored: ServiceFixture) -> None:
    assert found(stored, author="MAX") == ["a/old report", "a/new report"]
    assert found(stored, author="ada") == ["plan"]
    assert found(stored, author="nobody") == []
    assert found(stored, smallest=2000) == ["a/new report", "plan"]
    assert found(stored, smallest=2000, largest=2000) == ["a/new report"]
    assert found(stored, largest=10) == ["a/old report"]


def test_beside_words_of_a_name(stored: ServiceFixture) -> None:
    assert found(stored, "report", author="max") == ["a/old report", "a/new report"]
    assert found(stored, "report", author="ada") == []
    assert found(stored, "report", smallest=11) == ["a/new report"]
    assert found(stored, "a", until=stored.now) == ["plan"], "a folder is like nothing"


def test_what_is_deleted_is_not_found(stored: ServiceFixture) -> None:
    stored.act(delete, Deletion(MAX.caller, "a", recursive=True))
    assert found(stored) == ["plan"]
    stored.act(delete, Deletion(ADA.caller, "plan"))
    assert found(stored) == []


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.sampled(4)
def test_pages_join_without_gap_or_repetition(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    sizes = {f"f{number}": draw.randint(1, 9) for number in range(30)}
    for name, size in sizes.items():
        services.put(MAX, name, b"x" * size)
        services.now += draw.randint(0, 2)
    monkeypatch.setattr("sft.service.version_search._ONE_BY_ONE", draw.randint(1, 9))
    monkeypatch.setattr("sft.service.version_search.SEARCH_EFFORT", draw.randint(1, 60))
    monkeypatch.setattr("sft.service.version_search.PAGE_FOUND", draw.randint(1, 9))
    least = draw.randint(1, 9)
    assert found(services, smallest=least) == [name for name in reversed(sizes) if sizes[name] >= least], seed


def test_nothing_older_than_what_is_asked_for_is_looked_through(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        services.put(MAX, f"f{number}")
        services.now += 86_400
    monkeypatch.setattr("sft.service.version_search._ONE_BY_ONE", 2)
    monkeypatch.setattr("sft.service.version_search.SEARCH_EFFORT", 1)
    assert [len(page.files) for page in pages(services, since=services.now - 86_400)] == [1]
    assert len(pages(services)) == 5


def test_versions_are_read_along_an_index(stored: ServiceFixture) -> None:
    with asked_of(stored.database.read_connections) as asked:
        stored.ask(search_names, GUS, words=(), criteria=FileCriteria(since=0))
        stored.ask(search_names, GUS, words=(), criteria=FileCriteria(author="max"))
    with stored.database.read_connections.lend() as connection:
        plans = [
            str(line[3])
            for text, values, _ in asked
            if "versions.leaf DESC" in text or "count(" in text
            for line in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)
        ]
    assert len([plan for plan in plans if "ix_versions_leaf" in plan]) == 2, plans
    assert len([plan for plan in plans if "ix_versions_author_id" in plan]) == 2, plans
    assert not any(
        "SORT" in plan or "TEMP" in plan or plan.startswith(("SCAN versions", "SCAN files")) for plan in plans
    ), plans


@pytest.mark.parametrize("cursor", ["x", "f1.a", "f1", "f1.", "f-1.2", "f1.2.3", "f²5.1", "f" + "9" * 30 + ".1"])
def test_a_cursor_that_no_page_had_is_refused(services: ServiceFixture, cursor: str) -> None:
    with pytest.raises(BadRequestError):
        services.ask(search_names, GUS, words=(), criteria=FileCriteria(), cursor=cursor)


def test_a_search_for_nothing_is_refused(services: ServiceFixture) -> None:
    with pytest.raises(BadRequestError):
        services.ask(search_names, GUS, words=())
