"""A home that was put back whole: everybody stops, and goes on after a restart alone, by their own decision."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sft.client.heads import Heads
from tests.integration.live_cli import LiveCli
from tests.json_shapes import commands, faults
from tests.loop import run

WHY = "the disk died; put back from the night before"


def ok(done):
    assert done.status == 0, done.err
    return done


def stops(done, code):
    assert done.status == 7, done.err
    assert code in done.err, done.err


@pytest.fixture
def put_back(cli: LiveCli, tmp_path: Path) -> LiveCli:
    """A server of yesterday, which max saw a day more of; gus has seen nothing since."""
    server, copy = cli.server, tmp_path / "copy"
    ok(cli.sft("max", "put", cli.file("a.txt", b"one"), "--to", "finance"))
    ok(cli.sft("gus", "ls"))
    port = run(server.halt())
    shutil.copytree(server.home.path, copy)
    run(server.start(port))
    ok(cli.sft("max", "put", cli.file("b.txt", b"two"), "--to", "finance"))
    ok(cli.sft("max", "put", cli.file("a.txt", b"one more"), "--to", "finance", "--replace"))
    run(server.halt())
    shutil.rmtree(server.home.path)
    shutil.copytree(copy, server.home.path)
    run(server.start(port))
    return cli


def restart(cli: LiveCli):
    port = run(cli.server.halt())
    said = cli.operator("log", "restart", "--reason", WHY, "--name", "acme", "--json")
    ok(said)
    assert faults(json.loads(said.out), commands()["sftd log restart"]) == []
    run(cli.server.start(port))


def trust(cli: LiveCli, who: str, typed: str):
    return cli.sft(who, "servers", "trust", "acme", typed=typed)


def receipts(cli: LiveCli, who: str) -> set[str]:
    return {path.name for path in (cli.state(who) / "receipts").glob("*/*")}


def test_who_saw_more_stops_until_a_person_is_told_what_is_lacking_and_types_the_name(put_back: LiveCli):
    cli = put_back
    for _ in range(2):
        stops(cli.sft("max", "ls"), "LOG_WENT_BACK")
    restart(cli)
    stops(cli.sft("max", "ls"), "LOG_WENT_BACK")
    said = trust(cli, "max", "yes\n")
    assert said.status != 0
    stops(cli.sft("max", "ls"), "LOG_WENT_BACK")
    kept, before = receipts(cli, "max"), heads(cli, "max")
    said = ok(trust(cli, "max", "acme\n"))
    assert WHY in said.err
    assert "some of that is lacking" in said.err
    lacking = {name for name in kept if name in said.err}
    assert len(kept) == 3
    assert len(lacking) == 2, said.err
    assert any(name.endswith(".2") for name in lacking)
    (head,) = heads(cli, "max")
    assert (head.checkpoint.origin.epoch, before[0].checkpoint.origin.epoch) == (2, 1)
    # What was stored before is verified: its author saw a head of the epoch before.
    ok(cli.sft("max", "get", "finance/a.txt", "--to", "here"))
    assert (cli.folder / "here" / "a.txt").read_bytes() == b"one"
    ok(cli.sft("max", "put", cli.file("b.txt", b"two"), "--to", "finance"))
    ok(cli.sft("max", "log", "verify", "--server"))


def test_who_saw_nothing_more_stops_as_well_and_is_told_that_nothing_is_lacking(put_back: LiveCli):
    cli = put_back
    ok(cli.sft("gus", "ls"))
    restart(cli)
    for _ in range(2):
        stops(cli.sft("gus", "ls"), "LOG_RESTARTED")
    before = heads(cli, "gus")
    assert trust(cli, "gus", "\n").status != 0
    assert heads(cli, "gus") == before, "whoever only looks keeps nothing"
    said = ok(trust(cli, "gus", "acme\n"))
    assert "nothing of that is lacking" in said.err
    assert WHY in said.err
    ok(cli.sft("gus", "get", "finance/a.txt", "--to", "theirs"))
    assert (cli.folder / "theirs" / "a.txt").read_bytes() == b"one"


def heads(cli: LiveCli, who: str):
    state = cli.server.state_of(who)
    return Heads(state, cli.server.people[who].server_id).read()
