"""A folder in the trash is one thing: what hangs on it is reached by no way, and comes back with it or alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sft.errors import BadRequestError, FolderInTheWayError, NameClashError, NotFoundError, NotYoursError, RequestError
from sft.model.access import Role
from sft.model.records import File, RestoredFolder, TrashedFolder
from sft.service import accounts, downloads
from sft.service.files import find_files, list_folder, list_trash, show_file
from sft.service.folders import MakeFolderInput, MoveInput, make_folder, move
from sft.store.figures import FigureChanges
from sft.store.row_types import FileRow, FolderRow
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import (
    ADA,
    GUS,
    MAX,
    MIA,
    NOW,
    OPERATOR,
    SALT,
    TRASH_SECONDS,
    Person,
    ServiceFixture,
    file_id_of,
)
from tests.unit.service.test_files import put_many
from tests.unit.service.test_folders import tree
from tests.unit.service.test_trash import back, restored, rm
from tests.unit.store.asked import asked_of

PATHS = ["d/1", "d/e/2", "d/e/f/3", "x/4"]


@pytest.fixture
def gone(services: ServiceFixture) -> ServiceFixture:
    """``d`` is in the trash, with three files in three folders."""
    put_many(services, *PATHS)
    rm(services, "d", recursive=True)
    services.now += 10
    return services


def entries(services: ServiceFixture, who: Person = MAX) -> list[tuple[str, str]]:
    """Show the trash as a client does: one order of folders and files."""
    page = services.ask(list_trash, who)
    both: list[TrashedFolder | File] = [*page.folders, *page.files]
    both.sort(key=lambda each: each.trashed_at or 0, reverse=True)
    return [("file" if isinstance(each, File) else "folder", each.path) for each in both]


# -- one thing ----------------------------------------------------------------------------------------


def test_a_folder_is_one_thing_in_the_trash(gone: ServiceFixture) -> None:
    assert tree(gone) == ["x/", "x/4"]
    page = gone.ask(list_trash, MIA)
    assert page.folders == (TrashedFolder(2, "d", 3, 3, NOW, "max", NOW + TRASH_SECONDS),)
    assert page.files == ()


def test_folders_and_files_are_in_one_order_page_by_page(services: ServiceFixture) -> None:
    expected = []
    for number in range(9):
        services.now += number % 3 // 2  # three in one second
        path = f"{number}/a" if number % 2 else f"{number}"
        services.put(MAX, path)
        rm(services, path.partition("/")[0], recursive=True)
        expected.append((services.now, number % 2, number, path.partition("/")[0]))
    expected.sort(reverse=True)
    for limit in (1, 2, 4):
        found, cursor = [], ""
        while True:
            page = services.ask(list_trash, MAX, cursor=cursor, limit=limit)
            both: list[Any] = [*page.folders, *page.files]
            found += sorted(both, key=lambda each: each.trashed_at, reverse=True)
            cursor = page.next
            assert len(both) == limit or not cursor
            if not cursor:
                break
        assert [each.path for each in found] == [path for *_, path in expected]


@pytest.mark.parametrize("cursor", ["1.2", "x1.2", "d1", "d1.", "f.2", "f1.2.3", f"f1.{10**18}", "f-1.2", "d"])
def test_a_cursor_that_no_page_had_is_refused(gone: ServiceFixture, cursor: str) -> None:
    with pytest.raises(BadRequestError):
        gone.ask(list_trash, MAX, cursor=cursor)


def test_who_sees_a_folder_in_the_trash_could_list_it_before(gone: ServiceFixture) -> None:
    for who in (ADA, MAX, MIA):
        assert entries(gone, who) == [("folder", "d")]
    assert len(gone.ask(list_trash, OPERATOR).folders) == 1
    with pytest.raises(RequestError) as refused:
        gone.ask(list_trash, GUS)
    assert refused.value.code == "ROLE_FORBIDS"


def test_an_empty_folder_comes_back_too(services: ServiceFixture) -> None:
    services.act(make_folder, MakeFolderInput(MAX.caller, "d"))
    rm(services, "d")
    assert entries(services) == [("folder", "d")]
    assert restored(services, "d") == RestoredFolder("d", 0, 1)
    assert tree(services) == ["d/"]


def test_a_folder_deleted_within_one_is_a_thing_of_its_own(services: ServiceFixture) -> None:
    put_many(services, *PATHS)
    rm(services, "d/e", recursive=True)
    services.now += 1
    assert rm(services, "d", recursive=True).files == 1
    assert entries(services) == [("folder", "d"), ("folder", "d/e")]
    assert restored(services, "d/e") == RestoredFolder("d/e", 2, 2)
    assert tree(services) == ["d/", "d/e/", "d/e/f/", "d/e/f/3", "d/e/2", "x/", "x/4"]


@pytest.mark.parametrize("who", [MAX, ADA])
@pytest.mark.long
def test_deleting_and_bringing_back_cost_the_same_whatever_is_in_it(services: ServiceFixture, who: Person) -> None:
    put_many(services, "few/a", "many/a")
    _crowd(services, 10_000)
    few, many = (
        (
            _statements(services, lambda path=path: rm(services, path, who, recursive=True)),
            _statements(services, lambda: services.ask(list_trash, who)),
            _statements(services, lambda path=path: restored(services, path, who)),
        )
        for path in ("few", "many")
    )
    assert many == few
    assert max(few) < 40


def _crowd(services: ServiceFixture, files: int) -> None:
    """Add files of max, and folders of them, without contents."""
    with services.transaction() as transaction:
        (parent,) = [row for row in transaction.rows.all(rows_of(FolderRow)) if row.name == "many"]
        figures = FigureChanges(transaction)
        folders = [FolderRow(100 + n, parent.id, f"f{n}", f"f{n}", MAX.id, NOW, n, SALT) for n in range(100)]
        figures.make_folders(folders)
        numbers = range(1000, 1000 + files)
        rows = [
            FileRow(
                n,
                n.to_bytes(16, "big"),
                folders[n % 100].id,
                f"{n}",
                f"{n}",
                MAX.id,
                1,
                "live",
                NOW,
                n,
                SALT,
                b"",
                None,
                None,
                None,
                None,
            )
            for n in numbers
        ]
        for row in rows:
            figures.put_file(row)
        figures.write()
        transaction.rows.insert(rows)


def _statements(services: ServiceFixture, act: Callable[[], object]) -> int:
    database = services.database
    with asked_of(database.write_connections) as written, asked_of(database.read_connections) as read:
        act()
    return len(written) + len(read)


# -- nothing reaches what hangs on it -------------------------------------------------------------------


def _download(services: ServiceFixture) -> Any:
    return services.get(GUS, "d/e/2")


def _replace(services: ServiceFixture) -> Any:
    return services.put(MAX, "d/e/2", b"new", version=2, prev=bytes(64))


ABSENT: dict[str, Callable[[ServiceFixture], Any]] = {
    "listing it": lambda services: services.ask(list_folder, MAX, path="d"),
    "listing in it": lambda services: services.ask(list_folder, MAX, path="d/e"),
    "a file": lambda services: services.ask(show_file, MAX, path="d/e/2"),
    "a version": lambda services: services.ask(show_file, MAX, path="d/e/2", version=1),
    "a download": _download,
    "a replacement": _replace,
    "moving it": lambda services: services.act(move, MoveInput(ADA.caller, "d", "z")),
    "moving out of it": lambda services: services.act(move, MoveInput(ADA.caller, "d/e/2", "z")),
    "moving into it": lambda services: services.act(move, MoveInput(ADA.caller, "x/4", "d/4")),
    "deleting it again": lambda services: rm(services, "d", ADA, recursive=True),
    "deleting in it": lambda services: rm(services, "d/e/2", ADA),
}


@pytest.mark.parametrize("what", ABSENT)
def test_what_hangs_on_it_is_not_there(gone: ServiceFixture, what: str) -> None:
    with pytest.raises(NotFoundError):
        ABSENT[what](gone)


def test_a_walk_through_all_files_passes_over_it(gone: ServiceFixture) -> None:
    found = gone.ask(find_files, GUS)
    assert [file.path for file in found.files] == ["x/4"]
    assert not found.next


def test_a_walk_goes_on_where_a_whole_page_is_in_the_trash(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sft.service.files.PAGE_FILES", 2)
    put_many(services, "a", *(f"d/{n}" for n in range(5)), "b", "c", "e")
    rm(services, "d", recursive=True)
    found, after, pages = [], 0, 0
    while pages == 0 or after:
        page = services.ask(find_files, GUS, after=after)
        found += [file.path for file in page.files]
        after, pages = page.next, pages + 1
    assert found == ["a", "b", "c", "e"]
    assert pages > 2


def test_names_in_it_are_free_and_its_ids_are_not(gone: ServiceFixture) -> None:
    gone.put(MIA, "D/E", b"new", file_id=bytes(16))
    assert tree(gone) == ["D/", "D/E", "x/", "x/4"]
    with pytest.raises(BadRequestError):
        gone.put(MAX, "y", b"x", file_id=file_id_of("d/1"))


def test_an_upload_under_way_ends_in_a_folder_made_anew(services: ServiceFixture) -> None:
    services.put(MAX, "d/old")
    pending = services.stream(MAX, "d/new", bytes(70_000))
    rm(services, "d", recursive=True)
    services.commit(pending)
    assert tree(services) == ["d/", "d/new"]
    assert services.ask(list_trash, MAX).folders[0].files == 1


def test_a_version_under_way_finds_no_file_any_more(services: ServiceFixture) -> None:
    services.put(MAX, "d/a", b"1")
    seen = services.ask(show_file, MAX, path="d/a")
    pending = services.pend(MAX, "d/a", b"2", file_id=seen.id, version=2, prev=seen.version.digest)
    rm(services, "d", recursive=True)
    with pytest.raises(NotFoundError):
        services.commit(pending)
    assert back(services, "d/a").version.number == 1


def test_a_download_that_began_ends(services: ServiceFixture) -> None:
    services.commit(services.stream(MAX, "d/a", bytes(200_000)))
    download = services.ask(downloads.begin, GUS, storage=services.storage, path="d/a", version=0)
    rm(services, "d", recursive=True)
    download.start()
    read = b""
    while sealed := download.read(3):
        read += b"".join(download.open(sealed))
    download.close()
    assert read == bytes(200_000)


# -- rights -------------------------------------------------------------------------------------------


def test_what_holds_another_persons_file_neither_goes_nor_comes_back(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    services.put(MIA, "d/e/b")
    with pytest.raises(NotYoursError):
        rm(services, "d", recursive=True)
    rm(services, "d", ADA, recursive=True)
    for who in (MAX, MIA):
        with pytest.raises(NotYoursError) as refused:
            restored(services, "d", who)
        assert refused.value.values["act"] == "restore"
    assert back(services, "d/e/b", MIA).owner == "mia"
    with pytest.raises(FolderInTheWayError):
        restored(services, "d", OPERATOR)
    services.act(move, MoveInput(ADA.caller, "d", "z"))
    with pytest.raises(NotYoursError):  # a folder in it is still mia's
        restored(services, "d", MAX)
    assert restored(services, "d", OPERATOR) == RestoredFolder("d", 1, 2)


def test_an_admin_and_the_operator_bring_everything_back(services: ServiceFixture) -> None:
    for path, who in (("d/a", MAX), ("e/a", MIA)):
        services.put(who, path)
        rm(services, path[0], who, recursive=True)
    assert restored(services, "d", ADA) == RestoredFolder("d", 1, 1)
    assert restored(services, "e", OPERATOR) == RestoredFolder("e", 1, 1)


def test_a_guest_and_somebody_demoted_bring_nothing_back(gone: ServiceFixture) -> None:
    gone.change_user(MAX, role=Role.GUEST)
    for who in (GUS, MAX):
        for path in ("d", "d/1"):
            with pytest.raises(RequestError) as refused:
                restored(gone, path, who)
            assert refused.value.code == "ROLE_FORBIDS"


def test_ones_own_folder_comes_back_before_one_that_was_deleted_later(services: ServiceFixture) -> None:
    for who, content in ((MAX, b"max"), (MIA, b"mia")):
        services.put(who, "d/a", content, file_id=content[1:2] * 16)
        rm(services, "d", who, recursive=True)
        services.now += 1
    assert isinstance(restored(services, "d", MAX), RestoredFolder)
    assert services.get(GUS, "d/a") == b"max"


# -- bringing back ------------------------------------------------------------------------------------


def test_a_folder_comes_back_as_it_was(services: ServiceFixture) -> None:
    put_many(services, *PATHS)
    before = tree(services), services.ask(show_file, GUS, path="d/e/f/3")
    rm(services, "d", recursive=True)
    assert restored(services, "d") == RestoredFolder("d", 3, 3)
    assert (tree(services), services.ask(show_file, GUS, path="d/e/f/3")) == before
    assert entries(services) == []
    with pytest.raises(NotFoundError):
        restored(services, "d")


def test_missing_folders_above_it_are_made(services: ServiceFixture) -> None:
    services.put(MAX, "a/b/c/1")
    rm(services, "a/b/c", recursive=True)
    rm(services, "a", recursive=True)
    assert restored(services, "a/b/c") == RestoredFolder("a/b/c", 1, 1)
    assert tree(services) == ["a/", "a/b/", "a/b/c/", "a/b/c/1"]


@pytest.mark.parametrize("path", ["d/1", "d/e/2", "d/e/f/3"])
def test_one_file_comes_out_of_it(gone: ServiceFixture, path: str) -> None:
    assert back(gone, path).path == path
    assert tree(gone) == [*(f"{path[:n]}/" for n in range(len(path)) if path[n] == "/"), path, "x/", "x/4"]
    assert gone.get(GUS, path) == path.encode()
    assert gone.ask(list_trash, MAX).folders[0].files == 2


def test_a_folder_comes_out_of_it(gone: ServiceFixture) -> None:
    assert restored(gone, "d/e") == RestoredFolder("d/e", 2, 2)
    assert tree(gone) == ["d/", "d/e/", "d/e/f/", "d/e/f/3", "d/e/2", "x/", "x/4"]
    assert (gone.ask(list_trash, MAX).folders[0].files, gone.ask(list_trash, MAX).folders[0].folders) == (1, 1)
    with pytest.raises(FolderInTheWayError):
        restored(gone, "d")


@pytest.mark.parametrize("path", ["D", "d/E/2", "d/e/none", "e", "d/1/x", "none"])
def test_what_did_not_lie_there_does_not_come_back(gone: ServiceFixture, path: str) -> None:
    with pytest.raises(NotFoundError):
        restored(gone, path)


def test_of_several_the_last_deleted_comes_back(services: ServiceFixture) -> None:
    for content in (b"1", b"2", b"3"):
        services.put(MAX, "d/a", content, file_id=content * 16)
        rm(services, "d/a" if content == b"2" else "d", recursive=content != b"2")
        services.now += 1
    back(services, "d/a")
    assert services.get(GUS, "d/a") == b"3"
    rm(services, "d/a")
    services.put(MAX, "d/a", b"4", file_id=b"4" * 16)
    services.now += 1
    rm(services, "d", recursive=True)
    services.now += 1
    for content in (b"4", b"3", b"2", b"1"):
        back(services, "d/a")
        assert services.get(GUS, "d/a") == content
        services.act(move, MoveInput(MAX.caller, "d/a", content.decode()))


def test_between_a_file_and_a_folder_of_one_name_the_last_deleted_comes_back(services: ServiceFixture) -> None:
    services.put(MAX, "d", b"file")
    rm(services, "d")
    services.now += 1
    services.put(MAX, "d/a")
    rm(services, "d", recursive=True)
    services.now += 1
    assert isinstance(restored(services, "d"), RestoredFolder)
    services.act(move, MoveInput(MAX.caller, "d", "e"))
    assert isinstance(restored(services, "d"), File)


@pytest.mark.parametrize(
    ("taken", "path", "error"),
    [
        ("d/x", "d", FolderInTheWayError),
        ("d", "d", FolderInTheWayError),
        ("D/x", "d", NameClashError),
        ("d", "d/e", FolderInTheWayError),
        ("d/e/x", "d/e", FolderInTheWayError),
        ("d/e", "d/e/2", FolderInTheWayError),
        ("D/x", "d/e/2", NameClashError),
    ],
)
def test_a_name_in_use_is_not_taken_back(
    gone: ServiceFixture, taken: str, path: str, error: type[RequestError]
) -> None:
    gone.put(MIA, taken, b"new", file_id=bytes(16))
    before = tree(gone), entries(gone)
    with pytest.raises(error) as refused:
        restored(gone, path)
    assert type(refused.value) is error
    assert (tree(gone), entries(gone)) == before


def test_what_was_renamed_comes_back_to_where_it_was_deleted(services: ServiceFixture) -> None:
    put_many(services, "a/b/c")
    services.act(move, MoveInput(MAX.caller, "a", "z"))
    rm(services, "z/b", recursive=True)
    services.act(move, MoveInput(MAX.caller, "z", "y"))
    assert restored(services, "z/b") == RestoredFolder("z/b", 1, 1)
    assert tree(services) == ["y/", "z/", "z/b/", "z/b/c"]


def test_folders_deleted_from_one_path_beyond_a_hundred_are_not_searched(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sft.store.trash._SAME_PATH", 2)
    services.put(MAX, "d/a")
    rm(services, "d", recursive=True)
    for number in range(2):
        services.now += 1
        services.put(MAX, f"d/{number}")
        rm(services, "d", recursive=True)
    with pytest.raises(NotFoundError):
        back(services, "d/a")
    restored(services, "d")
    services.act(move, MoveInput(MAX.caller, "d", "e"))
    assert back(services, "d/a").path == "d/a"


@pytest.mark.parametrize("path", ["d", "d/a"])
def test_what_others_delete_from_the_same_path_hides_nothing_of_ones_own(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("sft.store.trash._SAME_PATH", 2)
    services.put(MAX, "d/a")
    rm(services, "d", recursive=True)
    for number in range(2):
        services.now += 1
        services.put(MIA, f"d/{number}")
        rm(services, "d", MIA, recursive=True)
    restored(services, path, MAX)
    assert services.get(GUS, "d/a") == b"content"


def test_empty_folders_deleted_from_the_same_path_hide_no_file(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sft.store.trash._SAME_PATH", 2)
    services.put(MAX, "d/a")
    rm(services, "d", recursive=True)
    for _ in range(2):
        services.now += 1
        services.act(make_folder, MakeFolderInput(MIA.caller, "d"))
        rm(services, "d", MIA)
    assert back(services, "d/a", ADA).path == "d/a"


def test_who_was_removed_still_deleted_it(gone: ServiceFixture) -> None:
    gone.act(accounts.remove, accounts.RemoveUserInput(ADA.caller, "max"))
    (folder,) = gone.ask(list_trash, ADA).folders
    assert folder.trashed_by == "max"
    assert isinstance(restored(gone, "d", ADA), RestoredFolder)
    assert gone.ask(show_file, GUS, path="d/1").owner == "ada"
