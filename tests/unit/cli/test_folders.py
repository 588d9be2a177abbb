"""mkdir, mv and restore."""

from __future__ import annotations

import json

from sft.errors import NameNotAllowedError, NotFoundError
from sft.wire.messages import Done, FileShown, MakeFolder, Move, Restore
from tests.unit.cli.cli_fixture import refusing, signed_file


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


def test_a_file_and_a_folder_are_moved(cli):
    cli.answers[Move] = lambda request: FileShown(request.id, signed_file(request.new))
    assert cli.run("mv", "a.txt", "b c.txt").lines == ['moved a.txt → "b c.txt"']
    cli.answers[Move] = lambda request: Done(request.id)
    assert cli.run("mv", "a", "b").lines == ["moved a/ → b/"]
    assert json.loads(cli.run("mv", "a", "b", "--json").out) == {"old": "a", "new": "b", "kind": "folder"}


def test_a_slash_at_the_end_moves_into(cli):
    cli.answers[Move] = lambda request: FileShown(request.id, signed_file(request.new))
    assert cli.run("mv", "x/a.txt", "archive/").lines == ["moved x/a.txt → archive/a.txt"]
    assert cli.run("mv", "x/a.txt", "/").lines == ["moved x/a.txt → a.txt"]


def test_what_is_restored_is_told_with_its_version(cli):
    cli.answers[Restore] = lambda request: FileShown(request.id, signed_file("old-plan.pdf", number=2))
    assert cli.run("restore", "old-plan.pdf").lines == ["old-plan.pdf is back: version 2, signature unchanged"]


def test_what_is_not_in_the_trash_is_absent(cli):
    cli.answers[Restore] = refusing(NotFoundError(what="deleted file", name="x"))
    assert cli.run("restore", "x").status == 3


def test_names_that_begin_with_a_dash_work(cli):
    cli.answers[MakeFolder] = lambda request: Done(request.id)
    assert cli.run("mkdir", "--", "-r").lines == ["made -r/"]
