from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click.shell_completion
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

import sft
from sft.cli.completing import SECONDS, _within, offered
from sft.errors import KeyLockedError, NotFoundError, UnreachableError
from sft.model.access import Role
from sft.model.records import Folder, Invitation, InvitationState, Page, UserPage, UserState
from sft.wire.messages import FolderPage, InvitationList, ListFolder, ListInvitations, ListUsers, UserList
from tests.unit.cli.cli_fixture import signed_file, user


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_asks_sft_itself(cli, shell):
    ran = cli.run("completion", shell)
    assert ran.status == 0
    assert "_SFT_COMPLETE" in ran.out
    assert json.loads(cli.run("completion", shell, "--json").out)["shell"] == shell


def test_what_it_asks_is_answered(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", "from sft.cli.main import run; run()"],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(sft.__file__).parent.parent),
            "SFT_HOME": str(tmp_path),
            "_SFT_COMPLETE": "fish_complete",
            "COMP_WORDS": "sft who",
            "COMP_CWORD": "who",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "whoami" in ran.stdout
    assert ran.returncode == 0


def asked(cli, typed: str, monkeypatch, shell: str = "fish") -> list[str]:
    """Return what a shell is offered behind a line that is being typed."""
    # Bytes, which streams in memory do not take.
    monkeypatch.setattr(click.shell_completion, "echo", lambda data: click.echo(data.decode()))
    monkeypatch.setenv("_SFT_COMPLETE", f"{shell}_complete")
    words = typed.split(" ")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
    cli.environ["_SFT_COMPLETE"] = f"{shell}_complete"
    ran = cli.run()
    assert ran.err == ""
    return [line.partition(",")[2] for line in ran.lines if line]


def everybody(request: ListUsers) -> UserList:
    gone = user("eve", id=9, state=UserState.REMOVED)
    return UserList(request.id, UserPage((user("ivo", id=7), user("ida", id=8), gone)))


@pytest.mark.parametrize(
    "typed",
    [
        "sft role i",
        "sft disable i",
        "sft remove i",
        "sft log --user i",
        "sft key trust i",
        "sft why i",
        "sft why ivo remove i",
        "sft who-can role i",
    ],
)
def test_people_are_offered(cli, monkeypatch, typed):
    cli.answers[ListUsers] = everybody
    assert asked(cli, typed, monkeypatch) == ["ivo", "ida"]
    assert asked(cli, f"{typed}v", monkeypatch) == ["ivo"]
    assert {type(request) for session in cli.sessions for request in session.asked} == {ListUsers}


def test_acts_that_can_be_asked_about_are_offered_without_asking_anybody(cli, monkeypatch):
    assert asked(cli, "sft why ivo re", monkeypatch) == ["restore", "readers", "remove", "reset-key"]
    assert asked(cli, "sft who-can dis", monkeypatch) == ["disable"]
    assert asked(cli, "sft who-can invite i", monkeypatch) == []
    assert not cli.sessions


def test_who_was_removed_is_nobodys_aim(cli, monkeypatch):
    cli.answers[ListUsers] = everybody
    assert asked(cli, "sft role e", monkeypatch) == []


def test_roles_are_offered_without_asking_anybody(cli, monkeypatch):
    assert asked(cli, "sft role ivo m", monkeypatch) == ["maintainer"]
    assert not cli.sessions


def test_servers_are_offered_from_this_computer(cli, monkeypatch):
    cli.join(name="other")
    for typed in ("sft --profile ", "sft ls --profile ", "sft servers forget "):
        assert asked(cli, typed, monkeypatch) == ["acme-files", "other"]
    assert not cli.sessions


def test_open_invitations_are_offered(cli, monkeypatch):
    made = [
        Invitation(number, bytes(32), Role.GUEST, None, "ada", 1, 2, state)
        for number, state in ((1, InvitationState.USED), (2, InvitationState.OPEN), (12, InvitationState.OPEN))
    ]
    cli.answers[ListInvitations] = lambda request: InvitationList(request.id, tuple(made))
    assert asked(cli, "sft invite withdraw ", monkeypatch) == ["2", "12"]


def tree(cli, *names: str) -> None:
    def listing(request: ListFolder) -> FolderPage:
        if request.path == "fin":
            return FolderPage(request.id, Page((Folder("fin/2026", 0, 1, 0),), (signed_file("fin/plan.pdf"),)))
        if request.path:
            raise NotFoundError(what="folder", name=request.path)
        return FolderPage(request.id, Page((Folder("fin", 1, 1, 0),), tuple(signed_file(name) for name in names)))

    cli.answers[ListFolder] = listing


def test_paths_of_the_server_are_offered_a_folder_at_a_time(cli, monkeypatch):
    tree(cli, "final.txt")
    for command in ("get", "ls", "info", "rm", "mv", "proof"):
        assert asked(cli, f"sft {command} fi", monkeypatch) == ["fin/", "final.txt"]
    for typed in ("sft why ivo rm fi", "sft who-can get fi"):
        assert asked(cli, typed, monkeypatch) == ["fin/", "final.txt"]
    assert asked(cli, "sft get fin/", monkeypatch) == ["fin/2026/", "fin/plan.pdf"]
    assert asked(cli, "sft get /fin/p", monkeypatch) == ["/fin/plan.pdf"]
    for typed in ("sft put a --to fi", "sft mkdir fi", "sft mv a fi"):
        assert asked(cli, typed, monkeypatch) == ["fin/"]
    assert asked(cli, "sft get nix/", monkeypatch) == []
    assert asked(cli, "sft get a//b", monkeypatch) == []


def test_no_name_of_a_peer_becomes_a_command(cli, monkeypatch):
    tree(cli, "$(reboot)", "it's mine")
    assert asked(cli, "sft get ", monkeypatch, "bash") == ["fin/", "'$(reboot)'", "'it'\"'\"'s mine'"]
    assert asked(cli, "sft get ", monkeypatch, "fish") == ["fin/", "$(reboot)", "it's mine"], "fish quotes itself"
    assert offered("", ["a\u202eb", "a\x1b[2J", "a\nb"]) == []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ('sft get "a', ["a;b"]),
        ("sft get 'x' \"a", ["a;b"]),
        ("sft get \"it's", ["it's mine"]),
        ('sft get "c', []),
        ('sft get "e', []),
        ('sft get "$', []),
        ("sft get 'a", ["'a;b'"]),
        ("sft get '\"' c", ["'c`d'"]),
        ('sft get "x" a', ["'a;b'"]),
    ],
)
def test_within_double_quotes_bash_takes_only_what_is_no_command_there(cli, monkeypatch, typed, expected):
    tree(cli, "$(reboot)", "a;b", "c`d", "e!f", "it's mine")
    assert asked(cli, typed, monkeypatch, "bash") == expected


def test_bash_takes_a_name_whole(cli):
    script = cli.run("completion", "bash").out
    assert 'COMPREPLY+=("$value")' in script


@pytest.mark.parametrize("error", [UnreachableError(address="a", reason="b", profile="c"), KeyLockedError()])
def test_nothing_is_offered_or_said_where_nobody_answers(cli, monkeypatch, error):
    cli.refuses.append(error)
    assert asked(cli, "sft role i", monkeypatch) == []
    assert cli.prompts == []


def test_nothing_is_offered_where_nobody_has_joined(stranger, monkeypatch):
    for typed in ("sft role i", "sft get ", "sft --profile ", "sft restore "):
        assert asked(stranger, typed, monkeypatch) == []


def test_what_takes_too_long_is_given_up():
    clock, ended, outcome = Clock(), [], []

    async def for_ever() -> None:
        try:
            await Deferred()
        finally:
            ended.append(True)

    Deferred.fromCoroutine(_within(clock, SECONDS, for_ever)).addBoth(outcome.append)
    clock.advance(SECONDS - 0.1)
    assert (ended, outcome) == ([], [])
    clock.advance(0.1)
    assert (ended, outcome) == ([True], [None])
