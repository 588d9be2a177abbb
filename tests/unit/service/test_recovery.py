import os

import pytest

from sft.errors import NotFoundError, RequestError
from sft.limits import TRASH_SECONDS
from sft.model.records import VaultReport
from sft.service.files import list_trash, show_file
from sft.service.maintenance import purging, recovery
from sft.service.maintenance.check import check
from sft.service.maintenance.purging import PurgeInput, collect, purge
from sft.service.maintenance.recovery import Recovered, recover
from sft.service.trash import Deletion, Restoration, delete, restore
from sft.store.row_types import FileRow, PurgeRow, SmallObjectRow, VersionRow
from tests.unit.service.service_fixture import ADA, GUS, MAX, NOW, OPERATOR, ServiceFixture
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
        return len(reading.rows.all(kind))


def store_and_delete(services: ServiceFixture, path: str, size: int) -> bytes:
    item = services.stream(MAX, path, os.urandom(size))
    services.commit(item)
    services.act(delete, Deletion(MAX.caller, path))
    return item.object_id


# -- collecting ---------------------------------------------------------------------------------------


def test_the_trash_keeps_everything_for_30_days_to_the_second(disk_services: ServiceFixture) -> None:
    services = disk_services
    object_id = store_and_delete(services, "a", BIG)
    services.now = NOW + TRASH_SECONDS - 1
    assert run(services) == VaultReport(0, 0, 0)
    services.act(restore, Restoration(MAX.caller, "a"))
    services.act(delete, Deletion(MAX.caller, "a"))
    services.now += TRASH_SECONDS
    assert run(services) == VaultReport(1, 1, BIG)
    assert object_id not in services.vault.ids()
    with pytest.raises(NotFoundError):
        services.act(restore, Restoration(MAX.caller, "a"))


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
    monkeypatch.setattr(purging, "PURGE_FILES", 3)
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
    services.act(purge, PurgeInput(OPERATOR, services.now))
    # The process dies here.
    assert object_id in services.vault.ids()
    assert count(services, FileRow) == 0
    assert recovered(services) == Recovered(purged=1)
    assert object_id not in services.vault.ids()
    assert count(services, PurgeRow) == 0
    assert recovered(services) == Recovered()


def test_an_object_gone_before_its_purge_row_is_no_fault(services: ServiceFixture) -> None:
    object_id = store_and_delete(services, "a", BIG)
    services.act(purge, PurgeInput(OPERATOR, services.now))
    services.vault.remove(object_id)
    assert recovered(services) == Recovered(purged=1)
    assert recovered(services) == Recovered()


def test_collecting_finishes_what_was_interrupted(services: ServiceFixture) -> None:
    object_id = store_and_delete(services, "a", BIG)
    services.act(purge, PurgeInput(OPERATOR, services.now))
    run(services)
    assert object_id not in services.vault.ids()
    assert count(services, PurgeRow) == 0


def test_a_forged_purge_destroys_nothing(services: ServiceFixture) -> None:
    item = services.stream(MAX, "a", bytes(BIG))
    services.commit(item)
    store_and_delete(services, "b", BIG)
    services.act(purge, PurgeInput(OPERATOR, services.now))
    services.tamper("INSERT INTO purges VALUES (?, 1, zeroblob(32))", item.object_id)
    found = recovered(services)
    assert (found.purged, found.forged) == (1, (item.object_id.hex(),))
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


def test_recovery_puts_strays_aside_and_deletes_none(services: ServiceFixture) -> None:
    known = services.stream(MAX, "known", bytes(BIG))
    services.commit(known)
    strays = sorted(services.stream(MAX, f"{n}", bytes(BIG)).object_id for n in range(5))
    assert recovered(services) == Recovered(quarantined=tuple(strays))
    assert sorted(services.backend.quarantined.objects) == strays
    assert list(services.vault.ids()) == [known.object_id]
    assert recovered(services) == Recovered()


def test_recovery_asks_for_many_ids_at_once(services: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "IDS", 2)
    items = [services.stream(MAX, f"{n}", bytes(BIG)) for n in range(7)]
    for item in items[:5]:
        services.commit(item)
    found = recovered(services)
    assert set(found.quarantined) == {item.object_id for item in items[5:]}
    assert is_sound(services)


def test_recovery_removes_what_was_being_written(disk_services: ServiceFixture) -> None:
    for number in range(3):
        upload = disk_services.begin(MAX, f"{number}", None)
        upload.start()
        upload.append(upload.seal([bytes(65_536)], last=False))
    assert recovered(disk_services) == Recovered(leftovers=3)
    assert recovered(disk_services) == Recovered()


def test_an_object_whose_row_says_inline_is_not_known_by_it(services: ServiceFixture) -> None:
    item = services.pend(MAX, "a", b"x")
    services.commit(item)
    writer = services.vault.begin(item.object_id, 1)
    writer.append(writer.seal([b"x"], last=True))
    writer.finish()
    assert recovered(services).quarantined == (item.object_id,)
    assert services.get(GUS, "a") == b"x"


def test_nobody_but_the_operator_purges(services: ServiceFixture) -> None:
    store_and_delete(services, "a", 10)
    with pytest.raises(RequestError):
        services.act(purge, PurgeInput(ADA.caller, services.now))
    assert count(services, FileRow) == 1
