"""Handing over a file, or a folder with all in it: at once what is decided, page by page what follows from it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sft.errors import (
    BadRequestError,
    ChangedSinceError,
    HandingOverError,
    NotFoundError,
    NotYoursError,
    RequestError,
    RoleForbidsError,
    SignatureRefusedError,
)
from sft.model.owner_events import FileOwnerChanged, FolderHandedOver, FolderHandOverEnded
from sft.model.records import FileSeen, OwnerChange, VaultReport
from sft.service.accounts import RemoveUserInput, remove
from sft.service.files import show_file
from sft.service.maintenance import folder_hand_overs as pages
from sft.service.maintenance.folder_hand_overs import (
    FolderHandOver,
    FolderHandOverEnd,
    hand_over_below,
    note_folder_hand_over_end,
)
from sft.service.maintenance.hand_overs import hand_over_all, is_handing_over
from sft.service.owners import ChangeOwnerInput, change_owner
from sft.store.folder_hand_overs import folders_handed_over
from sft.store.row_types import FolderRow
from sft.store.schema import FolderModel
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, OPERATOR, Person, ServiceFixture
from tests.unit.service.test_figures import faults, make, mv, owned, require_counted, rm
from tests.unit.service.test_trash import back, restored

PATHS = ("d/a", "d/b", "d/e/c", "d/e/f/g")


def give(services: ServiceFixture, path: str, to: Person, who: Person = MAX) -> OwnerChange:
    item = ChangeOwnerInput(who.caller, path, to.caller.name, services.seen(path))
    return services.act(change_owner, item)


def finish(services: ServiceFixture) -> VaultReport:
    return services.ask(hand_over_all, OPERATOR, context=services.job_context)()


def owner_of(services: ServiceFixture, path: str) -> str:
    return services.ask(show_file, OPERATOR, path=path).owner


def makers(services: ServiceFixture) -> dict[str, int | None]:
    with services.reading() as reading:
        return {row.name: row.maker_id for row in reading.rows.all(rows_of(FolderRow)) if row.name}


def pending(services: ServiceFixture) -> list[int]:
    with services.reading() as reading:
        return list(folders_handed_over(reading).values())


def folder_id(services: ServiceFixture, name: str) -> int:
    with services.reading() as reading:
        row = reading.rows.first(rows_of(FolderRow, FolderModel.name == name))
    assert row is not None
    return row.id


@pytest.fixture
def tree(services: ServiceFixture) -> ServiceFixture:
    """Four files and three folders of max's, all below one folder; another file of max's beside it."""
    for path in (*PATHS, "x/other"):
        services.put(MAX, path, path.encode())
    return services


# -- a file -----------------------------------------------------------------------------------------


def test_a_file_is_anothers_at_once(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"12345")
    services.replace(MAX, "a", b"123", services.ask(show_file, MAX, path="a"))
    assert give(services, "a", MIA) == OwnerChange("a", "mia", "max", 1, 0, changed=True)
    assert owner_of(services, "a") == "mia"
    assert (owned(services, MAX), owned(services, MIA)) == ((0, 0), (1, 8))
    (told,) = [each for each in services.events if isinstance(each, FileOwnerChanged)]
    assert (told.owner_before, told.owner_id, told.name, told.path) == (MAX.id, MIA.id, "mia", "a")
    assert b"\nowner:mia\n" in told.statement_text
    with pytest.raises(NotYoursError):
        rm(services, "a", MAX)
    rm(services, "a", MIA)
    require_counted(services)
    assert faults(services) == []


def test_what_is_theirs_already_changes_nothing(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    services.events.clear()
    assert not give(services, "d/a", MAX).changed
    assert not give(services, "d", MAX).changed
    assert services.events == []
    assert pending(services) == []


@pytest.mark.parametrize(
    ("who", "to", "error"), [(MIA, ADA, NotYoursError), (GUS, MIA, RoleForbidsError), (MAX, GUS, RoleForbidsError)]
)
@pytest.mark.parametrize("path", ["d/a", "d"])
def test_who_may_not_is_refused(
    services: ServiceFixture, path: str, who: Person, to: Person, error: type[RequestError]
) -> None:
    services.put(MAX, "d/a")
    with pytest.raises(error):
        give(services, path, to, who)
    assert owner_of(services, "d/a") == "max"
    assert makers(services)["d"] == MAX.id


def test_an_admin_hands_over_what_is_anothers(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    services.put(MIA, "d/b")
    give(services, "d/a", MIA, ADA)
    assert owner_of(services, "d/a") == "mia"
    give(services, "d", ADA, ADA)
    finish(services)
    assert {owner_of(services, path) for path in ("d/a", "d/b")} == {"ada"}
    require_counted(services)


def test_nobody_who_is_gone_gets_anything(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    services.change_user(MIA, state="disabled")
    with pytest.raises(NotFoundError) as refusal:
        give(services, "a", MIA)
    assert refusal.value.values == {"what": "active user", "name": "mia"}


def test_a_file_that_changed_meanwhile_is_refused(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    seen = services.seen("a")
    services.replace(MAX, "a", b"other", services.ask(show_file, MAX, path="a"))
    with pytest.raises(ChangedSinceError):
        services.act(change_owner, ChangeOwnerInput(MAX.caller, "a", "mia", seen))


@pytest.mark.parametrize(
    ("path", "seen", "error"),
    [
        ("nothing", None, NotFoundError),
        ("nothing", FileSeen(bytes(16), 1), NotFoundError),
        ("d", FileSeen(bytes(16), 1), NotFoundError),
        ("d/a", None, NotFoundError),
        ("d/", None, BadRequestError),
    ],
)
def test_what_is_not_there_as_it_was_seen_is_refused(
    services: ServiceFixture, path: str, seen: FileSeen | None, error: type[RequestError]
) -> None:
    services.put(MAX, "d/a")
    with pytest.raises(error):
        services.act(change_owner, ChangeOwnerInput(MAX.caller, path, "mia", seen))


@pytest.mark.parametrize("signed", ["other", "path", "nothing"])
def test_another_statement_hands_over_nothing(services: ServiceFixture, signed: str) -> None:
    services.put(MAX, "d/a")
    wanted = ChangeOwnerInput(MAX.caller, "d", "mia")
    other = {"other": replace(wanted, owner="ada"), "path": replace(wanted, path="d/a")}.get(signed)
    statement = services.signed(other).statement if other else b""
    (refused,) = services.act_each(change_owner, replace(wanted, statement=statement), sign=False)
    assert isinstance(refused, SignatureRefusedError)
    assert makers(services)["d"] == MAX.id


# -- a folder ---------------------------------------------------------------------------------------


def test_one_row_decides_and_the_others_follow(tree: ServiceFixture) -> None:
    before = sum(map(len, PATHS))
    assert give(tree, "d", MIA) == OwnerChange("d", "mia", "max", 4, 3, changed=True)
    assert (makers(tree)["d"], pending(tree)) == (MIA.id, [MIA.id])
    assert tree.ask(is_handing_over, OPERATOR)
    require_counted(tree)
    assert faults(tree) == []
    report = finish(tree)
    assert (report.files, report.faults, pending(tree)) == (4, (), [])
    assert {owner_of(tree, path) for path in PATHS} == {"mia"}
    assert makers(tree) == {"d": MIA.id, "e": MIA.id, "f": MIA.id, "x": MAX.id}
    assert owner_of(tree, "x/other") == "max"
    assert owned(tree, MIA) == (4, before)
    assert owned(tree, MAX) == (1, len("x/other"))
    require_counted(tree)
    assert faults(tree) == []
    rm(tree, "d", MIA)
    tree.events.clear()
    assert (finish(tree).files, tree.events) == (0, [])


def test_an_empty_folder_has_nothing_to_follow(services: ServiceFixture) -> None:
    make(services, "d")
    assert give(services, "d", MIA).folders == 1
    assert pending(services) == []
    require_counted(services)


def test_a_folder_with_what_is_anothers_is_refused(tree: ServiceFixture) -> None:
    tree.put(MIA, "d/e/f/mias")
    with pytest.raises(NotYoursError) as refusal:
        give(tree, "d", ADA)
    assert refusal.value.values["path"] == "d/e/f/mias"
    assert pending(tree) == []


@pytest.mark.parametrize("who", [MAX, MIA, ADA])
def test_until_it_follows_nobody_changes_what_is_to(tree: ServiceFixture, who: Person) -> None:
    give(tree, "d", MIA)
    file = tree.ask(show_file, OPERATOR, path="d/e/c")
    for change in (
        lambda: mv(tree, "d/e/c", "out", who),
        lambda: mv(tree, "d/e", "out", who),
        lambda: rm(tree, "d/e/c", who),
        lambda: rm(tree, "d/e", who),
        lambda: rm(tree, "d", who),
        lambda: tree.replace(who, "d/e/c", b"new", file),
        lambda: give(tree, "d/e", ADA, who),
        lambda: give(tree, "d/e/c", ADA, who),
    ):
        with pytest.raises((HandingOverError, NotYoursError)) as refusal:
            change()
        if who is ADA:
            assert isinstance(refusal.value, HandingOverError)
            assert refusal.value.values["owner"] == "mia"
    finish(tree)
    assert {owner_of(tree, path) for path in PATHS} == {"mia"}
    mv(tree, "d/e", "out", MIA)


def test_nothing_is_brought_to_where_it_would_be_taken_along(tree: ServiceFixture) -> None:
    tree.put(ADA, "d/adas")
    rm(tree, "d/adas", ADA)
    give(tree, "d", MIA)
    for change in (
        lambda: mv(tree, "x/other", "d/e/other", MAX),
        lambda: mv(tree, "x", "d/x", MAX),
        lambda: back(tree, "d/adas", ADA),
    ):
        with pytest.raises(HandingOverError):
            change()
    finish(tree)
    assert back(tree, "d/adas", ADA).owner == "ada"
    mv(tree, "x", "d/x", MAX)
    assert owner_of(tree, "d/x/other") == "max"


def test_what_comes_later_is_whose_it_is(tree: ServiceFixture) -> None:
    give(tree, "d", MIA)
    tree.put(MAX, "d/e/late")
    tree.put(MAX, "d/new/late")
    tree.replace(MAX, "d/e/late", b"later", tree.ask(show_file, MAX, path="d/e/late"))
    finish(tree)
    assert {owner_of(tree, path) for path in ("d/e/late", "d/new/late")} == {"max"}
    assert makers(tree)["new"] == MAX.id
    require_counted(tree)


def test_a_folder_above_may_move_and_be_deleted_meanwhile(tree: ServiceFixture) -> None:
    make(tree, "above", ADA)
    mv(tree, "d", "above/d", MAX)
    give(tree, "above/d", MIA)
    with pytest.raises(NotYoursError):
        rm(tree, "above", MAX)
    mv(tree, "above", "moved", ADA)
    rm(tree, "moved", ADA)
    assert finish(tree).files == 4
    assert restored(tree, "moved", ADA).path == "moved"
    assert owner_of(tree, "moved/d/e/c") == "mia"
    require_counted(tree)


@pytest.mark.parametrize("path", ["d/e", "d/e/f", "above"])
def test_two_hand_overs_never_meet(tree: ServiceFixture, path: str) -> None:
    make(tree, "above", ADA)
    mv(tree, "d", "above/d", MAX)
    give(tree, "above/d/e", MIA, MAX)
    with pytest.raises(HandingOverError):
        give(tree, path if path == "above" else f"above/{path}", ADA, ADA)
    assert pending(tree) == [MIA.id]
    finish(tree)
    give(tree, "above", ADA, ADA)
    finish(tree)
    assert owner_of(tree, "above/d/e/c") == "ada"


def test_of_an_owner_who_is_removed_meanwhile_it_goes_on_to_the_heir(
    tree: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "HAND_OVER_ROWS", 1)
    give(tree, "d", MIA)
    assert tree.killed_after(3, hand_over_all)
    tree.act(remove, RemoveUserInput(OPERATOR, "mia", files_to="ada"))
    assert pending(tree) == [ADA.id]
    require_counted(tree)
    assert faults(tree) == []
    finish(tree)
    assert {owner_of(tree, path) for path in PATHS} == {"ada"}
    require_counted(tree)


def test_of_whoever_handed_over_and_is_removed_the_heir_loses_it_too(tree: ServiceFixture) -> None:
    give(tree, "d", MIA)
    tree.act(remove, RemoveUserInput(OPERATOR, "max", files_to="ada"))
    require_counted(tree)
    finish(tree)
    assert {owner_of(tree, path) for path in PATHS} == {"mia"}
    assert owner_of(tree, "x/other") == "ada"
    require_counted(tree)
    assert faults(tree) == []


# -- page by page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 100])
def test_the_rows_follow_in_pages(tree: ServiceFixture, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(pages, "HAND_OVER_ROWS", most)
    give(tree, "d", MIA)
    decided = folder_id(tree, "d")
    tree.events.clear()
    finish(tree)
    told = [each for each in tree.events if isinstance(each, FolderHandedOver)]
    assert {(each.folder_id, each.files_to) for each in told} == {(decided, MIA.id)}
    assert len({file_id for each in told for file_id in each.files}) == 4
    assert len([number for each in told for number in each.folder_ids]) == 2
    assert max(len(each.files) for each in told) <= most
    assert tree.events[-1] == FolderHandOverEnded(by=OPERATOR, folder_id=decided, files_to=MIA.id)


@pytest.mark.parametrize("acts", range(7))
def test_whoever_is_killed_between_two_pages_is_finished_by_the_next(
    tree: ServiceFixture, monkeypatch: pytest.MonkeyPatch, acts: int
) -> None:
    monkeypatch.setattr(pages, "HAND_OVER_ROWS", 1)
    give(tree, "d", MIA)
    assert tree.killed_after(acts, hand_over_all)
    require_counted(tree)
    assert faults(tree) == []
    assert pending(tree) == [MIA.id]
    finish(tree)
    assert (pending(tree), {owner_of(tree, path) for path in PATHS}) == ([], {"mia"})
    require_counted(tree)


def test_a_page_is_judged_again(tree: ServiceFixture) -> None:
    """What found the files is unverified: only what lies below goes, and only while it is decided."""
    everything = tuple(range(1, 20))
    item = FolderHandOver(OPERATOR, folder_id(tree, "d"), everything, everything)
    assert tree.act(hand_over_below, item) == 0
    assert not tree.act(note_folder_hand_over_end, FolderHandOverEnd(OPERATOR, item.folder_id))
    give(tree, "d", MIA)
    tree.put(MAX, "d/late")
    assert tree.act(hand_over_below, replace(item, folder_id=folder_id(tree, "x"))) == 0
    assert tree.act(hand_over_below, item) == 4
    assert {owner_of(tree, path) for path in ("x/other", "d/late")} == {"max"}
    require_counted(tree)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE files SET newest = 9 WHERE name = 'b'", "row 2 of files"),
        ("UPDATE folder_hand_overs SET owner_id = 1", "row 2 of folder_hand_overs"),
    ],
)
def test_what_does_not_hold_is_reported_and_keeps_the_hand_over(
    tree: ServiceFixture, statement: str, named: str
) -> None:
    give(tree, "d", MIA)
    tree.tamper(statement)
    for _ in range(2):
        assert named in {fault.what for fault in finish(tree).faults}
    mv(tree, "x/other", "x/moved", MAX)
    tree.tamper("UPDATE files SET newest = 1 WHERE name = 'b'")
    tree.tamper("UPDATE folder_hand_overs SET owner_id = ?", MIA.id)
    assert not finish(tree).faults
    assert {owner_of(tree, path) for path in PATHS} == {"mia"}


def test_nobody_but_the_operator_turns_the_pages(tree: ServiceFixture) -> None:
    give(tree, "d", MIA)
    number = folder_id(tree, "d")
    for act, item in (
        (hand_over_below, FolderHandOver(ADA.caller, number, (1,))),
        (note_folder_hand_over_end, FolderHandOverEnd(ADA.caller, number)),
    ):
        with pytest.raises(RequestError):
            tree.act(act, item)
    assert pending(tree) == [MIA.id]
