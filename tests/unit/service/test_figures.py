"""Kept figures are those that can be counted, after whatever acts; and they decide what a count did before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sft.errors import NameNotAllowedError, NotYoursError, RequestError, RowForgedError
from sft.limits import PATH_BYTES
from sft.model.policy import ServerPolicy
from sft.model.quotas import Usage
from sft.model.records import VaultReport
from sft.service import accounts
from sft.service.accounts import RemoveUserInput
from sft.service.commits import commit
from sft.service.files import show_file
from sft.service.folders import MakeFolderInput, MoveInput, make_folder, move
from sft.service.maintenance import check_figures, hand_overs
from sft.service.maintenance.check import check
from sft.service.maintenance.folder_hand_overs import FolderHandOver, hand_over_below
from sft.service.maintenance.hand_overs import HandOver, hand_over_all
from sft.service.maintenance.purging import PurgeFoldersInput, PurgeInput, begin_purges, collect, purge
from sft.service.owners import ChangeOwnerInput, change_owner
from sft.service.trash import Deletion, Restoration, delete, restore
from sft.store.database import Database
from sft.store.figures import user_figures
from sft.store.folder_hand_overs import folders_handed_over
from sft.store.folders import folder_ids_after, folders_by_id
from sft.store.hand_overs import files_owned_by, folders_made_by, handed_over
from sft.store.recount import recounted_folders, recounted_total, recounted_users, user_ids
from sft.store.row_types import FolderRow, UserFiguresRow
from sft.store.schema import FolderModel
from sft.store.settings import STORED, change_setting
from sft.store.statements import rows_of
from sft.store.totals import total_owned, total_text
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.service.service_fixture import (
    ADA,
    MAX,
    MIA,
    OPERATOR,
    PEOPLE,
    Person,
    ServiceFixture,
    file_id_of,
    reset,
)
from tests.unit.store.asked import asked_of

ALL = 10_000
DIFFER = "the kept figures are not what is there"


def make(services: ServiceFixture, path: str, who: Person = MAX) -> None:
    services.act(make_folder, MakeFolderInput(who.caller, path))


def mv(services: ServiceFixture, old: str, new: str, who: Person = MAX) -> None:
    services.act(move, MoveInput(who.caller, old, new))


def rm(services: ServiceFixture, path: str, who: Person = MAX) -> None:
    services.act(delete, Deletion(who.caller, path, recursive=True))


def folder(services: ServiceFixture, name: str) -> FolderRow:
    with services.readers.reading() as reading:
        row = reading.rows.one(rows_of(FolderRow, FolderModel.name == name))
    assert row is not None
    return row


def owned(services: ServiceFixture, who: Person) -> tuple[int, int]:
    with services.readers.reading() as reading:
        row = user_figures(reading, [who.id])[who.id]
    return row.files, row.size_bytes


def faults(services: ServiceFixture) -> list[tuple[str, str]]:
    report: VaultReport = services.ask(check, OPERATOR, context=services.job_context)()
    return [(fault.what, fault.problem) for fault in report.faults]


def require_counted(services: ServiceFixture) -> None:
    with services.readers.reading() as reading:
        rows = list(folders_by_id(reading, folder_ids_after(reading, 0, ALL)).values())
        counted = recounted_folders(reading, rows)
        for row in rows:
            assert replace(counted[row.id], reach=0) == replace(row, reach=0)
            assert row.reach >= counted[row.id].reach
        people = user_ids(reading, 0, ALL)
        assert user_figures(reading, people) == recounted_users(reading, people)
        assert total_owned(reading) == recounted_total(reading)


# -- what acts keep ---------------------------------------------------------------------------------


def test_a_folder_has_the_figures_of_all_below_it(services: ServiceFixture) -> None:
    services.put(MAX, "a/b/one", b"12345")
    services.put(MIA, "a/two", b"1")
    root, a, b = folder(services, ""), folder(services, "a"), folder(services, "b")
    assert (root.files, root.folders, root.files_below, root.folders_below) == (0, 1, 2, 2)
    assert (a.files, a.folders, a.files_below, a.folders_below) == (1, 1, 2, 1)
    assert (b.files, b.folders, b.files_below, b.folders_below) == (1, 0, 1, 0)
    assert (b.owner_sum, b.owner_squares) == (MAX.id, MAX.id**2)
    assert (root.owner_sum, root.owner_squares) == (3 * MAX.id + MIA.id, 3 * MAX.id**2 + MIA.id**2)
    assert (root.reach, a.reach, b.reach) == (len("a/b/one"), len("b/one"), len("one"))


def test_whom_a_file_belongs_to_pays_for_every_version_until_it_is_destroyed(services: ServiceFixture) -> None:
    services.put(MAX, "d/a", b"12345")
    services.replace(ADA, "d/a", b"123", services.ask(show_file, ADA, path="d/a"))
    assert (owned(services, MAX), owned(services, ADA)) == ((1, 8), (0, 0))
    rm(services, "d/a")
    assert owned(services, MAX) == (1, 8)
    services.act(purge, PurgeInput(OPERATOR, services.now, (1,)))
    assert owned(services, MAX) == (0, 0)


def total(services: ServiceFixture) -> Usage:
    with services.readers.reading() as reading:
        return total_owned(reading)


def test_what_all_own_is_kept_until_it_is_destroyed(services: ServiceFixture) -> None:
    services.put(MAX, "d/a", b"12345")
    services.put(MIA, "b", b"1")
    assert total(services) == Usage(2, 6)
    rm(services, "d/a")
    services.act(accounts.remove, RemoveUserInput(ADA.caller, "max", files_to="mia"))
    assert total(services) == Usage(2, 6)
    services.act(purge, PurgeInput(OPERATOR, services.now, (1,)))
    assert total(services) == Usage(1, 1)


def test_the_check_names_a_total_that_does_not_fit(services: ServiceFixture) -> None:
    services.put(MAX, "d/a", b"12345")
    with services.transaction() as transaction:
        change_setting(transaction, STORED, total_text(Usage(1, 4)))
    assert faults(services) == [("the figures of all people", f"{DIFFER}: size bytes 4, counted 5")]


def test_the_same_content_again_adds_nothing(services: ServiceFixture) -> None:
    services.put(MAX, "d/a", b"12345")
    services.put(MAX, "d/a", b"12345")
    assert owned(services, MAX) == (1, 5)
    assert folder(services, "d").files == 1


def test_what_is_handed_over_counts_for_another(services: ServiceFixture) -> None:
    services.put(MAX, "d/a", b"12345")
    services.put(MAX, "gone", b"1")
    rm(services, "gone")
    services.act(accounts.remove, RemoveUserInput(ADA.caller, "max", files_to="mia"))
    assert (owned(services, MAX), owned(services, MIA)) == ((0, 0), (2, 6))
    require_counted(services)
    services.ask(hand_over_all, OPERATOR, context=services.job_context)()
    assert (owned(services, MAX), owned(services, MIA)) == ((0, 0), (2, 6))
    assert folder(services, "d").owner_sum == MIA.id
    require_counted(services)


def test_a_group_writes_each_folder_once(services: ServiceFixture) -> None:
    services.put(MAX, "a/b/first", b"x")
    items = [services.pend(MAX, f"a/b/{n}", b"x") for n in range(64)]
    with asked_of(services.database.write_connections) as asked:
        services.act_each(commit, *items)
    assert [len(each.rows) for each in asked if each.text.startswith("UPDATE folders")] == [3]
    assert folder(services, "b").files == 65


# -- what figures decide ----------------------------------------------------------------------------


def statements_of(services: ServiceFixture, act: Callable[[], object]) -> list[str]:
    with asked_of(services.database.write_connections) as asked:
        act()
    return [each.text for each in asked]


def test_whether_all_of_a_folder_is_ones_own_is_asked_of_no_file(services: ServiceFixture) -> None:
    for number in range(9):
        services.put(MAX, f"d/{number}/{number}/x")
    seen = statements_of(services, lambda: mv(services, "d", "e"))
    of_files = [each for each in seen if each.startswith("SELECT") and "FROM folder_hand_overs" not in each]
    assert not [each for each in of_files if "owner_id" in each and "folded IN" not in each]


@pytest.mark.parametrize(("path", "named"), [("d/a/b/mias", "d/a/b/mias"), ("d/a/mias/x", "d/a/mias")])
def test_the_first_that_is_anothers_is_named(services: ServiceFixture, path: str, named: str) -> None:
    for number in range(3):
        services.put(MAX, f"d/{number}/x")
    services.put(MAX, "d/a/b/mine")
    services.put(MAX, "d/z")
    services.put(MIA, path)
    for act in (lambda: mv(services, "d", "e"), lambda: rm(services, "d")):
        with pytest.raises(NotYoursError) as refused:
            act()
        assert refused.value.values["path"] == named
        assert refused.value.values["owner"] == "mia"


def test_owners_that_only_add_up_to_ones_own_are_others(services: ServiceFixture) -> None:
    """2 + 2 is 1 + 3: the sum alone would take the files of the first and third for two of the second."""
    make(services, "d")
    services.put(ADA, "d/a")
    services.put(MIA, "d/b")
    assert folder(services, "d").owner_sum == 2 * MAX.id
    with pytest.raises(NotYoursError):
        rm(services, "d")


def long_path(*, depth: int) -> str:
    return "/".join(["n" * 200] * depth)


def test_a_bound_that_is_too_far_is_judged_by_what_is_there_and_corrected(services: ServiceFixture) -> None:
    services.put(MAX, f"d/{long_path(depth=4)}")
    services.put(MAX, "d/x")
    rm(services, f"d/{long_path(depth=4)}")
    rm(services, f"d/{long_path(depth=1)}")
    assert folder(services, "d").reach == 4 * 201 - 1
    make(services, "e" * 255)
    mv(services, "d", f"{'e' * 255}/d")
    assert folder(services, "d").reach == 1
    require_counted(services)


def test_what_is_really_too_long_does_not_move(services: ServiceFixture) -> None:
    services.put(MAX, f"d/{long_path(depth=4)}")
    place = "e" * (PATH_BYTES - len("/d/") - len(long_path(depth=4)))
    make(services, place)
    before = folder(services, "d")
    mv(services, "d", f"{place}/d")
    mv(services, f"{place}/d", "d")
    assert folder(services, "d") == before
    make(services, f"{place}e")
    with pytest.raises(NameNotAllowedError) as refused:
        mv(services, "d", f"{place}e/d")
    assert "1,025" in str(refused.value.values["problem"])


# -- what the check finds ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 200])
def test_the_check_names_a_folder_whose_figures_do_not_fit(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(check_figures, "PAGE", page)
    services.put(MAX, "d/e/a", b"12345")
    services.put(MAX, "d/b", b"1")
    assert faults(services) == []
    with services.transaction() as transaction:
        transaction.rows.update([replace(folder(services, "d"), files=3, reach=2)])
    assert faults(services) == [("folder d", f"{DIFFER}: files 3, counted 1; reach 2, counted 3")]


@pytest.mark.parametrize(
    "changes",
    [
        {"files": 2},
        {"folders": 2},
        {"files_below": 3},
        {"folders_below": 2},
        {"owner_sum": 1},
        {"owner_squares": 1},
        {"reach": 2},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_each_figure_of_a_folder_is_checked(services: ServiceFixture, changes: dict[str, int]) -> None:
    services.put(MAX, "d/e/a", b"12345")
    services.put(MAX, "d/b", b"1")
    row = folder(services, "d")
    with services.transaction() as transaction:
        transaction.rows.update([replace(row, **changes)])
    ((name, value),) = changes.items()
    found = dict(faults(services))
    assert found["folder d"] == f"{DIFFER}: {name.replace('_', ' ')} {value}, counted {getattr(row, name)}"
    assert "folder d/e" not in found


def test_each_figure_of_a_person_is_checked(services: ServiceFixture) -> None:
    services.put(MAX, "d/a", b"12345")
    services.put(MAX, "gone", b"1")
    rm(services, "gone")
    with services.transaction() as transaction:
        transaction.rows.update([UserFiguresRow(MAX.id, 3, 6), UserFiguresRow(MIA.id, 0, 1)])
    assert faults(services) == [
        ("user max", f"{DIFFER}: files 3, counted 2"),
        ("user mia", f"{DIFFER}: size bytes 1, counted 0"),
    ]


def test_figures_that_are_gone_are_found_and_asked_for_by_name(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    services.tamper("DELETE FROM user_figures WHERE user_id = 2")
    assert ("row 2 of user_figures", "was changed outside the server") in faults(services)
    with pytest.raises(RowForgedError) as forged:
        services.put(MAX, "d/b")
    assert (forged.value.table, forged.value.row) == ("user_figures", "2")


# -- whatever happens -------------------------------------------------------------------------------

NAMES = ("a", "b", "long name")
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
WHO = st.sampled_from((ADA, ADA, MAX, MIA))


def _put(services: ServiceFixture, who: Person, path: str, other: str) -> None:
    # An id that was drawn stays taken, in the trash too.
    services.put(who, path, other.encode(), file_id=file_id_of(f"{path} {len(services.events)}"))


def _put_several(services: ServiceFixture, who: Person, path: str, other: str) -> None:
    """Store a group of which some may fit a quota and some not."""
    drawn = file_id_of(f"{path} {len(services.events)}")
    items = [services.pend(who, f"{other}{n}", bytes(9 * n), file_id=bytes([n, *drawn[1:]])) for n in range(3)]
    services.act_each(commit, *items)


def _set_quotas(services: ServiceFixture, who: Person, path: str, _: str) -> None:
    """Have quotas that the next acts meet, or none."""
    policies = (ServerPolicy(), ServerPolicy(quota_bytes=40, quota_files=4), ServerPolicy(total_quota_bytes=90))
    services.database.policy = policies[(who.id + len(path)) % 3]


def _replace(services: ServiceFixture, who: Person, path: str, _: str) -> None:
    services.replace(who, path, bytes(7), services.ask(show_file, who, path=path))


def _restore(services: ServiceFixture, who: Person, path: str, _: str) -> None:
    services.act(restore, Restoration(who.caller, path, services.seen_in_trash(who.caller, path)))


def _restore_as_operator(services: ServiceFixture, _who: Person, path: str, _: str) -> None:
    services.act(restore, Restoration(OPERATOR, path, services.seen_in_trash(OPERATOR, path)))


def _purge(services: ServiceFixture, _who: Person, _path: str, _: str) -> None:
    services.act(purge, PurgeInput(OPERATOR, services.now, tuple(range(1, 4))))


def _begin_purge(services: ServiceFixture, _who: Person, _path: str, _: str) -> None:
    services.act(begin_purges, PurgeFoldersInput(OPERATOR, services.now, tuple(range(2, 6))))


def _collect(services: ServiceFixture, _who: Person, _path: str, _: str) -> None:
    services.ask(collect, OPERATOR, context=services.job_context, until=services.now)()


def _remove(services: ServiceFixture, who: Person, path: str, _: str) -> None:
    files_to = PEOPLE[(who.id + len(path)) % 3].caller.name
    services.act(accounts.remove, RemoveUserInput(OPERATOR, who.caller.name, files_to=files_to))


def _hand_over(services: ServiceFixture, who: Person, _path: str, _: str) -> None:
    with services.reading() as reading:
        row_ids = files_owned_by(reading, who.id, 0, 1)
        folder_ids = folders_made_by(reading, who.id, 0, 2)
    services.act(hand_overs.hand_over, HandOver(OPERATOR, who.id, tuple(row_ids), tuple(folder_ids)))


def _change_owner(services: ServiceFixture, who: Person, path: str, _: str) -> None:
    services.act(
        change_owner, ChangeOwnerInput(who.caller, path, PEOPLE[len(path) % 3].caller.name, services.seen(path))
    )


def _hand_over_below(services: ServiceFixture, who: Person, _path: str, _: str) -> None:
    with services.reading() as reading:
        folder_ids = list(folders_handed_over(reading))
    for folder_id in folder_ids:
        services.act(hand_over_below, FolderHandOver(OPERATOR, folder_id, (who.id, who.id + 1), (who.id + 1,)))


Step = tuple[Callable[[ServiceFixture, Person, str, str], None], Person, str, str]

ACTS = (
    _put,
    _put,
    _put_several,
    _set_quotas,
    _replace,
    lambda services, who, path, _: make(services, path, who),
    lambda services, who, path, other: mv(services, path, other, who),
    lambda services, who, path, other: mv(services, path, other, who),
    lambda services, who, path, _: rm(services, path, who),
    _restore,
    _restore_as_operator,
    _purge,
    _begin_purge,
    _collect,
    _remove,
    _hand_over,
    _hand_over,
    _change_owner,
    _change_owner,
    _hand_over_below,
)
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), WHO, PATHS, PATHS), min_size=10, max_size=50)


@given(steps=STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_kept_figures_are_those_that_can_be_counted(
    tmp_path: Path, shared_database: Database, service_template: Path, steps: list[Step]
) -> None:
    reset(shared_database, service_template)
    services = ServiceFixture(tmp_path, shared_database, MemoryBackend())
    for act, who, path, other in steps:
        with suppress(RequestError):
            act(services, who, path, other)
    require_counted(services)
    services.ask(hand_over_all, OPERATOR, context=services.job_context)()
    require_counted(services)
    with services.reading() as reading:
        assert not handed_over(reading)
        assert not folders_handed_over(reading)
