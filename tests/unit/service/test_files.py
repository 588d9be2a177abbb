import msgspec
import pytest

from sft.errors import BadRequestError, NotFoundError, RecordForgedError, RoleForbidsError
from sft.limits import LIST_BYTES, TRASH_SECONDS
from sft.model.names import fold
from sft.model.records import File, Page
from sft.service.files import find_files, list_folder, list_trash, show_file
from sft.service.folders import MakeFolderInput, make_folder
from sft.service.trash import Deletion, delete
from tests.unit.service.office import ADA, GUS, MAX, MIA, NOW, OPERATOR, Office, Person


def put_many(office: Office, *paths: str, who: Person = MAX) -> None:
    from sft.service.commits import commit

    items = [office.pend(who, path, path.encode()) for path in paths]
    for start in range(0, len(items), 64):
        office.act_each(commit, *items[start : start + 64])


def names(page: Page) -> list[str]:
    return [entry.path for entry in (*page.folders, *page.files)]


def pages(office: Office, path: str, limit: int, **fields: bool) -> list[Page]:
    found, cursor = [], ""
    while True:
        page = office.ask(list_folder, GUS, path=path, cursor=cursor, limit=limit, **fields)
        found.append(page)
        cursor = page.next
        if not cursor:
            return found


# -- folders ------------------------------------------------------------------------------------------


def test_an_empty_server_has_an_empty_root(office: Office) -> None:
    assert office.ask(list_folder, GUS, path="") == Page((), ())


def test_folders_come_first_each_in_folded_order(office: Office) -> None:
    put_many(office, "b", "A", "c/x", "c/y", "c/z/x", "B2", "Äpfel", "a2", "C2/x")
    page = office.ask(list_folder, GUS, path="")
    assert names(page) == ["c", "C2", "A", "a2", "b", "B2", "Äpfel"]
    assert [(f.path, f.files, f.folders) for f in page.folders] == [("c", 2, 1), ("C2", 1, 0)]
    assert page.next == ""


def test_a_listing_names_what_is_directly_there(office: Office) -> None:
    put_many(office, "d/a", "d/e/b", "d/e/f/c")
    assert names(office.ask(list_folder, GUS, path="d")) == ["d/e", "d/a"]
    assert names(office.ask(list_folder, GUS, path="d/e/f")) == ["d/e/f/c"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 7, 500])
def test_pages_join_without_gap_or_repetition(office: Office, limit: int) -> None:
    put_many(office, "x/a", "y/a", "Z/a", "c", "B", "a")
    found = pages(office, "", limit)
    joined = [name for page in found for name in names(page)]
    assert joined == ["x", "y", "Z", "a", "B", "c"]
    assert all(len(names(page)) <= limit for page in found)
    assert len(found) == -(-6 // limit)


def test_a_page_survives_what_changes_between_pages(office: Office) -> None:
    put_many(office, *(f"{n}" for n in range(6)))
    first = office.ask(list_folder, GUS, path="", limit=3)
    assert names(first) == ["0", "1", "2"]
    for path in ("1", "2", "3"):
        office.act(delete, Deletion(MAX.caller, path))
    put_many(office, "0a", "3a")
    second = office.ask(list_folder, GUS, path="", cursor=first.next, limit=3)
    assert names(second) == ["3a", "4", "5"]


def test_a_page_fits_into_a_frame(office: Office) -> None:
    long = "n" * 200
    put_many(office, *(f"{long}{n:03}" for n in range(300)))
    found = pages(office, "", 500)
    assert len(found) > 1
    assert sum(len(page.files) for page in found) == 300
    for page in found:
        size = len(msgspec.msgpack.encode(page))
        assert size <= LIST_BYTES + 300
    assert all(len(msgspec.msgpack.encode(p)) > 0.9 * LIST_BYTES for p in found[:-1])


def test_folders_alone_may_fill_a_page(office: Office) -> None:
    put_many(office, *(f"d{n}/x" for n in range(4)), "a")
    found = pages(office, "", 4)
    assert [len(names(page)) for page in found] == [4, 1]


def test_signatures_come_when_asked_for_and_make_pages_shorter(office: Office) -> None:
    put_many(office, *(f"f{n:03}" for n in range(120)))
    (plain,) = pages(office, "", 500)
    signed = pages(office, "", 500, signatures=True)
    assert not any(file.version.signature for file in plain.files)
    assert all(file.version.signature for page in signed for file in page.files)
    assert len(signed) > 1
    assert [f.path for page in signed for f in page.files] == [f.path for f in plain.files]


def test_the_most_entries_are_500(office: Office) -> None:
    office.act_each(make_folder, *(MakeFolderInput(MAX.caller, f"{n:03}") for n in range(505)))
    page = office.ask(list_folder, GUS, path="", limit=9999)
    assert (len(page.folders), page.next) == (500, "d499")


@pytest.mark.parametrize("cursor", ["x", "xname", "d", "f", "\x00"])
def test_a_cursor_that_no_page_had_is_refused(office: Office, cursor: str) -> None:
    with pytest.raises(BadRequestError):
        office.ask(list_folder, GUS, path="", cursor=cursor)


def test_a_cursor_holds_any_name(office: Office) -> None:
    wide = "\ufdfa" * 85  # folds to eleven times as many bytes
    put_many(office, wide, "\U0001f600")
    assert len(fold(wide).encode()) > 1024
    assert len(pages(office, "", 1)) == 2


@pytest.mark.parametrize("path", ["none", "a", "D", "d/none"])
def test_a_folder_that_is_not_there_is_not_listed(office: Office, path: str) -> None:
    put_many(office, "a", "d/a")
    with pytest.raises(NotFoundError) as refused:
        office.ask(list_folder, GUS, path=path)
    assert refused.value.values["what"] == "folder"


def test_a_forged_row_is_never_listed(office: Office) -> None:
    put_many(office, "d/a", "d/b")
    office.tamper("UPDATE files SET owner_id = 4 WHERE id = 1")
    with pytest.raises(Exception, match="STORE") as forged:
        office.ask(list_folder, GUS, path="d")
    assert forged.value.table == "files"


# -- one file -----------------------------------------------------------------------------------------


def test_a_file_is_shown_with_its_signature(office: Office) -> None:
    pending = office.pend(MAX, "d/a", b"content")
    office.commit(pending)
    shown = office.ask(show_file, GUS, path="d/a")
    assert shown.version.signature == pending.signed.signature
    assert (shown.path, shown.owner, shown.trashed_at) == ("d/a", "max", None)
    assert office.ask(show_file, OPERATOR, path="d/a") == shown


def test_any_version_is_shown(office: Office) -> None:
    office.put(MAX, "a", b"1")
    office.replace(MAX, "a", b"22", office.ask(show_file, MAX, path="a"))
    sizes = [office.ask(show_file, GUS, path="a", version=n).version.size for n in (0, 1, 2)]
    assert sizes == [2, 1, 2]
    with pytest.raises(NotFoundError) as refused:
        office.ask(show_file, GUS, path="a", version=3)
    assert refused.value.values == {"what": "version", "name": "3 of a"}


def test_a_forged_file_is_refused_by_name(office: Office) -> None:
    office.put(MAX, "d/a")
    office.tamper("UPDATE versions SET size = 3")
    with pytest.raises(RecordForgedError) as refused:
        office.ask(show_file, GUS, path="d/a")
    assert refused.value.values == {"what": "d/a"}


# -- the trash ----------------------------------------------------------------------------------------


def trashed(office: Office, who: Person | None = None, **fields: object) -> list[File]:
    return list(office.ask(list_trash, who or OPERATOR, **fields).files)


def test_the_trash_shows_the_last_deleted_first(office: Office) -> None:
    put_many(office, "d/a", "d/b", "d/c")
    for path in ("d/b", "d/c", "d/a"):
        office.now += 1
        office.act(delete, Deletion(MAX.caller, path))
    found = trashed(office)
    assert [file.path for file in found] == ["d/a", "d/c", "d/b"]
    assert found[0].trashed_at == NOW + 3
    assert found[0].trash_ends_at == NOW + 3 + TRASH_SECONDS


def test_everyone_sees_what_they_may_bring_back(office: Office) -> None:
    put_many(office, "a")
    put_many(office, "b", who=MIA)
    for path in ("a", "b"):
        office.act(delete, Deletion(ADA.caller, path))
    assert [file.path for file in trashed(office, MAX)] == ["a"]
    assert [file.path for file in trashed(office, MIA)] == ["b"]
    assert len(trashed(office, ADA)) == len(trashed(office)) == 2
    with pytest.raises(RoleForbidsError):
        trashed(office, GUS)


def test_the_trash_comes_in_pages(office: Office) -> None:
    put_many(office, *(f"{n}" for n in range(7)))
    for n in range(7):
        office.now += n % 2
        office.act(delete, Deletion(MAX.caller, f"{n}"))
    found, cursor = [], ""
    while True:
        page = office.ask(list_trash, MAX, cursor=cursor, limit=2)
        found += [file.path for file in page.files]
        cursor = page.next
        if not cursor:
            break
    assert found == ["6", "5", "4", "3", "2", "1", "0"]


@pytest.mark.parametrize("cursor", ["x", "1", "1.", ".1", "-.1", "1.x", "1." + "9" * 30, "²5.1"])
def test_a_trash_cursor_that_no_page_had_is_refused(office: Office, cursor: str) -> None:
    with pytest.raises(BadRequestError):
        office.ask(list_trash, MAX, cursor=cursor)


# -- all files ----------------------------------------------------------------------------------------


def test_all_files_come_in_order_of_creation(office: Office) -> None:
    paths = [f"d{n % 3}/{'x' * 180}{n:03}" for n in range(200)]
    put_many(office, *paths)
    office.act(delete, Deletion(MAX.caller, paths[5]))
    found, after, count = [], 0, 0
    while True:
        page = office.ask(find_files, OPERATOR, after=after)
        found += [file.path for file in page.files]
        count += 1
        after = page.next
        if not after:
            break
    assert found == paths[:5] + paths[6:]
    assert count > 1
