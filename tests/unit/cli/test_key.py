from __future__ import annotations

import json

import pytest

from sft.crypto import key_file
from sft.crypto.keys import PublicKey
from sft.errors import PassphraseWrongError
from tests.unit.cli.cli_fixture import KEY, PASSPHRASE, CliFixture


@pytest.fixture
def protected(tmp_path):
    cli = CliFixture(tmp_path / "state")
    cli.join(passphrase=PASSPHRASE)
    return cli


def test_export_is_minisigns_file_with_the_words_beside_it(cli):
    ran = cli.run("key", "export")
    assert PublicKey.parse(ran.out) == KEY.public
    assert ran.lines[0].startswith("untrusted comment: minisign public key ")
    assert ran.err == f"{KEY.public.words()}\n"
    document = json.loads(cli.run("key", "export", "--json").out)
    assert document["key_words"] == KEY.public.words()
    assert document["pub_file"] == ran.out


@pytest.mark.parametrize("arguments", [("key",), ("key", "show")])
def test_show_has_the_words_and_says_whether_a_passphrase_protects_it(cli, arguments):
    ran = cli.run(*arguments)
    assert KEY.public.words() in ran.out
    assert KEY.public.text() in ran.out
    assert "none: whoever reads the file has the key" in ran.out
    assert not cli.sessions


def test_show_in_json(protected):
    document = json.loads(protected.run("key", "--json").out)
    assert document["passphrase"] is True
    assert document["minisign_key"] == KEY.public.text()


def kept(cli: CliFixture, passphrase: str) -> PublicKey:
    text = (cli.home / "keys/ada.key").read_text()
    return key_file.decode(text, lambda: passphrase).public


def test_a_passphrase_is_changed(protected):
    protected.secrets = [PASSPHRASE, "new", "new"]
    ran = protected.run("key", "passphrase")
    assert ran.lines == ["Your key has a new passphrase."]
    assert kept(protected, "new") == KEY.public
    assert protected.prompts[0] == "Passphrase of your key for acme-files: "


def test_a_wrong_passphrase_is_told_before_a_new_one_is_asked_for(protected):
    protected.secrets = ["wrong", "new", "new"]
    ran = protected.run("key", "passphrase")
    assert ran.status == PassphraseWrongError.exit_status
    assert len(protected.prompts) == 1
    assert kept(protected, PASSPHRASE) == KEY.public


@pytest.mark.long
def test_a_new_passphrase_can_come_from_a_file(cli, tmp_path):
    (tmp_path / "new").write_text("from a file\nsecond line\n")
    open_to_others = cli.run("key", "passphrase", "--new-passphrase-file", str(tmp_path / "new"))
    assert open_to_others.status == 10
    assert "may be read by others, and is a passphrase" in open_to_others.err
    assert f"chmod 600 {tmp_path / 'new'}" in open_to_others.err
    (tmp_path / "new").chmod(0o600)
    ran = cli.run("key", "passphrase", "--new-passphrase-file", str(tmp_path / "new"))
    assert ran.status == 0
    assert kept(cli, "from a file") == KEY.public


def test_a_key_can_be_left_unprotected_and_that_is_said(protected, tmp_path):
    (tmp_path / "old").write_text(f"{PASSPHRASE}\n")
    (tmp_path / "old").chmod(0o600)
    protected.environ["SFT_PASSPHRASE_FILE"] = str(tmp_path / "old")
    ran = protected.run("key", "passphrase", "--no-passphrase")
    assert ran.out == "Your key has no passphrase now: whoever can read your files on this computer can act as ada.\n"
    assert not key_file.is_encrypted((protected.home / "keys/ada.key").read_text())


def test_without_a_terminal_a_new_passphrase_has_to_come_from_somewhere(cli):
    ran = cli.run("key", "passphrase")
    assert ran.status == 2
    assert "--new-passphrase-file FILE, or --no-passphrase" in ran.err


def test_a_wrong_passphrase_may_be_typed_again(protected):
    protected.refuses = [PassphraseWrongError()]
    protected.secrets = ["wrong"]
    ran = protected.run("ls")
    assert "That passphrase does not open the key.\n" in ran.err
    assert protected.passphrases == ["wrong"]
    assert len(protected.sessions) == 1


def test_three_wrong_passphrases_are_the_end(protected):
    protected.refuses = [PassphraseWrongError() for _ in range(4)]
    protected.secrets = ["a", "b", "c", "d"]
    assert protected.run("ls").status == 8
    assert protected.passphrases == ["a", "b", "c"]


def test_a_wrong_passphrase_file_is_not_asked_again(protected, tmp_path):
    (tmp_path / "secret").write_text("wrong")
    (tmp_path / "secret").chmod(0o600)
    protected.environ["SFT_PASSPHRASE_FILE"] = str(tmp_path / "secret")
    protected.refuses = [PassphraseWrongError()]
    assert protected.run("ls").status == 8
    assert protected.passphrases == ["wrong"]
