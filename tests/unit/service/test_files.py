import msgspec
import pytest
from msgspec.structs import replace

from sft.errors import BadRequestError, NotFoundError, NoVersionError, RecordForgedError, RoleForbidsError
from sft.limits import LIST_BYTES
from sft.model.names import fold
from sft.model.records import File, Page
from sft.service.files import PAGE_FILES, PAGE_SIGNED_FILES, find_files, list_folder, list_trash, no_version, show_file
from sft.service.folders import MakeFolderInput, make_folder
from sft.service.trash import Deletion, delete
from sft.store.row_types import FileRow
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, NOW, OPERATOR, TRASH_SECONDS, Person, ServiceFixture
from tests.unit.store.asked import asked_of


def put_many(services: ServiceFixture, *paths: str, who: Person = MAX) -> None:
    from sft.service.commits import commit

    items = [services.pend(who, path, path.encode()) for path in paths]
    for start in range(0, len(items), 64):
        services.act_each(commit, *items[start : start + 64])


def names(page: Page) -> list[str]:
    return [entry.path for entry in (*page.folders, *page.files)]


def pages(services: ServiceFixture, path: str, limit: int, **fields: bool) -> list[Page]:
    found, cursor = [], ""
    while True:
        page = services.ask(list_folder, GUS, path=path, cursor=cursor, limit=limit, **fields)
        found.append(page)
        cursor = page.next
        if not cursor:
            return found


# -- folders ------------------------------------------------------------------------------------------


def test_an_empty_server_has_an_empty_root(services: ServiceFixture) -> None:
    assert services.ask(list_folder, GUS, path="") == Page((), ())


def test_folders_come_first_each_in_folded_order(services: ServiceFixture) -> None:
    put_many(services, "b", "A", "c/x", "c/y", "c/z/x", "B2", "Äpfel", "a2", "C2/x")
    page = services.ask(list_folder, GUS, path="")
    assert names(page) == ["c", "C2", "A", "a2", "b", "B2", "Äpfel"]
    assert [(f.path, f.files, f.folders) for f in page.folders] == [("c", 2, 1), ("C2", 1, 0)]
    assert page.next == ""


def test_a_listing_names_what_is_directly_there(services: ServiceFixture) -> None:
    put_many(services, "d/a", "d/e/b", "d/e/f/c")
    assert names(services.ask(list_folder, GUS, path="d")) == ["d/e", "d/a"]
    assert names(services.ask(list_folder, GUS, path="d/e/f")) == ["d/e/f/c"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 7, 500])
def test_pages_join_without_gap_or_repetition(services: ServiceFixture, limit: int) -> None:
    put_many(services, "x/a", "y/a", "Z/a", "c", "B", "a")
    found = pages(services, "", limit)
    joined = [name for page in found for name in names(page)]
    assert joined == ["x", "y", "Z", "a", "B", "c"]
    assert all(len(names(page)) <= limit for page in found)
    assert len(found) == -(-6 // limit)


def test_a_page_survives_what_changes_between_pages(services: ServiceFixture) -> None:
    put_many(services, *(f"{n}" for n in range(6)))
    first = services.ask(list_folder, GUS, path="", limit=3)
    assert names(first) == ["0", "1", "2"]
    for path in ("1", "2", "3"):
        services.act(delete, Deletion(MAX.caller, path))
    put_many(services, "0a", "3a")
    second = services.ask(list_folder, GUS, path="", cursor=first.next, limit=3)
    assert names(second) == ["3a", "4", "5"]


def test_a_page_fits_into_a_frame(services: ServiceFixture) -> None:
    long = "n" * 200
    put_many(services, *(f"{long}{n:03}" for n in range(300)))
    found = pages(services, "", 500)
    assert len(found) > 1
    assert sum(len(page.files) for page in found) == 300
    for page in found:
        size = len(msgspec.msgpack.encode(page))
        assert size <= LIST_BYTES + 300
    assert all(len(msgspec.msgpack.encode(p)) > 0.9 * LIST_BYTES for p in found[:-1])


def test_folders_alone_may_fill_a_page(services: ServiceFixture) -> None:
    put_many(services, *(f"d{n}/x" for n in range(4)), "a")
    found = pages(services, "", 4)
    assert [len(names(page)) for page in found] == [4, 1]


def test_signatures_come_when_asked_for_and_make_pages_shorter(services: ServiceFixture) -> None:
    put_many(services, *(f"f{n:03}" for n in range(120)))
    (plain,) = pages(services, "", 500)
    signed = pages(services, "", 500, signatures=True)
    assert not any(file.version.signature for file in plain.files)
    assert all(file.version.signature for page in signed for file in page.files)
    assert len(signed) > 1
    assert [f.path for page in signed for f in page.files] == [f.path for f in plain.files]


@pytest.mark.parametrize(
    ("signatures", "most"), [(False, PAGE_FILES), (True, PAGE_SIGNED_FILES)], ids=["bare", "signed"]
)
def test_no_more_is_loaded_than_a_page_may_hold(services: ServiceFixture, *, signatures: bool, most: int) -> None:
    put_many(services, *(f"f{number:03}" for number in range(most + 10)))
    with asked_of(services.database.read_connections) as asked:
        page = services.ask(list_folder, GUS, path="", signatures=signatures)
    assert [most + 1 in each.values for each in asked if "JOIN versions" in each.text] == [True]
    assert 0.8 * most < len(page.files) <= most
    rest = services.ask(list_folder, GUS, path="", cursor=page.next, signatures=signatures)
    assert rest.files[0].path == f"f{len(page.files):03}"


@pytest.mark.long
def test_the_most_entries_are_500(services: ServiceFixture) -> None:
    services.act_each(make_folder, *(MakeFolderInput(MAX.caller, f"{n:03}") for n in range(505)))
    page = services.ask(list_folder, GUS, path="", limit=9999)
    assert (len(page.folders), page.next) == (500, "d499")


def test_a_page_of_the_trash_asks_for_all_its_folders_at_once(services: ServiceFixture) -> None:
    counts = []
    for name in ("a", "b", "c"):
        services.act(make_folder, MakeFolderInput(MAX.caller, name))
        services.act(delete, Deletion(MAX.caller, name))
        with asked_of(services.database.read_connections) as asked:
            page = services.ask(list_trash, MAX)
        counts.append((len(page.folders), len(asked)))
    assert [folders for folders, _ in counts] == [1, 2, 3]
    assert len({asked for _, asked in counts}) == 1


def test_a_page_of_the_trash_asks_for_all_its_people_at_once(services: ServiceFixture) -> None:
    for who in (ADA, MAX, MIA):
        put_many(services, who.caller.name, who=who)
        services.act(delete, Deletion(who.caller, who.caller.name))
    with asked_of(services.database.read_connections) as asked:
        page = services.ask(list_trash, ADA)
    assert len(page.files) == 3
    assert [sum(f"FROM {table}" in each.text for each in asked) for table in ("users", "device_keys")] == [2, 2]


@pytest.mark.parametrize("cursor", ["x", "xname", "d", "f", "\x00"])
def test_a_cursor_that_no_page_had_is_refused(services: ServiceFixture, cursor: str) -> None:
    with pytest.raises(BadRequestError):
        services.ask(list_folder, GUS, path="", cursor=cursor)


def test_a_cursor_holds_any_name(services: ServiceFixture) -> None:
    wide = "\ufdfa" * 85  # folds to eleven times as many bytes
    put_many(services, wide, "\U0001f600")
    assert len(fold(wide).encode()) > 1024
    assert len(pages(services, "", 1)) == 2


@pytest.mark.parametrize("path", ["none", "a", "D", "d/none"])
def test_a_folder_that_is_not_there_is_not_listed(services: ServiceFixture, path: str) -> None:
    put_many(services, "a", "d/a")
    with pytest.raises(NotFoundError) as refused:
        services.ask(list_folder, GUS, path=path)
    assert refused.value.values["what"] == "folder"


def test_a_forged_row_is_never_listed(services: ServiceFixture) -> None:
    put_many(services, "d/a", "d/b")
    services.tamper("UPDATE files SET owner_id = 4 WHERE id = 1")
    with pytest.raises(Exception, match="STORE") as forged:
        services.ask(list_folder, GUS, path="d")
    assert forged.value.table == "files"


# -- one file -----------------------------------------------------------------------------------------


def test_a_file_is_shown_with_its_signature(services: ServiceFixture) -> None:
    pending = services.pend(MAX, "d/a", b"content")
    services.commit(pending)
    shown = services.ask(show_file, GUS, path="d/a")
    assert shown.version.signature == pending.signed.signature
    assert (shown.path, shown.owner, shown.trashed_at) == ("d/a", "max", None)
    assert services.ask(show_file, OPERATOR, path="d/a") == shown


def test_any_version_is_shown(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    services.replace(MAX, "a", b"22", services.ask(show_file, MAX, path="a"))
    sizes = [services.ask(show_file, GUS, path="a", version=n).version.size for n in (0, 1, 2)]
    assert sizes == [2, 1, 2]
    with pytest.raises(NoVersionError) as refused:
        services.ask(show_file, GUS, path="a", version=3)
    assert refused.value.values == {"path": "a", "version": 3, "versions": "1 to 2"}
    services.put(MAX, "b", b"1")
    with pytest.raises(NoVersionError) as refused:
        services.ask(show_file, GUS, path="b", version=2)
    assert refused.value.values["versions"] == "version 1 alone"


def test_of_a_version_that_is_lost_no_row_of_numbers_is_said(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    with services.reading() as reading:
        (row,) = reading.rows.all(rows_of(FileRow))
    file = replace(row, newest=3)
    assert no_version("a", 2, file).values["versions"] == "others, up to 3"


def test_a_forged_file_is_refused_by_name(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    services.tamper("UPDATE versions SET size = 3")
    with pytest.raises(RecordForgedError) as refused:
        services.ask(show_file, GUS, path="d/a")
    assert refused.value.values == {"what": "d/a"}


# -- the trash ----------------------------------------------------------------------------------------


def trashed(services: ServiceFixture, who: Person | None = None, **fields: object) -> list[File]:
    return list(services.ask(list_trash, who or OPERATOR, **fields).files)


def test_the_trash_shows_the_last_deleted_first(services: ServiceFixture) -> None:
    put_many(services, "d/a", "d/b", "d/c")
    for path in ("d/b", "d/c", "d/a"):
        services.now += 1
        services.act(delete, Deletion(MAX.caller, path))
    found = trashed(services)
    assert [file.path for file in found] == ["d/a", "d/c", "d/b"]
    assert found[0].trashed_at == NOW + 3
    assert found[0].trash_ends_at == NOW + 3 + TRASH_SECONDS


def test_everyone_sees_what_they_may_bring_back(services: ServiceFixture) -> None:
    put_many(services, "a")
    put_many(services, "b", who=MIA)
    for path in ("a", "b"):
        services.act(delete, Deletion(ADA.caller, path))
    assert [file.path for file in trashed(services, MAX)] == ["a"]
    assert [file.path for file in trashed(services, MIA)] == ["b"]
    assert len(trashed(services, ADA)) == len(trashed(services)) == 2
    with pytest.raises(RoleForbidsError):
        trashed(services, GUS)


def test_the_trash_comes_in_pages(services: ServiceFixture) -> None:
    put_many(services, *(f"{n}" for n in range(7)))
    for n in range(7):
        services.now += n % 2
        services.act(delete, Deletion(MAX.caller, f"{n}"))
    found, cursor = [], ""
    while True:
        page = services.ask(list_trash, MAX, cursor=cursor, limit=2)
        found += [file.path for file in page.files]
        cursor = page.next
        if not cursor:
            break
    assert found == ["6", "5", "4", "3", "2", "1", "0"]


@pytest.mark.parametrize("cursor", ["x", "1", "1.", ".1", "-.1", "1.x", "1." + "9" * 30, "²5.1"])
def test_a_trash_cursor_that_no_page_had_is_refused(services: ServiceFixture, cursor: str) -> None:
    with pytest.raises(BadRequestError):
        services.ask(list_trash, MAX, cursor=cursor)


# -- all files ----------------------------------------------------------------------------------------


def test_all_files_come_in_order_of_creation(services: ServiceFixture) -> None:
    paths = [f"d{n % 3}/{'x' * 180}{n:03}" for n in range(200)]
    put_many(services, *paths)
    services.act(delete, Deletion(MAX.caller, paths[5]))
    found, after, count = [], 0, 0
    while True:
        page = services.ask(find_files, OPERATOR, after=after)
        found += [file.path for file in page.files]
        count += 1
        after = page.next
        if not after:
            break
    assert found == paths[:5] + paths[6:]
    assert count > 1
