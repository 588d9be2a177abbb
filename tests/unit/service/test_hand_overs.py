"""Files of who was removed: another's at once in everything that is judged and shown, their rows page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from sft.errors import HandingOverError, NotFoundError, NotYoursError, RequestError
from sft.model.events import HandedOver, HandOverEnded, UserRemoved
from sft.model.records import VaultReport
from sft.service import accounts
from sft.service.accounts import RemoveUserInput
from sft.service.files import find_files, list_folder, list_trash, show_file
from sft.service.maintenance import hand_overs
from sft.service.maintenance.hand_overs import HandOver, HandOverEnd, hand_over, hand_over_all
from sft.service.maintenance.purging import PurgeInput, purge
from sft.store.database import Database
from sft.store.figures import user_figures
from sft.store.hand_overs import files_owned_by, folders_made_by, handed_over, handed_over_to, heirs_of
from sft.store.row_types import FileRow
from sft.store.schema import FileModel
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, OPERATOR, Person, ServiceFixture
from tests.unit.service.test_figures import faults, make, mv, owned, require_counted, rm
from tests.unit.service.test_trash import back, restored
from tests.unit.store.asked import asked_of
from tests.unit.store.folder_tree import plans

PATHS = ("a", "d/b", "d/e/c", "d/e/f", "gone", "g/h")


@pytest.fixture
def removed(services: ServiceFixture) -> ServiceFixture:
    """Max is removed, and no row of six files and two folders names mia yet: three files lie in folders of mia's."""
    make(services, "d", MIA)
    make(services, "d/e", MIA)
    for path in PATHS:
        services.put(MAX, path, path.encode())
    make(services, "d/empty")
    rm(services, "gone")
    rm(services, "g")
    services.put(MIA, "d/mine")
    remove(services, MAX, MIA)
    return services


def remove(services: ServiceFixture, who: Person, heir: Person) -> None:
    services.act(accounts.remove, RemoveUserInput(OPERATOR, who.caller.name, files_to=heir.caller.name))


def finish(services: ServiceFixture) -> VaultReport:
    return services.ask(hand_over_all, OPERATOR, context=services.job_context)()


def count_of(services: ServiceFixture, who: Person) -> int:
    with services.reading() as reading:
        return len(files_owned_by(reading, who.id, 0, 99))


def folders_of(services: ServiceFixture, who: Person) -> int:
    with services.reading() as reading:
        return len(folders_made_by(reading, who.id, 0, 99))


def pending(services: ServiceFixture) -> dict[int, int]:
    with services.reading() as reading:
        return heirs_of(reading, handed_over(reading))


# -- what is so at once -----------------------------------------------------------------------------


def test_the_removal_changes_no_row_of_a_file_and_says_how_many_go(removed: ServiceFixture) -> None:
    (told,) = [each for each in removed.events if isinstance(each, UserRemoved)]
    assert (told.files, told.files_to) == (6, MIA.id)
    assert (count_of(removed, MAX), pending(removed)) == (6, {MAX.id: MIA.id})
    assert owned(removed, MAX) == (0, 0)
    assert owned(removed, MIA) == (7, sum(map(len, PATHS)) + len(b"content"))
    require_counted(removed)
    assert faults(removed) == []


def _statements(services: ServiceFixture, act: Callable[[], Any]) -> int:
    with asked_of(services.database.write_connections) as asked:
        act()
    return sum(len(each.rows) or 1 for each in asked)  # a statement for many rows counts once for each


def test_a_removal_costs_the_same_however_many_files_there_are(services: ServiceFixture) -> None:
    services.put(MIA, "few")
    for number in range(30):
        services.put(MAX, f"d{number}/a")
    few, many = (_statements(services, lambda who=who: remove(services, who, ADA)) for who in (MIA, MAX))
    assert few == many


def test_what_is_still_to_go_is_the_heirs_to_change(removed: ServiceFixture) -> None:
    file = removed.ask(show_file, MIA, path="a")
    assert (file.owner_id, file.owner) == (MIA.id, "mia")
    removed.replace(MIA, "a", b"another", file)
    mv(removed, "a", "moved", MIA)
    rm(removed, "moved", MIA)
    assert back(removed, "moved", MIA).owner == "mia"
    rm(removed, "d/b", MIA)
    assert pending(removed) == {MAX.id: MIA.id}
    require_counted(removed)
    assert faults(removed) == []


def test_it_is_nobody_elses(removed: ServiceFixture) -> None:
    removed.change_user(GUS, role="maintainer")
    with pytest.raises(NotYoursError) as refusal:
        rm(removed, "a", GUS)
    assert refusal.value.values["owner"] == "mia"
    with pytest.raises(RequestError):
        rm(removed, "a", MAX)
    assert removed.ask(list_trash, GUS).files == ()


def test_lists_show_the_heir(removed: ServiceFixture) -> None:
    everything = removed.ask(find_files, GUS).files
    assert {file.path: file.owner for file in everything} == dict.fromkeys(
        ["a", "d/b", "d/e/c", "d/e/f", "d/mine"], "mia"
    )
    assert [file.owner for file in removed.ask(list_folder, GUS, path="d").files] == ["mia", "mia"]
    (deleted,) = removed.ask(list_trash, MIA).files
    assert (deleted.path, deleted.owner, deleted.owner_id) == ("gone", "mia", MIA.id)


def test_the_heir_brings_back_what_was_deleted_before(removed: ServiceFixture) -> None:
    assert back(removed, "gone", MIA).owner == "mia"
    assert back(removed, "g/h", MIA).owner == "mia"
    require_counted(removed)


def test_a_page_of_the_trash_has_what_was_deleted_last_of_both(services: ServiceFixture) -> None:
    for number in range(8):
        services.now += 1
        who = MAX if number % 3 else MIA
        services.put(who, f"{number}")
        rm(services, f"{number}", who)
    remove(services, MAX, MIA)
    cursor, seen = "", []
    while True:
        page = services.ask(list_trash, MIA, cursor=cursor, limit=3)
        seen += [file.path for file in page.files]
        if not (cursor := page.next):
            break
    assert seen == [f"{number}" for number in reversed(range(8))]


def test_a_folder_of_both_is_judged_when_all_has_gone(removed: ServiceFixture) -> None:
    """Sums of two owners' ids may add up with others among them: they prove nothing before that."""
    for act in (lambda: rm(removed, "d", MIA), lambda: mv(removed, "d", "x", MIA)):
        with pytest.raises(HandingOverError) as refusal:
            act()
        assert refusal.value.values == {"owner": "mia", "path": "d"}
    rm(removed, "d", ADA)
    with pytest.raises(HandingOverError):
        restored(removed, "d", MIA)
    finish(removed)
    assert restored(removed, "d", MIA).path == "d"
    rm(removed, "d", MIA)


def test_a_folder_with_what_is_anothers_is_refused_as_ever(removed: ServiceFixture) -> None:
    removed.put(ADA, "d/e/adas")
    finish(removed)
    with pytest.raises(NotYoursError) as refusal:
        rm(removed, "d", MIA)
    assert refusal.value.values["path"] == "d/e/adas"


def test_what_is_destroyed_meanwhile_is_taken_from_the_heirs_figures(removed: ServiceFixture) -> None:
    with removed.reading() as reading:
        (row,) = reading.rows.all(rows_of(FileRow, FileModel.trashed_path == "gone"))
    removed.act(purge, PurgeInput(OPERATOR, removed.now, (row.id,)))
    assert (owned(removed, MAX), owned(removed, MIA)[0]) == ((0, 0), 6)
    require_counted(removed)


def test_a_folder_of_the_removed_alone_is_the_heirs_at_once(services: ServiceFixture) -> None:
    for path in ("d/e/a", "x/e/a"):
        services.put(MAX, path)
    rm(services, "x")
    remove(services, MAX, MIA)
    mv(services, "d/e", "e", MIA)
    rm(services, "e", MIA)
    rm(services, "d", MIA)
    assert restored(services, "x", MIA).path == "x"
    with pytest.raises(NotYoursError) as refusal:
        services.change_user(GUS, role="maintainer")
        rm(services, "x", GUS)
    assert refusal.value.values["owner"] == "mia"
    finish(services)
    rm(services, "x", MIA)
    require_counted(services)


def test_an_empty_folder_of_the_removed_is_enough_to_wait_for(services: ServiceFixture) -> None:
    make(services, "d", MIA)
    make(services, "d/empty")
    services.put(MIA, "d/mine")
    remove(services, MAX, MIA)
    with pytest.raises(HandingOverError):
        rm(services, "d", MIA)
    finish(services)
    rm(services, "d", MIA)


# -- page by page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 4, 6, 100])
def test_the_rows_follow_in_pages(removed: ServiceFixture, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(hand_overs, "HAND_OVER_ROWS", most)
    removed.events.clear()
    report = finish(removed)
    assert (report.files, report.faults) == (6, ())
    told_of = [told for told in removed.events if isinstance(told, HandedOver)]
    pages = [told for told in told_of if told.files]
    assert len(pages) == -(-6 // most)
    folders = [told.folder_ids for told in told_of if told.folder_ids]
    assert (len(folders), sum(map(len, folders))) == (-(-2 // most), 2)
    assert {(told.user_id, told.files_to) for told in pages} == {(MAX.id, MIA.id)}
    assert len({file_id for told in pages for file_id in told.files}) == 6
    assert removed.events[-1] == HandOverEnded(by=OPERATOR, user_id=MAX.id, files_to=MIA.id)
    assert (count_of(removed, MAX), count_of(removed, MIA), pending(removed)) == (0, 7, {})
    assert (folders_of(removed, MAX), folders_of(removed, MIA)) == (0, 4)
    require_counted(removed)
    assert faults(removed) == []
    removed.events.clear()
    assert (finish(removed).files, removed.events) == (0, [])


@pytest.mark.parametrize("acts", range(9))
@pytest.mark.sampled(3)
def test_whoever_is_killed_between_two_pages_is_finished_by_the_next(
    removed: ServiceFixture, monkeypatch: pytest.MonkeyPatch, acts: int
) -> None:
    monkeypatch.setattr(hand_overs, "HAND_OVER_ROWS", 1)
    assert removed.killed_after(acts, hand_over_all)
    assert count_of(removed, MAX) + folders_of(removed, MAX) == 8 - acts
    assert pending(removed) == {MAX.id: MIA.id}
    require_counted(removed)
    assert faults(removed) == []
    assert removed.ask(show_file, GUS, path="d/e/f").owner == "mia"
    assert not removed.killed_after(9 - acts, hand_over_all)
    assert (count_of(removed, MAX), folders_of(removed, MAX), pending(removed)) == (0, 0, {})
    require_counted(removed)


def test_of_an_heir_who_is_removed_it_goes_on_to_the_next(
    removed: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand_overs, "HAND_OVER_ROWS", 1)
    assert removed.killed_after(2, hand_over_all)
    remove(removed, MIA, ADA)
    assert removed.events[-1].files == 7  # type: ignore[attr-defined]
    assert pending(removed) == {MAX.id: ADA.id, MIA.id: ADA.id}
    assert (owned(removed, MIA)[0], owned(removed, ADA)[0]) == (0, 7)
    assert {file.owner for file in removed.ask(find_files, GUS).files} == {"ada"}
    require_counted(removed)
    assert faults(removed) == []
    finish(removed)
    assert (count_of(removed, ADA), pending(removed)) == (7, {})
    require_counted(removed)


def test_without_an_admin_what_an_heir_was_to_get_stays_with_that_heir(removed: ServiceFixture) -> None:
    removed.change_user(ADA, role="guest")
    removed.act(accounts.remove, RemoveUserInput(OPERATOR, "mia"))
    finish(removed)
    assert (count_of(removed, MIA), pending(removed)) == (7, {})
    require_counted(removed)


def test_of_who_had_nothing_it_ends_at_once(services: ServiceFixture) -> None:
    remove(services, MAX, MIA)
    finish(services)
    assert (pending(services), services.events[-1]) == ({}, HandOverEnded(by=OPERATOR, user_id=MAX.id, files_to=MIA.id))


# -- what does not hold -----------------------------------------------------------------------------


def test_a_page_is_judged_again(removed: ServiceFixture) -> None:
    """What found the files is unverified: only those of the removed go, and only to the heir."""
    removed.put(ADA, "adas")
    everything = tuple(range(1, 20))
    for who in (ADA, MIA, GUS):
        assert removed.act(hand_over, HandOver(OPERATOR, who.id, everything, everything)) == 0
        assert not [told for told in removed.events if isinstance(told, HandedOver)]
        assert not removed.act(hand_overs.note_hand_over_end, HandOverEnd(OPERATOR, who.id))
    assert not removed.act(hand_overs.note_hand_over_end, HandOverEnd(OPERATOR, MAX.id))
    assert removed.act(hand_over, HandOver(OPERATOR, MAX.id, everything, everything)) == 6
    assert [len(told.folder_ids) for told in removed.events if isinstance(told, HandedOver)] == [2]
    assert removed.ask(show_file, GUS, path="adas").owner == "ada"
    require_counted(removed)


@pytest.mark.parametrize(
    ("statement", "named", "left"),
    [
        ("UPDATE files SET newest = 9 WHERE name = 'b'", "row 2 of files", 1),
        ("UPDATE folders SET files = 9 WHERE name = 'e'", "row 3 of folders", 2),
        ("UPDATE folders SET files = 9 WHERE name = 'empty'", "row 5 of folders", 0),
        ("UPDATE user_figures SET files = 9 WHERE user_id = 2", "row 2 of user_figures", 6),
        ("UPDATE user_figures SET heir_id = 4 WHERE user_id = 2", "row 2 of user_figures", 6),
    ],
)
def test_one_changed_row_keeps_nothing_but_itself(
    removed: ServiceFixture, statement: str, named: str, left: int
) -> None:
    remove(removed, MIA, ADA)
    removed.tamper(statement)
    for _ in range(2):
        assert {fault.what for fault in finish(removed).faults} == {named}
        assert (count_of(removed, MAX), count_of(removed, MIA)) == (left, 0)
        with removed.reading() as reading:
            assert MAX.id in handed_over(reading)


@pytest.mark.parametrize(
    ("user_id", "heir_id", "said"),
    [
        (MAX.id, MAX.id, ("user max", "user max")),
        (MAX.id, GUS.id, ("user max", "user gus")),
        (ADA.id, MIA.id, ("user ada", "user mia")),
    ],
)
def test_a_hand_over_that_no_removal_began_is_found(
    removed: ServiceFixture, user_id: int, heir_id: int, said: tuple[str, str]
) -> None:
    removed.change_user(GUS, state="removed")
    with removed.transaction() as transaction:
        row = user_figures(transaction, [user_id])[user_id]
        transaction.rows.update([replace(row, heir_id=heir_id)])
    assert (said[0], f"the files are being handed over to {said[1]}, who is no heir") in faults(removed)


def test_an_heir_who_is_locked_out_meanwhile_is_no_fault(removed: ServiceFixture) -> None:
    removed.change_user(MIA, state="disabled")
    assert faults(removed) == []
    finish(removed)
    assert count_of(removed, MIA) == 7


def test_nobody_but_the_operator_hands_over(removed: ServiceFixture) -> None:
    for act, item in (
        (hand_over, HandOver(ADA.caller, MAX.id, (1,))),
        (hand_overs.note_hand_over_end, HandOverEnd(ADA.caller, MAX.id)),
    ):
        with pytest.raises(RequestError):
            removed.act(act, item)
    with pytest.raises(RequestError):
        removed.ask(hand_over_all, ADA, context=removed.job_context)
    with pytest.raises(NotFoundError):
        removed.ask(show_file, ADA, path="gone")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (lambda reading: files_owned_by(reading, 2, 5, 9), "ix_files_owner_id"),
        (handed_over, "ix_user_figures_heir_id"),
        (lambda reading: handed_over_to(reading, 2), "ix_user_figures_heir_id"),
        (lambda reading: heirs_of(reading, [2]), "INTEGER PRIMARY KEY"),
    ],
    ids=["files", "people", "of one heir", "heirs"],
)
def test_nothing_is_looked_for_among_all(shared_database: Database, query: Callable[[Any], object], index: str) -> None:
    lines = plans(shared_database, query)
    assert any(index in line for line in lines), lines
    assert not [line for line in lines if line.startswith("SCAN") and "ix_" not in line]
    assert not [line for line in lines if "TEMP B-TREE" in line]
