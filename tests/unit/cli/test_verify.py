from __future__ import annotations

import json

import pytest

from sft.client.pins import Pins
from sft.model.records import DeviceKey
from tests.unit.cli.cli_fixture import KEY, OTHER_KEY, SERVER, pin_of_ada, signed_file, user


@pytest.fixture
def downloaded(cli, tmp_path):
    """A file with its signature, and the pin of its author."""
    file = signed_file("finance/2026/contract.pdf", b"the contract")
    path = tmp_path / "contract.pdf"
    path.write_bytes(b"the contract")
    (tmp_path / "contract.pdf.minisig").write_bytes(file.version.signature)
    ada = DeviceKey(id=1, public_key=KEY.public.encode(), device="laptop", added_at=0)
    Pins(cli.state, SERVER.server_id()).learn([user("ada", id=1, keys=(ada,))], now=1)
    assert pin_of_ada().name == "ada"
    return path


def test_what_holds_and_what_was_not_asked(cli, downloaded):
    ran = cli.run("verify", str(downloaded))
    assert ran.status == 0
    assert ran.lines[0].startswith(f"✓ verified  {downloaded}  12 B  signed with ")
    assert ran.lines[0].endswith(KEY.public.words())
    assert "  The key is the one that this computer pinned for ada." in ran.lines
    assert any(line.startswith("  not asked: ") for line in ran.lines)
    assert not cli.sessions


def test_a_changed_byte(cli, downloaded):
    downloaded.write_bytes(b"the contrast")
    ran = cli.run("verify", str(downloaded))
    assert ran.status == 7
    assert "[SIGNATURE_BAD]" in ran.err
    assert not ran.out


def test_with_a_key_given_as_text_or_file(cli, downloaded, tmp_path):
    (tmp_path / "ada.pub").write_text(KEY.public.pub_file())
    for key in (KEY.public.text(), str(tmp_path / "ada.pub")):
        ran = cli.run("verify", str(downloaded), "--key", key)
        assert ran.status == 0
        assert "  not asked: Whose key that is." in ran.lines


def test_with_another_key(cli, downloaded):
    ran = cli.run("verify", str(downloaded), "--key", OTHER_KEY.public.text())
    assert ran.status == 7


@pytest.mark.parametrize("key", ["RWnonsense", "none.pub"])
def test_what_is_no_key(cli, downloaded, key):
    ran = cli.run("verify", str(downloaded), "--key", key)
    assert "[KEY_FORMAT]" in ran.err
    assert ran.status == 8


def test_a_signature_elsewhere(cli, downloaded, tmp_path):
    (tmp_path / "contract.pdf.minisig").rename(tmp_path / "other")
    ran = cli.run("verify", str(downloaded))
    assert ran.status == 10
    ran = cli.run("verify", str(downloaded), "--signature", str(tmp_path / "other"))
    assert ran.status == 0


def test_json(cli, downloaded):
    document = json.loads(cli.run("verify", str(downloaded), "--json").out)
    assert document["result"] == "verified"
    assert document["signer"] == "ada"
    assert document["key_words"] == KEY.public.words()
    assert document["signed_as"] == "finance/2026/contract.pdf"
    assert document["not_asked"]
