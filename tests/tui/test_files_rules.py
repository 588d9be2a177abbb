"""What can be done in Files, and why not, without a screen: over snapshots."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sft.client.trust import SignatureState
from sft.model.access import Permission, Role
from sft.model.records import RestoredFolder
from tui.glyphs import FINE
from tui.keys import ACTS
from tui.panes.entry import UP, Entry, EntryKind
from tui.panes.inside import Tally, inside_words
from tui.screens import files_rules as rules
from tui.widgets.message_line import broken

MINE, THEIRS = 1, 2
FILE = Entry(EntryKind.FILE, "a/plan.pdf", size=2048, author="ada", owner="ada", owner_id=THEIRS)
FOLDER = Entry(EntryKind.FOLDER, "a/Q1", inside=(3, 0))
REMOTE = rules.Snapshot(
    is_local=False, in_trash=False, role=Role.MAINTAINER, user_id=MINE, current=FILE, selected=0,
    weight=Tally(files=1, size=2048), local_text="~/reports", remote_text="/a",
)  # fmt: skip
LOCAL = replace(REMOTE, is_local=True)
TRASH = replace(REMOTE, in_trash=True)


def test_a_folder_without_anything_is_empty_as_its_line_says():
    assert [inside_words(folder_of(inside)) for inside in ((0, 0), (1, 0), (2, 1))] == [
        "empty", "1 file", "1 folder, 2 files",
    ]  # fmt: skip


def folder_of(inside: tuple[int, int] | None) -> Entry:
    return Entry(EntryKind.FOLDER, "a/Q1", inside=inside)


def named(now: rules.Snapshot) -> set[str]:
    return {act.name for act in rules.acts(now)}


def test_what_makes_sense_depends_on_the_side():
    assert {"transfer", "verify", "rename"} <= named(REMOTE)
    assert {"hidden", "restore"}.isdisjoint(named(REMOTE))
    assert "verify" not in named(LOCAL)
    assert {"transfer", "rename", "versions", "go_to"}.isdisjoint(named(TRASH))
    assert {"restore", "delete"} <= named(TRASH)


def test_what_is_put_to_expire_needs_what_a_put_needs_and_nothing_of_who_owns_it():
    expiry = ACTS["files.expiry"]
    assert [rules.needed(now, expiry) for now in (LOCAL, REMOTE)] == [Permission.FILE_WRITE, Permission.FILE_DELETE]
    assert rules.reason_of_side(LOCAL, expiry) == rules.reason(LOCAL, expiry) == ""
    assert "belongs to ada" in rules.reason(REMOTE, expiry)
    assert "expiry" not in named(TRASH)


def test_a_transfer_says_which_way_it_goes():
    transfer, trash = ACTS["files.transfer"], ACTS["files.trash"]
    assert rules.label(LOCAL, transfer, FINE) == "Put→"
    assert rules.label(REMOTE, transfer, FINE) == "←Get"
    assert rules.label(TRASH, trash, FINE) == "Leave trash"
    assert [rules.label(now, ACTS["files.delete"], FINE) for now in (REMOTE, TRASH)] == ["Delete", "Destroy"]


@pytest.mark.parametrize("name", ["rename", "delete", "verify", "versions"])
def test_nothing_is_done_to_this_computers_files(name):
    act = ACTS[f"files.{name}"]
    assert rules.reason_of_side(LOCAL, act).startswith("Nothing on this computer")
    assert rules.reason_of_side(REMOTE, act) == ""


def test_to_put_needs_more_than_to_get():
    transfer = ACTS["files.transfer"]
    assert (rules.needed(LOCAL, transfer), rules.needed(REMOTE, transfer)) == (Permission.FILE_WRITE, None)


@pytest.mark.parametrize("current", [None, UP, Entry(EntryKind.LINK, "a/link")])
def test_an_act_needs_something_that_it_is_about(current):
    now = replace(REMOTE, current=current)
    assert rules.reason(now, ACTS["files.transfer"]).startswith("Nothing is chosen")
    assert rules.reason(replace(now, selected=1), ACTS["files.transfer"]) == ""


@pytest.mark.parametrize("name", ["rename", "delete"])
def test_whose_file_it_is(name):
    act = ACTS[f"files.{name}"]
    said = f"plan.pdf belongs to ada: only they or an admin may {name} it."
    assert rules.reason(REMOTE, act) == said
    for allowed in (
        replace(REMOTE, user_id=THEIRS),
        replace(REMOTE, role=Role.ADMIN),
        replace(REMOTE, selected=2),  # the server says of which it may not
        replace(REMOTE, current=FOLDER),
    ):
        assert rules.reason(allowed, act) == ""


def test_the_message_line_says_what_is_chosen():
    mixed = replace(LOCAL, selected=9, weight=Tally(folders=8, files=1, size=420))
    assert rules.status(mixed, "…", 100) == "9 selected here (8 folders; 1 file, 420 B): c stores them in /a"
    assert rules.status(replace(REMOTE, selected=2), "…", 100).endswith("c gets them into ~/reports")
    assert rules.status(replace(TRASH, selected=2), "…", 100).endswith("u brings them back, d destroys them for good")
    signed = replace(REMOTE, current=Entry(EntryKind.FILE, "a/b", author="ada", state=SignatureState.BAD))
    assert rules.status(signed, "…", 100) == "b: not what ada signed: do not use it"
    assert rules.status(signed, "…", 22) == "b: bad: do not use it"
    assert rules.status(LOCAL, "…", 100) == "plan.pdf: 2.0 KiB"


def test_the_message_line_says_what_was_moved():
    entry = Entry(EntryKind.FILE, "a/b", author="ada", state=SignatureState.SIGNED, signed_as="old/plan.pdf")
    moved = replace(REMOTE, current=entry)
    assert rules.status(moved, "…", 100).endswith("; signed as old/plan.pdf")
    assert rules.status(moved, "…", 30) == "b: signed, unread; moved"


def test_the_message_line_shows_a_name_whole():
    name = "x" * 90 + ".pdf"
    long = replace(REMOTE, current=Entry(EntryKind.FILE, f"a/{name}", author="ada", state=SignatureState.SIGNED))
    assert rules.status(long, "…", 78) == f"{name}: signed, unread"
    assert broken(rules.status(long, "…", 78), 78) == ["x" * 78, f"{'x' * 12}.pdf: signed, unread"]


@pytest.mark.parametrize(("files", "said"), [(0, "0 files"), (1, "1 file"), (1200, "1,200 files")])
def test_a_folder_that_came_back_is_told_with_what_is_in_it(files, said):
    assert rules.restored(RestoredFolder("a/Q1", files, 2)) == f"Q1 is back with {said} in it."


def test_a_deletion_names_what_goes_and_whose_it_is():
    one = rules.deletion([("plan.pdf", FILE)], 2048, MINE)
    assert one.title == "Delete this file for everyone?"
    assert one.names == ["plan.pdf   ada's"]
    assert one.lines[-1] == "Nobody can list or get it meanwhile."
    folder = rules.deletion([("Q1", FOLDER)], 0, MINE)
    assert folder.title == "Delete this folder and all in it for everyone?"
    assert folder.names == ["Q1/"]
    assert folder.lines[-2:] == [
        "It goes to the trash, which says until when (T).",
        "Nobody can list or get it meanwhile.",
    ]
    many = rules.deletion([(f"f{n}", None) for n in range(6)], 6, MINE)
    assert many.title == "Delete 6 things for everyone?"
    assert [*many.names, many.lines[0]] == ["f0", "f1", "f2", "f3", "and 2 more"]
    assert many.done(86_400 * 60, 0.0) == "6 things are in the trash until 2 Mar: T shows it."
