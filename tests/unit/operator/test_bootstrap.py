from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from sft.errors import HomeError, PassphraseFixedError, VaultError
from sft.model.records import ServerInfo
from sft.operator.bootstrap import master_key_source, open_home
from sft.operator.home import Home, HomeSettings, HomeState
from sft.server.event_log import EventLog
from sft.vault.master_key import CommandMasterKey, CredentialMasterKey, FileMasterKey, PassphraseMasterKey


def opened(home, **given):
    return open_home(
        home, HomeSettings(name="acme", **given), reactor=Clock(), event_log=EventLog(), on_fatal=lambda error: None
    )


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def test_a_first_start_makes_a_whole_home_and_the_next_opens_the_same(home):
    first = opened(home)
    assert first.is_new
    key = first.context.server_key.public
    first.close()
    assert home.state() is HomeState.WHOLE
    assert not home.unfinished.exists()
    assert home.server_key() == key.point

    second = opened(home)
    assert not second.is_new
    assert second.notes == []
    assert second.context.server_key.public == key
    assert isinstance(second.context.info, ServerInfo)
    assert second.context.info.name == "acme"
    second.close()


def test_a_first_start_that_was_cut_at_any_point_is_begun_anew(home):
    home.make()
    home.unfinished.mkdir()
    (home.unfinished / "keyring").write_bytes(b"half a keyring")
    FileMasterKey(home.master_key, data_folder=home.data).create()
    made = opened(home)
    assert made.is_new
    made.close()


def test_another_master_key_is_refused_and_nothing_changed(home):
    opened(home).close()
    keyring = home.keyring.read_bytes()
    home.master_key.write_text("00" * 32 + "\n")
    with pytest.raises(VaultError, match="VAULT"):
        opened(home)
    assert home.keyring.read_bytes() == keyring


def test_a_master_key_that_others_can_read_is_refused(home):
    opened(home).close()
    home.master_key.chmod(0o644)
    with pytest.raises(VaultError):
        opened(home)


def test_settings_of_a_start_rule_and_are_kept(home):
    made = opened(home, public="files.example.org:7361", registration="closed")
    assert made.context.info.address == "files.example.org:7361"
    assert made.context.info.registration == "closed"
    made.close()
    assert home.settings().public == "files.example.org:7361"


def test_the_master_key_comes_from_where_the_option_says(home, tmp_path, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert isinstance(master_key_source(home, "file"), FileMasterKey)
    assert isinstance(master_key_source(home, f"file:{tmp_path}/k"), FileMasterKey)
    assert isinstance(master_key_source(home, "credential:sft"), CredentialMasterKey)
    assert isinstance(master_key_source(home, "passphrase"), PassphraseMasterKey)
    assert isinstance(master_key_source(home, "command:kms get 'a key'"), CommandMasterKey)


@pytest.mark.parametrize("text", ["", "environment", "command:", "credential:", "File"])
def test_an_unknown_master_key_source_is_refused(home, text):
    with pytest.raises(HomeError):
        master_key_source(home, text)


def test_a_master_key_inside_the_data_that_it_protects_is_refused(home):
    with pytest.raises(VaultError):
        master_key_source(home, f"file:{home.data}/key")


def test_a_passphrase_file_opens_the_home_again(home, tmp_path):
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    # A first start that was cut left the parameters, of little work here: what new ones cost is the derivation's.
    home.make()
    home.begin_unfinished()
    PassphraseMasterKey(home.parameters, lambda: "correct horse", ops=1, mem=8192).create()
    opened(home, master_key=f"passphrase:{secret}").close()
    assert not home.master_key.exists()
    again = opened(home, master_key=f"passphrase:{secret}")
    with pytest.raises(PassphraseFixedError):
        again.context.master_keys.require_rotatable()
    again.close()
    secret.write_text("wrong\n")
    with pytest.raises(VaultError):
        opened(home, master_key=f"passphrase:{secret}")


def test_opening_a_home_settles_a_cut_rotation_and_leaves_the_rest_to_the_server(home):
    made = opened(home)
    made.context.master_keys.turn(made.context.storage.vault.adopt)
    made.close()
    again = opened(home)
    assert again.context.storage.vault.keyring.epochs == {1, 2}
    assert again.notes == []
    again.close()
