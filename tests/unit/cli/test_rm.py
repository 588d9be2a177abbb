from __future__ import annotations

import json

import pytest

from sft.errors import NotFoundError, NotYoursError, TrashChangedError
from sft.model.records import Deleted, Destroyed, FileSeen, Folder, Page, TrashedFolder, TrashPage, TrashSeen
from sft.wire.messages import (
    Delete,
    DestroyTrashed,
    DestroyVersion,
    Done,
    FileDeleted,
    FileShown,
    FolderPage,
    ListFolder,
    ListTrash,
    ShowFile,
    ShowTrashed,
    TrashDestroyed,
    TrashListed,
)
from tests.unit.cli.cli_fixture import refusing, signed_file, trash_shown

ENDS = 1_780_408_920  # 2 June


@pytest.fixture
def deleting(cli):
    tree = {
        "": Page((Folder("photos", 2, 0, 0),), (signed_file("a.txt"), signed_file("b.txt", b"long"))),
        "photos": Page((), (signed_file("photos/1.jpg"), signed_file("photos/2.jpg"))),
    }

    def listing(request: ListFolder) -> FolderPage:
        if request.path not in tree:
            raise NotFoundError(what="folder", name=request.path)
        return FolderPage(request.id, tree[request.path])

    cli.answers[ListFolder] = listing
    cli.answers[Delete] = lambda request: FileDeleted(
        request.id, Deleted(request.path, 2, 1, ENDS) if request.path == "photos" else Deleted(request.path, 1, 0, ENDS)
    )
    return cli


def deleted_paths(cli) -> list[str]:
    return [r.path for s in cli.sessions for r in s.asked if isinstance(r, Delete)]


def test_a_named_file_is_never_asked_about(deleting):
    ran = deleting.run("rm", "a.txt", "/b.txt", typed="")
    assert ran.status == 0
    assert ran.lines[0] == "a.txt: in the trash until 2 June. Back: sft restore a.txt"
    assert deleted_paths(deleting) == ["a.txt", "b.txt"]


@pytest.mark.parametrize("arguments", [("-r", "photos"), ("*.txt",)])
def test_a_folder_or_pattern_is_refused_where_nobody_can_be_asked(deleting, arguments):
    ran = deleting.run("rm", *arguments)
    assert ran.status == 2
    assert "there is no terminal to ask on [USAGE]" in ran.err
    assert "--yes" in ran.err
    assert not deleting.sessions


def test_a_folder_is_asked_about_with_what_it_holds(deleting):
    ran = deleting.run("rm", "-r", "photos", typed="y\n")
    assert "Delete photos for everyone? 2 files, 1 folder, 24 B." in ran.err
    assert ran.lines == ["photos: 2 files are in the trash until 2 June. Back: sft restore photos"]


def test_whoever_says_no_deletes_nothing(deleting):
    ran = deleting.run("rm", "-r", "photos", typed="n\n")
    assert ran.status == 130
    assert ran.err.endswith("Nothing was deleted.\n")
    assert deleted_paths(deleting) == []


def test_a_pattern_is_asked_about_with_what_fits_it(deleting):
    assert deleting.run("rm", "*.txt", typed="n\n").status == 130
    assert deleted_paths(deleting) == []
    ran = deleting.run("rm", "*.txt", typed="y\n")
    assert "Delete *.txt for everyone? 2 files, 16 B." in ran.err
    assert deleted_paths(deleting) == ["a.txt", "b.txt"]


def test_a_file_with_r_is_not_asked_about(deleting):
    assert deleting.run("rm", "-r", "a.txt", typed="").status == 0
    assert deleted_paths(deleting) == ["a.txt"]


def test_a_pattern_means_files_and_with_r_folders_as_a_whole(deleting):
    deleting.run("rm", "*", "--yes")
    assert deleted_paths(deleting) == ["a.txt", "b.txt"]
    deleting.sessions.clear()
    deleting.run("rm", "-r", "**", "--yes")
    assert deleted_paths(deleting) == ["photos", "a.txt", "b.txt"]


def test_a_pattern_that_fits_nothing_is_absent(deleting):
    ran = deleting.run("rm", "*.pdf", "--yes")
    assert ran.status == 3


def test_one_refusal_alone_is_the_commands_own(deleting):
    error = NotYoursError(ref="7F3K-29QD", path="plan.pdf", owner="ivo", act="delete", admins="ada, eva")
    deleting.answers[Delete] = refusing(error)
    ran = deleting.run("rm", "finance/2026/plan.pdf")
    assert ran.status == 4
    assert ran.err == (
        "sft: plan.pdf belongs to ivo: only they or an admin may delete it [NOT_YOURS]\n"
        "     Ask ivo, or an admin (ada, eva) (ref 7F3K-29QD)\n"
    )


def test_of_several_what_failed_is_listed_last(deleting):
    good = deleting.answers[Delete]

    def answer(request):
        if request.path == "plan.pdf":
            raise NotFoundError(what="file", name="plan.pdf")
        return good(request)

    deleting.answers[Delete] = answer
    ran = deleting.run("rm", "plan.pdf", "a.txt")
    assert ran.status == 1
    assert ran.lines == ["a.txt: in the trash until 2 June. Back: sft restore a.txt"]
    assert ran.err == (
        "Not deleted, 1:\n  plan.pdf   There is no file plan.pdf [NOT_FOUND]   See what there is: sft ls\n"
    )


def test_when_all_fail_alike_the_status_is_theirs(deleting):
    deleting.answers[Delete] = refusing(NotFoundError(what="file", name="x"))
    assert deleting.run("rm", "x", "y").status == 3


INSIDE = signed_file("docs/old/1", trashed_at=1_777_716_670, trash_ends_at=ENDS, trashed_by="max")


@pytest.fixture
def destroying(cli):
    folder = TrashedFolder(7, "docs/old", 40, 3, 1_777_716_670, "max", ENDS)
    gone = [
        signed_file(path, trashed_at=1_777_716_660, trash_ends_at=ENDS, trashed_by="ivo")
        for path in ("docs/1.txt", "docs/2.txt", "notes.txt")
    ]
    cli.answers[ListTrash] = lambda request: TrashListed(request.id, TrashPage((folder,), tuple(gone)))
    cli.answers[ShowTrashed] = trash_shown({each.path: each for each in (folder, *gone)} | {"docs/old/1": INSIDE})
    cli.answers[DestroyTrashed] = lambda request: TrashDestroyed(request.id, Destroyed(request.path, 1, 0))
    return cli


def destroyed_paths(cli) -> list[str]:
    return [r.path for s in cli.sessions for r in s.asked if isinstance(r, DestroyTrashed)]


BELOW = ["docs/1.txt", "docs/2.txt", "docs/old"]


def test_what_was_deleted_below_a_name_is_counted_before_it_is_destroyed(destroying):
    ran = destroying.run("rm", "--trash", "docs", typed="no\n")
    assert (ran.status, destroyed_paths(destroying)) == (130, [])
    ran = destroying.run("rm", "--trash", "docs", typed="docs\n")
    assert "Destroy docs for good? That is 3 things in the trash with 42 files. " in ran.err
    assert destroyed_paths(destroying) == BELOW


def test_a_name_that_is_only_above_what_was_deleted_needs_r(destroying):
    ran = destroying.run("rm", "--trash", "docs/", "--yes")
    assert (ran.status, destroyed_paths(destroying)) == (2, [])
    assert "Nothing was deleted as docs/ itself; below it 3 things were [USAGE]" in ran.err
    assert "sft rm --trash -r docs/" in ran.err
    assert destroying.run("rm", "--trash", "-r", "docs/", "--yes").status == 0
    assert destroyed_paths(destroying) == BELOW


@pytest.mark.parametrize(
    ("name", "paths"), [("docs/old", ["docs/old"]), ("docs/old/1", ["docs/old/1"]), ("docs/*.txt", BELOW[:2])]
)
def test_a_name_of_its_own_or_a_pattern_needs_no_r(destroying, name, paths):
    assert destroying.run("rm", "--trash", name, "--yes").status == 0
    assert destroyed_paths(destroying) == paths


@pytest.mark.parametrize(("more", "path"), [((), "docs/old/sub"), (("-r",), "docs/old/sub/x")])
def test_what_may_lie_in_a_deleted_folder_is_meant_before_what_lies_below_its_name(destroying, more, path):
    folder = TrashedFolder(7, "docs/old", 40, 3, 1_777_716_670, "max", ENDS)
    gone = signed_file("docs/old/sub/x", trashed_at=1_777_716_660, trash_ends_at=ENDS, trashed_by="ivo")
    destroying.answers[ListTrash] = lambda request: TrashListed(request.id, TrashPage((folder,), (gone,)))
    inside = TrashedFolder(8, "docs/old/sub", 2, 1, folder.trashed_at, "max", ENDS)
    destroying.answers[ShowTrashed] = trash_shown({each.path: each for each in (folder, inside, gone)})
    assert destroying.run("rm", "--trash", *more, "docs/old/sub", "--yes").status == 0
    assert destroyed_paths(destroying) == [path]


def test_what_is_destroyed_is_what_was_shown(destroying):
    """And not what was deleted from there while the question stood."""
    assert destroying.run("rm", "--trash", "docs/old", "notes.txt", "--yes").status == 0
    folder, file = [r for s in destroying.sessions for r in s.asked if isinstance(r, DestroyTrashed)]
    assert folder.seen == TrashSeen(1_777_716_670, None, 7, 40, 3)
    shown = signed_file("notes.txt")
    assert file.seen == TrashSeen(1_777_716_660, FileSeen(shown.id, shown.version.number))
    destroying.answers[DestroyTrashed] = refusing(
        TrashChangedError(path="notes.txt", by="mia", trashed_at=1_777_716_690)
    )
    ran = destroying.run("rm", "--trash", "notes.txt", "--yes")
    assert ran.status == TrashChangedError.exit_status
    assert "What lies in the trash as notes.txt is not what was listed: mia deleted this, " in ran.err
    assert "[TRASH_CHANGED]" in ran.err
    assert "List again: sft ls --trash" in ran.err


def test_the_version_is_destroyed_of_the_file_that_was_there_when_it_was_asked(cli):
    """Another file that has the name by then is another: the server is told which one."""
    shown = signed_file("plan.txt", number=3)
    cli.answers[ShowFile] = lambda request: FileShown(request.id, shown)
    cli.answers[DestroyVersion] = lambda request: Done(request.id)
    kept = cli.run("rm", "plan.txt", "--version", "2", typed="yes\n")
    assert kept.status == 130
    assert "Nothing was destroyed." in kept.err
    assert [type(each) for each in cli.sessions[-1].asked] == [ShowFile]
    gone = cli.run("rm", "plan.txt", "--version", "2", typed="plan.txt\n")
    assert gone.status == 0
    asked = cli.sessions[-1].asked[-1]
    assert (asked.path, asked.file_id, asked.version) == ("plan.txt", shown.id, 2)


def test_what_goes_with_a_folder_is_not_destroyed_twice(destroying):
    assert destroying.run("rm", "--trash", "docs/old/1", "docs/old", "--yes").status == 0
    assert destroyed_paths(destroying) == ["docs/old"]


def test_what_lies_in_a_deleted_folder_is_counted(destroying):
    inside = TrashedFolder(8, "docs/old/sub", 12, 1, 1_777_716_670, "max", ENDS)
    destroying.answers[ShowTrashed] = trash_shown({"docs/old/sub": inside})
    assert "1 thing in the trash with 12 files. " in destroying.run("rm", "--trash", "docs/old/sub", typed="no\n").err


def test_json(deleting):
    ran = deleting.run("rm", "a.txt", "--json")
    assert json.loads(ran.out) == {
        "items": [
            {"path": "a.txt", "files": 1, "folders": 0, "restorable_until": "2026-06-02T14:02:00Z", "error": None}
        ],
        "done": 1,
        "failed": 0,
        "exit": 0,
    }


def test_a_failure_in_json_stands_with_its_item(deleting):
    deleting.answers[Delete] = refusing(NotFoundError(what="file", name="x"))
    ran = deleting.run("rm", "x", "--json")
    document = json.loads(ran.out)
    assert (document["exit"], document["items"][0]["error"]["code"]) == (3, "NOT_FOUND")
