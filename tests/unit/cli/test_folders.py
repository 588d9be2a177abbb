"""mkdir, mv and restore."""

from __future__ import annotations

import json
import shlex

import pytest

from sft.errors import NameNotAllowedError, NotFoundError, UsageError
from sft.model.records import Deleted, FileSeen, RestoredFolder, TrashedFolder, TrashPage, TrashSeen
from sft.wire.messages import (
    Delete,
    Done,
    FileDeleted,
    FileShown,
    FolderReturned,
    ListTrash,
    MakeFolder,
    Move,
    Restore,
    ShowFile,
    ShowTrashed,
    TrashListed,
)
from tests.unit.cli.cli_fixture import signed_file, trash_shown


def test_a_folder_that_is_there_is_no_fault(cli):
    cli.answers[MakeFolder] = lambda request: Done(request.id, changed=request.path == "new")
    ran = cli.run("mkdir", "/new/", "old")
    assert ran.status == 0
    assert ran.lines == ["made new/", "old/ is there already"]
    document = json.loads(cli.run("mkdir", "new", "old", "--json").out)
    assert [item["made"] for item in document["items"]] == [True, False]


def test_a_name_that_is_not_allowed_is_not_asked_for(cli):
    ran = cli.run("mkdir", "a:b")
    assert ran.status == NameNotAllowedError.exit_status
    assert not cli.sessions[0].asked


def no_file(request):
    raise NotFoundError(what="file", name=request.path)


def test_a_file_and_a_folder_are_moved(cli):
    cli.answers[ShowFile] = lambda request: FileShown(request.id, signed_file(request.path))
    cli.answers[Move] = lambda request: FileShown(request.id, signed_file(request.new))
    assert cli.run("mv", "a.txt", "b c.txt").lines == ['moved a.txt → "b c.txt"']
    seen = signed_file("a.txt")
    assert cli.sessions[-1].asked[-1].seen == FileSeen(seen.id, seen.version.number)
    cli.answers[ShowFile] = no_file
    cli.answers[Move] = lambda request: Done(request.id)
    assert cli.run("mv", "a", "b").lines == ["moved a/ → b/"]
    assert json.loads(cli.run("mv", "a", "b", "--json").out) == {"old": "a", "new": "b", "kind": "folder"}
    assert cli.sessions[-1].asked[-1].seen is None


@pytest.mark.parametrize("new", ["a/b", "a/"])
def test_nothing_is_moved_into_itself(cli, new):
    ran = cli.run("mv", "a", new)
    assert ran.status == UsageError.exit_status
    assert "a cannot be moved into itself [USAGE]" in ran.err
    assert not cli.sessions


def test_a_slash_at_the_end_moves_into(cli):
    cli.answers[ShowFile] = lambda request: FileShown(request.id, signed_file(request.path))
    cli.answers[Move] = lambda request: FileShown(request.id, signed_file(request.new))
    assert cli.run("mv", "x/a.txt", "archive/").lines == ["moved x/a.txt → archive/a.txt"]
    assert cli.run("mv", "x/a.txt", "/").lines == ["moved x/a.txt → a.txt"]


def test_what_is_restored_is_told_with_its_version(cli):
    shown = signed_file("old-plan.pdf", number=2, trashed_at=50)
    cli.answers[ShowTrashed] = trash_shown({"old-plan.pdf": shown})
    cli.answers[Restore] = lambda request: FileShown(request.id, signed_file("old-plan.pdf", number=2))
    assert cli.run("restore", "old-plan.pdf").lines == ["old-plan.pdf is back: version 2, signature unchanged"]
    assert cli.sessions[-1].asked[-1].seen == TrashSeen(50, FileSeen(shown.id, 2))


def test_what_is_not_in_the_trash_is_absent(cli):
    cli.answers[ShowTrashed] = trash_shown({})
    cli.answers[ListTrash] = lambda request: TrashListed(request.id, TrashPage((), ()))
    assert cli.run("restore", "x").status == 3


def test_a_folder_comes_back_as_one_thing(cli):
    cli.answers[ShowTrashed] = trash_shown({"photos": TrashedFolder(7, "photos", 1200, 31, 50, "max", 99)})
    cli.answers[Restore] = lambda request: FolderReturned(request.id, RestoredFolder(request.path, 1200, 31))
    ran = cli.run("restore", "photos/")
    assert ran.lines == ["photos/ is back: 1,200 files in it, unchanged"]
    (item,) = json.loads(cli.run("restore", "photos", "--json").out)["items"]
    assert item == {"path": "photos", "files": 1200, "folders": 31, "file": None, "error": None}


@pytest.mark.parametrize(
    ("pattern", "asked"),
    [("p*", ["p1", "p2"]), ("p1/**", ["p1"]), ("q/**", ["q/a/b", "q/c"]), ("p1", ["p1"]), ("q", ["q/a/b", "q/c"])],
)
def test_a_pattern_fits_folders_of_the_trash(cli, pattern, asked):
    held = [TrashedFolder(n, path, 1, 1, 50 - n, "max", 99) for n, path in enumerate(("p1", "p2", "q/a/b", "q/c"))]
    cli.answers[ListTrash] = lambda request: TrashListed(request.id, TrashPage(tuple(held), ()))
    cli.answers[ShowTrashed] = trash_shown({each.path: each for each in held})
    tried = []

    def bring(request):
        tried.append(request.path)
        return FolderReturned(request.id, RestoredFolder(request.path, 1, 1))

    cli.answers[Restore] = bring
    assert cli.run("restore", pattern).status == 0
    assert tried == asked


def test_names_that_begin_with_a_dash_work(cli):
    cli.answers[MakeFolder] = lambda request: Done(request.id)
    assert cli.run("mkdir", "--", "-r").lines == ["made -r/"]


@pytest.fixture
def trash(cli):
    """A server whose trash holds these files, and which restores what is there."""
    held = [
        "bulk/f10.bin",
        "bulk/f11.bin",
        "bulk/deep/f12.bin",
        "notes/a b.txt",
        "notes/-x",
        "notes-2/c.txt",
        "top.txt",
    ]

    def deleted(path):
        return signed_file(path, trashed_at=50)

    def bring(request):
        held.remove(request.path)
        return FileShown(request.id, signed_file(request.path))

    cli.answers[Restore] = bring
    cli.answers[ListTrash] = lambda request: TrashListed(request.id, TrashPage((), tuple(map(deleted, held))))

    def show(request):
        return trash_shown({path: deleted(path) for path in held})(request)

    cli.answers[ShowTrashed] = show
    cli.held = held
    return cli


@pytest.mark.parametrize(
    "names,left",
    [
        (["notes"], {"bulk/f10.bin", "bulk/f11.bin", "bulk/deep/f12.bin", "notes-2/c.txt", "top.txt"}),
        (["bulk/f1?.bin"], {"bulk/deep/f12.bin", "notes/a b.txt", "notes/-x", "notes-2/c.txt", "top.txt"}),
        (["bulk/**", "top.txt"], {"notes/a b.txt", "notes/-x", "notes-2/c.txt"}),
        (["/notes/"], {"bulk/f10.bin", "bulk/f11.bin", "bulk/deep/f12.bin", "notes-2/c.txt", "top.txt"}),
    ],
)
def test_folders_and_patterns_come_back(trash, names, left):
    ran = trash.run("restore", *names)
    assert (ran.status, set(trash.held)) == (0, left)
    assert all("is back: version" in line for line in ran.lines)


@pytest.mark.parametrize("name", ["other", "x*", "note"])
def test_what_was_never_deleted_does_not_come_back(trash, name):
    assert trash.run("restore", name).status == 3
    assert len(trash.held) == 7


def test_what_fails_alone_keeps_nothing_else_from_coming_back(trash):
    ran = trash.run("restore", "nothing", "notes", "--json")
    assert (ran.status, ran.document["done"], ran.document["failed"]) == (1, 2, 1)


@pytest.mark.parametrize("arguments", [["-r", "notes"], ["-r", "bulk"], ["notes/a b.txt"], ["top.txt"], ["/notes/-x"]])
def test_what_rm_prints_as_the_way_back_works_as_it_is_typed(trash, arguments):
    gone = {path for path in trash.held if path.startswith(arguments[-1].strip("/"))} - {"notes-2/c.txt"}
    folders = 1 if "-r" in arguments else 0
    trash.answers[Delete] = lambda request: FileDeleted(
        request.id, Deleted(request.path, len(gone), folders, 1_780_408_920)
    )
    (line,) = trash.run("rm", *arguments, "--yes").lines
    command = shlex.split(line.partition(" Back: ")[2])
    assert command[:2] == ["sft", "restore"]
    assert trash.run(*command[1:]).status == 0
    assert not gone & set(trash.held)
