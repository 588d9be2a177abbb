"""The operator's commands: while the server runs and while it does not."""

from __future__ import annotations

import contextlib
import errno
import io
import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from sft.crypto.keys import SigningKey
from sft.operator import tap
from sft.operator.control import Command, perform
from sft.operator.home import Home, HomeLock
from tests.integration.live_cli import LiveCli, NewCli
from tests.integration.raw import pause, until
from tests.integration.server_fixture import ServerFixture, copy_server
from tests.loop import Timed, reactor, run
from tests.unit.cli.cli_fixture import Ran


def good(done: Ran) -> str:
    assert done.status == 0, done.out + done.err
    return done.out


def test_every_operator_command_works_while_the_server_runs_and_while_it_does_not(cli: LiveCli):
    server = cli.server
    good(cli.sft("max", "put", cli.file("a.txt", b"a"), "--to", "docs"))
    key = SigningKey.generate().public
    assert key.words() in good(cli.operator("user", "add", "ivo", key.text(), "--role", "maintainer"))
    good(cli.operator("user", "role", "ivo", "guest"))
    assert good(cli.operator("user", "show", "max")).splitlines()[0].endswith("  1 file, 1 B")
    good(cli.operator("user", "disable", "ivo"))
    shown = cli.operator_json("user", "show", "ivo")
    assert (shown["state"], shown["role"]) == ("disabled", "guest")
    made = cli.operator_json("invite", "--user", "eva", "--expires", "12h")
    assert cli.operator_json("vault", "check", "--read-data")["faults"] == []
    run(server.halt())

    before = set(server.folder.iterdir())
    for words in (("user", "list"), ("invite", "list"), ("file", "list"), ("session", "list")):
        assert isinstance(cli.operator_json(*words), list), words
    unsure = cli.operator("user", "remove", "ivo")
    assert (unsure.status, "[USAGE]" in unsure.err) == (2, True)
    good(cli.operator("user", "remove", "ivo", "--yes"))
    withdraw = ("invite", "withdraw", str(made["id"]))
    assert cli.operator_json(*withdraw) == {"id": made["id"], "changed": True}
    assert "void already" in good(cli.operator(*withdraw))
    assert cli.operator_json("link")["link"].startswith("sft://127.0.0.1:")
    for words in (("vault", "collect"), ("vault", "rotate-key", "--reencrypt")):
        assert cli.operator_json(*words)["faults"] == [], words
    signature = cli.operator_json("file", "show", "docs/a.txt")["minisig"]
    assert signature.startswith("untrusted comment:")
    assert cli.operator_json("file", "delete", "docs/a.txt")["path"] == "docs/a.txt"
    assert cli.operator_json("file", "list") == []
    assert "already" in good(cli.operator("upgrade"))
    # Nothing besides, nothing at the socket, nobody holds the lock.
    assert set(server.folder.iterdir()) == before
    assert not server.home.control.exists()
    run(server.start())
    states = {each["user"]: each["state"] for each in cli.operator_json("user", "list")}
    assert states == {"ada": "active", "max": "active", "mia": "active", "gus": "active", "ivo": "removed"}
    good(cli.sft("max", "restore", "docs/a.txt"))


@pytest.mark.every_run
def test_people_and_the_operator_are_told_the_same(cli: LiveCli):
    home = f"sftd --home {cli.server.home.path}"
    said = "max is disabled: signed out now; files and account stay. Back: {} enable max"
    assert good(cli.operator("user", "disable", "max")) == said.format(f"{home} user") + "\n"
    enabled = good(cli.operator("user", "enable", "max"))
    assert enabled == "max can sign in again, as maintainer.\n"
    assert good(cli.sft("ada", "disable", "max")) == said.format("sft") + "\n"
    assert good(cli.sft("ada", "enable", "max")) == enabled
    cli.join("leo", "maintainer")
    cli.sft("leo", "put", cli.file("leos.txt", b"leo"), "--to", "leos")
    removed = "leo is removed. The one file stays, signed by leo, and belongs to ada.\n"
    assert good(cli.operator("user", "remove", "leo", "--files-to", "ada", "--yes")) == removed
    assert "leo was removed before" in good(cli.operator("user", "remove", "leo", "--yes"))
    cli.join("eva", "guest")
    assert good(cli.operator("user", "remove", "eva", "--yes")) == "eva is removed. No files are theirs.\n"
    # Folders went along: nobody who is gone is named as the one to ask.
    refused = cli.sft("max", "rm", "-r", "leos", "--yes")
    assert "leos belongs to ada: only they or an admin may delete it" in refused.err
    assert "leo belongs" not in refused.err
    assert "Ask ada" in refused.err


def test_a_reader_who_goes_away_is_no_fault(cli: LiveCli):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(errno.EPIPE, "gone")

    def run_command(home: Any, work: Any, options: Any, named: str) -> int:
        return run(perform(reactor, home, work, options, named))

    err = io.StringIO()
    for words in (("user", "list", "--json"), ("file", "list"), ("log", "key")):
        with contextlib.redirect_stdout(Gone()), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            tap.Options(run_command).parseOptions(["--home", str(cli.server.home.path), *words])
        assert (ended.value.code, err.getvalue()) == (0, ""), words


def test_the_vaults_commands_say_what_they_did(cli: LiveCli):
    good(cli.sft("max", "put", cli.file("a.txt", b"a")))
    assert good(cli.operator("vault", "check", "--read-data")) == "checked: 1 file, 1 version, 1 B: clean\n"
    sealed, copy, backup = good(cli.operator("vault", "rotate-key")).splitlines()
    assert sealed == "sealed anew: 1 version: clean"
    assert "Keep a copy of the new master key" in copy
    assert "keep the two together, by their date" in backup
    assert good(cli.operator("vault", "collect")) == "destroyed: 0 files, 0 versions, 0 B: clean\n"
    assert cli.operator("vault", "quarantine").err == "Nothing is put aside.\n"


@pytest.mark.parametrize(
    "words, status, code",
    [
        (("user", "show", "nobody"), 3, "NOT_FOUND"),
        (("user", "role", "nobody", "emperor"), 2, "USAGE"),
        (("user", "add", "eva", "RWnonsense"), 8, "KEY_FORMAT"),
        (("invite", "--expires", "soon"), 2, "USAGE"),
        (("invite", "withdraw", "99"), 3, "NOT_FOUND"),
        (("file", "delete", "nothing"), 3, "NOT_FOUND"),
    ],
)
def test_a_command_refuses_with_its_status(cli: LiveCli, words: tuple[str, ...], status: int, code: str):
    done = cli.operator(*words)
    assert (done.status, done.out) == (status, "")
    assert f"[{code}]" in done.err
    assert cli.operator(*words, "--json").document["error"]["code"] == code


@pytest.mark.every_run
def test_an_operator_command_without_a_home_says_so_and_makes_none(tmp_path: Path):
    (tmp_path / "none").mkdir()
    done = LiveCli(ServerFixture(tmp_path / "none")).operator("user", "list")
    assert done.status == 10
    assert "[NO_SERVER]" in done.err
    assert f"Start one: sftd --home {tmp_path / 'none' / 'home'} serve" in done.err
    assert [each.name for each in (tmp_path / "none").iterdir()] == ["desk"]


@pytest.mark.parametrize("ends", [True, False], ids=["ends", "takes-long"])
def test_a_command_waits_for_a_first_start(template: Path, tmp_path: Path, ends: bool):
    made = copy_server(template, tmp_path / "made").home
    home = Home(tmp_path / "home")
    home.make()
    lock = HomeLock(home)
    assert lock.take()
    timed, said = Timed(), io.StringIO()

    async def show(command: Command) -> int:
        return 0 if command.session.server_name == "acme" else 1

    async def waits() -> int:
        asked = Deferred.fromCoroutine(perform(timed, home, show, {"json": False}))
        await until(lambda: bool(timed.clock.getDelayedCalls()), "it waits")
        timed.clock.advance(1)
        if ends:
            made.data.rename(home.data)
            made.master_key.rename(home.master_key)
            home.remember({})
            timed.clock.advance(1)
            assert not asked.called
            home.keep_server_key(made.server_key())
            lock.drop()
        while not asked.called:
            timed.clock.advance(1)
            await pause(0)
        return int(await asked)

    with contextlib.redirect_stderr(said):
        status = run(waits())
    lock.drop()
    assert (status, said.getvalue().count("its first start is under way")) == ((0, 0) if ends else (10, 1)), said
    assert timed.clock.getDelayedCalls() == []


def test_links_say_the_public_address_and_whoever_has_one_may_join_an_open_server(new_cli: NewCli):
    cli = new_cli(registration="open", public="files.example.org:7361")
    link = cli.operator_json("link")
    assert (link["server"], link["address"]) == ("acme", "files.example.org:7361")
    here = f"127.0.0.1:{cli.server.port}"
    link = link["link"].replace("files.example.org:7361", here)
    join = ("join", "--user", "gus", "--no-passphrase")
    joined = cli.sft("gus", *join, "--json", stdin=link)
    assert joined.document["role"] == "guest", joined.err
    closed = new_cli(registration="closed")
    refused = cli.sft("late", *join, stdin=closed.operator_json("link")["link"])
    assert (refused.status, "[KEY_UNKNOWN]" in refused.err) == (4, True), refused.err


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_a_command_whose_server_does_not_answer_shows_it_within_a_second_and_says_it_after_ten(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool
):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    home = copy_server(template, tmp_path / "s").home
    lock = HomeLock(home)
    assert lock.take()
    timed, error = Timed(), _Screen() if terminal else io.StringIO()

    async def never(_: Any) -> int:
        raise AssertionError

    async def waits() -> int:
        asked = Deferred.fromCoroutine(perform(timed, home, never, {"json": False}))
        await until(lambda: bool(timed.clock.getDelayedCalls()), "it waits")
        timed.clock.pump([0.5, 0.5])
        assert ("waiting for the server of" in error.getvalue()) is terminal
        assert "No answer" not in error.getvalue()
        timed.clock.pump([0.5] * 20)
        assert error.getvalue().count(f"No answer from the server of {home.path} for 10 s; still waiting.\n") == 1
        while not asked.called:
            timed.clock.advance(1)
            await pause(0)
        return int(await asked)

    with socket.socket(socket.AF_UNIX) as hung, contextlib.redirect_stderr(error):
        hung.bind(str(home.control))
        hung.listen()
        status = run(waits())
    lock.drop()
    assert status == 10
    assert "a server holds it that does not answer" in error.getvalue()
    assert timed.clock.getDelayedCalls() == []
