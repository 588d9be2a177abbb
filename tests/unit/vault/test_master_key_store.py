"""No order of faults loses the keyring: it opens under a master key that is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sft.crypto.keys import ServerKey, ServerPublic
from sft.crypto.succession import leads_to
from sft.errors import MasterKeyElsewhereError, PassphraseFixedError, VaultError
from sft.vault.keyring import Keyring
from sft.vault.keyring_file import create_keyring
from sft.vault.master_key import CommandMasterKey, CredentialMasterKey, FileMasterKey, PassphraseMasterKey
from sft.vault.master_key_store import MasterKeyStore
from tests.fakes.faulty_os import CHANGES, FaultyOs


class Keys:
    """Master key and keyring of a home, each in a folder of its own, and what the process has in memory."""

    def __init__(self, folder: Path, template: Path | None = None) -> None:
        self.folder = folder
        self.source = FileMasterKey(folder / "master.key")
        if template is not None:
            shutil.copytree(template, folder)
        else:
            (folder / "data").mkdir(parents=True, mode=0o700)
            create_keyring(folder / "data" / "keyring", Keyring.generate(self.source.create()).seal())
        self.restart()
        self.row_key = self.keyring.row_key
        self.wrapped = [self.keyring.wrap(bytes(16), bytes(32))]

    def restart(self) -> None:
        """Begin as a new process would: from the disk alone."""
        self.master_keys = MasterKeyStore(self.folder / "data" / "keyring", FileMasterKey(self.folder / "master.key"))
        self.keyring = self.master_keys.open()

    def adopt(self, keyring: Keyring) -> None:
        self.keyring = keyring

    def rotate(self) -> None:
        self.master_keys.turn(self.adopt)
        self.store()
        self.master_keys.retire(self.keyring, self.adopt)

    def renew(self) -> None:
        self.master_keys.renew(self.adopt, now=1)

    @property
    def server_key(self) -> ServerPublic:
        return ServerKey.from_seed(self.keyring.server_seed).public

    def store(self) -> None:
        """Seal something under what the process has in memory, and move all that was sealed before, as a rotation does."""
        data_keys = [self.keyring.unwrap(bytes(16), section) for section in self.wrapped]
        self.wrapped = [self.keyring.wrap(bytes(16), data_key) for data_key in [*data_keys[:1], bytes(32)]]

    def require_whole(self) -> None:
        assert self.keyring.row_key == self.row_key
        for section in self.wrapped:
            assert self.keyring.unwrap(bytes(16), section) == bytes(32)


def test_a_rotation_ends_with_one_key_that_opens_one_epoch(tmp_path):
    keys = Keys(tmp_path / "home")
    keys.rotate()
    keys.restart()
    assert keys.keyring.epochs == {2}
    assert not (tmp_path / "home" / "master.key.new").exists()
    keys.require_whole()


@pytest.mark.long
def test_no_two_faults_lose_the_keyring(tmp_path):
    """A step of a rotation fails; what comes next (the same command, or a start) fails at a later one; then all is well."""
    with FaultyOs().counting():
        Keys(tmp_path / "template")
        trials = 0
        for first, second in pairs(tmp_path / "template"):
            keys = Keys(tmp_path / f"{first}-{second}", tmp_path / "template")
            faulty = FaultyOs({first, second}, late=bool(trials % 2), only=CHANGES)
            with faulty.counting():
                with suppress(VaultError):
                    keys.rotate()
                keys.store()
                with suppress(VaultError):
                    (keys.rotate if second % 2 else keys.restart)()
            if (first + second) % 3:
                faulty.cut_power()
            faulty.close()
            keys.restart()
            keys.require_whole()
            keys.rotate()
            keys.restart()
            keys.require_whole()
            assert not (keys.folder / "master.key.new").exists()
            trials += 1
    assert trials > 300


def test_no_fault_shows_a_server_key_that_a_power_cut_takes_back(tmp_path):
    """A step of a renewal fails; the start after it shows a key, and after a power cut it is that one, or one that follows."""
    with FaultyOs().counting():
        Keys(tmp_path / "template")
        calls = FaultyOs(only=CHANGES)
        with calls.counting():
            Keys(tmp_path / "whole", tmp_path / "template").renew()
        calls.close()
        changed = 0
        for trial in range(2 * calls.count):
            keys = Keys(tmp_path / str(trial), tmp_path / "template")
            first = keys.server_key
            faulty = FaultyOs({trial // 2}, late=bool(trial % 2), only=CHANGES)
            with faulty.counting():
                with suppress(VaultError):
                    keys.renew()
                faulty.fail = frozenset()
                keys.restart()
            shown = keys.server_key
            faulty.cut_power()
            faulty.close()
            keys.restart()
            assert keys.server_key == shown
            assert leads_to(keys.keyring.successions, keys.keyring.server_id, first, shown)
            changed += shown != first
        assert 0 < changed < 2 * calls.count


def pairs(template: Path) -> Iterator[tuple[int, int]]:
    """Go through each step of a rotation, and each later one in it or in what follows."""
    calls = FaultyOs(only=CHANGES)
    with calls.counting():
        Keys(template.with_name("whole"), template).rotate()
    for first in range(calls.count):
        yield from ((first, second) for second in range(first + 1, 2 * calls.count, 1 + first % 2))


def test_a_staged_key_is_never_written_over(tmp_path):
    source = FileMasterKey(tmp_path / "master.key")
    source.create()
    staged = source.stage()
    with pytest.raises(VaultError) as refused:
        source.stage()
    assert refused.value.values["problem"] == f"there is a master key file {tmp_path}/master.key.new already"
    assert source.candidates()[1] == staged


def test_a_rotation_that_was_left_is_gone_on_with_and_makes_no_key(tmp_path):
    keys = Keys(tmp_path / "home")
    keys.master_keys.turn(keys.adopt)
    key = keys.source.read()
    keys.master_keys.turn(keys.adopt)
    assert keys.source.read() == key
    assert keys.keyring.epochs == {1, 2}


def test_the_same_command_again_goes_on_where_one_failed(tmp_path):
    keys = Keys(tmp_path / "home")
    calls = FaultyOs(only={"rename"})
    with calls.counting(), pytest.raises(VaultError):
        calls.fail = frozenset({1})  # the keyring has its name, the master key not yet
        keys.rotate()
    calls.close()
    assert keys.keyring.epochs == {1, 2}
    staged = keys.source.candidates()[1]
    keys.rotate()
    assert keys.keyring.epochs == {2}
    assert keys.source.candidates() == [staged]


def test_a_master_key_that_the_server_only_reads_is_not_rotated(tmp_path):
    path = tmp_path / "keyring"
    (tmp_path / "key").write_bytes(os.urandom(32))
    (tmp_path / "key").chmod(0o600)
    before = sorted(tmp_path.iterdir())
    for source, refusal in (
        (CredentialMasterKey(tmp_path / "key"), MasterKeyElsewhereError),
        (CommandMasterKey(["cat", str(tmp_path / "key")]), MasterKeyElsewhereError),
        (PassphraseMasterKey(tmp_path / "parameters", lambda: "x"), PassphraseFixedError),
    ):
        with pytest.raises(refusal):
            MasterKeyStore(path, source).turn(lambda _: None)
    assert sorted(tmp_path.iterdir()) == before
