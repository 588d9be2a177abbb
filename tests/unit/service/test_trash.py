import pytest

from sft.errors import (
    ExistsError,
    FolderInTheWayError,
    FolderNotEmptyError,
    NameClashError,
    NameNotAllowedError,
    NotFoundError,
    NotYoursError,
    RequestError,
)
from sft.limits import TRASH_SECONDS
from sft.model.access import Caller, Role
from sft.model.records import Deleted, File
from sft.service.files import list_trash, show_file
from sft.service.folders import MakeFolderInput, MoveInput, make_folder, move
from sft.service.trash import Deletion, Restoration, delete, restore
from sft.store.files import PAGE_ROWS
from tests.unit.service.office import ADA, GUS, MAX, MIA, NOW, OPERATOR, Office, Person
from tests.unit.service.test_files import put_many
from tests.unit.service.test_folders import tree


def rm(
    office: Office, path: str, who: Person | Caller = MAX, *, recursive: bool = False
) -> Deleted:
    caller = who.caller if isinstance(who, Person) else who
    return office.act(delete, Deletion(caller, path, recursive))


def back(office: Office, path: str, who: Person | Caller = MAX) -> File:
    caller = who.caller if isinstance(who, Person) else who
    return office.act(restore, Restoration(caller, path))


# -- deleting -----------------------------------------------------------------------------------------


def test_a_deleted_file_is_gone_until_it_comes_back_unchanged(office: Office) -> None:
    office.put(MAX, "d/a", b"1")
    office.replace(MAX, "d/a", b"2", office.ask(show_file, MAX, path="d/a"))
    before = office.ask(show_file, GUS, path="d/a")
    assert rm(office, "d/a") == Deleted("d/a", 1, 0, NOW + TRASH_SECONDS)
    assert tree(office) == ["d/"]
    assert back(office, "d/a") == before
    assert (office.get(GUS, "d/a", 1), office.get(GUS, "d/a")) == (b"1", b"2")


def test_a_name_is_free_at_once(office: Office) -> None:
    office.put(MAX, "a", b"1")
    rm(office, "a")
    office.put(MIA, "A", b"2")
    assert office.get(GUS, "A") == b"2"


def test_the_id_of_a_deleted_file_stays_taken(office: Office) -> None:
    office.put(MAX, "a", b"1")
    rm(office, "a")
    with pytest.raises(RequestError) as refused:
        office.put(MAX, "a", b"2")
    assert refused.value.code == "BAD_REQUEST"


def test_an_empty_folder_goes(office: Office) -> None:
    office.act(make_folder, MakeFolderInput(MAX.caller, "d/e"))
    assert rm(office, "d/e") == Deleted("d/e", 0, 1, NOW + TRASH_SECONDS)
    assert tree(office) == ["d/"]


@pytest.mark.parametrize("path", ["d/a", "d/e/a"])
def test_a_folder_that_holds_something_goes_only_with_all_of_it(office: Office, path: str) -> None:
    office.put(MAX, path)
    with pytest.raises(FolderNotEmptyError):
        rm(office, "d")
    folders = path.count("/")
    assert rm(office, "d", recursive=True) == Deleted("d", 1, folders, NOW + TRASH_SECONDS)
    assert tree(office) == []


def test_a_tree_goes_to_the_trash_file_by_file(office: Office) -> None:
    paths = ["d/1", "d/e/2", "d/e/f/3", "x/4"]
    put_many(office, *paths)
    assert (rm(office, "d", recursive=True).files, tree(office)) == (3, ["x/", "x/4"])
    found = office.ask(list_trash, MAX).files
    assert {file.path for file in found} == set(paths[:3])


def test_a_large_folder_goes_whole(office: Office) -> None:
    count = PAGE_ROWS + 3
    put_many(office, *(f"d/{n}" for n in range(count)))
    assert rm(office, "d", recursive=True).files == count
    assert tree(office) == []


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("none", NotFoundError),
        ("d/A", NotFoundError),
        ("D", NotFoundError),
        ("", NameNotAllowedError),
        ("d/mias", NotYoursError),
        ("d", NotYoursError),
        ("adas", NotYoursError),
        ("mias", NotYoursError),
    ],
)
def test_what_is_not_there_or_not_ones_own_stays(
    office: Office, path: str, error: type[RequestError]
) -> None:
    office.put(MAX, "d/a")
    office.put(MIA, "d/mias")
    office.act(make_folder, MakeFolderInput(ADA.caller, "adas"))
    office.act(make_folder, MakeFolderInput(MIA.caller, "mias"))
    before = tree(office)
    with pytest.raises(error):
        rm(office, path, recursive=True)
    assert tree(office) == before
    assert not office.ask(list_trash, ADA).files


def test_the_refusal_names_the_file_within_a_folder(office: Office) -> None:
    office.put(MAX, "d/e/1")
    office.put(MIA, "d/e/2")
    with pytest.raises(NotYoursError) as refused:
        rm(office, "d", recursive=True)
    assert refused.value.values == {
        "path": "d/e/2",
        "owner": "mia",
        "act": "delete",
        "admins": "ada",
    }


def test_admin_and_operator_delete_everything(office: Office) -> None:
    put_many(office, "d/a", "e/a")
    put_many(office, "d/b", "e/b", who=MIA)
    assert rm(office, "d", ADA, recursive=True).files == 2
    assert rm(office, "e", OPERATOR, recursive=True).files == 2
    assert len(office.ask(list_trash, OPERATOR).files) == 4


# -- bringing back ------------------------------------------------------------------------------------


def test_folders_are_remade(office: Office) -> None:
    office.put(MAX, "d/e/f/a")
    rm(office, "d", recursive=True)
    assert back(office, "d/e/f/a").path == "d/e/f/a"
    assert tree(office) == ["d/", "d/e/", "d/e/f/", "d/e/f/a"]
    assert office.get(GUS, "d/e/f/a") == b"content"


def test_the_last_deleted_comes_back(office: Office) -> None:
    for content in (b"1", b"2", b"3"):
        office.now += 1
        office.put(MAX, "a", content, file_id=content * 16)
        rm(office, "a")
    assert back(office, "a").version.size == 1
    assert office.get(GUS, "a") == b"3"
    rm(office, "a")
    office.now += 1
    assert back(office, "a").id == b"3" * 16


def test_within_a_second_the_younger_file_comes_back(office: Office) -> None:
    for content in (b"1", b"2"):
        office.put(MAX, "a", content, file_id=content * 16)
        rm(office, "a")
    assert back(office, "a").id == b"2" * 16


def test_ones_own_comes_back_before_others(office: Office) -> None:
    office.put(MAX, "a", b"max")
    rm(office, "a")
    office.now += 1
    office.put(MIA, "a", b"mia", file_id=bytes(16))
    rm(office, "a", MIA)
    assert back(office, "a").owner == "max"
    with pytest.raises(NotFoundError):
        back(office, "A")


@pytest.mark.parametrize(
    ("path", "error"),
    [("none", NotFoundError), ("d/A", NotFoundError), ("d/mias", NotYoursError)],
)
def test_what_was_not_deleted_or_is_not_ones_own_does_not_come_back(
    office: Office, path: str, error: type[RequestError]
) -> None:
    office.put(MAX, "d/a")
    office.put(MIA, "d/mias")
    rm(office, "d", ADA, recursive=True)
    with pytest.raises(error):
        back(office, path)
    assert tree(office) == []


def test_an_admin_deletes_and_the_owner_brings_back(office: Office) -> None:
    office.put(MAX, "a")
    rm(office, "a", ADA)
    assert back(office, "a").owner == "max"


@pytest.mark.parametrize("who", [ADA, OPERATOR])
def test_admin_and_operator_bring_everything_back(office: Office, who: Person | Caller) -> None:
    office.put(MAX, "d/a")
    rm(office, "d", recursive=True)
    assert back(office, "d/a", who).owner == "max"
    assert tree(office) == ["d/", "d/a"]


@pytest.mark.parametrize(
    ("taken", "error"),
    [
        ("d/a", ExistsError),
        ("d/A", NameClashError),
        ("d", FolderInTheWayError),
        ("D", NameClashError),
        ("d/a/b", FolderInTheWayError),
        ("D/b", NameClashError),
        ("d/A/b", NameClashError),
    ],
)
def test_a_name_in_use_is_not_taken_back(
    office: Office, taken: str, error: type[RequestError]
) -> None:
    office.put(MAX, "d/a", b"old")
    rm(office, "d", recursive=True)
    office.put(MIA, taken, b"new", file_id=bytes(16))
    before = tree(office)
    with pytest.raises(error) as refused:
        back(office, "d/a")
    assert type(refused.value) is error
    assert tree(office) == before


def test_a_demoted_owner_brings_nothing_back(office: Office) -> None:
    office.put(MAX, "a")
    rm(office, "a")
    office.change_user(MAX, role=Role.GUEST)
    with pytest.raises(RequestError) as refused:
        back(office, "a")
    assert refused.value.code == "ROLE_FORBIDS"


def test_what_was_moved_comes_back_to_where_it_was_deleted(office: Office) -> None:
    office.put(MAX, "a")
    office.act(move, MoveInput(MAX.caller, "a", "b"))
    rm(office, "b")
    with pytest.raises(NotFoundError):
        back(office, "a")
    assert back(office, "b").version.signed_name == "a"
