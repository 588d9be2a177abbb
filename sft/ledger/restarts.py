"""What a proved restart of a log says was lost: heads of the epochs before it, beyond what was kept.

Rules. The leaf is under the head, its facts are its own, it stands where it says that the log was cut, and it begins the head's
epoch or one before. Nothing else makes a head of this server's that its log does not go on one of what was lost, and never one
of the head's own epoch. A server can write such a leaf at any time: LEDGER.md §3 says what that hides, and from whom. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sft.errors import LedgerFormatError
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.facts import Facts
from sft.ledger.hashing import leaf_hash
from sft.ledger.leaves import LeafKind, LogLeaf
from sft.ledger.proofs import verify_inclusion
from sft.ledger.records import SALT_BYTES, LeafRecord, RecordPart


class LogCut(Struct, frozen=True):
    """Where a restart has cut a log: the epoch that began there, and how many leaves were kept."""

    epoch: int
    kept: int

    def lost(self, epoch: int, size: int) -> bool:
        """Return whether a head of an epoch and size is of what was lost."""
        return epoch < self.epoch and size > self.kept


def proved_cut(head: Checkpoint, number: int, leaf: bytes, inclusion: Sequence[bytes], facts: bytes) -> LogCut:
    """Check that a leaf of a log is its restart.

    Args:
        facts: salt and body of that part of the leaf's record.

    Raises:
        CryptoError, LedgerFormatError: it is not under the head, another leaf, or its facts are not the leaf's.
    """
    verify_inclusion(leaf_hash(leaf), number, head.size, inclusion, head.root)
    parsed = LogLeaf.decode(leaf)
    LeafRecord(RecordPart(facts[:SALT_BYTES], facts[SALT_BYTES:])).check(parsed)
    said = Facts.decode(facts[SALT_BYTES:])
    if parsed.kind is not LeafKind.LOG_RESTARTED or said.epoch is None or said.size != number:
        raise LedgerFormatError("no restart of this log")
    if said.epoch > head.origin.epoch:
        raise LedgerFormatError("a restart to an epoch that this log has not reached")
    return LogCut(said.epoch, number)
