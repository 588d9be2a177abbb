"""What a client demands before it believes what stands now: a log that goes on, its last leaf, and slots under that.

Inclusion proves that something was said, not that nothing newer was. So it is the last leaf that is asked for, whose state
roots say what stands after it, and the slots under them.

Rules. Every check raises. A checkpoint that comes here was opened (``sft.ledger.checkpoints``): its signature holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sft.errors import LedgerFormatError, ProofInvalidError
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.hashing import leaf_hash
from sft.ledger.leaves import LogLeaf, StateTreeKind, slot_hash
from sft.ledger.proofs import verify_consistency, verify_inclusion, verify_several
from sft.ledger.slots import Slot, UserSlot, decode_slot


def follow(kept: Checkpoint, newer: Checkpoint, consistency: Sequence[bytes]) -> None:
    """Check that a log goes on from a checkpoint that was seen before: it has not shrunk, forked or been exchanged.

    Args:
        kept: the newest that was believed.
        newer: what is shown now; may be the same.
        consistency: hashes of 32 bytes, as RFC 6962 has them.

    Raises:
        ProofInvalidError: it does not go on, or this does not prove that it does.
    """
    if newer.origin != kept.origin:
        raise ProofInvalidError(f"another log: {newer.origin.text()} after {kept.origin.text()}")
    if newer.size < kept.size:
        raise ProofInvalidError(f"the log has shrunk from {kept.size} leaves to {newer.size}")
    verify_consistency(kept.size, kept.root, newer.size, newer.root, consistency)


def check_last_leaf(checkpoint: Checkpoint, leaf: bytes, inclusion: Sequence[bytes]) -> LogLeaf:
    """Check that bytes are the last leaf of a log, and read them.

    Raises:
        ProofInvalidError: they are not, or this does not prove it.
        LedgerFormatError: they are, and no leaf of a form that is known here.
    """
    verify_inclusion(leaf_hash(leaf), checkpoint.size - 1, checkpoint.size, inclusion, checkpoint.root)
    return LogLeaf.decode(leaf)


def check_slots(
    leaf: LogLeaf, tree: StateTreeKind, records: Mapping[int, bytes], multiproof: Sequence[bytes]
) -> dict[int, Slot]:
    """Check that records stand in slots of a state tree after a leaf, and read them.

    Args:
        leaf: the last one, as ``check_last_leaf`` gave it.
        tree: which one.
        records: by the number of their slot, one at least.
        multiproof: as ``verify_several`` takes it, for exactly these.

    Raises:
        ProofInvalidError: one of them does not, or this does not prove it.
        LedgerFormatError: they do, and one is no record of this tree of a form that is known here.
    """
    state = leaf.state_root(tree)
    hashes = {number: slot_hash(record) for number, record in records.items()}
    verify_several(hashes, state.size, multiproof, state.root)
    slots = {number: decode_slot(record) for number, record in records.items()}
    if any(isinstance(slot, UserSlot) != (tree is StateTreeKind.USERS) for slot in slots.values()):
        raise LedgerFormatError("a user among files, or a file among users")
    return slots
