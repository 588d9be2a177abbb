"""Write crypto.json: every derivation, box, proof, statement, signature, note and key file, from fixed inputs.

    python tests/vectors/generate_crypto.py

Two outputs cannot follow from inputs, because their libraries draw inside: an ML-KEM ciphertext
and a sealed session key. They are kept from the file that is there, as long as they still open.
crypto_stock.json is not generated: it holds what stock minisign 0.11 wrote, with the commands.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from sft.crypto import (
    comment,
    digests,
    kdf,
    kem,
    key_file,
    notes,
    passphrase,
    sealing,
    signatures,
    statement,
    stream,
    succession,
    words,
)
from sft.crypto.keys import InvitationKey, ServerKey, SigningKey
from sft.errors import KeyExchangeError
from sft.limits import MIB

FILE = Path(__file__).with_name("crypto.json")


def drawn(label: str, size: int) -> bytes:
    """Bytes that anyone can make again: SHAKE-256 of a label."""
    return hashlib.shake_256(label.encode()).digest(size)


def build(recorded: dict[str, Any]) -> dict[str, Any]:
    """Make all vectors.

    Args:
        recorded: the file's content so far, for what cannot be made again; may be empty.
    """
    return {
        "keys": _keys(),
        "kdf": _kdf(),
        "boxes": _boxes(),
        "exchange": _exchange(recorded.get("exchange", {})),
        "proofs": _proofs(),
        "statements": _statements(),
        "file": _file(),
        "receipt": _receipt(),
        "succession": _succession(),
        "key_file": _key_file(),
        "passphrase": _passphrase(),
    }


def _user() -> SigningKey:
    return SigningKey.generate(lambda size: drawn(f"user {size}", size))


def _server() -> ServerKey:
    return ServerKey.generate(lambda size: drawn("server", size))


def _invitation() -> InvitationKey:
    return InvitationKey.generate(lambda size: drawn("invitation", size))


def _keys() -> dict[str, Any]:
    user, server, invitation = _user(), _server(), _invitation()
    return {
        "user_seed": user.seed.hex(),
        "user_key_id": user.public.key_id.hex(),
        "user_public": user.public.text(),
        "user_pub_file": user.public.pub_file(),
        "user_words": user.public.words(),
        "server_seed": server.seed.hex(),
        "server_public": server.public.point.hex(),
        "server_id": server.public.server_id().hex(),
        "server_words": server.public.words(),
        "invitation_seed": invitation.seed.hex(),
        "invitation_public": invitation.point.hex(),
        "words_of_nothing": words.words(b""),
    }


def _kdf() -> dict[str, Any]:
    th1, kem_secret, session_key = drawn("th1", 64), drawn("kem", 32), drawn("session", 32)
    traffic = kdf.traffic_keys(1, th1, kem_secret, session_key)
    data_key, header, master_key = drawn("data", 32), drawn("header", 40), drawn("master", 32)
    return {
        "th1": th1.hex(),
        "kem_secret": kem_secret.hex(),
        "session_key": session_key.hex(),
        "client_to_server": traffic.client_to_server.hex(),
        "server_to_client": traffic.server_to_client.hex(),
        "client_to_server_next": kdf.next_traffic_key(traffic.client_to_server).hex(),
        "data_key": data_key.hex(),
        "header": header.hex(),
        "payload_key": kdf.payload_key(data_key, header).hex(),
        "master_key": master_key.hex(),
        "wrapping_key": kdf.wrapping_key(master_key).hex(),
        "keyring_key": kdf.keyring_key(master_key).hex(),
    }


def _boxes() -> dict[str, Any]:
    key, nonce = drawn("box key", 32), drawn("nonce", 24)
    full = bytes(stream.CHUNK_BYTES)
    return {
        "key": key.hex(),
        "nonce": nonce.hex(),
        "plaintext": b"plaintext".hex(),
        "box": sealing.seal(key, nonce, b"plaintext").hex(),
        "chunk_0_last_empty": stream.seal_chunk(key, 0, True, b"").hex(),
        "chunk_1_last": stream.seal_chunk(key, 1, True, b"plaintext").hex(),
        "chunk_0_of_zeros_blake2b512": hashlib.blake2b(stream.seal_chunk(key, 0, False, full)).hexdigest(),
        "chunk_0_last_of_zeros_blake2b512": hashlib.blake2b(stream.seal_chunk(key, 0, True, full)).hexdigest(),
    }


def _exchange(recorded: dict[str, str]) -> dict[str, Any]:
    def box() -> sealing.EphemeralBox:
        return sealing.EphemeralBox.generate(lambda size: drawn("box", size))

    def capsule() -> kem.EphemeralKem:
        return kem.EphemeralKem.generate(lambda size: drawn("ml-kem", size))

    session_key = drawn("session", 32)
    sealed = bytes.fromhex(recorded.get("sealed_session_key", ""))
    try:
        kept = box().receive(sealed) == session_key
    except KeyExchangeError:
        kept = False
    if not kept:
        sealed = sealing.deliver_session_key(box().public, session_key)
    ciphertext = bytes.fromhex(recorded.get("kem_ciphertext", ""))
    if len(ciphertext) != kem.CIPHERTEXT_BYTES:
        _, ciphertext = kem.encapsulate(capsule().public)
    return {
        "box_secret": drawn("box", 32).hex(),
        "box_public": box().public.hex(),
        "session_key": session_key.hex(),
        "sealed_session_key": sealed.hex(),
        "kem_seed": drawn("ml-kem", 64).hex(),
        "kem_public": capsule().public.hex(),
        "kem_ciphertext": ciphertext.hex(),
        "kem_secret": capsule().receive(ciphertext).hex(),
    }


def _proofs() -> dict[str, Any]:
    user, server, invitation = _user(), _server(), _invitation()
    th1, th2, prefix = drawn("th1", 64), drawn("th2", 64), drawn("prefix", 90)
    return {
        "th1": th1.hex(),
        "th2": th2.hex(),
        "m4_prefix": prefix.hex(),
        "server_hello": signatures.sign_server_hello(server, th1).hex(),
        "login": signatures.sign_login(user, th2, prefix).hex(),
        "join": signatures.sign_join(user, th2, prefix).hex(),
        "invitation": signatures.sign_invitation(invitation, th2, prefix).hex(),
    }


def _file() -> dict[str, Any]:
    content = b"content"
    digest = digests.blake2b_512(content).digest()
    first = comment.FileComment(
        server_id=_server().public.server_id(),
        file_id=drawn("file", 16),
        version=1,
        size=len(content),
        digest=digest,
        mtime=-1,
        name="a",
        user=1,
        prev=None,
        ts=0,
    )
    second = comment.FileComment(
        server_id=_server().public.server_id(),
        file_id=drawn("file", 16),
        version=2,
        size=len(content),
        digest=digest,
        mtime=1_700_000_000,
        name="گزارش/M\N{LATIN SMALL LETTER A WITH DIAERESIS}rz 100%.pdf",
        user=7,
        prev=drawn("prev", 64),
        ts=1_700_000_001,
        head=f"1.42:{drawn('root', 32).hex()}",
    )
    return {
        "content": content.hex(),
        "digest": digests.digest_text(digest),
        "no_head": comment.NO_HEAD,
        "first_comment": first.encode(),
        "first_signature": signatures.sign_file(_user(), first).encode().decode("ascii"),
        "second_name": second.name,
        "second_comment": second.encode(),
        "second_signature": signatures.sign_file(_user(), second).encode().decode("ascii"),
    }


def _statements() -> dict[str, Any]:
    """One of each act."""
    values: dict[str, Any] = {
        "name": "مریم",
        "key": _user().public.encode(),
        "device": "lap top",
        "role": "guest",
        "seconds": 3600,
        "files_to": "",
        "bytes": "53687091200",
        "files": "none",
        "file": drawn("file", 16),
        "version": 2,
        "old": "a b/100%.pdf",
        "new": "c",
        "owner": "max",
        "path": "a b",
        "recursive": True,
        "versions": (
            statement.ReceivedVersion(drawn("file", 16), 2, drawn("digest", 64)),
            statement.ReceivedVersion(drawn("other file", 16), 1, drawn("prev", 64)),
        ),
        "cut_off": 0,
        "reason": "stolen",
        "expires_at": 1_700_600_000,
        "folder": 0,
        "folders": 0,
        "trashed_at": 1_700_000_000,
    }
    made: dict[str, Any] = {}
    for act, kinds in statement.ACTS.items():
        said = statement.StatementComment(
            act=act,
            server_id=_server().public.server_id(),
            user=0 if act == statement.JOIN else 7,
            ts=1_700_000_001,
            nonce=drawn(f"nonce {act}", 8),
            head=f"1.42:{drawn('root', 32).hex()}",
        )
        own = {"invitation": 5 if act == "withdraw" else _invitation().point}
        if kinds.get("files") is statement.NUMBER_FIELD:  # of a folder in the trash
            own["files"] = 0
        each = statement.ActStatement(said, {name: (values | own)[name] for name in kinds})
        signature = signatures.sign_statement(_user(), each)
        made[act] = {"text": each.text(), "signature": signature.encode().decode("ascii")}
    return made


def _receipt() -> dict[str, Any]:
    receipts = [
        notes.Receipt(
            server_id=_server().public.server_id(),
            file_id=drawn(file, 16),
            version=version,
            size=7,
            digest=drawn("digest", 64),
            user=7,
            name=name,
            stored_at=1_700_000_002,
            leaf=40 + version,
        )
        for file, version, name in (("file", 2, "a b"), ("other file", 1, "docs/Pl\u00e4ne.txt"))
    ]
    return {"text": notes.receipts_text(receipts), "note": notes.sign_receipts(_server(), receipts)}


def _succession() -> dict[str, Any]:
    new = ServerKey.from_seed(drawn("next server seed", 32)).public
    note = succession.sign_succession(_server(), _server().public.server_id(), new, made_at=1_700_000_003)
    return {"new_key": new.point.hex(), "note": note}


def _key_file() -> dict[str, Any]:
    return {
        "passphrase": "pässphrase",
        "unprotected": key_file.encode(_user(), None),
        "protected": key_file.encode(_user(), "pässphrase", entropy=lambda size: drawn("key file salt", size)),
    }


def _passphrase() -> dict[str, Any]:
    salt = drawn("passphrase salt", passphrase.SALT_BYTES)
    return {
        "passphrase": "pässphrase",
        "salt": salt.hex(),
        "ops": 2,
        "mem": 8 * MIB,
        "key": passphrase.derive("pässphrase", salt, 2, 8 * MIB).hex(),
    }


if __name__ == "__main__":
    recorded = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    FILE.write_text(json.dumps(build(recorded), indent=2, ensure_ascii=True) + "\n", "utf-8")
