from __future__ import annotations

import errno
import io
import json
import signal
from importlib import import_module

import pytest
from twisted.logger import Logger, LogPublisher

from sft import __version__
from sft.operator import tap
from sft.operator.command_line import Leaf, OperatorGroup
from sft.operator.commands import program
from sft.operator.log_stream import standard_output
from sft.operator.process import reread_on_hangup
from sft.operator.server import link_address
from tests.typed import require_typed


def parsed(*words):
    options = tap.Options()
    options.parseOptions(list(words))
    return options


def test_the_bare_form_serves_on_loopback_only(tmp_path):
    options = parsed("--home", str(tmp_path))
    kind, given = options.call.serves
    assert (kind, given) == ("serve", {})
    assert options.call.home.configured(given).required().listen == "127.0.0.1:7361"
    assert options.call.home.path == tmp_path


def test_the_environment_names_the_home_unless_the_option_does(tmp_path, monkeypatch):
    monkeypatch.setenv("SFT_SERVER_HOME", str(tmp_path / "a"))
    assert parsed("serve").call.home.path == tmp_path / "a"
    assert parsed("--home", str(tmp_path / "b"), "serve").call.home.path == tmp_path / "b"


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "--registration", "anybody"],
        ["serve", "--public", "no-port"],
        ["serve", "--public", "host:0x10"],
        ["serve", "--unheard"],
        ["serve", "--exempt", "everybody"],
        ["unheard"],
        ["user", "role", "gus", "admin", "too"],
        ["session", "kick"],
        ["session", "kick", "x"],
        ["user", "add", "gus", "RW", "--role", "root"],
        ["serve", "--listen", "files.example.org:7361"],
        ["log", "-n", "0"],
    ],
)
def test_a_mistake_in_the_options_is_told_with_the_help_of_that_command_and_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed(*words)
    assert ended.value.code == 2
    said = capsys.readouterr()
    first, second = said.err.splitlines()
    assert first.endswith("[USAGE]")
    assert second.startswith("     ")
    assert "twistd" not in said.err
    assert said.out == ""


def test_a_mistake_names_the_command_whose_help_has_the_answer(capsys):
    with pytest.raises(SystemExit):
        parsed("user", "role", "--json")
    said = capsys.readouterr()
    assert "     See: sftd user role --help\n" in said.err
    assert json.loads(said.out)["error"]["code"] == "USAGE"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("invite max", "sftd invite --user max"),
        ("invite max --role admin", "sftd invite --user max --role admin"),
        ("--home /x invite max", "sftd --home /x invite --user max"),
        ("user role gus", "Give one: sftd user role gus admin, maintainer or guest"),
        ("user role admin gus", "sftd user role gus admin"),
    ],
)
def test_who_leaves_out_a_word_or_turns_two_round_is_shown_the_command(words, meant, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed(*words.split())
    assert (ended.value.code, capsys.readouterr().err.splitlines()[1].strip()) == (2, meant)


def test_another_word_is_answered_with_the_operators_own_command(capsys):
    for word, answer in (("start", "sftd serve"), ("delete", "See: sftd --help"), ("usr", "did you mean user")):
        with pytest.raises(SystemExit):
            parsed(word)
        assert answer in capsys.readouterr().err
    for answer in OperatorGroup.other_words.values():
        require_typed(answer)


def test_help_is_our_own_and_names_the_arguments(capsys):
    for words in ([], ["user"], ["user", "role"], ["vault", "quarantine"], ["serve"]):
        with pytest.raises(SystemExit) as ended:
            parsed(*words, "--help")
        assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "Usage: sftd user role [OPTIONS] NAME {admin|maintainer|guest}" in said
    assert "The person's name." in said
    assert "Exit statuses: 0 done" in said
    assert "twistd [options]" not in said
    with pytest.raises(SystemExit):
        parsed("--version")
    assert capsys.readouterr().out == f"sftd {__version__}\n"


def test_a_reader_of_the_help_who_goes_away_is_no_fault(monkeypatch, capsys):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(errno.EPIPE, "gone")

    monkeypatch.setattr("sys.stdout", Gone())
    with pytest.raises(SystemExit) as ended:
        parsed("--help")
    assert (ended.value.code, capsys.readouterr().err) == (0, "")


@pytest.mark.parametrize(
    ("words", "runs", "options"),
    [
        (["user"], "list_users", {}),
        (["user", "--json"], "list_users", {"json": True}),
        (["invite", "--role", "admin", "--user=ada"], "invite", {"role": "admin", "user": "ada", "expires": "2d"}),
        (["invite", "withdraw", "7"], "withdraw", {"number": 7}),
        (["file", "delete", "a/b", "-r"], "delete", {"path": "a/b", "recursive": True}),
        (["log", "-n2", "--json"], "show", {"n": 2, "json": True}),
        (["log", "show", "--json", "--n", "2"], "show", {"n": 2, "json": True}),
        (["user", "remove", "gus", "--files-to", "ada", "--yes"], "remove", {"files_to": "ada", "yes": True}),
        (["vault"], "status", {}),
    ],
)
def test_words_become_a_function_and_its_options(words, runs, options, tmp_path):
    called = []

    def run_command(home, work, given, named):
        called.append((home.path, work.__name__, given, named))
        return 4

    with pytest.raises(SystemExit) as ended:
        tap.Options(run_command).parseOptions(["--home", str(tmp_path), *words])
    assert ended.value.code == 4
    ((path, name, given, named),) = called
    assert (path, name, named) == (tmp_path, runs, str(tmp_path))
    assert options.items() <= given.items()


def leaves(group):
    for each in group.commands.values():
        yield from leaves(each) if isinstance(each, OperatorGroup) else [each]


def test_every_command_names_a_function_that_is_there():
    found = [each for each in leaves(program) if isinstance(each, Leaf)]
    assert len(found) >= 25
    for each in found:
        module, _, function = each.runs.partition(":")
        assert callable(getattr(import_module(f"sft.operator.{module}"), function)), each


def test_links_name_the_listener_or_the_computer():
    assert link_address("127.0.0.1", 7361) == "127.0.0.1:7361"
    assert link_address("::1", 7361) == "[::1]:7361"
    assert not link_address("0.0.0.0", 7361).startswith("0.0.0.0")


@pytest.mark.parametrize(
    ("given", "pid_file"),
    [
        ({"nodaemon": True, "pidfile": "twistd.pid"}, ""),
        ({"nodaemon": True, "pidfile": "/run/sft.pid"}, "/run/sft.pid"),
        ({"nodaemon": False, "pidfile": "twistd.pid"}, "{home}/serve.pid"),
        ({"nodaemon": False, "pidfile": "/run/sft.pid"}, "/run/sft.pid"),
    ],
)
def test_no_pid_file_lies_in_the_folder_where_a_server_was_started(given, pid_file, tmp_path):
    options = tap.Options()
    options.parent = given
    options.parseOptions(["--home", str(tmp_path / "home"), "serve"])
    assert given["pidfile"] == pid_file.format(home=tmp_path / "home")


def test_a_server_in_the_background_keeps_its_log_in_its_home(tmp_path, capsys):
    options = tap.Options()
    options.parent = given = {"nodaemon": False, "pidfile": "twistd.pid"}
    options.parseOptions(["--home", str(tmp_path / "home"), "witness"])
    assert given["logfile"] == str(tmp_path / "home" / "witness.log")
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    options = tap.Options()
    options.parent = {"nodaemon": False, "pidfile": "twistd.pid"}
    with pytest.raises(SystemExit) as ended:
        options.parseOptions(["--home", str(tmp_path / "file" / "home"), "serve"])
    assert ended.value.code == 10
    assert "[HOME]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ({"nodaemon": True}, True),
        ({"nodaemon": True, "logfile": "-"}, True),
        ({"nodaemon": True, "logfile": "sft.log"}, False),
        ({"nodaemon": True, "syslog": True}, False),
        ({"nodaemon": False}, False),
    ],
)
def test_the_log_on_standard_output_is_ours_and_any_other_twistds(given, ours, tmp_path):
    options = tap.Options()
    options.parent = given
    options.parseOptions(["--home", str(tmp_path / "home"), "serve"])
    assert ("logger" in given) == ours


def test_what_twisted_says_every_day_is_not_in_the_log_and_what_went_wrong_is():
    out = io.StringIO()
    publisher = LogPublisher(standard_output(out))
    for namespace in ("twisted.scripts._twistd_unix.UnixAppLogger", "log_legacy", "sft"):
        logger = Logger(namespace=namespace, observer=publisher)
        logger.info("everyday of {which}", which=namespace)
        logger.warn("odd of {which}", which=namespace)  # noqa: G010 - the name in Twisted
    said = [line.partition(" ")[2] for line in out.getvalue().splitlines()]
    assert [line.partition("] ")[2] for line in said] == [
        "odd of twisted.scripts._twistd_unix.UnixAppLogger", "odd of log_legacy", "everyday of sft", "odd of sft",
    ]  # fmt: skip
    assert said[2].startswith("[sft#info]")


def test_a_home_is_named_without_dots(tmp_path, monkeypatch):
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path / "x")
    assert parsed("--home", "../h", "serve", "--data", "../d").call.home.path == tmp_path / "h"
    assert parsed("serve", "--data", "../d").call.data == str(tmp_path / "d")


def test_a_hangup_reads_the_configuration_anew_and_nothing_ends():
    class Running:
        def callWhenRunning(self, function):
            function()

        def callFromThread(self, function):
            function()

    read = []
    numbers = (signal.SIGHUP, signal.SIGUSR1)
    before = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    try:
        reread_on_hangup(Running(), lambda: read.append(1))
        for number in numbers:
            signal.raise_signal(number)
        assert read == [1]
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        reread_on_hangup(Running(), lambda: read.append(1))
        signal.raise_signal(signal.SIGHUP)
        assert read == [1]
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_data_may_be_given_a_place_of_its_own(tmp_path):
    options = parsed("--home", str(tmp_path / "home"), "serve", "--data", str(tmp_path / "disk"))
    assert options.call.home.data == tmp_path / "disk" / "data"
    assert options.call.serves[1] == {"data": str(tmp_path / "disk")}
