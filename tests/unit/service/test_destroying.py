"""Destroyed before its time: an old version's content, and what lies in the trash; by owner or admin, told and counted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sft.errors import (
    ChangedSinceError,
    NewestVersionError,
    NotFoundError,
    NotYoursError,
    NoVersionError,
    SignatureRefusedError,
    VersionDestroyedError,
)
from sft.model.ending_events import FilePurgeBegun, VersionsDestroyed
from sft.model.events import FolderPurgeBegun
from sft.model.records import Destroyed, FileVersion
from sft.service.destroying import TrashDestruction, VersionDestruction, destroy_trashed, destroy_version
from sft.service.files import list_trash, show_file
from sft.service.maintenance import check, purging, rotation
from sft.store.files import versions_at
from sft.store.row_types import FileRow, SmallObjectRow, VersionRow
from sft.store.statements import rows_of
from tests.unit.service.log.test_evidence import shown
from tests.unit.service.service_fixture import ADA, MAX, MIA, NOW, OPERATOR, Person, ServiceFixture, file_id_of
from tests.unit.service.test_figures import require_counted
from tests.unit.service.test_recovery import BIG, count, is_sound
from tests.unit.service.test_trash import restored, rm


def replaced(services: ServiceFixture, *contents: bytes, path: str = "a") -> None:
    first, *others = contents
    services.put(MAX, path, first)
    for content in others:
        services.replace(MAX, path, content, services.ask(show_file, MAX, path=path))


def destroy(services: ServiceFixture, number: int, who: Person = MAX, path: str = "a") -> None:
    services.act(destroy_version, VersionDestruction(who.caller, path, file_id_of(path), number))


def version(services: ServiceFixture, number: int, path: str = "a") -> FileVersion:
    return services.ask(show_file, MAX, path=path, version=number).version


def row_of(services: ServiceFixture) -> FileRow:
    with services.reading() as reading:
        (row,) = reading.rows.all(rows_of(FileRow))
    return row


def finish(services: ServiceFixture) -> None:
    services.ask(purging.finish_destroying, OPERATOR, context=services.job_context)()


def test_a_content_goes_and_what_is_known_of_it_stays(services: ServiceFixture) -> None:
    replaced(services, b"one", b"two", b"three")
    before = version(services, 2)
    services.now += 5
    destroy(services, 2)
    after = version(services, 2)
    assert (after.destroyed_at, after.destroyed_by) == (NOW + 5, "max")
    assert (after.digest, after.signature, after.leaf) == (before.digest, before.signature, before.leaf)
    # It is proved yet, and so are the others; their contents are there.
    assert [shown(services, "a", number).evidence.versions[0].version for number in (1, 2)] == [1, 2]
    assert (services.get(MAX, "a", 1), services.get(MAX, "a")) == (b"one", b"three")
    with pytest.raises(VersionDestroyedError) as refused:
        services.get(MAX, "a", 2)
    assert str(refused.value.values["destroyed_by"]) == "max"
    assert count(services, SmallObjectRow) == 2
    require_counted(services)
    assert is_sound(services)


def test_its_data_key_goes_with_it(services: ServiceFixture) -> None:
    services.commit(services.stream(MAX, "a", bytes(BIG)))
    services.replace(MAX, "a", b"two", services.ask(show_file, MAX, path="a"))
    destroy(services, 1)
    with services.reading() as reading:
        (row,) = versions_at(reading, [(1, 1)])
    assert (row.sealed_key, row.later_keys) == (b"", b"")
    assert list(services.vault.ids()) == [row.object_id]
    finish(services)
    assert not list(services.vault.ids())
    assert is_sound(services)


def test_it_is_a_signed_leaf(services: ServiceFixture) -> None:
    replaced(services, b"one", b"two")
    services.events.clear()
    destroy(services, 1)
    (told,) = services.events
    assert isinstance(told, VersionsDestroyed)
    assert (told.versions, told.size) == (((file_id_of("a"), 1),), 3)
    assert b"act:destroy-version" in told.statement_text
    assert b"version:1" in told.statement_text


def test_another_version_than_was_signed_is_not_destroyed(services: ServiceFixture) -> None:
    replaced(services, b"one", b"two", b"three")
    item = services.signed(VersionDestruction(MAX.caller, "a", file_id_of("a"), 1))
    with pytest.raises(SignatureRefusedError):
        services.act(destroy_version, replace(item, version=2))


def test_what_is_not_destroyed(services: ServiceFixture) -> None:
    replaced(services, b"one", b"two", b"three")
    with pytest.raises(NotYoursError):
        destroy(services, 1, MIA)
    with pytest.raises(NewestVersionError):
        destroy(services, 3)
    with pytest.raises(NoVersionError):
        destroy(services, 4)
    with pytest.raises(ChangedSinceError):
        services.act(destroy_version, VersionDestruction(MAX.caller, "a", bytes(16), 1))
    destroy(services, 1, ADA)
    with pytest.raises(VersionDestroyedError):
        destroy(services, 1)
    assert services.get(MAX, "a", 2) == b"two"


def test_the_oldest_that_is_kept_always_has_its_content(services: ServiceFixture) -> None:
    replaced(services, *(b"%d" % number for number in range(1, 7)))
    assert row_of(services).contents_kept == 6
    for number, kept in ((2, 6), (3, 6), (1, 3), (5, 3), (4, 1)):
        destroy(services, number)
        assert row_of(services).contents_kept == kept, number
    assert services.get(MAX, "a") == b"6"


def test_keys_are_changed_without_it(services: ServiceFixture) -> None:
    replaced(services, b"one", b"two")
    destroy(services, 1)
    services.ask(rotation.reencrypt, OPERATOR, context=services.job_context)()
    report = services.ask(check.check, OPERATOR, context=services.job_context)()
    assert (report.faults, report.versions) == ((), 2)
    assert services.get(MAX, "a") == b"two"


# -- the trash -------------------------------------------------------------------------------------------


def test_a_file_of_the_trash_goes_at_once(services: ServiceFixture) -> None:
    replaced(services, b"one", b"two", path="d/a")
    services.put(MAX, "d/b", b"stays")
    rm(services, "d/a")
    services.events.clear()
    assert services.act(
        destroy_trashed, TrashDestruction(MAX.caller, "d/a", services.seen_in_trash(MAX.caller, "d/a"))
    ) == Destroyed("d/a", 1, 0)
    (told,) = services.events
    assert isinstance(told, FilePurgeBegun)
    assert b"act:destroy\n" in told.statement_text
    assert services.ask(list_trash, MAX).files == ()
    with pytest.raises(NotFoundError):
        restored(services, "d/a")
    finish(services)
    assert count(services, VersionRow) == count(services, FileRow) == 1
    require_counted(services)
    assert is_sound(services)


def test_a_folder_of_the_trash_goes_as_one_thing(services: ServiceFixture) -> None:
    for path in ("d/a", "d/e/b", "x"):
        services.put(MAX, path)
    rm(services, "d", recursive=True)
    services.events.clear()
    assert services.act(
        destroy_trashed, TrashDestruction(MAX.caller, "d", services.seen_in_trash(MAX.caller, "d"))
    ) == Destroyed("d", 2, 2)
    (told,) = services.events
    assert isinstance(told, FolderPurgeBegun)
    assert told.statement
    finish(services)
    assert count(services, FileRow) == 1
    require_counted(services)
    assert is_sound(services)


@pytest.mark.parametrize(("path", "left"), [("d/e/b", 2), ("d/e", 1)])
def test_one_thing_goes_out_of_a_deleted_folder(services: ServiceFixture, path: str, left: int) -> None:
    for each in ("d/a", "d/e/b", "d/e/c"):
        services.put(MAX, each)
    rm(services, "d", recursive=True)
    services.act(destroy_trashed, TrashDestruction(MAX.caller, path, services.seen_in_trash(MAX.caller, path)))
    finish(services)
    assert count(services, FileRow) == left
    assert restored(services, "d").path == "d"
    assert services.get(MAX, "d/a")
    require_counted(services)
    assert is_sound(services)


def test_whose_it_is_decides(services: ServiceFixture) -> None:
    replaced(services, b"one")
    rm(services, "a")
    with pytest.raises(NotYoursError):
        services.act(destroy_trashed, TrashDestruction(MIA.caller, "a", services.seen_in_trash(MIA.caller, "a")))
    with pytest.raises(NotFoundError):
        services.act(destroy_trashed, TrashDestruction(MAX.caller, "b", services.seen_in_trash(MAX.caller, "b")))
    services.act(destroy_trashed, TrashDestruction(ADA.caller, "a", services.seen_in_trash(ADA.caller, "a")))


def test_the_trash_says_who_deleted_a_file(services: ServiceFixture) -> None:
    replaced(services, b"one")
    rm(services, "a", ADA)
    assert [file.trashed_by for file in services.ask(list_trash, MAX).files] == ["ada"]
    assert restored(services, "a").path == "a"
    assert services.ask(show_file, MAX, path="a").trashed_by is None
