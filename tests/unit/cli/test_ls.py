from __future__ import annotations

import json

import msgspec
import pytest

from sft.errors import NotFoundError
from sft.model.records import Folder, Page, TrashedFolder, TrashPage
from sft.wire.messages import FileShown, FolderPage, ListFolder, ListTrash, ShowFile, TrashListed
from tests.unit.cli.cli_fixture import KEY, OTHER_KEY, pin_of_ada, signed_file

Q1 = Folder("finance/2026/Q1", files=14, folders=0, created_at=0)
BUDGET = signed_file(
    "finance/2026/budget.xlsx", b"x", size=4_299_162, number=3, author="max", author_id=2,
    key=OTHER_KEY, dated_at=1_777_816_920,
)  # fmt: skip
CONTRACT = signed_file(size=911_360, dated_at=1_777_398_000)


@pytest.fixture
def listed(cli):
    """The folder finance/2026, with one folder and two files."""
    pages = {
        "": Page((Folder("finance", 0, 1, 0),), ()),
        "finance": Page((Folder("finance/2026", 2, 1, 0),), ()),
        "finance/2026": Page((Q1,), (BUDGET, CONTRACT)),
        "finance/2026/Q1": Page((), ()),
    }

    def answer(request: ListFolder) -> FolderPage:
        if request.path not in pages:
            raise NotFoundError(what="folder", name=request.path)
        return FolderPage(request.id, pages[request.path])

    cli.answers[ListFolder] = answer
    cli.people = {1: pin_of_ada()}
    return cli


def test_a_long_list_on_a_terminal(listed):
    listed.people[2] = type(pin_of_ada())(2, "max", {OTHER_KEY.public.encode(): 0})
    ran = listed.run("ls", "-l", "finance/2026", terminal=True)
    assert ran.lines == [
        "    Q1/             14 files",
        "·   budget.xlsx     4.1 MiB   v3  max  3 May 14:02",
        "·   contract.pdf    890 KiB   v1  ada  28 Apr 17:40",
    ]


def test_what_was_moved_is_listed_with_its_signed_name(listed):
    moved = signed_file("finance/2026/new.pdf", signed_name="finance/old.pdf")
    listed.answers[ListFolder] = lambda request: FolderPage(request.id, Page((), (CONTRACT, moved)))
    first, second = listed.run("ls", "-l", "finance/2026", terminal=True).lines
    assert "signed as" not in first
    assert second.endswith("  signed as finance/old.pdf")
    first, second = listed.run("ls", "-l", "finance/2026").lines
    assert first.endswith("\tfinance/2026/contract.pdf")
    assert second.endswith("\tfinance/2026/new.pdf\tfinance/old.pdf")
    documents = json.loads(listed.run("ls", "finance/2026", "--json").out)
    assert [each["signed_as"] for each in documents] == ["finance/2026/contract.pdf", "finance/old.pdf"]


def test_whose_key_is_seen_for_the_first_time_is_said_with_its_words_where_a_person_reads(listed):
    listed.first_seen = [pin_of_ada()]
    (line,) = listed.run("ls", "finance/2026", terminal=True).err.splitlines()
    words = KEY.public.words()
    assert line == f"First seen now: ada's key, {words}. Compare its words by phone or in person."
    listed.first_seen *= 4
    (line,) = listed.run("ls", "finance/2026", terminal=True).err.splitlines()
    assert line.startswith("First seen now: the keys of 4 people. sft users shows their words")
    assert listed.run("ls", "finance/2026").err == ""


def test_a_signature_by_an_unknown_key_is_marked(listed):
    ran = listed.run("ls", "-l", "finance/2026", terminal=True)
    assert [line[0] for line in ran.lines] == [" ", "?", "·"]


def test_a_long_list_in_a_pipe_has_tabs_and_neither_head_nor_marks(listed):
    ran = listed.run("ls", "-l", "finance/2026")
    assert ran.lines == [
        "folder\t\t\t\t\tfinance/2026/Q1/",
        "unknown\t4299162\t3\tmax\t2026-05-03T14:02:00Z\tfinance/2026/budget.xlsx",
        "signed\t911360\t1\tada\t2026-04-28T17:40:00Z\tfinance/2026/contract.pdf",
    ]


def test_names_on_a_terminal_and_paths_in_a_pipe(listed):
    assert listed.run("ls", "finance/2026", terminal=True).lines == ["Q1/", "budget.xlsx", "contract.pdf"]
    assert listed.run("ls", "/finance/2026/").lines == [
        "finance/2026/Q1/",
        "finance/2026/budget.xlsx",
        "finance/2026/contract.pdf",
    ]


def test_json_is_an_array_of_files(listed):
    files = json.loads(listed.run("ls", "finance/2026", "--json").out)
    assert files[1] == {
        "id": CONTRACT.id.hex(),
        "path": "finance/2026/contract.pdf",
        "size": 911_360,
        "version": 1,
        "author": "ada",
        "signed_as": "finance/2026/contract.pdf",
        "owner": "ada",
        "created_at": "2026-05-02T09:11:00Z",
        "dated_at": "2026-04-28T17:40:00Z",
        "digest": f"blake2b512:{CONTRACT.version.digest.hex()}",
        "signature": "signed",
        "deleted_at": None,
        "restorable_until": None,
        "expires_at": None,
    }
    assert [file["signature"] for file in files] == ["unknown", "signed"]


def test_two_stars_list_all_folders(listed):
    ran = listed.run("ls", "**")
    assert ran.lines == [
        "finance/",
        "finance/2026/",
        "finance/2026/Q1/",
        "finance/2026/budget.xlsx",
        "finance/2026/contract.pdf",
    ]
    files = json.loads(listed.run("ls", "**", "--json").out)
    assert [file["path"] for file in files] == [BUDGET.path, CONTRACT.path]


def test_a_pattern(listed):
    assert listed.run("ls", "finance/2026/*.pdf", terminal=True).lines == [CONTRACT.path]


def test_a_file_lists_itself(listed):
    listed.answers[ShowFile] = lambda request: FileShown(request.id, CONTRACT)
    assert listed.run("ls", CONTRACT.path).lines == [CONTRACT.path]


def test_what_is_neither_is_told_as_the_missing_folder(listed):
    def missing(request: ShowFile) -> FileShown:
        raise NotFoundError(what="file", name=request.path)

    listed.answers[ShowFile] = missing
    ran = listed.run("ls", "nowhere")
    assert ran.status == 3
    assert "There is no folder nowhere [NOT_FOUND]" in ran.err


def test_a_changed_description_is_marked_bad(listed):
    broken = CONTRACT.version.signature.replace(b"mtime:1", b"mtime:2")
    changed = msgspec.structs.replace(CONTRACT, version=msgspec.structs.replace(CONTRACT.version, signature=broken))
    listed.answers[ListFolder] = lambda request: FolderPage(request.id, Page((), (changed,)))
    ran = listed.run("ls", "finance/2026", "--json")
    assert json.loads(ran.out)[0]["signature"] == "bad"


def test_names_of_peers_are_shown_harmlessly(listed):
    evil = signed_file("evil\u202egpj.exe")
    listed.answers[ListFolder] = lambda request: FolderPage(request.id, Page((), (evil,)))
    for arguments in (("ls",), ("ls", "-l")):
        for terminal in (True, False):
            ran = listed.run(*arguments, terminal=terminal)
            assert "\u202e" not in ran.out
            assert "\\u{202e}" in ran.out


def test_the_trash(listed):
    gone = signed_file(trashed_at=1_777_716_660, trash_ends_at=1_780_308_660, trashed_by="ivo")
    folder = TrashedFolder(7, "photos", 1200, 31, 1_777_716_670, "max", 1_780_308_670)
    listed.answers[ListTrash] = lambda request: TrashListed(request.id, TrashPage((folder,), (gone,)))
    lines = listed.run("ls", "--trash").lines
    assert lines[0] == "folder\t\t\t\t\tphotos/"
    assert lines[1].endswith("\tfinance/2026/contract.pdf")
    on_terminal = listed.run("ls", "--trash", terminal=True)
    assert on_terminal.lines == [
        "photos/                      1,200 files           deleted by max  2 May 10:11  until 1 June 10:11",
        "finance/2026/contract.pdf    12 B         v1  ada  deleted by ivo  2 May 10:11  until 1 June 10:11",
    ]
    assert listed.run("ls", "-l", "--trash").lines[1].startswith("not looked at\t")
    of_folder, of_file = json.loads(listed.run("ls", "--trash", "--json").out)
    assert of_folder == {
        "path": "photos",
        "kind": "folder",
        "files": 1200,
        "folders": 31,
        "deleted_at": "2026-05-02T10:11:10Z",
        "deleted_by": "max",
        "restorable_until": "2026-06-01T10:11:10Z",
        "file": None,
    }
    assert (of_file["kind"], of_file["files"], of_file["deleted_by"]) == ("file", 1, "ivo")
    for document in (of_file, of_file["file"]):
        assert document["deleted_at"] == "2026-05-02T10:11:00Z"
        assert document["restorable_until"] == "2026-06-01T10:11:00Z"
    assert of_file["file"]["signature"] == "not looked at"


def test_an_empty_folder_is_an_empty_list(listed):
    assert not listed.run("ls", "finance/2026/Q1").out
    assert json.loads(listed.run("ls", "finance/2026/Q1", "--json").out) == []


def test_quiet_says_nothing(listed):
    ran = listed.run("ls", "finance/2026", "-q")
    assert (ran.status, ran.out, ran.err) == (0, "", "")
