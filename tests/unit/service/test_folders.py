import os

import pytest
from msgspec.structs import replace

from sft.errors import (
    BadRequestError,
    ChangedSinceError,
    ExistsError,
    FolderInTheWayError,
    NameClashError,
    NameNotAllowedError,
    NotFoundError,
    NotYoursError,
    RequestError,
)
from sft.limits import PATH_BYTES
from sft.model.records import File, Folder
from sft.service.files import list_folder, show_file
from sft.service.folders import MakeFolderInput, MoveInput, make_folder, move
from sft.store.row_types import FolderRow
from sft.store.statements import rows_of
from tests.fakes.signed_acts import statement_of
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, NOW, SERVER_ID, Person, ServiceFixture, digest_of


def make(services: ServiceFixture, path: str, who: Person = MAX) -> bool:
    return services.act(make_folder, MakeFolderInput(who.caller, path))


def mv(services: ServiceFixture, old: str, new: str, who: Person = MAX) -> File | Folder:
    return services.act(move, MoveInput(who.caller, old, new))


def tree(services: ServiceFixture, path: str = "") -> list[str]:
    page = services.ask(list_folder, GUS, path=path)
    below = [name for folder in page.folders for name in (folder.path + "/", *tree(services, folder.path))]
    return below + [file.path for file in page.files]


# -- making -------------------------------------------------------------------------------------------


def test_a_folder_is_made_with_those_above_it_once(services: ServiceFixture) -> None:
    assert make(services, "a/b/c")
    assert not make(services, "a/b/c")
    assert not make(services, "a/b")
    assert make(services, "a/b/d")
    assert tree(services) == ["a/", "a/b/", "a/b/c/", "a/b/d/"]
    with services.readers.reading() as reading:
        made = reading.rows.all(rows_of(FolderRow))[1:]
    assert {(row.maker_id, row.created_at) for row in made} == {(MAX.id, NOW)}


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("A", NameClashError),
        ("A/b", NameClashError),
        ("a/F", NameClashError),
        ("a/f", FolderInTheWayError),
        ("a/f/b", FolderInTheWayError),
        ("a/F/b", NameClashError),
        ("a:", NameNotAllowedError),
        ("a//b", NameNotAllowedError),
        ("", NameNotAllowedError),
        ("b/", BadRequestError),
    ],
)
def test_names_in_use_and_bad_names_are_refused(services: ServiceFixture, path: str, error: type[RequestError]) -> None:
    services.put(MAX, "a/f")
    with pytest.raises(error) as refused:
        make(services, path)
    assert type(refused.value) is error
    assert tree(services) == ["a/", "a/f"]


def test_a_refusal_in_the_middle_makes_none_above_it(services: ServiceFixture) -> None:
    services.put(MAX, "f")
    outcomes = services.act_each(make_folder, MakeFolderInput(MAX.caller, "f/x/y"), MakeFolderInput(MAX.caller, "g/x"))
    assert isinstance(outcomes[0], FolderInTheWayError)
    assert outcomes[1] is True
    assert tree(services) == ["g/", "g/x/", "f"]


# -- moving a file ------------------------------------------------------------------------------------


def test_a_file_moves_and_keeps_what_was_signed(services: ServiceFixture) -> None:
    services.put(MAX, "a/Old", b"content")
    make(services, "b")
    before = services.ask(show_file, GUS, path="a/Old")
    moved = mv(services, "a/Old", "b/New")
    assert isinstance(moved, File)
    assert (moved.path, moved.id, moved.owner) == ("b/New", before.id, "max")
    assert moved.version == before.version
    assert moved.version.signed_name == "a/Old"
    assert services.get(GUS, "b/New") == b"content"
    assert tree(services) == ["a/", "b/", "b/New"]


def test_a_moved_file_goes_on_with_its_versions(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    mv(services, "a", "b")
    services.replace(MAX, "b", b"2", services.ask(show_file, MAX, path="b"))
    assert services.get(GUS, "b", 1) == b"1"
    assert services.get(GUS, "b", 2) == b"2"


def test_case_alone_may_change(services: ServiceFixture) -> None:
    services.put(MAX, "readme.md")
    assert mv(services, "readme.md", "README.md").path == "README.md"
    make(services, "docs")
    assert mv(services, "docs", "Docs").path == "Docs"
    assert tree(services) == ["Docs/", "README.md"]


def test_moving_to_the_same_place_is_done_already(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    assert mv(services, "d/a", "d/a").path == "d/a"
    assert mv(services, "d", "d").path == "d"
    assert tree(services) == ["d/", "d/a"]


FILE_REFUSALS = [
    ("none", "x", NotFoundError),
    ("D/a", "x", NotFoundError),
    ("d/A", "x", NotFoundError),
    ("d/a", "d/b", ExistsError),
    ("d/a", "d/B", NameClashError),
    ("d/a", "e", FolderInTheWayError),
    ("d/a", "E", NameClashError),
    ("d/a", "none/a", NotFoundError),
    ("d/a", "E/a", NameClashError),
    ("d/a", "d/b/a", FolderInTheWayError),
    ("d/a", "d/a/a", FolderInTheWayError),
    ("d/a", "d/x:", NameNotAllowedError),
    ("d/a", "", NameNotAllowedError),
    ("d/a", "/x", BadRequestError),
    ("d/mias", "d/x", NotYoursError),
]


@pytest.mark.parametrize(("old", "new", "error"), FILE_REFUSALS)
def test_a_file_moves_over_nothing_and_into_nothing_that_is_not_there(
    services: ServiceFixture, old: str, new: str, error: type[RequestError]
) -> None:
    for path in ("d/a", "d/b", "e/c"):
        services.put(MAX, path)
    services.put(MIA, "d/mias")
    before = tree(services)
    with pytest.raises(error) as refused:
        mv(services, old, new)
    assert type(refused.value) is error
    assert tree(services) == before


def test_an_admin_moves_what_belongs_to_others(services: ServiceFixture) -> None:
    services.put(MIA, "a")
    moved = mv(services, "a", "b", ADA)
    assert isinstance(moved, File)
    assert (moved.path, moved.owner) == ("b", "mia")


def test_a_refusal_names_owner_and_admins(services: ServiceFixture) -> None:
    services.put(MIA, "a")
    with pytest.raises(NotYoursError) as refused:
        mv(services, "a", "b")
    assert refused.value.values == {"path": "a", "owner": "mia", "act": "rename", "admins": "ada"}


# -- moving a folder ----------------------------------------------------------------------------------


def test_a_folder_moves_with_all_in_it(services: ServiceFixture) -> None:
    for path in ("a/b/c/1", "a/b/2", "a/3"):
        services.put(MAX, path, path.encode())
    make(services, "z")
    moved = mv(services, "a/b", "z/B")
    assert isinstance(moved, Folder)
    assert (moved.path, moved.files, moved.folders) == ("z/B", 1, 1)
    assert tree(services) == ["a/", "a/3", "z/", "z/B/", "z/B/c/", "z/B/c/1", "z/B/2"]
    assert services.get(GUS, "z/B/c/1") == b"a/b/c/1"
    assert services.ask(show_file, GUS, path="z/B/c/1").version.signed_name == "a/b/c/1"


FOLDER_REFUSALS = [
    ("d", "d/x", BadRequestError),
    ("d", "d/e/x", BadRequestError),
    ("d", "f", FolderInTheWayError),
    ("d", "F", NameClashError),
    ("d", "file", FolderInTheWayError),
    ("d", "FILE", NameClashError),
    ("d", "file/x", FolderInTheWayError),
    ("d", "none/x", NotFoundError),
    ("D", "x", NotFoundError),
    ("mias", "x", NotYoursError),
    ("mixed", "x", NotYoursError),
    ("adas", "x", NotYoursError),
]


@pytest.mark.parametrize(("old", "new", "error"), FOLDER_REFUSALS)
def test_a_folder_moves_over_nothing_and_only_if_all_of_it_is_ones_own(
    services: ServiceFixture, old: str, new: str, error: type[RequestError]
) -> None:
    for path in ("d/e/a", "f/a", "file", "mixed/deep/maxs"):
        services.put(MAX, path)
    for path in ("mias/a", "mixed/deep/mias"):
        services.put(MIA, path)
    make(services, "adas/empty", ADA)
    before = tree(services)
    with pytest.raises(error) as refused:
        mv(services, old, new)
    assert type(refused.value) is error
    assert tree(services) == before
    if error is NotYoursError:
        assert mv(services, old, new, ADA).path == new


def test_a_folder_of_ones_own_files_in_a_folder_of_anothers_making_stays(services: ServiceFixture) -> None:
    make(services, "team/sub", ADA)
    services.put(MAX, "team/sub/a")
    with pytest.raises(NotYoursError) as refused:
        mv(services, "team", "x")
    assert refused.value.values["owner"] == "ada"


def test_the_refusal_names_the_file_that_is_not_ones_own(services: ServiceFixture) -> None:
    services.put(MAX, "d/e/1")
    services.put(MIA, "d/e/2")
    with pytest.raises(NotYoursError) as refused:
        mv(services, "d", "x")
    assert (refused.value.values["path"], refused.value.values["owner"]) == ("d/e/2", "mia")


def test_no_path_grows_beyond_what_can_be_signed(services: ServiceFixture) -> None:
    deep = "/".join("d" * 200 for _ in range(4))
    make(services, deep)
    room = PATH_BYTES - len(deep) - 1
    services.put(MAX, f"x/{'f' * (room - 2)}")
    assert mv(services, "x", f"{deep}/y").path == f"{deep}/y"
    mv(services, f"{deep}/y", "x")
    with pytest.raises(NameNotAllowedError) as refused:
        mv(services, "x", f"{deep}/yy")
    assert "1,025 bytes" in str(refused.value.values["problem"])
    make(services, "e/" + "f" * (room - 2))
    with pytest.raises(NameNotAllowedError):
        mv(services, "e", f"{deep}/yy")
    assert mv(services, "e", f"{deep}/y").path == f"{deep}/y"


def test_a_file_moves_as_it_was_seen(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    services.put(MAX, "b", b"2")
    seen, other = services.seen("a"), services.seen("b")
    services.replace(MAX, "a", b"3", services.ask(show_file, MAX, path="a"))
    for wrong in (seen, other):
        with pytest.raises(ChangedSinceError) as refusal:
            services.act(move, MoveInput(MAX.caller, "a", "c", wrong))
        assert refusal.value.values["version"] == 2
    assert tree(services) == ["a", "b"]
    services.act(move, MoveInput(MAX.caller, "a", "c", services.seen("a")))
    assert tree(services) == ["b", "c"]


def test_a_file_is_no_folder_for_who_moves_it_and_a_folder_no_file(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    seen = services.seen("d/a")
    for item, missing in (
        (MoveInput(MAX.caller, "d/a", "b"), "folder d/a"),
        (MoveInput(MAX.caller, "d", "e", seen), "file d"),
        (MoveInput(MAX.caller, "gone", "e"), "file gone"),
        (MoveInput(MAX.caller, "gone", "e", seen), "file gone"),
    ):
        said = statement_of(MAX.key, SERVER_ID, MAX.id, item.asked)
        (outcome,) = services.act_each(move, replace(item, statement=said), sign=False)
        assert isinstance(outcome, NotFoundError)
        assert "{what} {name}".format_map(outcome.values) == missing
    assert tree(services) == ["d/", "d/a"]


def test_what_moves_and_comes_back_within_one_group_is_judged_in_order(services: ServiceFixture) -> None:
    services.put(MAX, "a", os.urandom(10))
    outcomes = services.act_each(
        move,
        MoveInput(MAX.caller, "a", "b"),
        MoveInput(MAX.caller, "a", "c"),
        MoveInput(MAX.caller, "b", "a", services.seen("a")),
        MoveInput(GUS.caller, "a", "d"),
    )
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert kinds == ["File", "NotFoundError", "File", "RoleForbidsError"]
    assert tree(services) == ["a"]


def test_a_name_is_free_after_a_move(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    mv(services, "a", "b")
    services.put(MIA, "a", b"2", file_id=bytes(16))
    assert services.ask(show_file, GUS, path="a").version.digest == digest_of(b"2")
