"""A log as a server would write it, leaf by leaf, for whoever replays or keeps one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sft.crypto.keys import SigningKey
from sft.crypto.signatures import sign_statement
from sft.crypto.statement import ActStatement, StatementComment
from sft.ledger.leaves import ChangedSlot, LeafKind, LogLeaf, StateRoot, StateTreeKind
from sft.ledger.records import LeafRecord, RecordPart
from sft.ledger.state import StateTree
from sft.ledger.tree import LogTree

SERVER_ID = bytes(range(32))
ADA = SigningKey.from_seed(bytes(range(32)), b"key id 8")
TIME = 1_800_000_000


def slot(text: str) -> bytes:
    """The hash of some record of a slot."""
    return sha256(text.encode()).digest()


def json_bytes(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


class WrittenLog:
    """Leaves and records, and the trees that they made."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.records: list[LeafRecord] = []
        self.trees = {kind: StateTree() for kind in StateTreeKind}
        self.time = TIME

    @property
    def tree(self) -> LogTree:
        tree, _ = LogTree().append([sha256(b"\x00" + entry).digest() for entry in self.entries])
        return tree

    def add(
        self,
        kind: LeafKind,
        facts: Mapping[str, Any] | None = None,
        *,
        users: Mapping[int, str] | None = None,
        files: Mapping[int, str] | None = None,
        personal: Mapping[str, Any] | None = None,
    ) -> LogLeaf:
        """Append a leaf that changes these slots."""
        changed = []
        for tree, slots in ((StateTreeKind.USERS, users or {}), (StateTreeKind.FILES, files or {})):
            for number, text in slots.items():
                self.trees[tree].apply(self.trees[tree].draft({number: slot(text)}))
                changed.append(ChangedSlot(tree, number, slot(text)))
        salts = [sha256(b"%d %d" % (len(self.entries), part)).digest()[:16] for part in range(2)]
        record = LeafRecord(
            RecordPart(salts[0], json_bytes(facts or {})),
            None if personal is None else RecordPart(salts[1], json_bytes(personal)),
        )
        self.time += 1
        leaf = LogLeaf(
            kind=kind,
            time=self.time,
            slots=tuple(sorted(changed)),
            state_roots=tuple(StateRoot(kind, tree.size, tree.root()) for kind, tree in self.trees.items()),
            facts=record.facts_hash(),
            personal=record.personal_hash(),
        )
        self.entries.append(leaf.encode())
        self.records.append(record)
        return leaf


def by_ada(**said: Any) -> dict[str, Any]:
    return {"by": {"key": 1, "user": 1}, **said}


def stated(
    act: str, fields: Mapping[str, Any], *, nonce: int = 1, user: int = 1, server_id: bytes = SERVER_ID
) -> tuple[str, str]:
    """Sign an act as ada: the signature, and the text that it is over."""
    comment = StatementComment(act=act, server_id=server_id, user=user, ts=TIME, nonce=nonce.to_bytes(8))
    statement = ActStatement(comment, fields)
    return sign_statement(ADA, statement).encode().decode(), statement.text()


def begun(log: WrittenLog | None = None) -> WrittenLog:
    """A log that was started, and that ada joined."""
    log = log or WrittenLog()
    log.add(LeafKind.LOG_STARTED, {"name": "acme", "server_id": SERVER_ID.hex()}, files={0: "root"})
    key = ADA.public.encode()
    joining = {"name": "ada", "key": key, "device": "laptop", "invitation": b""}
    statement, text = stated("join", joining, user=0)
    log.add(
        LeafKind.USER_JOINED,
        by_ada(user_id=1, key_id=1, public_key=key.hex(), statement=statement),
        users={0: "ada"},
        personal={"name": "ada", "statement_text": text},
    )
    return log


def grown(leaves: int) -> WrittenLog:
    """A log of so many leaves: after its beginning files, each with a new version now and then."""
    log = begun()
    files = 0
    while len(log.entries) < leaves:
        if len(log.entries) % 3:
            files += 1
            file_id = sha256(b"file %d" % files).hexdigest()[:32]
            log.add(LeafKind.FILE_COMMITTED, by_ada(file_id=file_id), files={files: f"file {files}"})
        else:
            changed = 1 + len(log.entries) % files
            log.add(LeafKind.FILE_REPLACED, by_ada(version=2), files={changed: f"version {len(log.entries)}"})
    return log
