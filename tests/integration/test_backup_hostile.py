"""A folder of backups that somebody else could write: nothing of it rules, runs or is written before it is proved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from sft.operator.backups.folder import BackupFolder
from sft.operator.backups.manifest import Manifest
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import content
from tests.integration.test_backup import backup, lose, ok, restore


@pytest.fixture
def backups(cli: LiveCli, tmp_path: Path) -> Path:
    ok(cli.sft("max", "put", cli.file("a.txt", b"one"), "--to", "finance"))
    backup(cli, tmp_path / "backups")
    return tmp_path / "backups"


def forge(backups: Path, change: Callable[[Manifest], Manifest]) -> None:
    """Write the newest manifest anew, with the digest that it has to have."""
    folder = BackupFolder(backups)
    name = folder.names()[-1]
    (backups / "snapshots" / f"{name}.json").write_bytes(change(folder.snapshot(name).manifest).encode())


def with_settings(text: str) -> Callable[[Manifest], Manifest]:
    return lambda manifest: replace(manifest, files={"sft.toml": text.encode()})


@pytest.mark.every_run
def test_settings_that_somebody_put_into_a_backup_run_no_program_and_rule_nothing(cli: LiveCli, backups: Path):
    witness = cli.folder / "ran"
    forge(backups, with_settings(f'master_key = "command:touch {witness}"\nregistration = "open"\n'))
    lose(cli)
    refused = cli.operator("restore", str(backups))
    assert (refused.status, "nobody vouches" in refused.err, "--master-key" in refused.err) == (10, True, True)
    # Where the key comes from is said, or known here: then the settings are held against the server's MAC.
    refused = cli.operator("restore", str(backups), "--master-key", "file")
    assert (refused.status, "somebody changed them" in refused.err) == (10, True)
    assert not witness.exists()
    assert {each.name for each in cli.server.home.path.iterdir()} == {"master.key", "lock"}
    said = restore(cli, backups, "--master-key", "file", "--despite-faults", status=7)
    assert [each["what"] for each in said["faults"]] == ["the settings"]
    assert cli.server.home.configuration().registration == "invite"
    assert not witness.exists()


def test_settings_in_a_backup_do_not_say_where_its_data_are_written(cli: LiveCli, backups: Path):
    elsewhere = cli.folder / "elsewhere"
    elsewhere.mkdir()
    forge(backups, with_settings(f'data = "{elsewhere}"\n'))
    lose(cli)
    assert cli.operator("restore", str(backups)).status == 10
    assert list(elsewhere.iterdir()) == []


def test_settings_and_their_time_come_back_as_the_server_had_them_and_no_others(cli: LiveCli, backups: Path):
    ok(cli.operator("vault", "rotate-key", "--reencrypt"))  # the MAC is under another row key from now on
    (cli.server.home.configuration_file).write_text('registration = "closed"\n')
    backup(cli, backups)
    lose(cli)
    newest = backups / "snapshots" / f"{BackupFolder(backups).names()[-1]}.json"
    whole = newest.read_bytes()
    forge(backups, lambda manifest: replace(manifest, taken_at=manifest.taken_at + 86_400))
    refused = cli.operator("restore", str(backups))
    assert (refused.status, "somebody changed them" in refused.err) == (10, True)
    newest.write_bytes(whole)
    restore(cli, backups)
    assert cli.server.home.configuration().registration == "closed"


def test_a_wrong_master_key_is_refused_before_anything_is_written(cli: LiveCli, backups: Path):
    lose(cli)
    cli.server.home.master_key.write_text("00" * 32)
    refused = cli.operator("restore", str(backups))
    assert (refused.status, "does not open it" in refused.err) == (10, True)
    assert not cli.server.home.restoring.exists()
    assert not cli.server.home.configuration_file.exists()


def test_a_snapshot_that_cannot_be_read_is_named_and_the_others_are_listed(cli: LiveCli, backups: Path):
    whole = json.loads(ok(cli.operator("restore", str(backups), "--list", "--json")).out)
    (backups / "snapshots" / "2099-01-01T00-00-00Z.json").mkdir()
    listed = cli.operator("restore", str(backups), "--list", "--json")
    assert (listed.status, json.loads(listed.out)) == (7, whole)
    assert "2099-01-01T00-00-00Z" in listed.err


def test_a_name_in_a_manifest_moves_no_terminal(cli: LiveCli, backups: Path):
    forge(backups, lambda manifest: replace(manifest, server="\x1b]0;acme\x07\n"))
    listed = ok(cli.operator("restore", str(backups), "--list")).out
    assert "\x1b" not in listed
    assert listed.count("\n") == 1


def test_a_backup_removes_nothing_outside_its_folder_and_nothing_that_it_did_not_make(cli: LiveCli, backups: Path):
    outside = cli.folder / "outside"
    outside.mkdir()
    digest = "ab" * 32
    (outside / digest).touch()
    (backups / "database" / "zz").symlink_to(outside)
    missing = next(name for name in ("ab", "ba") if not (backups / "database" / name).exists())
    (backups / "database" / missing).symlink_to(outside)
    for strange in ("database/notes", "packs/²", "packs/7", "packs/notes"):
        (backups / strange).touch()
    (backups / "packs" / "4000000000").mkdir()
    assert backup(cli, backups)["faults"] == []
    assert (outside / digest).exists()
    for strange in ("database/notes", "packs/²", "packs/7", "packs/notes"):
        assert (backups / strange).exists()


def test_an_object_that_was_lost_in_the_folder_is_copied_again(cli: LiveCli, backups: Path):
    ok(cli.sft("max", "put", cli.file("middle.bin", content(300_000)), "--to", "finance"))
    backup(cli, backups)
    lost = next((backups / "vault" / "objects").glob("*/" + "?" * 32))
    lost.unlink()
    assert backup(cli, backups)["copied"] == 1
    assert lost.exists()
    lose(cli)
    assert restore(cli, backups)["faults"] == []
