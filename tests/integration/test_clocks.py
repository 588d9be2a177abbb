"""Clocks that jump between two commands, the server's or the reader's: nobody is told of a lie."""

from __future__ import annotations

import pytest

from sft.ledger.leaves import LogLeaf
from sft.operator import bootstrap, home_log
from tests.integration.live_cli import LiveCli
from tests.loop import run

DAYS = 24 * 3600
JUMPS = [2 * DAYS, -2 * DAYS]


def at(cli: LiveCli, monkeypatch: pytest.MonkeyPatch, now: int) -> None:
    """Start the server anew, at a moment by its clock."""
    for module in (bootstrap, home_log):
        monkeypatch.setattr(module, "wall_clock", lambda: now)
    port = run(cli.server.halt())
    run(cli.server.start(port))


def newest_time(cli: LiveCli) -> int:
    return LogLeaf.decode(cli.server.here.ledger.last_leaf.entry).time


def all_is_well(cli: LiveCli, name: str) -> None:
    """Do what rests on proofs and on what is only listed: nothing is an alarm, and nothing was kept as evidence."""
    for who, *words in (
        ("max", "put", cli.file(name, name.encode())),
        ("max", "put", cli.file(name, name.encode())),
        ("gus", "ls"),
        ("gus", "get", "--to", "got", "--force", name),
        ("gus", "get", "--to", "got", name),
        ("gus", "info", name),
        ("max", "mv", name, f"moved {name}"),
        ("gus", "get", "--to", "got", f"moved {name}"),
        ("ada", "users"),
        ("gus", "log", "verify", "--server"),
    ):
        done = cli.sft(who, *words)
        assert done.status == 0, (words, done.out, done.err)
    for who in ("max", "gus", "ada"):
        assert not (cli.state(who) / "evidence").exists()
        assert not list((cli.state(who) / "stopped").glob("*"))


@pytest.mark.parametrize("jump", JUMPS)
def test_the_servers_clock_jumps(cli: LiveCli, monkeypatch: pytest.MonkeyPatch, jump: int) -> None:
    now = newest_time(cli)
    at(cli, monkeypatch, now)
    all_is_well(cli, "first")
    at(cli, monkeypatch, now + jump)
    all_is_well(cli, "second")
    assert newest_time(cli) == now + max(jump, 0), "leaves are in order of their times"
    at(cli, monkeypatch, now)  # and it is set right
    all_is_well(cli, "third")


@pytest.mark.parametrize("jump", JUMPS)
def test_everybody_elses_clock_jumps(cli: LiveCli, monkeypatch: pytest.MonkeyPatch, jump: int) -> None:
    """As the one above, from the other side: to who came yesterday the whole server is days away."""
    now = newest_time(cli)
    at(cli, monkeypatch, now + jump)
    all_is_well(cli, "first")
    all_is_well(cli, "second")


@pytest.mark.every_run
def test_a_key_that_ended_while_the_servers_clock_was_ahead_lets_nobody_in(
    cli: LiveCli, monkeypatch: pytest.MonkeyPatch
):
    now = newest_time(cli)
    at(cli, monkeypatch, now + 2 * DAYS)
    assert cli.sft("ada", "reset-key", "max", "--yes").status == 0
    at(cli, monkeypatch, now)
    refused = cli.sft("max", "ls")
    assert (refused.status, "[KEY_REVOKED]" in refused.err) == (4, True), refused.err
