"""Leavers in bulk: each line has its result, and the same list can be given again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from sft.errors import LastAdminError, NotFoundError
from sft.model.access import Role
from sft.model.records import User, UserState
from sft.wire.messages import DisableUser, ShowUser, UserShown

LIST = "max\n\n  mia  # since May\n# nobody\nmax\ngone\nada\nnobody-here\n"


@pytest.fixture
def leaving(cli):
    people = {
        "max": User(2, "max", Role.GUEST, UserState.ACTIVE, 0),
        "mia": User(3, "mia", Role.GUEST, UserState.DISABLED, 0),
        "gone": User(4, "gone", Role.GUEST, UserState.REMOVED, 0),
        "ada": User(1, "ada", Role.ADMIN, UserState.ACTIVE, 0),
    }

    def shown(request: ShowUser) -> UserShown:
        if request.name not in people:
            raise NotFoundError(what="user", name=request.name)
        return UserShown(request.id, people[request.name])

    def disabled(request: DisableUser) -> UserShown:
        if request.name == "ada":
            raise LastAdminError(name="ada")
        people[request.name] = replace(people[request.name], state=UserState.DISABLED)
        return UserShown(request.id, people[request.name])

    cli.answers[ShowUser] = shown
    cli.answers[DisableUser] = disabled
    return cli


def listed(tmp_path: Path, text: str = LIST) -> str:
    path = tmp_path / "leavers"
    path.write_text(text)
    return str(path)


def disabled(cli) -> list[str]:
    return [r.name for s in cli.sessions for r in s.asked if isinstance(r, DisableUser)]


def test_each_line_has_its_result(leaving, tmp_path):
    ran = leaving.run("disable", "--from-file", listed(tmp_path))
    assert ran.status == 1
    assert ran.lines == [
        "max is disabled: signed out now; files and account stay.",
        "mia was disabled before; nothing was changed.",
        "gone was removed before; nothing was changed.",
    ]
    assert "Not disabled, 2:" in ran.err
    assert "[LAST_ADMIN]" in ran.err
    assert "nobody-here" in ran.err
    assert disabled(leaving) == ["max", "ada"]


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
    assert leaving.run("disable", "--from-file", "-", piped="max\n").status == 0
    assert disabled(leaving) == ["max"]


@pytest.mark.parametrize(("text", "status"), [("", 2), ("# nobody\n\n", 2), ("x\n" * 600_000, 2)])
def test_what_is_no_list_is_refused_before_anybody_is_met(leaving, tmp_path, text, status):
    assert leaving.run("disable", "--from-file", listed(tmp_path, text)).status == status
    assert not leaving.sessions


def test_bytes_are_no_list(leaving, tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    ran = leaving.run("disable", "--from-file", str(tmp_path / "bytes"))
    assert "does not hold text" in ran.err
    assert leaving.run("disable", "--from-file", str(tmp_path / "none")).status != 0
    assert not leaving.sessions


@pytest.mark.parametrize("words", [(), ("max", "--from-file", "x")])
def test_it_is_one_name_or_a_list(leaving, words):
    assert leaving.run("disable", *words).status == 2
