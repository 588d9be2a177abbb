from __future__ import annotations

import io
import os
import threading

import pytest

from sft.cli.console import Console
from sft.cli.invocation import Environment, Invocation
from sft.cli.prompts import Prompts, ask_on_terminal
from sft.cli.run import Interrupted
from sft.client.profiles import Profiles
from sft.client.versions_seen import VersionsSeen
from sft.errors import PassphraseWrongError, UsageError
from tests.unit.cli.cli_fixture import Known, TableSession, execute_now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def asking(typed: str = "", secrets: tuple[str, ...] = (), *, terminal: bool = True):
    err = Terminal() if terminal else io.StringIO()
    stdin = Terminal(typed) if terminal else io.StringIO(typed)
    left = list(secrets)
    return Prompts(Console(io.StringIO(), err, {}), stdin, lambda _: left.pop(0)), err


def test_an_empty_line_means_the_default_that_was_shown():
    asked, err = asking("\n")
    assert asked.line("Your name there", "ada") == "ada"
    assert err.getvalue() == "Your name there [ada]: "


def test_the_end_of_input_ends_the_command():
    with pytest.raises(Interrupted) as raised:
        asking("")[0].line("Your name there")
    assert raised.value.exit_status == 130


@pytest.mark.parametrize("answer", ["n\n", "\n", "no\n", "yess\n"])
def test_only_yes_is_agreement(answer):
    with pytest.raises(Interrupted) as raised:
        asking(answer)[0].require_agreement("Delete?", otherwise="Nothing was deleted.")
    assert raised.value.message == "Nothing was deleted."


@pytest.mark.parametrize("answer", ["y\n", "YES\n", " y \n"])
def test_yes_is_agreement(answer):
    asking(answer)[0].require_agreement("Delete?", otherwise="")


def test_what_cannot_be_undone_wants_the_name():
    asking("ivo\n")[0].require_typed("Remove ivo?", expected="ivo", otherwise="")
    with pytest.raises(Interrupted):
        asking("y\n")[0].require_typed("Remove ivo?", expected="ivo", otherwise="")


def test_a_new_passphrase_is_typed_twice():
    asked, err = asking(secrets=("one", "two", "three", "three"))
    assert asked.new_passphrase("Passphrase") == "three"
    assert err.getvalue() == "These two differ.\n"


def test_an_empty_passphrase_is_none():
    assert asking(secrets=("",))[0].new_passphrase("Passphrase") is None


def test_nobody_is_asked_where_either_stream_is_no_terminal():
    assert asking()[0].possible
    assert not asking(terminal=False)[0].possible
    assert not Prompts(Console(io.StringIO(), io.StringIO(), {}), Terminal(), str).possible


def test_off_a_terminal_a_link_is_all_of_standard_input():
    assert asking("a\nb\n", terminal=False)[0].pasted("Paste: ", whole=bool) == "a\nb\n"


class Wrapped(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def pasted(pieces: list[str]) -> str:
    reading, writing = os.pipe()
    with Wrapped(os.fdopen(reading, "rb", buffering=0), write_through=True) as stdin:
        asked = Prompts(Console(io.StringIO(), Terminal(), {}), stdin, str)

        def write() -> None:
            for piece in pieces:
                os.write(writing, piece.encode())
            os.close(writing)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            return asked.pasted("Paste: ", whole=lambda text: text.endswith("end\n"))
        finally:
            writer.join()


def test_a_link_that_a_terminal_wrapped_is_taken_whole():
    assert pasted(["sft://one\n", "two\n", "end\n", "not mine\n"]) == "sft://one\ntwo\nend\n"


def test_a_paste_that_stops_is_taken_as_it_is():
    assert pasted(["cut\n"]) == "cut\n"


def test_a_secret_comes_from_a_file_or_standard_input(tmp_path):
    asked = asking("piped", terminal=False)[0]
    (tmp_path / "link").write_text("sft://x\n")
    assert asked.secret_file(str(tmp_path / "link"), "The link") == "sft://x\n"
    assert asked.secret_file("-", "The link") == "piped"
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("none", "binary"):
        with pytest.raises(UsageError):
            asked.secret_file(str(tmp_path / name), "The link")


def test_without_a_terminal_a_passphrase_is_asked_nowhere(process):
    ran = process("whoami")
    assert "[NOT_JOINED]" in ran.stderr
    assert ask_on_terminal.__doc__


def test_a_passphrase_that_opened_the_key_is_not_asked_for_again_and_a_wrong_one_is(cli):
    cli.secrets = ["wrong", "also wrong", "right"]
    left = [PassphraseWrongError(), None, None]
    given = []

    async def connect(_reactor, _state, profile, *, ask, unknown_keys=False, looking=False, on_notice=None):
        given.append(await ask())
        fault = left.pop(0)
        if fault is not None:
            raise fault
        return TableSession(profile, {}, Known({}), versions_seen=VersionsSeen(cli.state, profile.server_id))

    environment = Environment(
        {}, io.StringIO(), io.StringIO(), io.StringIO(), ask_secret=lambda _: cli.secrets.pop(0), connect=connect
    )
    invocation = Invocation(environment)
    profile = Profiles(cli.state).choose()
    for _ in range(2):
        execute_now(lambda reactor: invocation.connected(reactor, profile), lambda _: None)
    assert given == ["wrong", "also wrong", "also wrong"]
