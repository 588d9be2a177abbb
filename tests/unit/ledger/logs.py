"""A log of leaves that tests know, its checkpoints and proofs, and witnesses' keys: all from fixed seeds."""

from __future__ import annotations

import base64

from sft.crypto.keys import ServerKey
from sft.crypto.note_keys import CosignerKey, NoteKey, SignatureType
from sft.crypto.signed_note import server_note_key, sign_note
from tests.unit.ledger.naive import head, proof

ORIGIN = "example.com/behind-the-sofa"
SERVER = ServerKey.from_seed(b"l" * 32)
MALLORY = ServerKey.from_seed(b"m" * 32)
KINDS = (SignatureType.ED25519_COSIGNATURE, SignatureType.MLDSA44_COSIGNATURE)


def log_key(origin: str = ORIGIN, server: ServerKey = SERVER) -> NoteKey:
    return server_note_key(server.public, origin)


def tree_text(size: int, *, origin: str = ORIGIN, root: bytes | None = None) -> str:
    return f"{origin}\n{size}\n{base64.b64encode(head(0, size) if root is None else root).decode()}\n"


def checkpoint(size: int, *, origin: str = ORIGIN, server: ServerKey = SERVER, root: bytes | None = None) -> str:
    """Sign the checkpoint of the log's first leaves; or of another root."""
    return sign_note(server, origin, tree_text(size, origin=origin, root=root))


def add_checkpoint_body(old: int, note: str, hashes: list[bytes]) -> bytes:
    """Write a request as the document has it, by nobody's code but this."""
    lines = [f"old {old}\n", *(base64.b64encode(each).decode() + "\n" for each in hashes), "\n"]
    return ("".join(lines) + note).encode()


def honest_body(old: int, size: int, **of: object) -> bytes:
    return add_checkpoint_body(old, checkpoint(size, **of), proof(old, size) if old else [])  # type: ignore[arg-type]


def cosigners(name: str = "witness.example/w1", number: int = 1) -> tuple[CosignerKey, ...]:
    return tuple(CosignerKey(name, kind, bytes([number, kind]) * 16) for kind in KINDS)
