import pytest

from sft.errors import (
    ChangedSinceError,
    ExistsError,
    FolderInTheWayError,
    FolderNotEmptyError,
    NameClashError,
    NameNotAllowedError,
    NotFoundError,
    NotYoursError,
    RequestError,
)
from sft.model.access import Caller, Role
from sft.model.records import Deleted, File, FileSeen, RestoredFolder, TrashPage
from sft.service.files import list_trash, show_file
from sft.service.folders import MakeFolderInput, MoveInput, make_folder, move
from sft.service.trash import Deletion, Restoration, delete, restore
from tests.unit.service.service_fixture import (
    ADA,
    GUS,
    MAX,
    MIA,
    NOW,
    OPERATOR,
    TRASH_SECONDS,
    Person,
    ServiceFixture,
    file_id_of,
)
from tests.unit.service.test_files import put_many
from tests.unit.service.test_folders import tree


def rm(services: ServiceFixture, path: str, who: Person | Caller = MAX, *, recursive: bool = False) -> Deleted:
    caller = who.caller if isinstance(who, Person) else who
    return services.act(delete, Deletion(caller, path, recursive))


def back(services: ServiceFixture, path: str, who: Person | Caller = MAX) -> File:
    found = restored(services, path, who)
    assert isinstance(found, File)
    return found


def restored(services: ServiceFixture, path: str, who: Person | Caller = MAX) -> File | RestoredFolder:
    caller = who.caller if isinstance(who, Person) else who
    return services.act(restore, Restoration(caller, path, services.seen_in_trash(caller, path)))


# -- deleting -----------------------------------------------------------------------------------------


def test_a_deleted_file_is_gone_until_it_comes_back_unchanged(services: ServiceFixture) -> None:
    services.put(MAX, "d/a", b"1")
    services.replace(MAX, "d/a", b"2", services.ask(show_file, MAX, path="d/a"))
    before = services.ask(show_file, GUS, path="d/a")
    assert rm(services, "d/a") == Deleted("d/a", 1, 0, NOW + TRASH_SECONDS)
    assert tree(services) == ["d/"]
    assert back(services, "d/a") == before
    assert (services.get(GUS, "d/a", 1), services.get(GUS, "d/a")) == (b"1", b"2")


def test_only_the_version_that_was_seen_is_deleted(services: ServiceFixture) -> None:
    services.put(MAX, "d/a", b"1")
    seen = services.ask(show_file, MAX, path="d/a")
    services.replace(MAX, "d/a", b"2", seen)
    deletion = Deletion(MAX.caller, "d/a", seen=FileSeen(seen.id, 1))
    with pytest.raises(ChangedSinceError) as caught:
        services.act(delete, deletion)
    assert caught.value.values == {"path": "d/a", "author": "max", "version": 2, "stored_at": NOW, "seen": 1}
    rm(services, "d/a")
    with pytest.raises(NotFoundError):
        services.act(delete, deletion)
    services.put(MAX, "d/a", b"3", file_id=file_id_of("another"))
    with pytest.raises(ChangedSinceError):  # of this number, and another file
        services.act(delete, deletion)
    now = services.ask(show_file, MAX, path="d/a")
    assert services.act(delete, Deletion(MAX.caller, "d/a", seen=FileSeen(now.id, 1))).files == 1
    services.act(make_folder, MakeFolderInput(MAX.caller, "d/a"))
    with pytest.raises(NotFoundError):
        services.act(delete, deletion)
    assert "d/a/" in tree(services)


def test_a_name_is_free_at_once(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    rm(services, "a")
    services.put(MIA, "A", b"2")
    assert services.get(GUS, "A") == b"2"


def test_the_id_of_a_deleted_file_stays_taken(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    rm(services, "a")
    with pytest.raises(RequestError) as refused:
        services.put(MAX, "a", b"2")
    assert refused.value.code == "BAD_REQUEST"


def test_an_empty_folder_goes(services: ServiceFixture) -> None:
    services.act(make_folder, MakeFolderInput(MAX.caller, "d/e"))
    assert rm(services, "d/e") == Deleted("d/e", 0, 1, NOW + TRASH_SECONDS)
    assert tree(services) == ["d/"]


@pytest.mark.parametrize("path", ["d/a", "d/e/a"])
def test_a_folder_that_holds_something_goes_only_with_all_of_it(services: ServiceFixture, path: str) -> None:
    services.put(MAX, path)
    with pytest.raises(FolderNotEmptyError):
        rm(services, "d")
    folders = path.count("/")
    assert rm(services, "d", recursive=True) == Deleted("d", 1, folders, NOW + TRASH_SECONDS)
    assert tree(services) == []


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
    services: ServiceFixture, path: str, error: type[RequestError]
) -> None:
    services.put(MAX, "d/a")
    services.put(MIA, "d/mias")
    services.act(make_folder, MakeFolderInput(ADA.caller, "adas"))
    services.act(make_folder, MakeFolderInput(MIA.caller, "mias"))
    before = tree(services)
    with pytest.raises(error):
        rm(services, path, recursive=True)
    assert tree(services) == before
    assert services.ask(list_trash, ADA) == TrashPage((), ())


def test_the_refusal_names_the_file_within_a_folder(services: ServiceFixture) -> None:
    services.put(MAX, "d/e/1")
    services.put(MIA, "d/e/2")
    with pytest.raises(NotYoursError) as refused:
        rm(services, "d", recursive=True)
    assert refused.value.values == {"path": "d/e/2", "owner": "mia", "act": "delete", "admins": "ada"}


def test_admin_and_operator_delete_everything(services: ServiceFixture) -> None:
    put_many(services, "d/a", "e/a")
    put_many(services, "d/b", "e/b", who=MIA)
    assert rm(services, "d", ADA, recursive=True).files == 2
    assert rm(services, "e", OPERATOR, recursive=True).files == 2
    found = services.ask(list_trash, OPERATOR).folders
    assert [(folder.path, folder.files, folder.trashed_by) for folder in found] == [
        ("e", 2, "operator"),
        ("d", 2, "ada"),
    ]


# -- bringing back ------------------------------------------------------------------------------------


def test_folders_are_remade(services: ServiceFixture) -> None:
    services.put(MAX, "d/e/f/a")
    rm(services, "d", recursive=True)
    assert back(services, "d/e/f/a").path == "d/e/f/a"
    assert tree(services) == ["d/", "d/e/", "d/e/f/", "d/e/f/a"]
    assert services.get(GUS, "d/e/f/a") == b"content"


def test_the_last_deleted_comes_back(services: ServiceFixture) -> None:
    for content in (b"1", b"2", b"3"):
        services.now += 1
        services.put(MAX, "a", content, file_id=content * 16)
        rm(services, "a")
    assert back(services, "a").version.size == 1
    assert services.get(GUS, "a") == b"3"
    rm(services, "a")
    services.now += 1
    assert back(services, "a").id == b"3" * 16


def test_within_a_second_the_younger_file_comes_back(services: ServiceFixture) -> None:
    for content in (b"1", b"2"):
        services.put(MAX, "a", content, file_id=content * 16)
        rm(services, "a")
    assert back(services, "a").id == b"2" * 16


def test_ones_own_comes_back_before_others(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"max")
    rm(services, "a")
    services.now += 1
    services.put(MIA, "a", b"mia", file_id=bytes(16))
    rm(services, "a", MIA)
    assert back(services, "a").owner == "max"
    with pytest.raises(NotFoundError):
        back(services, "A")


@pytest.mark.parametrize(
    ("path", "error"), [("none", NotFoundError), ("d/A", NotFoundError), ("d/mias", NotYoursError)]
)
def test_what_was_not_deleted_or_is_not_ones_own_does_not_come_back(
    services: ServiceFixture, path: str, error: type[RequestError]
) -> None:
    services.put(MAX, "d/a")
    services.put(MIA, "d/mias")
    rm(services, "d", ADA, recursive=True)
    with pytest.raises(error):
        back(services, path)
    assert tree(services) == []


def test_an_admin_deletes_and_the_owner_brings_back(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    rm(services, "a", ADA)
    assert back(services, "a").owner == "max"


@pytest.mark.parametrize("who", [ADA, OPERATOR])
def test_admin_and_operator_bring_everything_back(services: ServiceFixture, who: Person | Caller) -> None:
    services.put(MAX, "d/a")
    rm(services, "d", recursive=True)
    assert back(services, "d/a", who).owner == "max"
    assert tree(services) == ["d/", "d/a"]


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
def test_a_name_in_use_is_not_taken_back(services: ServiceFixture, taken: str, error: type[RequestError]) -> None:
    services.put(MAX, "d/a", b"old")
    rm(services, "d", recursive=True)
    services.put(MIA, taken, b"new", file_id=bytes(16))
    before = tree(services)
    with pytest.raises(error) as refused:
        back(services, "d/a")
    assert type(refused.value) is error
    assert tree(services) == before


def test_a_demoted_owner_brings_nothing_back(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    rm(services, "a")
    services.change_user(MAX, role=Role.GUEST)
    with pytest.raises(RequestError) as refused:
        back(services, "a")
    assert refused.value.code == "ROLE_FORBIDS"


def test_what_was_moved_comes_back_to_where_it_was_deleted(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    services.act(move, MoveInput(MAX.caller, "a", "b"))
    rm(services, "b")
    with pytest.raises(NotFoundError):
        back(services, "a")
    assert back(services, "b").version.signed_name == "a"
