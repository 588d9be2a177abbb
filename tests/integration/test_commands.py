"""What the interface's log of commands names does what the interface does: typed as it stands, against a real server."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from sft.client.transfers.queue.job import Decision, Direction, Failure, Job
from sft.errors import ExistsError, LocalExistsError
from sft.model.records import TrashSeen
from tests.integration.live_cli import LiveCli
from tui import commands
from tui.commands import CommandLine


def typed(cli: LiveCli, command: CommandLine, *options: str) -> str:
    """Run a command as its text stands, with options of a script's; its output."""
    program, name, *words = shlex.split(command.text(), comments=True)
    assert program == "sft"
    ran = cli.sft("max", name, *options, *words)
    assert ran.status == 0, ran.err
    return ran.out


def listed(cli: LiveCli, folder: str = "") -> set[str]:
    return {line.rstrip("/") for line in cli.sft("max", "ls", *([folder] if folder else [])).lines}


@pytest.mark.every_run
def test_each_act_on_files_is_done_by_its_command(cli: LiveCli):
    for folder in ("-rf", "it's a folder", "$(reboot)"):
        typed(cli, commands.make_folder(folder))
    assert {"-rf", "it's a folder", "$(reboot)"} <= listed(cli)
    typed(cli, commands.move("$(reboot)", "it's a folder/`id`"))
    assert listed(cli, "it's a folder") == {"it's a folder/`id`"}
    typed(cli, commands.delete("it's a folder", recursive=True), "--yes")
    assert "it's a folder" not in listed(cli)
    typed(cli, commands.restore("it's a folder", TrashSeen(0)))
    assert listed(cli, "it's a folder") == {"it's a folder/`id`"}


@pytest.mark.every_run
def test_each_transfer_and_decision_is_done_by_its_command(cli: LiveCli):
    source = cli.file("-here/a b.txt", b"first")
    put = Job(1, "acme", Direction.PUT, (source,), "-rf")
    assert "v1" in typed(cli, commands.transfer(put))
    cli.file("-here/a b.txt", b"second")
    refused = Failure.of(source, "-rf/a b.txt", ExistsError(path="-rf/a b.txt", version=1, author="max", stored_at=1))
    for decision, version in ((Decision.REPLACE, "v2"), (Decision.BESIDE, "v1")):
        (command,) = commands.decided(put, [(refused, decision)], "max", 1_777_800_000)
        assert version in typed(cli, command)
    assert listed(cli, "/-rf") == {"-rf/a b.txt", "-rf/a b (max 3 May).txt"}
    to = cli.folder / "to here"
    get = Job(1, "acme", Direction.GET, ("-rf/a b.txt",), str(to), version=1)
    typed(cli, commands.transfer(get))
    assert (to / "a b.txt").read_bytes() == b"first"
    newest = Job(1, "acme", Direction.GET, ("-rf/a b.txt",), str(to))
    there = Failure.of("-rf/a b.txt", "-rf/a b.txt", LocalExistsError(path=str(to / "a b.txt")))
    (to / "a b.txt").write_bytes(b"mine")
    for decision, content in ((Decision.BESIDE, [b"mine", b"second"]), (Decision.REPLACE, [b"second", b"second"])):
        (command,) = commands.decided(newest, [(there, decision)], "max", 0)
        typed(cli, command)
        assert sorted(Path(each).read_bytes() for each in to.iterdir()) == content
