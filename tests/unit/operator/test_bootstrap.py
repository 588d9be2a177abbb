from __future__ import annotations

import shutil

import pytest
from twisted.internet.task import Clock

from sft.errors import (
    HomeError,
    LogDamagedError,
    LogRolledBackError,
    OutcomeUnknownError,
    PassphraseFixedError,
    VaultError,
)
from sft.ledger.checkpoints import open_checkpoint
from sft.ledger.leaves import LeafKind, LogLeaf
from sft.model.records import ServerInfo
from sft.operator import bootstrap
from sft.operator.bootstrap import master_key_source, open_home
from sft.operator.configuration import Configuration
from sft.operator.head_file import HeadFile
from sft.operator.home import Home, HomeState
from sft.server.event_log import EventLog
from sft.service import settings
from sft.store.ledger import leaf_at
from sft.vault.master_key import CommandMasterKey, CredentialMasterKey, FileMasterKey, PassphraseMasterKey
from tests.unit.store.samples import copy_empty


def opened(home, *, name="acme", **given):
    flags = {"name": name, **given}
    return open_home(
        home, Configuration(**flags), flags=flags, reactor=Clock(), event_log=EventLog(), on_fatal=lambda error: None
    )


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "create_database", copy_empty)
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
    with pytest.raises(VaultError, match="MASTER_KEY"):
        opened(home)
    assert home.keyring.read_bytes() == keyring


def test_a_master_key_that_others_can_read_is_refused(home):
    opened(home).close()
    home.master_key.chmod(0o644)
    with pytest.raises(VaultError):
        opened(home)


def test_settings_of_a_start_rule_and_are_kept(home):
    made = opened(home, public="files.example.org:7361", registration="closed", trash_days=7)
    assert made.context.policy.trash_days == 7
    assert made.context.info.address == "files.example.org:7361"
    assert made.context.info.registration == "closed"
    made.close()
    assert home.configuration() == Configuration(name="acme", public="files.example.org:7361", registration="closed")


def test_the_master_key_comes_from_where_the_option_says(home, tmp_path, monkeypatch):
    assert isinstance(master_key_source(home, "file"), FileMasterKey)
    assert isinstance(master_key_source(home, f"file:{tmp_path}/k"), FileMasterKey)
    with monkeypatch.context() as unit:
        unit.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/sftd.service")
        assert isinstance(master_key_source(home, "credential:sft"), CredentialMasterKey)
    assert isinstance(master_key_source(home, "passphrase"), PassphraseMasterKey)
    assert isinstance(master_key_source(home, "command:kms get 'a key'"), CommandMasterKey)


def test_a_unit_without_the_credential_is_told_which_one_and_the_way(home, monkeypatch):
    # As the nightly backup's, while the server is stopped.
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(HomeError) as refused:
        master_key_source(home, "credential:sft")
    assert "no server runs on it, and its master key is the credential sft" in refused.value.values["problem"]
    assert "LoadCredential=sft:FILE in this unit" in refused.value.values["remedy"]


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


# -- the log


def act(whole, name):
    """Change something, which is a leaf."""
    whole.context.writer.submit(settings.change_settings, settings.SettingsChange(name=name)).result()


def test_a_new_home_has_a_log_with_one_leaf_and_its_head_signed(home):
    made = opened(home)
    ledger, signer = made.context.ledger, made.context.head_signer
    checkpoint = open_checkpoint(ledger.head.note, signer.origin(1), made.context.server_key.public)
    assert (checkpoint.size, checkpoint.root, checkpoint.origin.host) == (1, ledger.head.root, "acme")
    with made.context.readers.reading() as reading:
        leaf = LogLeaf.decode(leaf_at(reading, 0).entry)
    assert leaf.kind is LeafKind.LOG_STARTED
    assert [slot.number for slot in leaf.slots] == [0]
    act(made, "other")
    assert ledger.head.size == 2
    head = ledger.head
    made.close()
    again = opened(home, name="other")
    assert again.context.ledger.head == head
    assert again.context.head_signer.origin(1) == checkpoint.origin
    again.close()


def test_a_database_that_was_put_back_is_refused_and_taken_again_with_its_head(home, tmp_path):
    opened(home).close()
    copies = {part: shutil.copyfile(part, tmp_path / part.name) for part in (home.database, home.log_head)}
    whole = opened(home)
    act(whole, "other")
    whole.close()
    shutil.copyfile(copies[home.database], home.database)
    for _ in range(2):
        with pytest.raises(LogRolledBackError):
            opened(home)
    shutil.copyfile(copies[home.log_head], home.log_head)
    opened(home).close()


def test_a_head_that_was_lost_to_a_crash_is_signed_anew_and_kept(home, tmp_path):
    opened(home).close()
    before = shutil.copyfile(home.log_head, tmp_path / "log-head")
    whole = opened(home)
    act(whole, "other")
    head = whole.context.ledger.head
    whole.close()
    shutil.copyfile(before, home.log_head)
    again = opened(home, name="other")
    assert again.context.ledger.head == head
    again.close()
    file = HeadFile(home.log_head)
    assert file.note == head.note
    file.close()


@pytest.mark.parametrize("content", [b"", bytes(8192)])
def test_a_home_whose_last_head_is_not_whole_is_refused(home, content):
    opened(home).close()
    home.log_head.write_bytes(content)
    with pytest.raises(LogDamagedError):
        opened(home)
    home.log_head.unlink()
    with pytest.raises(HomeError, match="HOME"):
        opened(home)


def test_another_servers_head_is_refused(home, tmp_path):
    opened(home).close()
    other = Home(tmp_path / "other")
    opened(other).close()
    shutil.copyfile(other.log_head, home.log_head)
    with pytest.raises(LogDamagedError) as refused:
        opened(home)
    assert "not signed by this server" in str(refused.value.values["problem"])


def test_a_head_that_cannot_be_kept_ends_the_server_before_anybody_hears(home):
    fatal = []
    whole = open_home(home, Configuration(name="acme"), reactor=Clock(), event_log=EventLog(), on_fatal=fatal.append)
    size = whole.context.ledger.head.size
    whole.head_file.close()
    with pytest.raises(OutcomeUnknownError):
        act(whole, "other")
    assert [type(error) for error in fatal] == [OSError]
    assert whole.context.ledger.head.size == size
    whole.context.writer.stop()
    whole.database.close()
    whole.vault.close()
    again = opened(home, name="other")
    assert again.context.ledger.head.size == size + 1
    again.close()
