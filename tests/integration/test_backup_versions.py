"""A backup that another version took: an older one is brought up to date, a later one refused before anything is copied."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command

from sft.operator.bootstrap import open_master_keys
from sft.store import migration
from sft.store.revision import current_revision, migrations_folder, needed_revision
from tests.campaigns.upgrades import rows
from tests.integration.live_cli import LiveCli
from tests.integration.test_backup import FILES, everything, fill, lose_disk, ok, restore
from tests.integration.test_backup_faults import take
from tests.loop import run

OLDER = [path.name[:4] for path in sorted(migrations_folder().glob("versions/[0-9]*.py"))][:-1]
LATER = "9999"


@pytest.mark.parametrize("version", OLDER)
def test_a_backup_of_an_older_version_is_put_back_up_to_date_with_every_row(cli: LiveCli, tmp_path: Path, version: str):
    fill(cli)
    before = everything(cli)
    port = run(cli.server.halt())
    home = cli.server.home
    keyring = open_master_keys(home, "file").open()
    macs = migration.MigrationMacs.of(keyring.row_key, keyring.server_id)
    migration.migrate(home.database, lambda config: command.downgrade(config, version), macs)
    stored = {name: rows(home.database)[name] for name in ("users", "files", "versions", "folders", "device_keys")}
    assert all(stored.values())
    taken = take(cli, tmp_path / "backups", keyring=keyring)
    assert taken.snapshot.manifest.schema == version
    lose_disk(cli)
    said = restore(cli, tmp_path / "backups")
    assert (said["faults"], said["published"], said["versions"]) == ([], True, len(stored["versions"]))
    assert current_revision(home.again().database) == needed_revision()
    assert rows(home.again().database, set(stored)) == stored
    run(cli.server.start(port))
    assert everything(cli) == before
    ok(cli.sft("max", "servers", "trust", "acme", typed="acme\n"))
    for name, data in FILES.items():
        ok(cli.sft("max", "get", f"finance/{name}", "--to", "back"))
        assert (cli.folder / "back" / name).read_bytes() == data


def test_a_backup_of_a_later_version_is_refused_in_words_and_the_home_stays_empty(cli: LiveCli, tmp_path: Path):
    fill(cli)
    keyring = cli.server.here.storage.vault.keyring
    run(cli.server.halt())
    with closing(sqlite3.connect(cli.server.home.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (LATER,))
    take(cli, tmp_path / "backups", keyring=keyring)
    lose_disk(cli)
    done = cli.operator("restore", str(tmp_path / "backups"))
    assert done.status == 10
    assert "[BACKUP]" in done.err
    assert f"version {LATER}" in done.err
    assert needed_revision() in done.err
    assert [each.name for each in cli.server.home.path.iterdir()] == ["master.key"]
