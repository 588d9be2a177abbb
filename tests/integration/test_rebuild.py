"""``sftd vault rebuild``: after a database was lost, or put back to an older copy, people have their files again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sft.model.policy import ServerPolicy
from sft.operator import lost_database
from tests.integration.live_cli import LiveCli
from tests.loop import run

SIZE = 100_000


def ok(done):
    assert done.status == 0, done.out + done.err
    return done


def database_files(cli: LiveCli) -> list[Path]:
    database = cli.server.home.database
    return [path for path in database.parent.iterdir() if path.name.startswith(database.name)]


def put(cli: LiveCli, who: str, name: str, *options: str) -> bytes:
    content = os.urandom(SIZE)
    ok(cli.sft(who, "put", cli.file(name, content), "--to", "films", *options))
    return content


def got(cli: LiveCli, who: str, path: str, folder: str) -> bytes:
    ok(cli.sft(who, "get", path, "--to", folder))
    return (cli.folder / folder / Path(path).name).read_bytes()


def test_a_database_that_was_put_back_gets_the_versions_that_came_later(cli: LiveCli, tmp_path: Path):
    server = cli.server
    put(cli, "max", "old")
    port = run(server.halt())
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in database_files(cli):
        shutil.copy(path, copy)
    run(server.start(port))
    new, newer = put(cli, "max", "new"), put(cli, "max", "old", "--replace")
    run(server.halt())
    for path in database_files(cli):
        path.unlink()
    for path in copy.iterdir():
        shutil.copy(path, server.home.database.parent)
    ok(cli.operator("log", "restart", "--reason", "the night before", "--name", "acme"))
    run(server.start(port))
    assert cli.operator("vault", "check").status == 7
    said = ok(cli.operator("vault", "rebuild"))
    assert "put into the index: 1 file, 2 versions" in said.out
    assert cli.operator_json("vault", "check", "--read-data")["faults"] == []
    for who in ("max", "gus"):
        ok(cli.sft(who, "servers", "trust", "acme", typed="acme\n"))
        assert got(cli, who, "films/new", f"{who}-new") == new
        assert got(cli, who, "films/old", f"{who}-old") == newer
    ok(cli.sft("max", "log", "verify", "--server"))
    ok(cli.sft("max", "put", cli.file("new", b"after"), "--to", "films", "--replace"))


def lose(cli: LiveCli) -> tuple[int, bytes]:
    content = put(cli, "max", "film")
    put(cli, "max", "another")
    port = run(cli.server.halt())
    for path in database_files(cli):
        path.unlink()
    return port, content


def test_a_lost_database_is_made_again_as_far_as_the_vault_goes(cli: LiveCli):
    port, content = lose(cli)
    server_id = cli.server.people["max"].server_id
    said = ok(cli.operator("vault", "rebuild"))
    assert "put into the index: 2 files, 2 versions" in said.out
    assert "2 people were made again" in said.out
    run(cli.server.start(port))
    assert cli.server.here.info.server_id == server_id
    assert cli.operator_json("vault", "check", "--read-data")["faults"] == []
    people = {each["user"]: each for each in cli.operator_json("user", "list")}
    assert people["max"]["state"] == "disabled"
    assert people["max"]["role"] == "guest"
    assert cli.sft("max", "ls").status != 0
    ok(cli.operator("user", "enable", "max"))
    ok(cli.sft("max", "servers", "trust", "acme", typed="acme\n"))
    assert got(cli, "max", "films/film", "here") == content
    assert "put into the index: 0 files" in ok(cli.operator("vault", "rebuild")).out


def test_clients_verify_a_file_whose_oldest_contents_were_destroyed_before_the_database_was_lost(
    cli: LiveCli, tmp_path: Path
):
    cli.server.here.readers.policy = ServerPolicy(versions_kept=2)
    contents = [put(cli, "max", "film"), *(put(cli, "max", "film", "--replace") for _ in range(3))]
    ok(cli.sft("gus", "get", "films/film", "--to", "before"))
    ok(cli.operator("vault", "collect"))
    put(cli, "max", "moved")
    ok(cli.sft("max", "mkdir", "new"))
    ok(cli.sft("max", "mv", "films/moved", "new/moved"))
    cli.file("moved", moved := os.urandom(SIZE))
    ok(cli.sft("max", "put", str(cli.folder / "moved"), "--to", "new", "--replace"))
    port = run(cli.server.halt())
    for path in database_files(cli):
        path.unlink()
    said = cli.operator("vault", "rebuild", "--export", str(tmp_path / "left"))
    assert said.status == 7
    assert "put into the index: 2 files, 3 versions" in said.out
    assert "films/moved version 1: it was signed to another place than the newest one" in said.out
    assert "1 content without a place" in said.out
    assert [path.suffix for path in sorted((tmp_path / "left/max/films/moved").iterdir())] == ["", ".minisig", ".pub"]
    run(cli.server.start(port))
    assert cli.operator_json("vault", "check", "--read-data")["faults"] == []
    ok(cli.operator("user", "enable", "max"))
    ok(cli.sft("max", "servers", "trust", "acme", typed="acme\n"))
    assert got(cli, "max", "films/film", "newest") == contents[3]
    assert got(cli, "max", "new/moved", "newest") == moved
    ok(cli.sft("max", "get", "films/film", "--version", "3", "--to", "older"))
    assert (cli.folder / "older" / "film").read_bytes() == contents[2]
    assert cli.sft("max", "get", "films/film", "--version", "2", "--to", "none").status == 3
    info = ok(cli.sft("max", "info", "films/film"))
    assert [line.split()[0] for line in info.lines if line.startswith("v")] == ["v3"]
    assert "2 versions before were lost when the index was made again" in info.out
    ok(cli.sft("max", "log", "verify", "--server"))


def test_what_was_killed_before_the_database_had_its_place_is_begun_anew(cli: LiveCli, monkeypatch: pytest.MonkeyPatch):
    lose(cli)
    home = cli.server.home
    left = home.database.with_name(f"{home.database.name}-wal")
    left.write_bytes(b"of the lost one")
    said = cli.operator("vault", "rebuild")
    assert (said.status != 0, f"Move {left} away" in said.err, home.database.exists()) == (True, True, False)
    left.unlink()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lost_database.durable, "rename_no_replace", killed)
        with pytest.raises(KeyboardInterrupt):
            lost_database.make_again(home, {})
    assert not home.database.exists()
    assert (home.data / lost_database.FOLDER).exists()
    lost_database.make_again(home, {})
    assert home.database.exists()
    assert not (home.data / lost_database.FOLDER).exists()
    before = home.database.read_bytes()
    lost_database.make_again(home, {})
    assert home.database.read_bytes() == before
    assert "2 versions" in ok(cli.operator("vault", "rebuild")).out
