import pytest

from sft.errors import BadRequestError, FolderInTheWayError, NameClashError, NameNotAllowedError, NotFoundError
from sft.service.path_lookup import PathLookup, ResolvedPath, folded_path, nothing_at, require_path
from tests.unit.service.service_fixture import MAX, ServiceFixture
from tests.unit.service.test_files import put_many
from tests.unit.store.asked import asked_of


def at(services: ServiceFixture, path: str) -> ResolvedPath:
    with services.readers.reading() as reading:
        return PathLookup(reading).one(path)


@pytest.fixture
def full(services: ServiceFixture) -> ServiceFixture:
    put_many(services, "a/b/file", "a/x", "top")
    return services


@pytest.mark.parametrize(
    ("path", "folder", "missing", "file", "below"),
    [
        ("top", "", (), "top", None),
        ("TOP", "", (), "top", None),
        ("a", "", (), None, "a"),
        ("a/x", "a", (), "x", None),
        ("a/b/file", "b", (), "file", None),
        ("a/b/none", "b", (), None, None),
        ("a/c/none", "a", ("c",), None, None),
        ("c/d/none", "", ("c", "d"), None, None),
        ("A/x", "", ("A",), None, "a"),
        ("top/x/y", "", ("top", "x"), "top", None),
        ("a/B/file", "a", ("B",), None, "b"),
    ],
)
def test_a_place_tells_what_takes_its_name(
    full: ServiceFixture, path: str, folder: str, missing: tuple[str, ...], file: str | None, below: str | None
) -> None:
    place = at(full, path)
    taken_by_file = place.taken_by_file and place.taken_by_file.name
    taken_by_folder = place.taken_by_folder and place.taken_by_folder.name
    assert (place.folder.name, place.missing) == (folder, missing)
    assert (taken_by_file, taken_by_folder) == (file, below)


@pytest.mark.parametrize(
    ("path", "file", "folder"),
    [
        ("top", True, False),
        ("TOP", False, False),
        ("a", False, True),
        ("A", False, False),
        ("top/x", False, False),
        ("A/x", False, False),
    ],
)
def test_only_the_very_spelling_is_at_a_place(full: ServiceFixture, path: str, file: bool, folder: bool) -> None:
    place = at(full, path)
    assert (place.file is not None, place.subfolder is not None) == (file, folder)


@pytest.mark.parametrize(
    ("path", "error", "values"),
    [
        ("top", FolderInTheWayError, {"path": "top", "what": "file"}),
        ("TOP", NameClashError, {"name": "TOP", "existing": "top"}),
        ("a", FolderInTheWayError, {"path": "a", "what": "folder"}),
        ("a/b", FolderInTheWayError, {"path": "a/b", "what": "folder"}),
        ("a/B", NameClashError, {"name": "a/B", "existing": "b"}),
        ("a/B/c/d", NameClashError, {"name": "a/B", "existing": "b"}),
        ("a/x/c/d", FolderInTheWayError, {"path": "a/x", "what": "file"}),
        ("TOP/x", NameClashError, {"name": "TOP", "existing": "top"}),
    ],
)
def test_a_taken_name_is_told_apart(
    full: ServiceFixture, path: str, error: type[Exception], values: dict[str, str]
) -> None:
    with pytest.raises(error) as refused:
        at(full, path).require_free()
    assert refused.value.values == values


def test_a_free_name_is_free(full: ServiceFixture) -> None:
    for path in ("new", "a/new", "a/b/new", "new/new/new", "a/new/new"):
        at(full, path).require_free()


def test_folders_are_found_by_path(full: ServiceFixture) -> None:
    with full.readers.reading() as reading:
        places = PathLookup(reading)
        assert places.folder("").id == 1
        assert places.folder("a/b").name == "b"
        for path in ("a/c", "A", "top", "a/b/file"):
            with pytest.raises(NotFoundError):
                places.folder(path)


def test_many_paths_take_a_query_a_level(services: ServiceFixture) -> None:
    paths = [f"d{n % 7}/e{n % 5}/f{n}" for n in range(64)]
    put_many(services, *paths, who=MAX)
    with asked_of(services.database.read_connections) as seen, services.readers.reading() as reading:
        places = PathLookup(reading)
        seen.clear()
        places.load(paths)
        assert len(seen) == 4
        assert all(places.at(path).file for path in paths)


def test_a_path_that_was_not_loaded_is_a_fault_of_ours(services: ServiceFixture) -> None:
    with services.readers.reading() as reading, pytest.raises(KeyError):
        PathLookup(reading).at("never")


@pytest.mark.parametrize("path", ["a", "a/b", "ä/日本", "a b/c.d"])
def test_a_path_in_its_one_spelling_will_do(path: str) -> None:
    require_path(path)


@pytest.mark.parametrize("path", ["/a", "a/", "e\u0301"])
def test_another_spelling_will_not(path: str) -> None:
    with pytest.raises(BadRequestError):
        require_path(path)


@pytest.mark.parametrize("path", ["", "a//b", "..", "a/../b", "a\n", "CON", "a."])
def test_a_bad_name_will_not(path: str) -> None:
    with pytest.raises(NameNotAllowedError):
        require_path(path)


def test_the_root_will_do_where_it_may() -> None:
    require_path("", may_be_root=True)


def test_every_component_is_folded() -> None:
    assert folded_path("A/Straße/ÉE") == "a/strasse/ée"


def test_what_is_missing_is_named() -> None:
    assert nothing_at("a/b/c").values == {"what": "file", "name": "a/b/c"}
