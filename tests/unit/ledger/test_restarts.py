"""What a proved restart says was lost, and what proves none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from sft.errors import CryptoError, LedgerFormatError
from sft.ledger.checkpoints import Checkpoint, Origin
from sft.ledger.hashing import leaf_hash, node_hash
from sft.ledger.leaves import LeafKind, LogLeaf, StateRoot
from sft.ledger.records import LeafRecord, RecordPart
from sft.ledger.restarts import LogCut, proved_cut

SALT = b"s" * 16
BEFORE = [leaf_hash(b"joined"), leaf_hash(b"stored")]
AFTER = leaf_hash(b"later")
SAID = {"epoch": 3, "size": 2, "origin": "acme/sft/00/2", "reason": "why"}


def proof(kind: LeafKind = LeafKind.LOG_RESTARTED, **said: Any) -> dict[str, Any]:
    """Make a log of two leaves, one that restarts it, and one more; prove the third."""
    body = json.dumps(SAID | said).encode()
    record = LeafRecord(RecordPart(SALT, body))
    leaf = LogLeaf(kind=kind, time=1, state_roots=(StateRoot(1, 0, bytes(32)),), facts=record.facts_hash()).encode()
    first = node_hash(*BEFORE)
    root = node_hash(first, node_hash(leaf_hash(leaf), AFTER))
    head = Checkpoint(Origin.of_server("acme", bytes(32), 3), 4, root)
    return {"head": head, "number": 2, "leaf": leaf, "inclusion": [AFTER, first], "facts": SALT + body}


def test_what_is_lost_is_of_an_earlier_epoch_and_beyond_what_was_kept() -> None:
    cut = proved_cut(**proof())
    assert cut == LogCut(3, 2)
    assert [(epoch, size) for epoch in (1, 2, 3, 4) for size in (1, 2, 3) if cut.lost(epoch, size)] == [(1, 3), (2, 3)]


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 1}, {"number": 4}, {"inclusion": []}, {"inclusion": [AFTER]}, {"leaf": b"joined"},
        {"facts": SALT + b"{}"}, {"facts": b"t" * 16 + json.dumps(SAID).encode()},
    ],
)  # fmt: skip
def test_another_leaf_place_or_record_proves_nothing(changes: dict[str, Any]) -> None:
    with pytest.raises((CryptoError, LedgerFormatError)):
        proved_cut(**(proof() | changes))


@pytest.mark.parametrize(
    "said",
    [{"size": 1}, {"size": None}, {"epoch": None}, {"epoch": 4}, {"size": "2"}, {"kind": LeafKind.MASTER_KEY_ROTATED}],
)
def test_a_leaf_that_says_otherwise_restarts_nothing(said: dict[str, Any]) -> None:
    with pytest.raises(LedgerFormatError):
        proved_cut(**proof(**said))


def test_another_head_has_no_such_leaf() -> None:
    proved = proof()
    proved["head"] = replace(proved["head"], root=bytes(32))
    with pytest.raises(CryptoError):
        proved_cut(**proved)
