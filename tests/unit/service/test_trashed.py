"""What lies in the trash at a path, and that nothing else of its name is brought back or destroyed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from sft.client.api.trash import trash_seen
from sft.errors import NotFoundError, NotYoursError, TrashChangedError
from sft.model.records import File, FileSeen, TrashedFolder, TrashSeen
from sft.service.destroying import TrashDestruction, destroy_trashed
from sft.service.files import list_trash, show_file
from sft.service.trash import Restoration, restore
from sft.service.trashed import show_trashed
from tests.unit.service.service_fixture import ADA, MAX, MIA, OPERATOR, ServiceFixture, file_id_of
from tests.unit.service.test_trash import restored, rm

Act = Callable[[ServiceFixture, str, TrashSeen], Any]


def brought_back(services: ServiceFixture, path: str, seen: TrashSeen) -> Any:
    return services.act(restore, Restoration(MAX.caller, path, seen))


def destroyed(services: ServiceFixture, path: str, seen: TrashSeen) -> Any:
    return services.act(destroy_trashed, TrashDestruction(MAX.caller, path, seen))


ACTS = pytest.mark.parametrize("act", [brought_back, destroyed])


def put_and_rm(services: ServiceFixture, path: str, file_id: bytes, who: Any = MAX) -> TrashSeen:
    services.put(who, path, file_id, file_id=file_id)
    rm(services, path, who)
    return services.seen_in_trash(who.caller, path)


def test_what_is_shown_is_what_the_listing_shows(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    for path in ("d/x", "d/e/y"):
        services.put(MAX, path)
    rm(services, "a")
    services.now += 1
    rm(services, "d", recursive=True)
    page = services.ask(list_trash, MAX)
    assert (
        services.ask(show_trashed, MAX, path="d")
        == page.folders[0]
        == TrashedFolder(page.folders[0].id, "d", 2, 2, services.now, "max", page.folders[0].trash_ends_at)
    )
    shown = services.ask(show_trashed, MAX, path="a")
    assert isinstance(shown, File)
    assert replace(shown, version=replace(shown.version, signature=b"")) == page.files[0]
    inside = services.ask(show_trashed, MAX, path="d/x")
    assert isinstance(inside, File)
    assert (inside.id, inside.path, inside.trashed_at, inside.trashed_by) == (
        file_id_of("d/x"), "d/x", services.now, "max",
    )  # fmt: skip
    assert inside.trash_ends_at == page.folders[0].trash_ends_at
    below = services.ask(show_trashed, MAX, path="d/e")
    assert isinstance(below, TrashedFolder)
    assert (below.path, below.files, below.folders, below.trashed_at) == ("d/e", 1, 1, services.now)
    for path in ("b", "d/b"):
        with pytest.raises(NotFoundError):
            services.ask(show_trashed, MAX, path=path)
    with pytest.raises(NotYoursError):
        services.ask(show_trashed, MIA, path="a")


@ACTS
def test_what_is_deleted_after_the_look_is_left_alone(services: ServiceFixture, act: Act) -> None:
    seen = put_and_rm(services, "a", b"1" * 16)
    services.now += 1
    later = put_and_rm(services, "a", b"2" * 16)
    act(services, "a", seen)
    assert services.seen_in_trash(MAX.caller, "a") == later
    told = services.events[-1]
    assert (told.file_id, told.version, told.trashed_at) == (b"1" * 16, 1, seen.trashed_at)  # type: ignore[attr-defined]


@ACTS
def test_a_file_that_was_deleted_anew_is_not_what_was_seen(services: ServiceFixture, act: Act) -> None:
    seen = put_and_rm(services, "a", b"1" * 16)
    restored(services, "a")
    services.replace(MAX, "a", b"other", services.ask(show_file, MAX, path="a"))
    rm(services, "a")  # within the same second
    services.events.clear()
    with pytest.raises(TrashChangedError) as refusal:
        act(services, "a", seen)
    assert refusal.value.values == {"path": "a", "by": "max", "trashed_at": services.now}
    assert not services.events
    assert services.seen_in_trash(MAX.caller, "a").file == FileSeen(b"1" * 16, 2)
    restored(services, "a")
    services.now += 1
    rm(services, "a", ADA)
    with pytest.raises(TrashChangedError) as refusal:
        act(services, "a", TrashSeen(seen.trashed_at, FileSeen(b"1" * 16, 2)))
    assert refusal.value.values["by"] == "ada"


@ACTS
def test_a_folder_of_which_something_came_out_is_not_what_was_seen(services: ServiceFixture, act: Act) -> None:
    for path in ("d/x", "d/e/y"):
        services.put(MAX, path)
    rm(services, "d", recursive=True)
    seen = services.seen_in_trash(MAX.caller, "d")
    inside = services.seen_in_trash(MAX.caller, "d/x")
    destroyed(services, "d/x", inside)
    with pytest.raises(TrashChangedError):
        act(services, "d", seen)
    for other in ({"files": 2}, {"folders": 3}, {"folder_id": 1}, {"trashed_at": 0}, {"file": FileSeen(bytes(16), 1)}):
        with pytest.raises(TrashChangedError):
            act(services, "d", replace(services.seen_in_trash(MAX.caller, "d"), **other))
    act(services, "d", services.seen_in_trash(MAX.caller, "d"))


@ACTS
def test_what_is_named_has_to_lie_at_that_path(services: ServiceFixture, act: Act) -> None:
    """A server that is told one path, and shown another file, does neither."""
    seen = put_and_rm(services, "a", b"1" * 16)
    other = put_and_rm(services, "b", b"2" * 16)
    for path, wrong in (("a", other), ("b", seen)):
        with pytest.raises(TrashChangedError):
            act(services, path, wrong)
    with pytest.raises(NotFoundError):
        act(services, "c", seen)
    services.put(MAX, "live")
    alive = FileSeen(file_id_of("live"), 1)
    for wrong in (TrashSeen(0, alive), TrashSeen(services.now, alive), TrashSeen(0, None, 1, 1, 1)):
        with pytest.raises(NotFoundError):
            act(services, "live", wrong)


def test_what_is_seen_of_anothers_is_still_another_ones(services: ServiceFixture) -> None:
    seen = put_and_rm(services, "a", b"1" * 16, MIA)
    for act in (brought_back, destroyed):
        with pytest.raises(NotYoursError):
            act(services, "a", seen)
    services.act(destroy_trashed, TrashDestruction(OPERATOR, "a", seen))


def test_what_the_listing_shows_is_enough_to_name_it(services: ServiceFixture) -> None:
    put_and_rm(services, "a", b"1" * 16)
    services.put(MAX, "d/x")
    rm(services, "d", recursive=True)
    page = services.ask(list_trash, MAX)
    for each in (*page.folders, *page.files):
        assert trash_seen(each) == services.seen_in_trash(MAX.caller, each.path)
        destroyed(services, each.path, trash_seen(each))
