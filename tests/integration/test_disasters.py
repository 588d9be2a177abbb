"""Each line of docs/disasters.md: what is still there, what happens then, and what brings the server back."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import content
from tests.integration.test_backup import backup, lose, ok, restore
from tests.loop import run

F = TypeVar("F", bound=Callable[..., Any])
PAGE = Path(__file__).parents[2] / "docs" / "disasters.md"
FILES = {"a.txt": b"one", "b.bin": content(50_000)}


TESTED: list[str] = []  # lines of the page by their first cells, in order


def line(*cells: str) -> Callable[[F], F]:
    """Say which lines of the page a test is of."""
    TESTED.extend(cells)
    return lambda test: test


class Stricken:
    """A server with a backup of last night, a copy of its master key, and a file that came since."""

    def __init__(self, cli: LiveCli, folder: Path) -> None:
        self.cli = cli
        self.home = cli.server.home
        for name, data in FILES.items():
            ok(cli.sft("max", "put", cli.file(name, data), "--to", "finance"))
        self.key = self.home.master_key.read_bytes()
        self.backups = folder / "backups"
        self.snapshot = backup(cli, self.backups)["snapshot"]["name"]
        ok(cli.sft("max", "put", cli.file("late.txt", b"late"), "--to", "finance"))

    def point(self) -> bytes:
        return (self.home.path / "server.pub").read_bytes()

    def give_key(self, key: bytes) -> None:
        self.home.master_key.write_bytes(key)
        self.home.master_key.chmod(0o600)

    def has(self, *names: str) -> None:
        """Demand that the server has these files, and is the one that max knows."""
        listed = {each["path"] for each in self.cli.operator_json("file", "list")}
        assert listed == {f"finance/{name}" for name in names}
        for name in names:
            ok(self.cli.sft("max", "get", f"finance/{name}", "--to", "back", "--force"))

    def agree(self) -> None:
        ok(self.cli.sft("max", "servers", "trust", "acme", typed="acme\n"))

    def refuses_to_start(self) -> str:
        """Demand that nothing serves this home; return why."""
        refused = self.cli.operator("file", "list")
        assert refused.status in {10, 11}, refused.err
        return refused.err


@pytest.fixture
def stricken(cli: LiveCli, tmp_path: Path) -> Stricken:
    return Stricken(cli, tmp_path)


@line("yes|yes|")
@pytest.mark.every_run
def test_key_and_data_nothing_is_lost(stricken: Stricken):
    cli = stricken.cli
    run(cli.server.start(run(cli.server.halt())))
    stricken.has("a.txt", "b.bin", "late.txt")


@line("yes|lost|yes")
def test_key_and_backup_the_same_server_as_of_the_backup(stricken: Stricken):
    cli, point = stricken.cli, stricken.point()
    port = lose(cli)
    restore(cli, stricken.backups)
    assert stricken.point() == point
    run(cli.server.start(port))
    stricken.agree()
    stricken.has("a.txt", "b.bin")


@line("yes|lost|none")
def test_key_alone_everything_is_lost_and_no_second_server_is_made_unasked(stricken: Stricken):
    lose(stricken.cli)
    assert "but no data" in stricken.refuses_to_start()


@line("lost|yes, and the server runs|")
def test_no_key_what_runs_goes_on_and_every_file_can_be_copied_out(stricken: Stricken):
    cli = stricken.cli
    stricken.home.master_key.unlink()
    status = cli.operator("status")
    assert (status.status, "cannot be read any more" in status.out) == (7, True)
    refused = cli.operator("vault", "rotate-key")
    assert f"there is no master key file {stricken.home.master_key}" in refused.err
    stricken.has("a.txt", "b.bin", "late.txt")
    ok(cli.sft("ada", "get", "finance", "--to", "out"))
    assert {each.name for each in (cli.folder / "out").rglob("*") if each.is_file()} == {"a.txt", "b.bin", "late.txt"}
    run(cli.server.halt())
    assert "master key" in stricken.refuses_to_start()


@line("lost|yes|yes")
def test_no_key_neither_start_nor_restore(stricken: Stricken):
    cli = stricken.cli
    lose(cli)
    stricken.home.master_key.unlink()
    done = cli.operator("restore", str(stricken.backups))
    assert (done.status, "master key" in done.err) == (10, True), done.err
    assert "no server" in stricken.refuses_to_start()


@line("of before a rotation|yes|", "of before a rotation|lost|of before it")
def test_the_key_of_before_a_rotation_opens_the_backup_of_before_it_and_not_the_data(stricken: Stricken):
    cli = stricken.cli
    ok(cli.operator("vault", "rotate-key"))
    backup(cli, stricken.backups)
    port = run(cli.server.halt())
    stricken.give_key(stricken.key)
    assert "MASTER_KEY" in stricken.refuses_to_start()
    shutil.rmtree(stricken.home.data)
    done = cli.operator("restore", str(stricken.backups))
    assert done.status == 10
    assert "number 2" in done.err
    restore(cli, stricken.backups, "--snapshot", stricken.snapshot)
    run(cli.server.start(port))
    stricken.agree()
    stricken.has("a.txt", "b.bin")


@line("yes|some parts lost (`sft.sqlite`, `vault`, `keyring`, `log-head`)|yes")
@pytest.mark.parametrize("part", ["sft.sqlite", "vault", "keyring", "log-head"])
def test_a_part_of_the_data_is_gone_the_start_says_which_and_a_restore_brings_all(stricken: Stricken, part: str):
    cli, data = stricken.cli, stricken.home.data
    port = run(cli.server.halt())
    path = data / part
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    assert part in stricken.refuses_to_start()
    data.rename(data.with_name("data.lost"))
    restore(cli, stricken.backups)
    run(cli.server.start(port))
    stricken.agree()
    stricken.has("a.txt", "b.bin")


@line("yes|an older copy put back by hand|")
def test_an_older_copy_that_was_put_back_by_hand_is_not_started_beside_a_newer_head(stricken: Stricken):
    cli, data = stricken.cli, stricken.home.data
    port = run(cli.server.halt())
    copy = data.with_name("copy")
    shutil.copytree(data, copy)
    run(cli.server.start(port))
    ok(cli.sft("max", "put", cli.file("later.txt", b"later"), "--to", "finance"))
    run(cli.server.halt())
    shutil.copy(data / "log-head", copy / "log-head")
    shutil.rmtree(data)
    copy.rename(data)
    assert "LOG_ROLLED_BACK" in stricken.refuses_to_start()
    ok(cli.operator("log", "restart", "--reason", "an older copy", "--name", "acme"))
    run(cli.server.start(port))
    stricken.agree()
    stricken.has("a.txt", "b.bin", "late.txt")


@line("stolen||")
def test_a_stolen_key_opens_old_backups_and_no_new_ones(stricken: Stricken):
    cli = stricken.cli
    ok(cli.operator("vault", "rotate-key", "--reencrypt"))
    backup(cli, stricken.backups)
    lose(cli)
    stricken.give_key(stricken.key)
    assert cli.operator("restore", str(stricken.backups)).status == 10
    assert restore(cli, stricken.backups, "--snapshot", stricken.snapshot)["faults"] == []


@line("not stolen|stolen|or stolen")
def test_stolen_data_or_a_stolen_backup_have_no_content_and_no_key(stricken: Stricken):
    cli = stricken.cli
    secret = b"a very particular sentence " * 400
    ok(cli.sft("max", "put", cli.file("secret.txt", secret), "--to", "finance"))
    backup(cli, stricken.backups)
    run(cli.server.halt())
    key = bytes.fromhex(re.sub(rb"\s", b"", stricken.key).decode())
    for root in (stricken.home.data, stricken.backups):
        for path in (each for each in root.rglob("*") if each.is_file()):
            data = path.read_bytes()
            assert b"a very particular" not in data, path
            assert key not in data, path
            assert stricken.key.strip() not in data, path
            assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.every_run
def test_each_line_of_the_page_is_a_test_here():
    table = PAGE.read_text(encoding="utf-8").split("| master key | data | backup |")[1].splitlines()[2:]
    lines = ["|".join(cell.strip() for cell in each.split("|")[1:4]) for each in table if each.startswith("|")]
    assert lines == TESTED
