"""A proof of a file, from the server to somebody who has nothing but the files and the author's key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.live_cli import LiveCli

PATH = "finance/2026/contract.pdf"


@pytest.mark.every_run
def test_an_outsider_checks_what_a_reader_was_given(cli: LiveCli) -> None:
    for text in (b"draft", b"the contract"):
        assert cli.sft("max", "put", cli.file("contract.pdf", text), "--to", "finance/2026", "--replace").status == 0
    wrote = cli.sft("gus", "proof", PATH, "--to", "out", "--json").document
    file, signature, proof = (Path(wrote[name]) for name in ("local", "signature_file", "proof_file"))
    assert (file.name, signature.name, proof.name) == (
        "contract.pdf", "contract.pdf.minisig", "contract.pdf.sftproof",
    )  # fmt: skip
    assert (wrote["author"], wrote["version"]) == ("max", 2)
    words = ("verify", str(file), "--key", wrote["minisign_key"], "--proof", str(proof))
    checked = cli.sft("nobody", *words, "--json").document
    assert (checked["by"], checked["version"], checked["signed_as"]) == ("proof", 2, PATH)
    assert (checked["leaf"], checked["log"]) == (wrote["leaf"], wrote["log"])
    assert not cli.server.state_of("nobody").data.exists()
    # Of another version, and of another content, it shows nothing.
    old = cli.sft("gus", "get", PATH, "--version", "1", "--with-signature", "--to", "old")
    assert old.status == 0, old.err
    other = str(cli.folder / "old" / "contract.pdf")
    refused = cli.sft("nobody", "verify", other, "--key", wrote["minisign_key"], "--proof", str(proof))
    assert (refused.status, "[NOT_SHOWN]" in refused.err) == (7, True)


def test_what_is_there_stays(cli: LiveCli) -> None:
    out = cli.folder / "out"
    out.mkdir()
    (out / "a.txt").write_bytes(b"a")
    assert cli.sft("max", "put", cli.file("a.txt", b"a")).status == 0
    assert cli.sft("gus", "proof", "a.txt", "--to", "out").out.startswith("wrote "), "beside the very same file"
    proof = (out / "a.txt.sftproof").read_bytes()
    assert cli.sft("max", "put", cli.file("b.txt", b"b")).status == 0  # the newest checkpoint is another one
    again = cli.sft("gus", "proof", "a.txt", "--to", "out")
    assert (again.status, again.out.split(":")[0]) == (0, "here already")
    assert (out / "a.txt.sftproof").read_bytes() == proof
    (out / "a.txt.sftproof").write_bytes(b"another")
    refused = cli.sft("gus", "proof", "a.txt", "--to", "out")
    assert (refused.status, "[FILE_EXISTS]" in refused.err) == (5, True)
    assert (out / "a.txt.sftproof").read_bytes() == b"another"
    assert cli.sft("gus", "proof", "a.txt", "--to", "out", "--force").status == 0
    assert (out / "a.txt.sftproof").read_bytes() != b"another"
    assert cli.sft("gus", "proof", "none").status == 3


def test_a_server_with_another_key_than_its_first(cli: LiveCli) -> None:
    assert cli.sft("max", "put", cli.file("a.txt", b"a")).status == 0
    assert cli.operator_json("vault", "rotate-key", "--reencrypt")["faults"] == []
    wrote = cli.sft("gus", "proof", "a.txt", "--to", "out", "--json").document
    words = ("verify", wrote["local"], "--key", wrote["minisign_key"], "--proof", wrote["proof_file"])
    assert cli.sft("nobody", *words).status == 0


def test_what_does_not_show_it_is_given_to_nobody(cli: LiveCli, monkeypatch) -> None:
    assert cli.sft("max", "put", cli.file("a.txt", b"a")).status == 0
    monkeypatch.setattr("sft.client.file_proof.SALT_BYTES", 15)
    refused = cli.sft("gus", "proof", "a.txt", "--to", "out")
    assert (refused.status, "[LOG_PROOF]" in refused.err) == (7, True)
    assert not (cli.folder / "out" / "a.txt.sftproof").exists()


def test_a_receipt_is_checked_when_the_server_has_another_key(cli: LiveCli) -> None:
    path = cli.file("a.txt", b"a")
    (item,) = cli.sft("max", "put", path, "--json").document["items"]
    assert cli.sft("max", "verify", path, "--receipt", item["receipt"]).status == 0
    assert cli.operator_json("vault", "rotate-key", "--reencrypt")["faults"] == []
    assert cli.sft("max", "ls").status == 0
    checked = cli.sft("max", "verify", path, "--receipt", item["receipt"])
    assert (checked.status, "a leaked one signs later too" in checked.out) == (0, True)
