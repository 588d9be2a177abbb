"""Where a restored home's master key comes from; reading a backup alone brings nothing into a home."""

from __future__ import annotations

import os
from types import SimpleNamespace

from sft.operator.backups.folder import BackupFolder, StoredSnapshot
from sft.operator.backups.restore_command import its_keyring
from sft.operator.home import Home
from sft.vault.keyring_file import load_keyring
from sft.vault.master_key import PassphraseMasterKey
from tests.unit.operator.test_bootstrap import home, opened  # noqa: F401


def test_a_backup_that_a_passphrase_opens_is_read_where_no_home_is_and_leaves_none(home, tmp_path):  # noqa: F811
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    home.make()
    home.begin_unfinished()
    PassphraseMasterKey(home.parameters, lambda: "correct horse", ops=1, mem=8192).create()
    made = opened(home, master_key=f"passphrase:{secret}")
    server_id = made.context.storage.vault.keyring.server_id
    made.close()
    files = {home.parameters.name: home.parameters.read_bytes()}
    manifest = SimpleNamespace(
        files=files, keyring=load_keyring(home.keyring), epoch=1, taken_at=0, server_id=server_id
    )
    snapshot, folder = StoredSnapshot("one", manifest), BackupFolder(tmp_path / "backups")
    options = {"data": None, "master_key": f"passphrase:{secret}"}
    empty = tmp_path / "empty"
    empty.mkdir(mode=0o700)
    for other in (Home(tmp_path / "nowhere"), Home(empty), home):
        assert its_keyring(other, folder, snapshot, options).server_id == server_id
    assert (os.listdir(empty), (tmp_path / "nowhere").exists()) == ([], False)
