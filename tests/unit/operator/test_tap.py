from __future__ import annotations

import signal

import pytest
from twisted.python import usage

from sft.errors import UsageError
from sft.operator import tap
from sft.operator.home import HomeSettings
from sft.operator.people import role_of
from sft.operator.process import stay_on_hangup
from sft.operator.server import link_address


def parsed(*words):
    options = tap.Options()
    options.parseOptions(list(words))
    return options


def test_the_bare_form_serves_on_loopback_only(tmp_path):
    options = parsed("--home", str(tmp_path))
    assert options.subCommand == "serve"
    assert options.subOptions["listen"] == "tcp:7361:interface=127.0.0.1"
    assert options.home.path == tmp_path


def test_the_environment_names_the_home_unless_the_option_does(tmp_path, monkeypatch):
    monkeypatch.setenv("SFT_SERVER_HOME", str(tmp_path / "a"))
    assert parsed("serve").home.path == tmp_path / "a"
    assert parsed("--home", str(tmp_path / "b"), "serve").home.path == tmp_path / "b"


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "--registration", "anybody"],
        ["serve", "--public", "no-port"],
        ["serve", "--public", "host:0x10"],
        ["serve", "--unheard"],
        ["serve", "--exempt", "everybody"],
        ["unheard"],
        ["user", "role", "gus"],
        ["user", "role", "gus", "admin", "too"],
        ["session", "kick"],
    ],
)
def test_a_mistake_in_the_options_is_a_usage_error(words):
    with pytest.raises(usage.UsageError):
        parsed(*words)


def test_what_is_given_replaces_what_was_kept_and_the_rest_stays():
    kept = HomeSettings(public="old:1", registration="closed", name="acme")
    given = {"master-key": None, "public": "new:2", "registration": None, "name": None, "exempt": None, "data": None}
    merged = tap.merged(kept, given)
    assert merged == HomeSettings(public="new:2", registration="closed", name="acme")


def test_every_subcommand_names_a_function_that_is_there():
    from importlib import import_module

    from sft.operator.options import Leaf

    leaves, pending = [], [tap.Options]
    while pending:
        for _, _, kind, _ in getattr(pending.pop(), "subCommands", []):
            pending.append(kind)
            if issubclass(kind, Leaf):
                leaves.append(kind)
    assert len(leaves) >= 15
    for leaf in leaves:
        module, _, function = leaf.runs.partition(":")
        assert callable(getattr(import_module(f"sft.operator.{module}"), function)), leaf


@pytest.mark.parametrize("words", [["-n", "2", "--json"], ["--json", "-n2"], ["--n", "2", "--json"]])
def test_an_option_of_one_letter_keeps_its_value(words, monkeypatch):
    from sft.operator.options import LogOptions

    (show,) = (kind for name, _, kind, _ in LogOptions.subCommands if name == "show")
    monkeypatch.setattr(show, "postOptions", lambda self: None)  # which runs the command
    options = show()
    options.parseOptions(words)
    assert (options["n"], options["json"]) == ("2", 1)


def test_a_role_that_does_not_exist_is_refused():
    assert role_of("guest") == "guest"
    with pytest.raises(UsageError):
        role_of("root")


def test_links_name_the_listener_or_the_computer():
    assert link_address("127.0.0.1", 7361) == "127.0.0.1:7361"
    assert link_address("::1", 7361) == "[::1]:7361"
    assert not link_address("0.0.0.0", 7361).startswith("0.0.0.0")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"nodaemon": True, "pidfile": "twistd.pid"}, ""),
        ({"nodaemon": True, "pidfile": "/run/sft.pid"}, "/run/sft.pid"),
        ({"nodaemon": False, "pidfile": "twistd.pid"}, "twistd.pid"),
    ],
)
def test_a_server_in_the_foreground_leaves_no_pid_file_where_it_was_started(given, kept):
    options = tap.Options()
    options.parent = given
    options.parseOptions(["serve"])
    assert given["pidfile"] == kept


def test_the_signals_that_ask_other_servers_to_read_anew_end_nothing():
    class Running:
        def callWhenRunning(self, function):
            function()

    numbers = (signal.SIGHUP, signal.SIGUSR1)
    before = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    try:
        stay_on_hangup(Running())
        assert {signal.getsignal(number) for number in numbers} == {signal.SIG_IGN}
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_data_may_be_given_a_place_of_its_own(tmp_path):
    options = parsed("--home", str(tmp_path / "home"), "serve", "--data", str(tmp_path / "disk"))
    assert options.home.data == tmp_path / "disk" / "data"
    assert tap.merged(HomeSettings(), options.subOptions).data == str(tmp_path / "disk")
