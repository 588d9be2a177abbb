from __future__ import annotations

import os
import stat

import pytest

from sft.errors import VaultError
from sft.vault.keyring import Keyring
from sft.vault.keyring_file import create_keyring, load_keyring, replace_keyring
from tests.unit.vault.samples import MASTER, NEXT_MASTER, keyring


def test_a_keyring_is_kept_closed_and_read_again(tmp_path):
    before = os.umask(0)
    try:
        create_keyring(tmp_path / "keyring", keyring().seal())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keyring").stat().st_mode) == 0o600
    assert Keyring.open(load_keyring(tmp_path / "keyring"), MASTER).row_key == keyring().row_key


def test_making_one_never_replaces_one(tmp_path):
    path = tmp_path / "keyring"
    create_keyring(path, b"first")
    with pytest.raises(VaultError):
        create_keyring(path, b"second")
    assert load_keyring(path) == b"first"


def test_the_next_keyring_replaces_the_one_before(tmp_path):
    path = tmp_path / "keyring"
    ring = keyring()
    create_keyring(path, ring.seal())
    replace_keyring(path, ring.rotate(NEXT_MASTER).seal())
    assert Keyring.open(load_keyring(path), NEXT_MASTER).epoch == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["keyring"]


def test_what_is_no_keyring_file_is_refused(tmp_path):
    with pytest.raises(VaultError):
        load_keyring(tmp_path / "absent")
    with pytest.raises(VaultError):
        load_keyring(tmp_path / "no folder" / "keyring")
    (tmp_path / "long").write_bytes(bytes(10_000))
    with pytest.raises(VaultError):
        load_keyring(tmp_path / "long")
    (tmp_path / "link").symlink_to(tmp_path / "long")
    with pytest.raises(VaultError):
        load_keyring(tmp_path / "link")
