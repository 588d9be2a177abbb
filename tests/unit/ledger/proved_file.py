"""A file of ada's as a log of nine leaves tells of it, and what `sft proof` would write of that."""

from __future__ import annotations

from typing import Any

import msgspec

from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import ServerKey
from sft.crypto.succession import sign_succession
from sft.ledger.checkpoints import Checkpoint, Origin, sign_checkpoint
from sft.ledger.file_proof import StoredLeaf
from sft.ledger.leaves import LeafKind, LogLeaf, StateRoot
from sft.ledger.proof_file import ProofFile
from sft.ledger.proofs import prove_inclusion
from sft.ledger.records import LeafRecord, RecordPart
from sft.ledger.state import StateTree

SERVER = ServerKey.from_seed(bytes(range(32)))
NEXT_SERVER = ServerKey.from_seed(bytes(range(1, 33)))
SERVER_ID = SERVER.public.server_id()
ORIGIN = Origin.of_server("files.example.org", SERVER_ID, 1)
CONTENT = b"the contract"
INDEX = 6
TIME = 1_800_000_000
SALT = bytes(range(16))
FACTS = {
    "by": {"key": 3, "user": 7},
    "digest": blake2b_512(CONTENT).hexdigest(),
    "file_id": bytes(range(16)).hex(),
    "path": "finance/März.pdf",
    "prev": "00" * 64,
    "size": len(CONTENT),
    "version": 2,
}


def comment(**changes: Any) -> FileComment:
    fields = {
        "server_id": SERVER_ID,
        "file_id": bytes(range(16)),
        "version": 2,
        "size": len(CONTENT),
        "digest": blake2b_512(CONTENT).digest(),
        "mtime": 0,
        "name": "finance/März.pdf",
        "user": 7,
        "prev": bytes(64),
        "ts": 0,
    }
    return FileComment(**(fields | changes))


def succession() -> str:
    return sign_succession(SERVER, SERVER_ID, NEXT_SERVER.public, made_at=1000)


def proof_text(
    facts: dict[str, Any] | None = None,
    *,
    kind: LeafKind = LeafKind.FILE_REPLACED,
    key: ServerKey = SERVER,
    origin: Origin = ORIGIN,
    leaf: LogLeaf | None = None,
    **extra: Any,
) -> str:
    """Write a proof whose parts can each be another."""
    body = msgspec.json.encode(FACTS if facts is None else facts, order="sorted")
    record = LeafRecord(RecordPart(SALT, body))
    told = LogLeaf(kind=kind, time=TIME, state_roots=(StateRoot(1, 1, bytes(32)),), facts=record.facts_hash())
    tree = StateTree([told.hash() if number == INDEX else bytes([number]) * 32 for number in range(9)])
    note = sign_checkpoint(key, Checkpoint(origin, 9, tree.root()))
    said = {"leaf": (leaf or told).encode(), "salt": SALT, "facts": body, "server_key": key.public.point, **extra}
    stored = StoredLeaf(version=1, **said)
    return ProofFile(INDEX, tuple(prove_inclusion(INDEX, 9, tree.node)), note, stored.encode()).encode()
