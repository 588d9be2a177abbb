"""Versions and the trash from the command line: what is kept, brought back as the newest, or destroyed for good."""

from __future__ import annotations

from contextlib import nullcontext

from sft.cli import prompts
from sft.client.transfers import expiries
from sft.errors import ConnectionLostError
from sft.model.access import operator_caller
from sft.model.policy import ServerPolicy
from sft.model.records import VaultReport
from sft.service.maintenance import file_expiry
from tests.integration.live_cli import LiveCli
from tests.loop import run


def stored(cli: LiveCli, name: str, *contents: bytes, who: str = "max") -> None:
    for content in contents:
        put = cli.sft(who, "put", cli.file(name, content), "--replace")
        assert put.status == 0, put.err


def test_an_old_content_is_the_newest_again_signed_by_who_brought_it_back(cli: LiveCli):
    stored(cli, "plan.txt", b"one", b"two", b"three")
    back = cli.sft("ada", "restore", "plan.txt", "--version", "1")
    assert (back.status, back.err) == (0, "")
    assert back.lines == ["plan.txt: version 1 is the newest again, as version 4, signed by you"]
    got = cli.sft("gus", "get", "plan.txt", "--to", "back")
    assert got.status == 0
    assert "signed by ada" in got.out
    assert (cli.folder / "back" / "plan.txt").read_bytes() == b"one"
    document = cli.sft("gus", "info", "plan.txt", "--json").document
    assert (document["version"], document["author"], document["owner"]) == (4, "ada", "max")
    # All versions before are there yet; the newest is none to go back to.
    assert cli.sft("gus", "get", "plan.txt", "--version", "2", "--as", "-").out == "two"
    newest = cli.sft("max", "restore", "plan.txt", "--version", "4")
    assert newest.status == 5
    assert "Version 4 is the newest of plan.txt" in newest.err
    for words in (["get", "plan.txt", "--version", "9"], ["restore", "plan.txt", "--version", "9"],
                  ["rm", "plan.txt", "--version", "9", "--yes"]):  # fmt: skip
        none = cli.sft("max", *words)
        assert none.status == 3
        assert "plan.txt has no version 9; it has 1 to 4 [NO_VERSION]" in none.err
        assert "sft info plan.txt" in none.err


def test_large_ones_come_back_too(cli: LiveCli):
    contents = [bytes([number]) * 300_000 for number in (1, 2)]
    stored(cli, "large.bin", *contents)
    assert cli.sft("max", "restore", "large.bin", "--version", "1").status == 0
    assert cli.sft("max", "restore", "large.bin", "--version", "1").lines == [
        "large.bin: version 3 has the content of version 1 already"
    ]
    cli.sft("max", "get", "large.bin", "--to", "large")
    assert (cli.folder / "large" / "large.bin").read_bytes() == contents[0]


def test_a_version_is_destroyed_by_its_name(cli: LiveCli):
    stored(cli, "plan.txt", b"one", b"two", b"three")
    off = cli.sft("max", "rm", "plan.txt", "--version", "2")
    assert off.status == 2
    assert "there is no terminal to ask on" in off.err
    gone = cli.sft("max", "rm", "plan.txt", "--version", "2", "--yes")
    assert gone.lines == ["plan.txt: the content of version 2 is destroyed; what is known of it stays"]
    refused = cli.sft("gus", "get", "plan.txt", "--version", "2", "--to", "x")
    assert refused.status == 3
    assert "The content of version 2 of plan.txt was destroyed on " in refused.err
    assert "by max [VERSION_DESTROYED]" in refused.err
    info = cli.sft("gus", "info", "plan.txt")
    (row,) = [line for line in info.lines if line.startswith("v2")]
    assert row.endswith("by max")
    assert " log " in row
    first, second = cli.sft("gus", "info", "plan.txt", "--json").document["versions"]
    assert (first["version"], first["destroyed_by"], second["destroyed_at"]) == (2, "max", None)
    assert cli.sft("mia", "rm", "plan.txt", "--version", "1", "--yes").status == 4
    newest = cli.sft("max", "rm", "plan.txt", "--version", "3", "--yes")
    assert newest.status == 5
    assert "An older content back: sft restore plan.txt --version N" in newest.err
    assert "\tmax\tpurge\tplan.txt\t2" in cli.sft("max", "log", "--act", "purge").out
    assert cli.operator("vault", "check").status == 0


def test_the_server_keeps_as_many_as_its_operator_says(cli: LiveCli):
    cli.server.here.readers.policy = ServerPolicy(versions_kept=2)
    stored(cli, "plan.txt", b"1", b"2", b"3", b"4")
    collected = cli.operator("vault", "collect")
    assert collected.status == 0
    lines = cli.sft("gus", "info", "plan.txt").lines
    assert [line.split()[0] for line in lines if "destroyed" in line] == ["v2", "v1"]
    refused = cli.sft("gus", "get", "plan.txt", "--version", "1", "--to", "x")
    assert "by the server, which keeps the newest ones [VERSION_DESTROYED]" in refused.err
    assert cli.operator("vault", "check").status == 0


def test_what_lies_in_the_trash_is_destroyed_before_its_time(cli: LiveCli, monkeypatch):
    monkeypatch.setattr(prompts, "interruptible", nullcontext)  # signals are the main thread's
    for name in ("a.txt", "d/b.txt", "d/c.txt", "x1", "x2"):
        stored(cli, name, b"content")
        assert cli.sft("max", "put", cli.file(name, b"content"), "--as", name).status == 0
    assert cli.sft("max", "rm", "a.txt", "x1", "x2").status == 0
    assert cli.sft("max", "rm", "-r", "d", "--yes").status == 0
    by = {item["path"]: item["deleted_by"] for item in cli.sft("max", "ls", "--trash", "--json").document}
    assert by == {"a.txt": "max", "x1": "max", "x2": "max", "d": "max"}
    assert cli.sft("mia", "rm", "--trash", "a.txt", "--yes").status == 4
    gone = cli.sft("max", "rm", "--trash", "a.txt", typed="a.txt\n")
    assert gone.lines == ["a.txt is destroyed"]
    several = cli.sft("ada", "rm", "--trash", "d", "x*", "--yes")
    assert several.lines == ["d/ is destroyed with 2 files in it", "x1 is destroyed", "x2 is destroyed"]
    assert cli.sft("max", "ls", "--trash", "--json").document == []
    assert cli.sft("max", "restore", "a.txt").status == 3


def test_a_put_says_what_it_stored_without_the_expiry(cli: LiveCli, monkeypatch):
    async def broken(*_: object) -> None:
        raise ConnectionLostError

    with monkeypatch.context() as patched:
        patched.setattr(expiries, "set_expiry", broken)
        put = cli.sft("max", "put", cli.file("week.txt", b"content"), "--expires", "7d")
    assert put.status == ConnectionLostError.exit_status
    assert put.out.startswith("stored    week.txt")
    assert put.err.startswith("Stored, but without the expiry, 1:\n  week.txt   ")
    assert put.err.endswith(" [CONNECTION_LOST]   sft expire week.txt --in 7d\n")
    assert cli.sft("max", "expire", "week.txt", "--in", "7d").status == 0


def test_a_file_goes_to_the_trash_by_itself(cli: LiveCli):
    put = cli.sft("max", "put", cli.file("week.txt", b"content"), "--expires", "7d")
    assert (put.status, put.err) == (0, "")
    again = cli.sft("max", "put", cli.file("week.txt", b"content"), "--expires", "14d")
    assert again.out.startswith("unchanged week.txt")
    assert " until " in again.out
    (item,) = cli.sft("max", "put", cli.file("week.txt", b"content"), "--expires", "9d", "--json").document["items"]
    (listed,) = cli.sft("gus", "ls", "--json").document
    assert (item["result"], item["expires_at"]) == ("unchanged", listed["expires_at"])
    assert listed["expires_at"] is not None
    assert any(line.startswith("goes to the trash ") for line in cli.sft("gus", "info", "week.txt").lines)
    assert cli.sft("gus", "expire", "week.txt", "--never").status == 4
    assert cli.sft("max", "expire", "week.txt", "--never").lines == ["week.txt does not expire"]
    assert cli.sft("max", "expire", "week.txt", "--in", "1h").status == 0
    now = cli.server.here.clock()
    cli.server.here.readers._clock = lambda: now + 3601
    cli.server.here.writer._clock = lambda: now + 3601
    caller, context = operator_caller(), cli.server.here.job_context
    with context.begin_read() as reading:
        job = file_expiry.expire_files(reading, caller, context=context)

    async def moved() -> VaultReport:
        return await cli.server.here.pool.run(job)

    assert run(moved()).files == 1
    (gone,) = cli.sft("max", "ls", "--trash", "--json").document
    assert (gone["path"], gone["deleted_by"]) == ("week.txt", "operator")
    assert cli.sft("max", "restore", "week.txt").status == 0
