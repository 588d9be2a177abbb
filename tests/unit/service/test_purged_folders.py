"""A folder whose time in the trash has ended: marked in one act, destroyed page by page, whoever interrupts it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from sft.errors import NotFoundError, RequestError
from sft.model.events import FilesPurged, FolderPurgeBegun, FoldersPurged
from sft.model.policy import ServerPolicy
from sft.model.records import VaultReport
from sft.service.files import list_trash
from sft.service.folders import MakeFolderInput, make_folder
from sft.service.maintenance import paging, purging
from sft.service.maintenance.purging import PurgeFoldersInput, PurgeInput, begin_purges, collect, purge, purge_folders
from sft.store.row_types import FileRow, FolderRow, PurgeRow, SmallObjectRow, VersionRow
from sft.store.schema import FileModel
from sft.store.statements import columns_of, rows_of
from tests.unit.service.service_fixture import ADA, MAX, NOW, OPERATOR, TRASH_SECONDS, ServiceFixture
from tests.unit.service.test_files import put_many
from tests.unit.service.test_folders import tree
from tests.unit.service.test_recovery import BIG, count, is_sound, run
from tests.unit.service.test_trash import back, restored, rm

PATHS = ["d/1", "d/e/2", "d/e/f/3", "d/e/f/4", "d/g/5"]


@pytest.fixture
def gone(services: ServiceFixture) -> ServiceFixture:
    put_many(services, *PATHS, "x/6")
    services.commit(services.stream(MAX, "d/e/big", bytes(BIG)))
    rm(services, "d", recursive=True)
    return services


def begin(services: ServiceFixture, path: str = "d") -> int:
    """Mark a folder as being destroyed."""
    folder_ids = tuple(row.id for row in _folders(services) if row.trashed_path == path)
    return services.act(begin_purges, PurgeFoldersInput(OPERATOR, services.now, folder_ids))


def _folders(services: ServiceFixture) -> list[FolderRow]:
    with services.readers.reading() as reading:
        return list(reading.rows.all(rows_of(FolderRow)))


def everything_but(services: ServiceFixture, *paths: str) -> bool:
    """Tell whether nothing but some files is left in the database, the vault and the folders."""
    return (
        [count(services, kind) for kind in (FileRow, VersionRow, SmallObjectRow, PurgeRow)]
        == [len(paths), len(paths), len(paths), 0]
        and not list(services.vault.ids())
        and [line for line in tree(services) if not line.endswith("/")] == list(paths)
        and is_sound(services)
    )


def test_how_long_it_stays_is_the_operators_to_say(gone: ServiceFixture) -> None:
    gone.database.policy = ServerPolicy(trash_days=3)
    ends = NOW + 3 * 24 * 3600
    assert [each.trash_ends_at for each in gone.ask(list_trash, ADA).folders] == [ends]
    gone.now = ends - 1
    assert run(gone) == VaultReport(0, 0, 0)
    gone.now = ends
    assert run(gone).versions > 0


def test_a_folder_stays_for_30_days_to_the_second(gone: ServiceFixture) -> None:
    gone.now = NOW + TRASH_SECONDS - 1
    assert run(gone) == VaultReport(0, 0, 0)
    assert restored(gone, "d").path == "d"
    rm(gone, "d", recursive=True)
    gone.now += TRASH_SECONDS
    assert run(gone) == VaultReport(6, 6, BIG + sum(map(len, PATHS)))
    assert everything_but(gone, "x/6")
    assert [row.name for row in _folders(gone)] == ["", "x"]
    with pytest.raises(NotFoundError):
        restored(gone, "d")


def test_what_was_deleted_later_stays(gone: ServiceFixture) -> None:
    gone.now += 1
    rm(gone, "x", recursive=True)
    assert run(gone, until=gone.now - 1).files == 6
    assert [folder.path for folder in gone.ask(list_trash, MAX).folders] == ["x"]
    assert back(gone, "x/6").path == "x/6"


def test_it_is_destroyed_from_below_and_told(gone: ServiceFixture) -> None:
    gone.events.clear()
    run(gone, until=gone.now)
    assert gone.events[0] == FolderPurgeBegun(by=OPERATOR, folder_id=2, path="d", files=6, folders=4, trashed_at=NOW)
    assert sum(len(told.files) for told in gone.events if isinstance(told, FilesPurged)) == 6
    levels = [set(told.folder_ids) for told in gone.events if isinstance(told, FoldersPurged)]
    names = {2: "d", 3: "e", 4: "f", 5: "g"}
    assert [{names[each] for each in level} for level in levels] == [{"f"}, {"e", "g"}, {"d"}]


def test_a_folder_that_is_marked_is_in_no_trash_any_more(gone: ServiceFixture) -> None:
    assert begin(gone) == 1
    assert gone.ask(list_trash, ADA).folders == ()
    for path in ("d", "d/1", "d/e"):
        with pytest.raises(NotFoundError):
            restored(gone, path, ADA)
    assert is_sound(gone)


PAGES = [("PURGE_VERSIONS", 1), ("PAGE", 1), ("PAGE", 2)]


@pytest.mark.parametrize(("bound", "most"), PAGES)
def test_pages_are_small(gone: ServiceFixture, monkeypatch: pytest.MonkeyPatch, bound: str, most: int) -> None:
    for module in (purging, paging) if bound == "PAGE" else (purging,):
        monkeypatch.setattr(module, bound, most)
    gone.events.clear()
    assert run(gone, until=gone.now).files == 6
    for told in gone.events:
        if isinstance(told, FilesPurged):
            assert told.versions <= most
        if isinstance(told, FoldersPurged) and bound == "PAGE":
            assert len(told.folder_ids) <= most
    assert everything_but(gone, "x/6")


@pytest.mark.long
def test_whoever_is_killed_between_two_pages_is_finished_by_the_next(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (purging, paging):
        monkeypatch.setattr(module, "PAGE", 2)
    acts = 0
    while True:
        put_many(services, *PATHS, "x/6")
        services.commit(services.stream(MAX, "d/e/big", bytes(BIG)))
        rm(services, "d", recursive=True)
        if not services.killed_after(acts, collect, until=services.now):
            break
        acts += 1
        assert is_sound(services), acts
        services.now += 10
        # What a start does, and the next collection; nothing that was deleted meanwhile goes with it.
        services.put(MAX, "d/1", b"new", file_id=bytes(16))
        rm(services, "d", recursive=True)
        run(services, until=services.now - 10)
        assert back(services, "d/1").version.size == 3
        rm(services, "d", recursive=True)
        rm(services, "x", recursive=True)
        run(services, until=services.now)
        assert everything_but(services)
    assert acts > 8


def test_what_is_found_to_be_destroyed_is_judged_again(gone: ServiceFixture) -> None:
    """A forged column may lead the walk anywhere: only what hangs on a marked folder goes."""
    everything = tuple(range(1, 20))
    for act, item in ((purge, PurgeInput), (purge_folders, PurgeFoldersInput), (begin_purges, PurgeFoldersInput)):
        gone.act(act, item(OPERATOR, gone.now - 1, everything))
    gone.act(purge, PurgeInput(OPERATOR, gone.now, everything))
    gone.act(purge_folders, PurgeFoldersInput(OPERATOR, gone.now, everything))
    assert restored(gone, "d").path == "d"
    gone.act(make_folder, MakeFolderInput(MAX.caller, "x/empty"))
    gone.act(purge_folders, PurgeFoldersInput(OPERATOR, gone.now, everything))
    assert [line for line in tree(gone) if line.startswith("x/")] == ["x/", "x/empty/", "x/6"]
    rm(gone, "x/empty")
    rm(gone, "d", recursive=True)
    begin(gone)
    gone.act(purge_folders, PurgeFoldersInput(OPERATOR, gone.now, everything))
    assert len(_folders(gone)) == 7  # each holds something, or is in the trash alone
    gone.act(purge, PurgeInput(OPERATOR, 0, everything))
    assert count(gone, FileRow) == 1
    gone.act(purge_folders, PurgeFoldersInput(OPERATOR, 0, everything))
    assert [row.name for row in _folders(gone)] == ["", "d", "e", "x", "empty"]


@pytest.mark.parametrize(
    ("statement", "named", "left"),
    [
        ("UPDATE files SET owner_id = 3 WHERE name = '3'", "row 3 of files", 1),
        ("UPDATE versions SET size = 9 WHERE file = 3", "row 3, 1 of versions", 1),
        ("UPDATE folders SET maker_id = 3 WHERE name = 'g'", "row 5 of folders", 1),
        ("UPDATE folders SET maker_id = 3 WHERE name = 'f'", "row 4 of folders", 2),
        ("UPDATE folders SET trashed_at = 1 WHERE name = 'd'", "row 2 of folders", 6),
    ],
)
def test_one_changed_row_stops_nothing_but_what_hangs_on_it(
    gone: ServiceFixture, statement: str, named: str, left: int
) -> None:
    gone.tamper(statement)
    for _ in range(2):
        report = run(gone, until=gone.now)
        assert {fault.what for fault in report.faults} == {named}
    with gone.readers.reading() as reading:
        assert reading.rows.columns(columns_of(select(func.count()).select_from(FileModel))) == [(left + 1,)]
    assert [line for line in tree(gone) if line.startswith("x")] == ["x/", "x/6"]


def test_a_circle_that_a_changed_row_makes_ends_the_walk(gone: ServiceFixture) -> None:
    gone.tamper(
        "UPDATE folders SET state = 'purging', parent_id = (SELECT id FROM folders WHERE name = 'e') WHERE name = 'd'"
    )
    report = run(gone, until=gone.now)
    assert report.files == 0
    assert report.faults


def test_nobody_but_the_operator_destroys(gone: ServiceFixture) -> None:
    for act in (begin_purges, purge_folders):
        with pytest.raises(RequestError):
            gone.act(act, PurgeFoldersInput(ADA.caller, gone.now, (2,)))
    assert restored(gone, "d", ADA).path == "d"
