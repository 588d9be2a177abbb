"""Writes wire.json: three whole handshakes and some frames after them, with every secret and every value between.

Run from the top of the repository: ``python tests/vectors/generate_wire.py``. SealedBox and ML-KEM draw randomness that
cannot be given, so M2 is drawn once and then kept: of an existing file its two fields are taken over, all else is made
anew. A test makes the file again in memory and compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from sft.crypto.kdf import next_traffic_key
from sft.crypto.kem import encapsulate
from sft.crypto.keys import InvitationKey, ServerKey, SigningKey
from sft.crypto.sealing import deliver_session_key
from sft.crypto.signatures import sign_server_hello
from sft.errors import InviteExpiredError
from sft.model.evidence import Evidence, ProvedSlot, SlotsProof
from sft.model.records import ServerInfo
from sft.wire.channel import Sealer
from sft.wire.framing import HEADER_BYTES, frame
from sft.wire.handshake import Claim, ClientHandshake, Welcome
from sft.wire.hello import (
    ML_KEM_768,
    X25519,
    ClientHello,
    ServerHello,
    ServerProof,
    first_transcript,
    second_transcript,
)
from sft.wire.login import encode_refusal, encode_welcome
from sft.wire.messages import BeginUpload, ListFolder, encode

VERSION: Final = 1
FILE: Final = Path(__file__).with_name("wire.json")

SERVER_SEED: Final = bytes(range(32))
USER_SEED: Final = bytes(range(32, 64))
USER_KEY_ID: Final = b"key id 8"
INVITATION_SEED: Final = bytes(range(64, 96))
CLIENT_RANDOM: Final = bytes(range(96, 128))
CLIENT_BOX_SEED: Final = bytes(range(128, 160))
CLIENT_KEM_SEED: Final = bytes(range(160, 224))
SERVER_RANDOM: Final = bytes(range(224, 256))
SESSION_KEY: Final = bytes(reversed(range(32)))
LOG_SIZES: Final = (2, 3)
STATEMENT: Final = b"the statement of a joining"
WHY: Final = "SealedBox and ML-KEM draw their own randomness: sealed_key and kem_ciphertext were drawn once"


def build(before: dict[str, Any] | None) -> dict[str, Any]:
    """Make the vectors, with what an earlier file drew."""
    server = ServerKey.from_seed(SERVER_SEED)
    user = SigningKey.from_seed(USER_SEED, USER_KEY_ID)
    invitation = InvitationKey.from_seed(INVITATION_SEED)
    claims = {
        "login": Claim.login("ada", user.public, "laptop", log_sizes=LOG_SIZES),
        "join": Claim.join("ada", user.public, "laptop", invitation, log_sizes=LOG_SIZES, statement=STATEMENT),
        "operator": Claim.operator(),
    }
    drawn = {} if before is None else before["handshakes"]
    return {
        "version": VERSION,
        "why_m2_is_kept": WHY,
        "inputs": {
            "server_seed": SERVER_SEED.hex(),
            "server_key": server.public.point.hex(),
            "user_seed": USER_SEED.hex(),
            "user_public_key": user.public.encode().hex(),
            "invitation_seed": INVITATION_SEED.hex(),
            "invitation_point": invitation.point.hex(),
            "client_random": CLIENT_RANDOM.hex(),
            "client_box_secret": CLIENT_BOX_SEED.hex(),
            "client_kem_seed": CLIENT_KEM_SEED.hex(),
            "server_random": SERVER_RANDOM.hex(),
            "session_key": SESSION_KEY.hex(),
        },
        "handshakes": {
            kind: _handshake(kind, claim, server, user, invitation, drawn.get(kind)) for kind, claim in claims.items()
        },
    }


def _handshake(
    kind: str,
    claim: Claim,
    server: ServerKey,
    user: SigningKey,
    invitation: InvitationKey,
    drawn: dict[str, str] | None,
) -> dict[str, str]:
    given = iter([CLIENT_RANDOM, CLIENT_BOX_SEED, CLIENT_KEM_SEED])
    client = ClientHandshake(
        server.public,
        claim,
        None if kind == "operator" else user,
        invitation if kind == "join" else None,
        lambda _: next(given),
    )
    hello = ClientHello.decode(client.hello[HEADER_BYTES:])
    if drawn is None:
        sealed_key = deliver_session_key(hello.shares[X25519], SESSION_KEY)
        _, ciphertext = encapsulate(hello.shares[ML_KEM_768])
    else:
        sealed_key = bytes.fromhex(drawn["sealed_key"])
        ciphertext = bytes.fromhex(drawn["kem_ciphertext"])
    m2 = frame(ServerHello(VERSION, SERVER_RANDOM, sealed_key, ciphertext).encode())
    keys = client.take_answer(m2[HEADER_BYTES:])
    th1 = first_transcript(client.hello, m2)
    m3 = ServerProof(server.public, sign_server_hello(server, th1)).encode()
    m4 = client.take_proof(m3)
    answer = encode_welcome(_welcome(kind, server))
    if kind == "join":
        answer = encode_refusal(InviteExpiredError(ref="r-1", expired_at=1_777_777_777, maker="eva"))
    to_client, to_server = Sealer(keys.server_to_client), Sealer(keys.client_to_server)
    values = {
        "m1_frame": client.hello,
        "sealed_key": sealed_key,
        "kem_ciphertext": ciphertext,
        "m2_frame": m2,
        "th1": th1,
        "client_to_server_key": keys.client_to_server,
        "server_to_client_key": keys.server_to_client,
        "m3_plaintext": m3,
        "m3_frame": to_client.seal(m3),
        "th2": second_transcript(th1, m3),
        "m4_plaintext": m4,
        "m4_frame": to_server.seal(m4),
        "m5_plaintext": answer,
        "m5_frame": to_client.seal(answer),
    }
    if kind == "login":
        values |= {
            "message_plaintext": b"\x10" + encode(ListFolder(1, "docs")),
            "message_frame": to_server.seal(b"\x10" + encode(ListFolder(1, "docs"))),
            "begin_plaintext": b"\x10" + encode(_upload()),
            "begin_frame": to_server.seal(b"\x10" + encode(_upload())),
            "rekey_frame": to_server.rekey(),
            "next_client_to_server_key": next_traffic_key(keys.client_to_server),
            "last_data_frame": to_server.seal(b"\x12\x00\x00\x00\x02the end"),
            "close_frame": to_server.seal(b"\x21"),
        }
    return {name: value.hex() for name, value in values.items()}


def _upload() -> BeginUpload:
    return BeginUpload(2, "docs/a.txt", bytes(range(16)), 1, 7, 8, bytes(range(16, 32)))


def _welcome(kind: str, server: ServerKey) -> Welcome:
    info = ServerInfo(
        "acme-files", "files.acme.example:7361", server.public.point, server.public.server_id(), "invitation"
    )
    if kind == "operator":
        return Welcome(0, "operator", "operator", info)
    evidence = Evidence(
        b"a leaf",
        (bytes([1]) * 32,),
        (ProvedSlot(1, 6, b"a record"),),
        (SlotsProof(1, (bytes([2]) * 32, bytes([3]) * 32)),),
    )
    return Welcome(
        7,
        "ada",
        "admin",
        info,
        head="a head\n",
        consistency=((bytes([4]) * 32,), (bytes([5]) * 32,)),
        evidence=evidence,
        cosigned="a checkpoint\n",
        cosigned_consistency=(bytes([6]) * 32,),
    )


def main() -> None:
    """Write the file."""
    before = json.loads(FILE.read_text()) if FILE.exists() else None
    FILE.write_text(json.dumps(build(before), indent=1) + "\n")


if __name__ == "__main__":
    main()
