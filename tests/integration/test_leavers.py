"""Leavers in bulk, by an admin's command and by the operator's, against a server that keeps people and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sft.crypto.keys import SigningKey
from tests.integration.live_cli import LiveCli
from tests.unit.cli.cli_fixture import Ran

TEXT = (
    "\ufeffmax  # left in May\r\n\r\n# nobody\r\nMAX\r\nmia\r\nno body\r\nnobody-here\r\n" + "x" * 3000 + "\r\nada\r\n"
)
Program = Callable[..., Ran]


def programs(cli: LiveCli) -> dict[str, Program]:
    return {"sft": lambda *words: cli.sft("ada", *words), "sftd": lambda *words: cli.operator("user", *words)}


def states(cli: LiveCli) -> dict[str, str]:
    return {each["user"]: each["state"] for each in cli.operator_json("user", "list")}


def items(ran: Ran) -> dict[str, Any]:
    return {each["name"]: each for each in ran.document["items"]}


@pytest.mark.every_run
@pytest.mark.parametrize("program", ["sft", "sftd"])
def test_a_list_as_windows_writes_it_is_locked_out_line_by_line(cli: LiveCli, program: str):
    run = programs(cli)[program]
    done = run("disable", "--from-file", cli.file("leavers.txt", TEXT.encode()))
    assert done.lines == [
        "max is disabled: signed out now; files and account stay.",
        "mia is disabled: signed out now; files and account stay.",
    ]
    assert done.status == 1
    assert "Not disabled, 4:" in done.err
    assert '"no body" has a blank' in done.err
    assert "There is no user nobody-here" in done.err
    # Who gives the list is not met by it; the operator is nobody on it, and ada the last admin.
    said = "ada is you, and a list is about others" if program == "sft" else "ada is the only admin; someone must be"
    assert said in done.err
    assert states(cli) == {"ada": "active", "max": "disabled", "mia": "disabled", "gus": "active"}
    again = run("disable", "--from-file", cli.file("two.txt", b"max\nmia\n"), "--json")
    assert (again.status, {each["changed"] for each in again.document["items"]}) == (0, {False})


@pytest.mark.parametrize("program", ["sft", "sftd"])
def test_a_list_is_removed_and_what_was_theirs_goes_to_whom_it_is_meant_for(cli: LiveCli, program: str):
    run = programs(cli)[program]
    for name in ("max", "mia"):
        assert cli.sft(name, "put", cli.file(f"{name}.txt", name.encode()), "--to", name).status == 0
    cli.join("eva", "admin")
    cli.join("tim", "maintainer")
    listed = cli.file("leavers.txt", TEXT.replace("ada", "gus\r\neva").encode())
    refused = run("remove", "--from-file", listed, "--files-to", "tim")
    assert refused.status == 2
    assert "cannot be undone" in refused.err
    assert set(states(cli).values()) == {"active"}
    both = run("remove", "--from-file", cli.file("heir.txt", b"max\ntim\n"), "--files-to", "tim", "--yes")
    assert (both.status, "tim is to have the files, and is on the list as well" in both.err) == (2, True)
    guest = run("remove", "--from-file", cli.file("max.txt", b"max\n"), "--files-to", "gus", "--yes")
    assert (guest.status, "[ROLE_FORBIDS]" in guest.err) == (4, True)

    done = run("remove", "--from-file", listed, "--files-to", "tim", "--yes", "--json")
    assert (done.status, done.document["done"], done.document["failed"]) == (1, 4, 3)
    assert {
        name: (each["state"], each["changed"], each["files"], each["files_to"])
        for name, each in items(done).items()
        if each["error"] is None
    } == {
        "max": ("removed", True, 1, "tim"),
        "mia": ("removed", True, 1, "tim"),
        "gus": ("removed", True, 0, "tim"),
        "eva": ("removed", True, 0, "tim"),
    }
    assert states(cli) == {**dict.fromkeys(("max", "mia", "gus", "eva"), "removed"), "ada": "active", "tim": "active"}
    owners = {each["path"]: each["owner"] for each in cli.operator_json("file", "list")}
    assert owners == {"max/max.txt": "tim", "mia/mia.txt": "tim"}
    assert cli.sft("max", "ls").status == 4
    again = run("remove", "--from-file", cli.file("four.txt", b"max\nmia\ngus\neva\n"), "--yes")
    assert (again.status, again.lines[0]) == (0, "max was removed before; nothing was changed.")


def test_heirs_on_the_list_hand_on_what_they_got(cli: LiveCli):
    assert cli.sft("max", "put", cli.file("max.txt", b"max")).status == 0
    cli.join("eva", "admin")
    done = cli.operator("user", "remove", "--from-file", cli.file("leavers.txt", b"max\nada\neva\n"), "--yes")
    assert done.lines == [
        "max is removed. The one file stays, signed by max, and belongs to ada.",
        "ada is removed. The one file stays, signed by ada, and belongs to eva.",
    ]
    assert "eva is the only admin; someone must be" in done.err
    assert cli.operator_json("file", "list")[0]["owner"] == "eva"


@pytest.mark.long
@pytest.mark.parametrize("word", ["disable", "remove"])
def test_ten_thousand_lines_each_have_their_result(cli: LiveCli, word: str):
    people = [f"u{number}" for number in range(40)]
    for name in people:
        assert cli.operator("user", "add", name, SigningKey.generate().public.text()).status == 0
    strangers = [f"s{number}" for number in range(9_960)]
    text = "".join(f"{name}\n" for name in [*strangers[:5000], *people, *strangers[5000:]])
    words = (word, "--from-file", cli.file("leavers.txt", text.encode()), *(["--yes"] * (word == "remove")))
    done = programs(cli)["sftd"](*words, "--json")
    assert (done.status, done.document["done"], done.document["failed"]) == (1, 40, 9_960)
    assert {name for name, each in items(done).items() if each["changed"]} == set(people)
    assert {each["error"]["code"] for each in items(done).values() if each["error"]} == {"NOT_FOUND"}
