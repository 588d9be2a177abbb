"""The committed vectors: made again by the code, and derived a second time from PROTOCOL.md alone."""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
from pathlib import Path

import msgspec
import nacl.bindings
import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

from sft.crypto.keys import InvitationKey, ServerKey, SigningKey
from sft.errors import InviteExpiredError, RequestError
from sft.wire.channel import Opener
from sft.wire.connection import Connection
from sft.wire.events import LoginRefused, ServerProved, Welcomed
from sft.wire.handshake import Claim
from sft.wire.login import verify_claim
from sft.wire.messages import CODEC, BeginUpload, ListFolder
from tests.wire_pairs.pair import cut

FOLDER = Path(__file__).parents[2] / "vectors"
VECTORS = json.loads((FOLDER / "wire.json").read_text())
INPUTS = {name: bytes.fromhex(value) for name, value in VECTORS["inputs"].items()}
HANDSHAKES = {
    kind: {name: bytes.fromhex(value) for name, value in values.items()}
    for kind, values in VECTORS["handshakes"].items()
}
KINDS = sorted(HANDSHAKES)


def generator():
    spec = importlib.util.spec_from_file_location("generate_wire", FOLDER / "generate_wire.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generator_makes_the_committed_file():
    made = generator().build(VECTORS)
    assert json.dumps(made, indent=1) + "\n" == (FOLDER / "wire.json").read_text()


def test_the_generator_makes_a_file_from_nothing():
    made = generator().build(None)
    assert made["inputs"] == VECTORS["inputs"]
    for kind in KINDS:
        assert made["handshakes"][kind]["m1_frame"] == VECTORS["handshakes"][kind]["m1_frame"]
        assert made["handshakes"][kind]["m2_frame"] != VECTORS["handshakes"][kind]["m2_frame"]


def hkdf(salt: bytes, secret: bytes, info: bytes) -> bytes:
    extracted = hmac.digest(salt or bytes(64), secret, "sha512")
    return hmac.digest(extracted, info + b"\x01", "sha512")[:32]


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def sealed(key: bytes, counter: int, plaintext: bytes) -> bytes:
    nonce = bytes(16) + counter.to_bytes(8, "big")
    return framed(nacl.bindings.crypto_secretbox_easy(plaintext, nonce, key))


def signed(seed: bytes, label: bytes, *covered: bytes) -> bytes:
    _, expanded = nacl.bindings.crypto_sign_seed_keypair(seed)
    statement = label.ljust(64, b"\xff") + hashlib.sha512(b"".join(covered)).digest()
    return nacl.bindings.crypto_sign(statement, expanded)[:64]


def keys_of(values: dict[str, bytes]) -> tuple[bytes, bytes]:
    box_public = nacl.bindings.crypto_scalarmult_base(INPUTS["client_box_secret"])
    session_key = nacl.bindings.crypto_box_seal_open(values["sealed_key"], box_public, INPUTS["client_box_secret"])
    assert session_key == INPUTS["session_key"]
    kem = MLKEM768PrivateKey.from_seed_bytes(INPUTS["client_kem_seed"])
    secret = kem.decapsulate(values["kem_ciphertext"]) + session_key
    return (
        hkdf(values["th1"], secret, b"sft/1 client to server"),
        hkdf(values["th1"], secret, b"sft/1 server to client"),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_hellos_are_laid_out_as_specified(kind):
    values = HANDSHAKES[kind]
    kem = MLKEM768PrivateKey.from_seed_bytes(INPUTS["client_kem_seed"]).public_key()
    assert values["m1_frame"] == framed(
        b"SFT1\x01\x00\x01"
        + INPUTS["client_random"]
        + b"\x00\x1d\x00\x20"
        + nacl.bindings.crypto_scalarmult_base(INPUTS["client_box_secret"])
        + b"\x02\x01\x04\xa0"
        + kem.public_bytes_raw()
    )
    assert values["m2_frame"] == framed(
        b"\x00\x01" + INPUTS["server_random"] + values["sealed_key"] + values["kem_ciphertext"]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_transcripts_and_keys_follow_from_the_specification(kind):
    values = HANDSHAKES[kind]
    hellos = values["m1_frame"] + values["m2_frame"]
    assert values["th1"] == hashlib.sha512(b"sft/1 TH1" + hellos).digest()
    covered = b"sft/1 TH2" + values["th1"] + values["m3_plaintext"]
    assert values["th2"] == hashlib.sha512(covered).digest()
    assert (values["client_to_server_key"], values["server_to_client_key"]) == keys_of(values)


@pytest.mark.parametrize("kind", KINDS)
def test_the_servers_proof_follows_from_the_specification(kind):
    values = HANDSHAKES[kind]
    point, _ = nacl.bindings.crypto_sign_seed_keypair(INPUTS["server_seed"])
    assert point == INPUTS["server_key"]
    signature = signed(INPUTS["server_seed"], b"sft/1 server hello", values["th1"], point)
    assert values["m3_plaintext"] == b"\x03" + point + signature + b"\x00"


STATEMENT = b"the statement of a joining"
CLAIMS = {
    "login": ["login", "ada", INPUTS["user_public_key"], "laptop", None, [2, 3], b""],
    "join": ["join", "ada", INPUTS["user_public_key"], "laptop", INPUTS["invitation_point"], [2, 3], STATEMENT],
    "operator": ["operator", "operator", None, "", None, [], b""],
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_login_follows_from_the_specification(kind):
    values = HANDSHAKES[kind]
    claim = msgspec.msgpack.encode(CLAIMS[kind])
    m4 = b"\x04" + len(claim).to_bytes(2, "big") + claim
    if kind == "join":
        m4 += signed(INPUTS["invitation_seed"], b"sft/1 invitation", values["th2"], m4)
    if kind != "operator":
        m4 += signed(INPUTS["user_seed"], f"sft/1 {kind}".encode(), values["th2"], m4)
    assert values["m4_plaintext"] == m4


@pytest.mark.parametrize("kind", KINDS)
def test_sealed_frames_follow_from_the_specification(kind):
    values = HANDSHAKES[kind]
    to_server, to_client = values["client_to_server_key"], values["server_to_client_key"]
    assert values["m3_frame"] == sealed(to_client, 0, values["m3_plaintext"])
    assert values["m4_frame"] == sealed(to_server, 0, values["m4_plaintext"])
    assert values["m5_frame"] == sealed(to_client, 1, values["m5_plaintext"])


def test_frames_after_login_follow_from_the_specification():
    values = HANDSHAKES["login"]
    key = values["client_to_server_key"]
    following = hkdf(b"", key, b"sft/1 next traffic key")
    upload = [9, 2, "docs/a.txt", bytes(range(16)), 1, 7, 8, bytes(range(16, 32)), None]
    listing = [1, 1, "docs", "", 500, False]
    assert values["message_plaintext"] == b"\x10" + msgspec.msgpack.encode(listing)
    assert values["message_frame"] == sealed(key, 1, values["message_plaintext"])
    assert values["begin_frame"] == sealed(key, 2, b"\x10" + msgspec.msgpack.encode(upload))
    assert values["rekey_frame"] == sealed(key, 3, b"\x20")
    assert values["next_client_to_server_key"] == following
    assert values["last_data_frame"] == sealed(following, 0, b"\x12\x00\x00\x00\x02the end")
    assert values["close_frame"] == sealed(following, 1, b"\x21")


def client_of(kind: str) -> Connection:
    given = iter([INPUTS["client_random"], INPUTS["client_box_secret"], INPUTS["client_kem_seed"]])
    user = SigningKey.from_seed(INPUTS["user_seed"], INPUTS["user_public_key"][2:10])
    invitation = InvitationKey.from_seed(INPUTS["invitation_seed"])
    claim = {
        "login": Claim.login("ada", user.public, "laptop", log_sizes=(2, 3)),
        "join": Claim.join("ada", user.public, "laptop", invitation, log_sizes=(2, 3), statement=STATEMENT),
        "operator": Claim.operator(),
    }[kind]
    return Connection.client(
        ServerKey.from_seed(INPUTS["server_seed"]).public,
        claim,
        None if kind == "operator" else user,
        invitation if kind == "join" else None,
        entropy=lambda _: next(given),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_speaks_as_the_vectors_do(kind):
    values = HANDSHAKES[kind]
    client = client_of(kind)
    assert client.data_to_send() == values["m1_frame"]
    (proved,) = client.receive(values["m2_frame"] + values["m3_frame"])
    assert isinstance(proved, ServerProved)
    assert client.data_to_send() == values["m4_frame"]
    (answer,) = client.receive(values["m5_frame"])
    if kind == "join":
        assert isinstance(answer, LoginRefused)
        told = RequestError.from_wire(answer.code, answer.values, answer.ref)
        assert isinstance(told, InviteExpiredError)
    else:
        assert isinstance(answer, Welcomed)
    if kind == "login":
        upload = BeginUpload(2, "docs/a.txt", bytes(range(16)), 1, 7, 8, bytes(range(16, 32)))
        assert client.send(ListFolder(1, "docs")) == values["message_frame"]
        assert client.send(upload) == values["begin_frame"]
        assert client.rekey() == values["rekey_frame"]
        assert client.send_data(2, b"the end", last=True) == values["last_data_frame"]
        assert client.close() == values["close_frame"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_understands_the_login(kind):
    values = HANDSHAKES[kind]
    (box,) = cut(values["m4_frame"])
    m4 = Opener(values["client_to_server_key"]).open(box)
    claim = verify_claim(m4, values["th2"], operator_allowed=kind == "operator")
    assert claim.user_name == CLAIMS[kind][1]


def test_a_server_opens_what_follows():
    values = HANDSHAKES["login"]
    opener = Opener(values["client_to_server_key"])
    names = ("m4", "message", "begin", "rekey", "last_data", "close")
    opened = [opener.open(box) for name in names for box in cut(values[f"{name}_frame"])]
    assert opened == [
        values["m4_plaintext"],
        values["message_plaintext"],
        values["begin_plaintext"],
        b"\x20",
        b"\x12\x00\x00\x00\x02the end",
        b"\x21",
    ]
    assert CODEC.from_client(opened[1][1:]) == ListFolder(1, "docs")
