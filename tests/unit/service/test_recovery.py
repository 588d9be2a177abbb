import os

import pytest
from msgspec.structs import replace

from sft.errors import NotFoundError, RequestError, VaultError
from sft.model.records import VaultNote, VaultReport
from sft.service.files import list_trash, show_file
from sft.service.maintenance import purging
from sft.service.maintenance.check import check
from sft.service.maintenance.purging import PurgeInput, collect, purge
from sft.service.maintenance.recovery import Recovered, recover
from sft.service.trash import Deletion, Restoration, delete, restore
from sft.store.row_types import FileRow, PurgeRow, SmallObjectRow, UploadRow, VersionRow
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import ADA, GUS, MAX, NOW, OPERATOR, TRASH_SECONDS, ServiceFixture
from tests.unit.service.test_files import put_many
from tests.unit.service.test_folders import tree

BIG = 70_000


def run(services: ServiceFixture, until: int | None = None) -> VaultReport:
    job = services.ask(collect, OPERATOR, context=services.job_context, until=until)
    return job()


def recovered(services: ServiceFixture) -> Recovered:
    return recover(services.job_context)


def is_sound(services: ServiceFixture) -> bool:
    job = services.ask(check, OPERATOR, context=services.job_context)
    return not job().faults


def count(services: ServiceFixture, kind: type) -> int:
    with services.readers.reading() as reading:
        return len(reading.rows.all(rows_of(kind)))


def store_and_delete(services: ServiceFixture, path: str, size: int) -> bytes:
    item = services.stream(MAX, path, os.urandom(size))
    services.commit(item)
    services.act(delete, Deletion(MAX.caller, path))
    return item.object_id


def purge_all(services: ServiceFixture) -> None:
    """Take what is in the trash out of the database, and die."""
    ids = tuple(range(1, 20))
    services.act(purge, PurgeInput(OPERATOR, services.now, ids))


def test_many_versions_go_in_steps_and_the_file_with_the_last(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "PURGE_VERSIONS", 2)
    services.put(MAX, "a", b"0")
    for number in range(1, 5):
        services.replace(MAX, "a", bytes([number]), services.ask(show_file, MAX, path="a"))
    services.put(MAX, "b")
    for path in ("a", "b"):
        services.act(delete, Deletion(MAX.caller, path))
    left = []

    def act(function: object, item: object) -> object:
        done = services.act(function, item)
        if function is not purge:
            return done
        with services.readers.reading() as reading:
            left.append(
                (len(reading.rows.all(rows_of(FileRow))), [row.number for row in reading.rows.all(rows_of(VersionRow))])
            )
        return done

    context = replace(services.job_context, act=act)
    assert services.ask(collect, OPERATOR, context=context, until=services.now)().files == 2
    assert left == [(2, [3, 4, 5, 1]), (2, [5, 1]), (0, [])]
    assert count(services, SmallObjectRow) == 0


def test_a_lost_small_object_keeps_nothing_in_the_trash(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    services.act(delete, Deletion(MAX.caller, "a"))
    services.tamper("DELETE FROM small_objects")
    assert run(services, until=services.now).files == 1


# -- collecting ---------------------------------------------------------------------------------------


def test_the_trash_keeps_everything_for_30_days_to_the_second(disk_services: ServiceFixture) -> None:
    services = disk_services
    object_id = store_and_delete(services, "a", BIG)
    services.now = NOW + TRASH_SECONDS - 1
    assert run(services) == VaultReport(0, 0, 0)
    services.act(restore, Restoration(MAX.caller, "a", services.seen_in_trash(MAX.caller, "a")))
    services.act(delete, Deletion(MAX.caller, "a"))
    services.now += TRASH_SECONDS
    assert run(services) == VaultReport(1, 1, BIG)
    assert object_id not in services.vault.ids()
    with pytest.raises(NotFoundError):
        services.act(restore, Restoration(MAX.caller, "a", services.seen_in_trash(MAX.caller, "a")))


def test_all_versions_go_small_and_large(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    seen = services.ask(show_file, MAX, path="a")
    changes = {"file_id": seen.id, "version": 2, "prev": seen.version.digest}
    services.commit(services.stream(MAX, "a", bytes(BIG), **changes))
    services.act(delete, Deletion(MAX.caller, "a"))
    assert run(services, until=services.now) == VaultReport(1, 2, BIG + 1)
    for kind in (FileRow, VersionRow, SmallObjectRow, PurgeRow):
        assert count(services, kind) == 0
    assert not list(services.vault.ids())


def test_what_lives_or_was_deleted_later_stays(services: ServiceFixture) -> None:
    put_many(services, "a", "b", "c")
    services.act(delete, Deletion(MAX.caller, "a"))
    services.now += 10
    services.act(delete, Deletion(MAX.caller, "b"))
    assert run(services, until=services.now - 1).files == 1
    assert [file.path for file in services.ask(list_trash, ADA).files] == ["b"]
    assert services.get(GUS, "c") == b"c"
    assert is_sound(services)


def test_more_than_one_transaction_holds(services: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "PURGE_VERSIONS", 3)
    put_many(services, *(f"d/{n}" for n in range(8)))
    services.act(delete, Deletion(MAX.caller, "d", recursive=True))
    assert run(services, until=services.now).files == 8
    assert count(services, FileRow) == 0


def test_a_name_in_use_again_is_not_touched(services: ServiceFixture) -> None:
    store_and_delete(services, "a", BIG)
    services.put(MAX, "a", b"new", file_id=bytes(16))
    run(services, until=services.now)
    assert services.get(GUS, "a") == b"new"
    assert is_sound(services)


# -- crashes while destroying ---------------------------------------------------------------------------


def test_rows_go_first_and_recovery_destroys_the_object(disk_services: ServiceFixture) -> None:
    services = disk_services
    object_id = store_and_delete(services, "a", BIG)
    purge_all(services)
    # The process dies here.
    assert object_id in services.vault.ids()
    assert count(services, FileRow) == 0
    assert recovered(services) == Recovered(purged=1)
    assert object_id not in services.vault.ids()
    assert count(services, PurgeRow) == 0
    assert recovered(services) == Recovered()


def test_an_object_gone_before_its_purge_row_is_no_fault(services: ServiceFixture) -> None:
    object_id = store_and_delete(services, "a", BIG)
    purge_all(services)
    services.vault.remove(object_id)
    assert recovered(services) == Recovered(purged=1)
    assert recovered(services) == Recovered()


def test_collecting_finishes_what_was_interrupted(services: ServiceFixture) -> None:
    object_id = store_and_delete(services, "a", BIG)
    purge_all(services)
    run(services)
    assert object_id not in services.vault.ids()
    assert count(services, PurgeRow) == 0


def test_a_forged_purge_destroys_nothing(services: ServiceFixture) -> None:
    item = services.stream(MAX, "a", bytes(BIG))
    services.commit(item)
    store_and_delete(services, "b", BIG)
    purge_all(services)
    services.tamper("INSERT INTO purges VALUES (?, 1, zeroblob(32))", item.object_id)
    found = recovered(services)
    problem = f"the row {item.object_id.hex()} of purges was changed outside the server"
    assert found == Recovered(purged=1, faults=(problem,))
    assert services.get(GUS, "a") == bytes(BIG)


# -- recovery -----------------------------------------------------------------------------------------


def test_recovery_after_a_clean_stop_does_nothing(disk_services: ServiceFixture) -> None:
    services = disk_services
    put_many(services, "a", "d/b")
    services.commit(services.stream(MAX, "c", bytes(BIG)))
    store_and_delete(services, "e", BIG)
    before = (sorted(services.vault.ids()), tree(services))
    assert recovered(services) == Recovered()
    assert (sorted(services.vault.ids()), tree(services)) == before
    assert is_sound(services)


def test_an_upload_whose_commit_never_came_is_removed(services: ServiceFixture) -> None:
    known = services.stream(MAX, "known", bytes(BIG))
    services.commit(known)
    for number in range(5):
        services.stream(MAX, f"{number}", bytes(BIG))
    assert recovered(services) == Recovered(uploads=5)
    assert list(services.vault.ids()) == [known.object_id]
    assert count(services, UploadRow) == 0
    assert recovered(services) == Recovered()
    assert is_sound(services)


def test_a_start_looks_at_no_object_that_is_stored(services: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    services.commit(services.stream(MAX, "known", bytes(BIG)))
    services.stream(MAX, "open", bytes(BIG))

    def never() -> None:
        raise AssertionError("every name was read")

    monkeypatch.setattr(services.backend, "ids", never)
    assert recovered(services) == Recovered(uploads=1)


def test_what_nobody_knows_is_for_the_check_and_stays(services: ServiceFixture) -> None:
    item = services.stream(MAX, "a", bytes(BIG))
    services.tamper("DELETE FROM uploads")
    assert recovered(services) == Recovered()
    assert list(services.vault.ids()) == [item.object_id]
    job = services.ask(check, OPERATOR, context=services.job_context)
    assert [fault.what for fault in job().faults if "nobody" in fault.problem] == [f"object {item.object_id.hex()}"]


def test_recovery_removes_what_was_being_written(disk_services: ServiceFixture) -> None:
    for number in range(3):
        upload = disk_services.begin(MAX, f"{number}", None)
        disk_services.start(upload)
        upload.append(upload.seal([bytes(65_536)], last=False))
    assert recovered(disk_services) == Recovered(uploads=3)
    assert not list(disk_services.backend.leftovers())
    assert recovered(disk_services) == Recovered()


def test_an_object_whose_row_says_inline_is_not_known_by_it(services: ServiceFixture) -> None:
    item = services.pend(MAX, "a", b"x")
    services.commit(item)
    writer = services.vault.begin(item.object_id, 1)
    writer.append(writer.seal([b"x"], last=True))
    writer.finish()
    assert not is_sound(services)
    assert services.get(GUS, "a") == b"x"


# -- one fault stops nothing but itself -----------------------------------------------------------------


def test_one_object_that_cannot_be_removed_stops_neither_the_start_nor_the_rest(services: ServiceFixture) -> None:
    purged = [store_and_delete(services, f"{n}", BIG) for n in range(3)]
    purge_all(services)
    half = services.stream(MAX, "open", bytes(BIG)).object_id
    stuck = {purged[1], half}
    refusing(services, stuck)
    found = recovered(services)
    assert (found.uploads, found.purged, len(found.faults)) == (0, 2, 2)
    assert set(services.vault.ids()) == stuck
    assert run(services).notes == (VaultNote("it cannot be removed"),)
    stuck.clear()
    assert recovered(services) == Recovered(uploads=1, purged=1)
    assert not list(services.vault.ids())


def test_one_changed_row_in_the_trash_stops_nothing_else(services: ServiceFixture) -> None:
    for number in range(5):
        store_and_delete(services, f"{number}", BIG)
    services.tamper("UPDATE files SET owner_id = 3 WHERE id = 2")
    services.tamper("UPDATE versions SET size = 9 WHERE file = 4")
    report = run(services, until=services.now)
    assert report.files == 3
    assert {fault.what for fault in report.faults} == {"row 2 of files", "row 4, 1 of versions"}
    assert len(list(services.vault.ids())) == 2
    assert run(services, until=services.now).files == 0


def refusing(services: ServiceFixture, stuck: set[bytes]) -> None:
    """Have the backend refuse to remove some objects."""
    remove = services.backend.remove

    def removing(object_id: bytes, first_segment: int = 0) -> None:
        if object_id in stuck:
            raise VaultError(problem="it cannot be removed")
        remove(object_id, first_segment)

    services.backend.remove = removing  # type: ignore[method-assign]


def test_nobody_but_the_operator_purges(services: ServiceFixture) -> None:
    store_and_delete(services, "a", 10)
    with pytest.raises(RequestError):
        services.act(purge, PurgeInput(ADA.caller, services.now, (1,)))
    assert count(services, FileRow) == 1
