"""The committed vectors: the code makes them again, and reads back what it cannot make."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey, SealedBox

from sft.crypto import key_file
from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.kem import EphemeralKem
from sft.crypto.keys import PublicKey, ServerPublic
from sft.crypto.notes import receipts_text, verify_receipts
from sft.crypto.sealing import EphemeralBox
from sft.crypto.signatures import FileSignature, verify_file, verify_plain, verify_statement
from sft.crypto.statement import ActStatement
from sft.crypto.succession import leads_to
from sft.errors import SignatureInvalidError

FOLDER = Path(__file__).parents[2] / "vectors"
OURS: dict[str, Any] = json.loads(FOLDER.joinpath("crypto.json").read_text("utf-8"))
STOCK: dict[str, Any] = json.loads(FOLDER.joinpath("crypto_stock.json").read_text("utf-8"))


def test_the_code_makes_the_committed_vectors() -> None:
    build = runpy.run_path(str(FOLDER / "generate_crypto.py"))["build"]
    made = build(OURS)
    assert made.keys() == OURS.keys()
    for part, values in OURS.items():
        assert made[part] == values, part


def test_recorded_deliveries_open() -> None:
    exchange = {name: bytes.fromhex(value) for name, value in OURS["exchange"].items()}
    sealed, session_key = exchange["sealed_session_key"], exchange["session_key"]
    assert EphemeralBox(exchange["box_secret"]).receive(sealed) == session_key
    assert SealedBox(PrivateKey(exchange["box_secret"])).decrypt(sealed) == session_key
    receiver = EphemeralKem.generate(lambda _: exchange["kem_seed"])
    assert receiver.public == exchange["kem_public"]
    assert receiver.receive(exchange["kem_ciphertext"]) == exchange["kem_secret"]


def test_recorded_signatures_hold() -> None:
    public = PublicKey.parse(OURS["keys"]["user_pub_file"])
    digest = blake2b_512(bytes.fromhex(OURS["file"]["content"])).digest()
    for version in ("first", "second"):
        signature = FileSignature.parse(OURS["file"][f"{version}_signature"].encode("ascii"))
        comment = verify_file(public, digest, signature)
        assert comment == FileComment.parse(OURS["file"][f"{version}_comment"])
    for said in OURS["statements"].values():
        signed = FileSignature.parse(said["signature"].encode("ascii"))
        verify_statement(public, ActStatement.parse(said["text"]), signed)
    server = ServerPublic(bytes.fromhex(OURS["keys"]["server_public"]))
    assert receipts_text(verify_receipts(server, OURS["receipt"]["note"])) == OURS["receipt"]["text"]
    following = ServerPublic(bytes.fromhex(OURS["succession"]["new_key"]))
    assert leads_to([OURS["succession"]["note"]], server.server_id(), server, following)


def test_recorded_key_files_open() -> None:
    recorded = OURS["key_file"]
    for name in ("unprotected", "protected"):
        key = key_file.decode(recorded[name], lambda: recorded["passphrase"])
        assert key.public.text() == OURS["keys"]["user_public"]


@pytest.mark.parametrize("case", STOCK["signatures"], ids=["content", "empty"])
def test_signatures_of_the_stock_tool_hold(case: dict[str, str]) -> None:
    public = PublicKey.parse(STOCK["unprotected"]["pub_file"])
    digest = blake2b_512(bytes.fromhex(case["content"])).digest()
    signature = FileSignature.parse(case["signature"].encode("ascii"))
    assert verify_plain(public, digest, signature) == "signed by the stock tool"


def test_the_legacy_signature_of_the_stock_tool_is_refused() -> None:
    with pytest.raises(SignatureInvalidError, match="prehashed"):
        FileSignature.parse(STOCK["legacy"]["signature"].encode("ascii"))


def test_the_unprotected_key_of_the_stock_tool_opens() -> None:
    key = key_file.decode(STOCK["unprotected"]["key_file"], lambda: "")
    assert key.public.pub_file() == STOCK["unprotected"]["pub_file"]


@pytest.mark.long
def test_a_key_at_the_stock_tools_full_cost_opens() -> None:
    """The one test that spends a gibibyte and some seconds: the most that a key file may ask for."""
    recorded = STOCK["protected"]
    key = key_file.decode(recorded["key_file"], lambda: recorded["passphrase"])
    assert key.public.pub_file() == recorded["pub_file"]
