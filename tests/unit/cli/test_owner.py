from __future__ import annotations

import json

import pytest

from sft.errors import NotFoundError, NotYoursError
from sft.model.records import FileSeen, OwnerChange, Page
from sft.wire.messages import ChangeOwner, FileShown, FolderPage, ListFolder, OwnerChanged, ShowFile
from tests.unit.cli.cli_fixture import refusing, signed_file


@pytest.fixture
def giving(cli):
    files = {name: signed_file(name) for name in ("a.txt", "b.txt")}

    def shown(request: ShowFile) -> FileShown:
        if request.path not in files:
            raise NotFoundError(what="file", name=request.path)
        return FileShown(request.id, files[request.path])

    def given(request: ChangeOwner) -> OwnerChanged:
        size = (1, 0) if request.path in files else (1203, 4)
        return OwnerChanged(request.id, OwnerChange(request.path, request.owner, "ada", *size, changed=True))

    cli.answers[ShowFile] = shown
    cli.answers[ListFolder] = lambda request: FolderPage(request.id, Page((), tuple(files.values())))
    cli.answers[ChangeOwner] = given
    return cli


def asked(cli) -> list[ChangeOwner]:
    return [r for s in cli.sessions for r in s.asked if isinstance(r, ChangeOwner)]


def test_a_named_file_is_handed_over_without_a_question(giving):
    ran = giving.run("owner", "carla", "/a.txt", typed="")
    assert (ran.status, ran.lines) == (0, ["a.txt is carla's now (was ada's)."])
    (request,) = asked(giving)
    assert request.seen == FileSeen(signed_file("a.txt").id, 1)


def test_a_folder_is_asked_about_and_goes_with_all_in_it(giving):
    ran = giving.run("owner", "carla", "reports", typed="y\n")
    assert (
        "Hand reports and all in it over to carla? Then only they and admins can change it, or hand it back." in ran.err
    )
    assert ran.lines == ["reports is carla's now (was ada's), and so is what is in it: 1,203 files, 3 folders."]
    assert asked(giving)[0].seen is None


def test_whoever_says_no_hands_over_nothing(giving):
    ran = giving.run("owner", "carla", "a.txt", "reports", typed="n\n")
    assert ran.status == 130
    assert ran.err.endswith("Nothing was handed over.\n")
    assert asked(giving) == []


@pytest.mark.parametrize("name", ["reports", "*.txt"])
def test_without_a_terminal_it_takes_a_yes(giving, name):
    ran = giving.run("owner", "carla", name)
    assert ran.status == 2
    assert "--yes" in ran.err
    assert giving.run("owner", "carla", name, "--yes").status == 0


def test_a_pattern_means_files(giving):
    ran = giving.run("owner", "carla", "*.txt", typed="y\n")
    assert "Hand *.txt, 2 files, over to carla?" in ran.err
    assert [each.path for each in asked(giving)] == ["a.txt", "b.txt"]


def test_what_is_theirs_already_is_said(giving):
    giving.answers[ChangeOwner] = lambda request: OwnerChanged(
        request.id, OwnerChange(request.path, "carla", "carla", 1, 0, changed=False)
    )
    assert giving.run("owner", "carla", "a.txt").lines == ["a.txt is carla's already."]


def test_each_of_several_has_its_own_outcome(giving):
    refused = refusing(NotYoursError(path="b.txt", owner="mia", act="hand over", admins="ada"))
    granted = giving.answers[ChangeOwner]
    giving.answers[ChangeOwner] = lambda request: (refused if request.path == "b.txt" else granted)(request)
    ran = giving.run("owner", "carla", "a.txt", "b.txt", "--json")
    document = json.loads(ran.out)
    assert (ran.status, document["done"], document["failed"]) == (1, 1, 1)
    assert [(each["path"], each["owner"]) for each in document["items"]] == [("a.txt", "carla"), ("b.txt", None)]


def test_the_whole_server_is_nobodys_to_hand_over(giving):
    assert giving.run("owner", "carla", "/").status == 2
    assert not giving.sessions
