from __future__ import annotations

import json

import pytest

from sft.client.pins import Pins
from sft.client.profiles import Profiles
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import ServerKey
from sft.crypto.notes import Receipt, sign_receipts
from sft.crypto.signatures import sign_file
from sft.crypto.signed_note import server_note_key
from sft.model.records import DeviceKey
from tests.unit.cli.cli_fixture import KEY, NOW, OTHER_KEY, SERVER, pin_of_ada, signed_file, user
from tests.unit.ledger import proved_file

SERVER_KEY = ServerKey.from_seed(bytes(range(32)))


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
    assert any(line.startswith("  not checked (offline): ") for line in ran.lines)
    assert not cli.sessions


def test_a_changed_byte(cli, downloaded):
    downloaded.write_bytes(b"the contrast")
    ran = cli.run("verify", str(downloaded))
    assert ran.status == 7
    assert ran.err.splitlines() == [
        f"sft: {downloaded} is not what ada signed [SIGNATURE_BAD]",
        "     Get it again: sft get NAME --force",
    ]
    assert not ran.out
    given = cli.run("verify", str(downloaded), "--key", KEY.public.text())
    assert given.err.splitlines()[0] == f"sft: {downloaded} is not what {KEY.public.text()} signed [SIGNATURE_BAD]"


def test_with_a_key_given_as_text_or_file(cli, downloaded, tmp_path):
    (tmp_path / "ada.pub").write_text(KEY.public.pub_file())
    for key in (KEY.public.text(), str(tmp_path / "ada.pub")):
        ran = cli.run("verify", str(downloaded), "--key", key)
        assert ran.status == 0
        assert "  not checked (offline): Whose key that is." in ran.lines


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


def receipt_for(content):
    return Receipt(
        server_id=SERVER_KEY.public.server_id(),
        file_id=bytes(16),
        version=2,
        size=len(content),
        digest=blake2b_512(content).digest(),
        user=1,
        name="finance/2026/contract.pdf",
        stored_at=int(NOW),
        leaf=18_190,
    )


def test_with_a_receipt(cli, downloaded, tmp_path):
    Profiles(cli.state).update(
        "acme-files", server_key=SERVER_KEY.public.point, server_id=SERVER_KEY.public.server_id()
    )
    note = tmp_path / "receipt"
    note.write_text(sign_receipts(SERVER_KEY, [receipt_for(b"the contract")]))
    ran = cli.run("verify", str(downloaded), "--receipt", str(note))
    assert ran.status == 0
    assert ran.lines[0] == f"✓ verified  {downloaded}  12 B  stored at acme-files"
    assert "  It says so in its log at 18,190." in ran.lines
    document = json.loads(cli.run("verify", str(downloaded), "--receipt", str(note), "--json").out)
    assert (document["by"], document["leaf"], document["key_words"]) == ("receipt", 18_190, None)
    note.write_text(sign_receipts(SERVER_KEY, [receipt_for(b"the contrast")]))
    ran = cli.run("verify", str(downloaded), "--receipt", str(note))
    assert (ran.status, ran.out) == (7, "")
    assert "[NOT_SHOWN]" in ran.err


def test_with_a_proof_and_no_account(stranger, tmp_path):
    path = tmp_path / "contract.pdf"
    path.write_bytes(proved_file.CONTENT)
    path.with_name("contract.pdf.minisig").write_bytes(sign_file(KEY, proved_file.comment()).encode())
    proof = tmp_path / "contract.pdf.sftproof"
    proof.write_text(proved_file.proof_text())
    asked = ("verify", str(path), "--key", KEY.public.text(), "--proof", str(proof))
    ran = stranger.run(*asked)
    assert ran.status == 0
    assert any("It was signed as finance/März.pdf, version 2, for" in line for line in ran.lines)
    assert any("It was logged by files.example.org at 6," in line for line in ran.lines)
    assert "  not checked (offline): Whose key that is." in ran.lines
    log = server_note_key(proved_file.SERVER.public, proved_file.ORIGIN.text()).vkey()
    document = json.loads(stranger.run(*asked, "--log", log, "--json").out)
    assert (document["by"], document["leaf"], document["log"]) == ("proof", 6, proved_file.ORIGIN.text())
    proof.write_text(proved_file.proof_text(proved_file.FACTS | {"version": 3}))
    assert stranger.run(*asked).status == 7


@pytest.mark.parametrize(
    "options",
    [
        ("--log", "x"),
        ("--proof", "p", "--log", "x"),
        ("--receipt", "r", "--key", "k"),
        ("--receipt", "r", "--proof", "p"),
    ],
)
def test_options_that_do_not_go_together(cli, downloaded, options):
    assert cli.run("verify", str(downloaded), *options).status == 2
