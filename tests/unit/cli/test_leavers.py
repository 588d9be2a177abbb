"""Leavers in bulk: each line has its result, and the same list can be given again."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from sft.cli.leavers import read_names
from sft.errors import ConnectionLostError, LastAdminError, LocalFileError, NotFoundError
from sft.model.access import Role
from sft.model.records import User, UserState
from sft.wire.messages import DisableUser, RemoveUser, ShowUser, UserShown

LIST = "max\n\n  mia  # since May\n# nobody\nmax\ngone\neva\nnobody-here\nMAX\nno body\nada\n"
CHANGES = {"disable": DisableUser, "remove": RemoveUser}


@pytest.fixture
def leaving(cli):
    people = {
        "ada": User(1, "ada", Role.ADMIN, UserState.ACTIVE, 0),
        "max": User(2, "max", Role.GUEST, UserState.ACTIVE, 0, files=3, bytes_stored=2048),
        "mia": User(3, "mia", Role.GUEST, UserState.DISABLED, 0, files=1, bytes_stored=1),
        "gone": User(4, "gone", Role.GUEST, UserState.REMOVED, 0),
        "eva": User(5, "eva", Role.ADMIN, UserState.ACTIVE, 0),
        "carla": User(6, "carla", Role.MAINTAINER, UserState.ACTIVE, 0),
    }

    def shown(request: ShowUser) -> UserShown:
        if request.name.lower() not in people:
            raise NotFoundError(what="user", name=request.name)
        return UserShown(request.id, people[request.name.lower()])

    def changed(request: DisableUser | RemoveUser) -> UserShown:
        if request.name == "eva":
            raise LastAdminError(name="eva")
        state = UserState.DISABLED if isinstance(request, DisableUser) else UserState.REMOVED
        people[request.name] = replace(people[request.name], state=state)
        return UserShown(request.id, people[request.name])

    cli.answers[ShowUser] = shown
    cli.answers[DisableUser] = cli.answers[RemoveUser] = changed
    return cli


def listed(tmp_path: Path, text: str = LIST) -> str:
    path = tmp_path / "leavers"
    path.write_text(text)
    return str(path)


def met(cli, word: str = "disable") -> list[str]:
    return [r.name for s in cli.sessions for r in s.asked if isinstance(r, CHANGES[word])]


def test_each_line_has_its_result(leaving, tmp_path):
    ran = leaving.run("disable", "--from-file", listed(tmp_path))
    assert ran.status == 1
    assert ran.lines == [
        "max is disabled: signed out now; files and account stay.",
        "mia was disabled before; nothing was changed.",
        "gone was removed before; nothing was changed.",
    ]
    assert "Not disabled, 4:" in ran.err
    assert "[LAST_ADMIN]" in ran.err
    assert "nobody-here" in ran.err
    assert '"no body" has a blank [USER_NAME_NOT_ALLOWED]' in ran.err
    assert "ada is you, and a list is about others [USAGE]   By itself: sft disable ada" in ran.err
    assert met(leaving) == ["max", "eva"]


def test_each_who_is_removed_is_said_with_what_was_theirs_and_who_has_it(leaving, tmp_path):
    ran = leaving.run("remove", "--from-file", listed(tmp_path), "--files-to", "carla", "--yes")
    assert ran.status == 1
    assert ran.lines == [
        "max is removed. The 3 files stay, signed by max, and belong to carla.",
        "mia is removed. The one file stays, signed by mia, and belongs to carla.",
        "gone was removed before; nothing was changed.",
    ]
    assert "Not removed, 4:" in ran.err
    assert "By itself: sft remove ada" in ran.err
    assert met(leaving, "remove") == ["max", "mia", "eva"]
    again = leaving.run("remove", "--from-file", listed(tmp_path, "max\nmia\n"), "--yes", "--json")
    assert (again.status, again.document["done"], met(leaving, "remove")) == (0, 2, ["max", "mia", "eva"])
    assert {each["files_to"] for each in again.document["items"]} == {None}


def test_a_session_that_ends_is_said_of_all_who_are_left_though_nobody_can_ask_about_the_heir(leaving, tmp_path):
    left = leaving.answers[RemoveUser], leaving.answers[ShowUser]

    def removed(request: RemoveUser) -> UserShown:
        if request.name == "mia":
            leaving.answers[ShowUser] = ended
            ended(request)
        return replace(left[0](request), files_to="carla")

    def ended(_request: object) -> UserShown:
        raise ConnectionLostError(address="server.example:9418")

    leaving.answers[RemoveUser] = removed
    ran = leaving.run("remove", "--from-file", listed(tmp_path, "max\nmia\n"), "--files-to", "carla", "--yes", "--json")
    assert ran.status != 0
    assert [(each["name"], each["changed"]) for each in ran.document["items"]] == [("max", True), ("mia", False)]


def test_a_removal_says_before_it_is_agreed_to_what_it_will_do(leaving, tmp_path):
    names = listed(tmp_path, "max\nmia\ngone\nnobody-here\n")
    ran = leaving.run("remove", "--from-file", names, typed="yes\n")
    assert ran.status == 130
    assert ran.err.splitlines() == [
        "  max   guest, active, 3 files",
        "  mia   guest, disabled, 1 file",
        "Removed before: 1.",
        "Cannot be removed, as will be said of each: 1.",
        "2 people go for good, signed out now. 4 files, 2.0 KiB, will belong to ada. Type remove: Nobody was removed.",
    ]
    assert met(leaving, "remove") == []
    assert leaving.run("remove", "--from-file", names, typed="remove\n").status == 1
    assert met(leaving, "remove") == ["max", "mia"]
    asked = leaving.run("remove", "--from-file", names, typed="")
    assert "Type remove" not in asked.err, "nobody is left to go"


def test_of_a_long_list_twenty_are_named(leaving, tmp_path):
    leaving.answers[ShowUser] = lambda request: UserShown(
        request.id, User(int(request.name[1:]), request.name, Role.GUEST, UserState.ACTIVE, 0)
    )
    names = listed(tmp_path, "".join(f"u{number}\n" for number in range(7, 37)))
    ran = leaving.run("remove", "--from-file", names, typed="no\n")
    assert ran.err.count("guest, active") == 20
    assert "  and 10 more\n30 people go for good, signed out now. No files are theirs." in ran.err


def test_a_removal_without_a_terminal_needs_yes(leaving, tmp_path):
    names = listed(tmp_path)
    ran = leaving.run("remove", "--from-file", names, "--files-to", "carla")
    assert (ran.status, leaving.sessions) == (2, [])
    assert f"sft remove --from-file {names} --files-to carla --yes" in ran.err
    assert leaving.run("remove", "--from-file", "-", typed="max\nremove\n").status == 2, "its end would be the answer"
    assert not leaving.sessions


@pytest.mark.parametrize(
    ("heir", "code"), [("max", "USAGE"), ("MAX", "USAGE"), ("mia", "NOT_FOUND"), ("x", "NOT_FOUND")]
)
def test_who_is_to_have_the_files_stays(leaving, tmp_path, heir, code):
    names = listed(tmp_path, "max\neva\n")
    ran = leaving.run("remove", "--from-file", names, "--files-to", heir, "--yes")
    assert ran.status != 0
    assert f"[{code}]" in ran.err
    assert met(leaving, "remove") == []


def test_what_ends_the_session_is_said_of_all_who_are_left(leaving, tmp_path):
    def lost(request: DisableUser) -> UserShown:
        raise ConnectionLostError(address="a")

    leaving.answers[DisableUser] = lost
    ran = leaving.run("disable", "--from-file", listed(tmp_path, "max\neva\ncarla\n"), "--json")
    assert (ran.status, ran.document["failed"], met(leaving)) == (6, 3, ["max"])


def test_the_same_list_again_changes_nothing(leaving, tmp_path):
    names = listed(tmp_path, "max\nmia\n")
    assert leaving.run("disable", "--from-file", names).status == 0
    again = leaving.run("disable", "--from-file", names, "--json")
    document = json.loads(again.out)
    assert (again.status, document["done"], document["failed"]) == (0, 2, 0)
    assert [(each["name"], each["state"], each["changed"]) for each in document["items"]] == [
        ("max", "disabled", False),
        ("mia", "disabled", False),
    ]


def test_a_list_may_come_by_a_pipe(leaving):
    assert leaving.run("disable", "--from-file", "-", piped="\ufeffmax\r\n").status == 0
    assert leaving.run("remove", "--from-file", "-", "--yes", piped="max\r\n\r\n#\r\n").status == 0
    assert (met(leaving), met(leaving, "remove")) == (["max"], ["max"])


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"\xef\xbb\xbfmax\r\nmia\r\n", ["max", "mia"]),
        (b"max\rmia", ["max", "mia"]),
        (b"\n\t max \t# why\n#mia\nmax#1\n", ["max"]),
        ("Zoe\u0308\nmia\nzo\u00eb\nmax\nMIA\n".encode(), ["Zoe\u0308", "mia", "max"]),
        (b"".join(b"u%d\n" % number for number in range(10_000)), [f"u{number}" for number in range(10_000)]),
    ],
)
def test_lines_are_read_as_any_editor_writes_them(tmp_path, data, names):
    path = tmp_path / "leavers"
    path.write_bytes(data)
    assert read_names(str(path), io.StringIO()) == names
    assert read_names("-", io.TextIOWrapper(io.BytesIO(data), "utf-8")) == names


@pytest.mark.parametrize("word", CHANGES)
@pytest.mark.parametrize(("text", "status"), [("", 2), ("# nobody\n\n", 2), ("x\n" * 600_000, 2)])
def test_what_is_no_list_is_refused_before_anybody_is_met(leaving, tmp_path, text, status, word):
    assert leaving.run(word, "--from-file", listed(tmp_path, text), *(["--yes"] * (word == "remove"))).status == status
    assert not leaving.sessions


def test_bytes_are_no_list(leaving, tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    ran = leaving.run("disable", "--from-file", str(tmp_path / "bytes"))
    assert "does not hold text" in ran.err
    assert leaving.run("disable", "--from-file", str(tmp_path / "none")).status != 0
    assert not leaving.sessions
    with pytest.raises(LocalFileError) as raised:
        read_names("-", io.TextIOWrapper(io.BytesIO(b"max\n\xff"), "utf-8"))
    assert raised.value.values["path"] == "Standard input"


@pytest.mark.parametrize("word", CHANGES)
@pytest.mark.parametrize("words", [(), ("max", "--from-file", "x")])
def test_it_is_one_name_or_a_list(leaving, words, word):
    assert leaving.run(word, *words).status == 2
    assert not leaving.sessions
