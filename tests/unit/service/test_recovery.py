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
from tests.unit.service.office import ADA, GUS, MAX, NOW, OPERATOR, Office
from tests.unit.service.test_files import put_many
from tests.unit.service.test_folders import tree

BIG = 70_000


def run(office: Office, until: int | None = None) -> VaultReport:
    job = office.ask(
        collect,
        OPERATOR,
        context=office.job_context,
        until=until,
    )
    return job()


def recovered(office: Office) -> Recovered:
    return recover(office.job_context)


def is_sound(office: Office) -> bool:
    job = office.ask(check, OPERATOR, context=office.job_context)
    return not job().faults


def count(office: Office, kind: type) -> int:
    with office.readers.reading() as reading:
        return len(reading.rows.all(kind))


def store_and_delete(office: Office, path: str, size: int) -> bytes:
    item = office.stream(MAX, path, os.urandom(size))
    office.commit(item)
    office.act(delete, Deletion(MAX.caller, path))
    return item.object_id


# -- collecting ---------------------------------------------------------------------------------------


def test_the_trash_keeps_everything_for_30_days_to_the_second(disk_office: Office) -> None:
    office = disk_office
    object_id = store_and_delete(office, "a", BIG)
    office.now = NOW + TRASH_SECONDS - 1
    assert run(office) == VaultReport(0, 0, 0)
    office.act(restore, Restoration(MAX.caller, "a"))
    office.act(delete, Deletion(MAX.caller, "a"))
    office.now += TRASH_SECONDS
    assert run(office) == VaultReport(1, 1, BIG)
    assert object_id not in office.vault.ids()
    with pytest.raises(NotFoundError):
        office.act(restore, Restoration(MAX.caller, "a"))


def test_all_versions_go_small_and_large(office: Office) -> None:
    office.put(MAX, "a", b"1")
    seen = office.ask(show_file, MAX, path="a")
    changes = {"file_id": seen.id, "version": 2, "prev": seen.version.digest}
    office.commit(office.stream(MAX, "a", bytes(BIG), **changes))
    office.act(delete, Deletion(MAX.caller, "a"))
    assert run(office, until=office.now) == VaultReport(1, 2, BIG + 1)
    for kind in (FileRow, VersionRow, SmallObjectRow, PurgeRow):
        assert count(office, kind) == 0
    assert not list(office.vault.ids())


def test_what_lives_or_was_deleted_later_stays(office: Office) -> None:
    put_many(office, "a", "b", "c")
    office.act(delete, Deletion(MAX.caller, "a"))
    office.now += 10
    office.act(delete, Deletion(MAX.caller, "b"))
    assert run(office, until=office.now - 1).files == 1
    assert [file.path for file in office.ask(list_trash, ADA).files] == ["b"]
    assert office.get(GUS, "c") == b"c"
    assert is_sound(office)


def test_more_than_one_transaction_holds(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "PURGE_FILES", 3)
    put_many(office, *(f"d/{n}" for n in range(8)))
    office.act(delete, Deletion(MAX.caller, "d", recursive=True))
    assert run(office, until=office.now).files == 8
    assert count(office, FileRow) == 0


def test_a_name_in_use_again_is_not_touched(office: Office) -> None:
    store_and_delete(office, "a", BIG)
    office.put(MAX, "a", b"new", file_id=bytes(16))
    run(office, until=office.now)
    assert office.get(GUS, "a") == b"new"
    assert is_sound(office)


# -- crashes while destroying ---------------------------------------------------------------------------


def test_rows_go_first_and_recovery_destroys_the_object(disk_office: Office) -> None:
    office = disk_office
    object_id = store_and_delete(office, "a", BIG)
    office.act(purge, PurgeInput(OPERATOR, office.now))
    # The process dies here.
    assert object_id in office.vault.ids()
    assert count(office, FileRow) == 0
    assert recovered(office) == Recovered(purged=1)
    assert object_id not in office.vault.ids()
    assert count(office, PurgeRow) == 0
    assert recovered(office) == Recovered()


def test_an_object_gone_before_its_purge_row_is_no_fault(office: Office) -> None:
    object_id = store_and_delete(office, "a", BIG)
    office.act(purge, PurgeInput(OPERATOR, office.now))
    office.vault.remove(object_id)
    assert recovered(office) == Recovered(purged=1)
    assert recovered(office) == Recovered()


def test_collecting_finishes_what_was_interrupted(office: Office) -> None:
    object_id = store_and_delete(office, "a", BIG)
    office.act(purge, PurgeInput(OPERATOR, office.now))
    run(office)
    assert object_id not in office.vault.ids()
    assert count(office, PurgeRow) == 0


def test_a_forged_purge_destroys_nothing(office: Office) -> None:
    item = office.stream(MAX, "a", bytes(BIG))
    office.commit(item)
    store_and_delete(office, "b", BIG)
    office.act(purge, PurgeInput(OPERATOR, office.now))
    office.tamper("INSERT INTO purges VALUES (?, 1, zeroblob(32))", item.object_id)
    found = recovered(office)
    assert (found.purged, found.forged) == (1, (item.object_id.hex(),))
    assert office.get(GUS, "a") == bytes(BIG)


# -- recovery -----------------------------------------------------------------------------------------


def test_recovery_after_a_clean_stop_does_nothing(disk_office: Office) -> None:
    office = disk_office
    put_many(office, "a", "d/b")
    office.commit(office.stream(MAX, "c", bytes(BIG)))
    store_and_delete(office, "e", BIG)
    before = (sorted(office.vault.ids()), tree(office))
    assert recovered(office) == Recovered()
    assert (sorted(office.vault.ids()), tree(office)) == before
    assert is_sound(office)


def test_recovery_puts_strays_aside_and_deletes_none(office: Office) -> None:
    known = office.stream(MAX, "known", bytes(BIG))
    office.commit(known)
    strays = sorted(office.stream(MAX, f"{n}", bytes(BIG)).object_id for n in range(5))
    assert recovered(office) == Recovered(quarantined=tuple(strays))
    assert sorted(office.backend.quarantined.objects) == strays
    assert list(office.vault.ids()) == [known.object_id]
    assert recovered(office) == Recovered()


def test_recovery_asks_for_many_ids_at_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "IDS", 2)
    items = [office.stream(MAX, f"{n}", bytes(BIG)) for n in range(7)]
    for item in items[:5]:
        office.commit(item)
    found = recovered(office)
    assert set(found.quarantined) == {item.object_id for item in items[5:]}
    assert is_sound(office)


def test_recovery_removes_what_was_being_written(disk_office: Office) -> None:
    for number in range(3):
        upload = disk_office.begin(MAX, f"{number}", None)
        upload.start()
        upload.append(upload.seal([bytes(65_536)], last=False))
    assert recovered(disk_office) == Recovered(leftovers=3)
    assert recovered(disk_office) == Recovered()


def test_an_object_whose_row_says_inline_is_not_known_by_it(office: Office) -> None:
    item = office.pend(MAX, "a", b"x")
    office.commit(item)
    writer = office.vault.begin(item.object_id, 1)
    writer.append(writer.seal([b"x"], last=True))
    writer.finish()
    assert recovered(office).quarantined == (item.object_id,)
    assert office.get(GUS, "a") == b"x"


def test_nobody_but_the_operator_purges(office: Office) -> None:
    store_and_delete(office, "a", 10)
    with pytest.raises(RequestError):
        office.act(purge, PurgeInput(ADA.caller, office.now))
    assert count(office, FileRow) == 1
