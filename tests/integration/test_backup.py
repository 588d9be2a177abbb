"""A server is backed up while it serves, and put back on another disk: the same server, with everything that it had then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sft.limits import MIB
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import content
from tests.json_shapes import commands, faults
from tests.loop import run

LARGE = 17 * MIB  # two segments
FILES = {"a.txt": b"one", "middle.bin": content(300_000), "large.bin": content(LARGE)}


def ok(done):
    assert done.status == 0, done.err
    return done


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def fill(cli: LiveCli) -> None:
    for name, data in FILES.items():
        ok(cli.sft("max", "put", cli.file(name, data), "--to", "finance"))
    ok(cli.sft("mia", "put", cli.file("theirs.bin", content(70_000)), "--to", "finance"))
    ok(cli.sft("mia", "rm", "finance/theirs.bin"))


def backup(cli: LiveCli, folder: Path, *words: str):
    done = ok(cli.operator("backup", str(folder), *words, "--json"))
    document = json.loads(done.out)
    assert faults(document, commands()["sftd backup"]) == []
    return document


def lose(cli: LiveCli) -> int:
    """Stop the server and lose its disk, but for the copy of the master key."""
    port = run(cli.server.halt())
    lose_disk(cli)
    return port


def lose_disk(cli: LiveCli) -> None:
    """Lose the disk of a server that is stopped, but for the copy of the master key."""
    master_key = cli.server.home.master_key.read_bytes()
    shutil.rmtree(cli.server.home.path)
    cli.server.home.path.mkdir()
    cli.server.home.master_key.write_bytes(master_key)
    cli.server.home.master_key.chmod(0o600)


def restore(cli: LiveCli, folder: Path, *words: str, status: int = 0):
    done = cli.operator("restore", str(folder), *words, "--json")
    assert done.status == status, done.err
    document = json.loads(done.out)
    assert faults(document, commands()["sftd restore"]) == []
    return document


def everything(cli: LiveCli):
    return {
        "files": cli.operator_json("file", "list"),
        "people": [{**each, "sessions": 0} for each in cli.operator_json("user", "list")],
        "check": cli.operator_json("vault", "check"),
    }


@pytest.mark.every_run
def test_what_is_put_back_is_the_same_server_with_every_file_person_and_version(cli: LiveCli, backups: Path):
    fill(cli)
    before = everything(cli)
    taken = backup(cli, backups)
    assert (taken["copied"], taken["faults"], taken["snapshot"]["epoch"]) == (3, [], 1)
    # What comes later is lost, and said to be.
    ok(cli.sft("max", "put", cli.file("late.txt", b"late"), "--to", "finance"))
    port = lose(cli)
    said = restore(cli, backups)
    assert said["faults"] == []
    assert said["published"]
    assert said["log"] != said["before"]
    run(cli.server.start(port))
    assert everything(cli) == before
    stopped = cli.sft("max", "ls")
    assert stopped.status == 7
    assert "LOG_RESTARTED" in stopped.err
    told = ok(cli.sft("max", "servers", "trust", "acme", typed="acme\n"))
    assert "restored from the backup of" in told.err
    for name, data in FILES.items():
        ok(cli.sft("max", "get", f"finance/{name}", "--to", "back"))
        assert (cli.folder / "back" / name).read_bytes() == data
    ok(cli.sft("max", "put", cli.file("new.txt", b"new"), "--to", "finance"))
    ok(cli.sft("max", "log", "verify", "--server"))


def verify(cli: LiveCli, folder: Path, *words: str, status: int = 0):
    done = cli.operator("restore", str(folder), "--verify", *words, "--json")
    assert done.status == status, done.err
    document = json.loads(done.out)
    assert faults(document, commands()["sftd restore --verify"]) == []
    return document


def test_a_backup_is_verified_where_it_lies_while_the_server_serves(cli: LiveCli, backups: Path):
    fill(cli)
    first = backup(cli, backups)["snapshot"]["name"]
    ok(cli.sft("max", "put", cli.file("more.bin", content(90_000)), "--to", "finance"))
    backup(cli, backups)
    lost = next(path for path in (backups / "vault" / "objects").iterdir() if not any(path.iterdir()))
    lost.rmdir()
    before = {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in backups.rglob("*")}
    seen = verify(cli, backups)
    assert (seen["faults"], seen["versions"], seen["bytes"] > LARGE) == ([], 5, True)
    assert verify(cli, backups, "--snapshot", first)["versions"] == 4
    # A byte that a disk flips leaves every length as it was.
    large = max((backups / "vault" / "objects").glob("*/" + "?" * 32), key=lambda path: path.stat().st_size)
    with large.open("r+b") as file:
        file.seek(1_000_000)
        file.write(bytes([file.read(1)[0] ^ 1]))
    bare = min(path for path in (backups / "vault" / "objects").glob("*/*.meta") if path.stem != large.name)
    bare.unlink()
    found = {each["problem"]: each["what"] for each in verify(cli, backups, status=7)["faults"]}
    assert [what for problem, what in found.items() if large.name in problem] == ["finance/large.bin version 1"]
    lacking = f"its content holds, and a rebuild would lose it: the sidecar of object {bare.stem} is missing"
    assert found.keys() - {lacking} != found.keys()
    assert len(found) == 2
    assert before.keys() - {bare} == set(backups.rglob("*"))
    ok(cli.operator("backup", str(backups)))
    assert verify(cli, backups, status=7)["faults"] != []
    large.unlink()
    assert backup(cli, backups)["copied_again"] == 1
    assert verify(cli, backups)["faults"] == []


def test_a_second_backup_copies_what_is_new_alone_and_an_older_one_can_still_be_put_back(cli: LiveCli, backups: Path):
    fill(cli)
    first = backup(cli, backups)
    ok(cli.sft("max", "put", cli.file("more.bin", content(90_000)), "--to", "finance"))
    second = backup(cli, backups)
    assert (second["copied"], second["snapshot"]["objects"]) == (1, first["snapshot"]["objects"] + 1)
    assert second["written"] < first["written"] / 10
    listed = json.loads(ok(cli.operator("restore", str(backups), "--list", "--json")).out)
    assert listed == [first["snapshot"], second["snapshot"]]
    lose(cli)
    said = restore(cli, backups, "--snapshot", first["snapshot"]["name"])
    assert said["snapshot"] == first["snapshot"]
    assert said["faults"] == []


def test_what_no_kept_backup_needs_is_removed_and_nothing_else(cli: LiveCli, backups: Path):
    fill(cli)
    first = backup(cli, backups)
    # New objects for every content: the folder has all of them twice.
    ok(cli.operator("vault", "rotate-key", "--reencrypt"))
    assert backup(cli, backups)["removed"] == 0
    again = backup(cli, backups, "--keep", "1")
    assert (again["given_up"], again["removed"]) == (2, first["snapshot"]["objects"])
    assert (again["copied"], again["snapshot"]["epoch"]) == (0, 2)
    assert len(list((backups / "snapshots").glob("*.json"))) == 1
    assert len(list((backups / "vault" / "objects").glob("*/" + "?" * 32))) == again["snapshot"]["objects"]
    lose(cli)
    assert restore(cli, backups)["faults"] == []


def test_each_restore_of_one_backup_begins_a_log_of_its_own(cli: LiveCli, backups: Path):
    backup(cli, backups)
    logs = set()
    for _ in range(3):
        lose(cli)
        logs.add(restore(cli, backups)["log"])
        run(cli.server.start())
    assert len(logs) == 3


def test_a_stopped_server_is_backed_up_as_well_and_moves_without_a_word_to_anybody(cli: LiveCli, backups: Path):
    fill(cli)
    ok(cli.sft("max", "ls"))
    before = everything(cli)
    port = run(cli.server.halt())
    backup(cli, backups)
    run(cli.server.start(port))
    port = lose(cli)
    said = restore(cli, backups, "--nothing-since")
    assert said["log"] == said["before"]
    run(cli.server.start(port))
    assert everything(cli) == before
    ok(cli.sft("max", "ls"))
    ok(cli.sft("max", "get", "finance/a.txt", "--to", "back"))


def test_an_object_that_was_damaged_in_the_backup_is_named_and_keeps_the_server_from_being_served(
    cli: LiveCli, backups: Path
):
    fill(cli)
    backup(cli, backups)
    (name,) = [
        each
        for each in (backups / "vault" / "objects").glob("*/*")
        if each.is_file() and 290_000 < each.stat().st_size < 310_000
    ]
    data = bytearray(name.read_bytes())
    data[1000] ^= 1
    name.write_bytes(data)
    port = lose(cli)
    said = restore(cli, backups, status=7)
    assert [each["what"] for each in said["faults"]] == ["finance/middle.bin version 1"]
    assert not said["published"]
    refused = cli.operator("user", "list")
    assert refused.status == 10
    assert "put back" in refused.err
    said = restore(cli, backups, "--despite-faults", status=7)
    assert said["published"]
    run(cli.server.start(port))
    ok(cli.sft("max", "servers", "trust", "acme", typed="acme\n"))
    ok(cli.sft("max", "get", "finance/large.bin", "--to", "back"))
    assert cli.sft("max", "get", "finance/middle.bin", "--to", "back").status == 7
