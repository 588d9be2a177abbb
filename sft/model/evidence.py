"""What a server proves beside an answer, and the heads of its log that prove it.

A head is a signed checkpoint: the size of the log and its root. Its last leaf names the roots of the state trees; a slot of
one holds a record of a user, folder or file. So inclusion of the last leaf and of the slots say what is so under the head.

Rules. Plain frozen values, bounded as ``sft.model.records`` are; hashes are RFC 6962's (SHA-256, 32 bytes). Nothing here
checks a proof: that is the ledger's. What the bytes of leaves and slots say stands in LEDGER.md.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sft.limits import (
    BATCH_FILES,
    COSIGNED_BYTES,
    EVIDENCE_HASHES,
    EVIDENCE_SLOTS,
    HEAD_BYTES,
    LEAF_BYTES,
    LOG_ENTRIES,
    LOG_PROOF_HASHES,
    PAGE_HASHES,
    RECORD_BYTES,
    RESTARTS_PROVED,
    SLOT_BYTES,
    STATE_TREES,
)
from sft.model.records import Bytes32, Count, Record, VersionNumber

CosignedText = Annotated[str, Meta(max_length=COSIGNED_BYTES)]
HeadText = Annotated[str, Meta(max_length=HEAD_BYTES)]
LeafBytes = Annotated[bytes, Meta(min_length=1, max_length=LEAF_BYTES)]
TreeKind = Annotated[int, Meta(ge=1, le=255)]  # ``sft.ledger.leaves.StateTreeKind``, or one that joined since
LogProof = Annotated[tuple[Bytes32, ...], Meta(max_length=LOG_PROOF_HASHES)]


class ProvedSlot(Record, frozen=True):
    """The record of a user, folder or file, whose hash its slot is."""

    tree: TreeKind
    number: Count
    record: Annotated[bytes, Meta(min_length=1, max_length=SLOT_BYTES)]


class SlotsProof(Record, frozen=True):
    """Inclusion of all slots of one tree together, in the order of ``sft.ledger.proofs.prove_several``."""

    tree: TreeKind
    hashes: Annotated[tuple[Bytes32, ...], Meta(max_length=EVIDENCE_HASHES)]


class ProvedVersion(Record, frozen=True):
    """Inclusion of an older version of a file in the tree over all its versions, whose size and root the file's slot has."""

    file: Count  # its slot
    version: VersionNumber
    inclusion: LogProof


class ProvedHead(Record, frozen=True):
    """That the head of which an author signed to have seen it is one of this log: consistency from its size."""

    size: Count
    consistency: LogProof


# Salt and body of one part of a leaf's record.
PartBytes = Annotated[bytes, Meta(min_length=16, max_length=RECORD_BYTES + 16)]


class ProvedRestart(Record, frozen=True):
    """That the log was begun again behind so many leaves: the leaf that says so, its inclusion and its facts."""

    number: Count
    leaf: LeafBytes
    inclusion: LogProof
    facts: PartBytes


class Evidence(Record, frozen=True):
    """What proves an answer under the newest head that the session was told.

    Attributes:
        leaf: the last one; its index is the head's size less one.
        inclusion: of that leaf under the head.
        slots: what the answer rests on, no slot twice.
        proofs: one for each tree of which there are slots, under the roots that the leaf names.
        seen: one for each head of this log that the trusted comments of the answer's files name, by size; the head's own
            size and 0 need none.
        versions: one for each of the answer's that is not its file's newest.
        restarts: those that have cut off what such a head is of, each once.
    """

    leaf: LeafBytes
    inclusion: LogProof
    slots: Annotated[tuple[ProvedSlot, ...], Meta(max_length=EVIDENCE_SLOTS)]
    proofs: Annotated[tuple[SlotsProof, ...], Meta(max_length=STATE_TREES)]
    seen: Annotated[tuple[ProvedHead, ...], Meta(max_length=BATCH_FILES)] = ()
    versions: Annotated[tuple[ProvedVersion, ...], Meta(max_length=BATCH_FILES)] = ()
    restarts: Annotated[tuple[ProvedRestart, ...], Meta(max_length=RESTARTS_PROVED)] = ()


# -- what the log itself says ------------------------------------------------------------------------------


class LoggedLeaf(Record, frozen=True):
    """A leaf of the log, and of its record what the reader may see.

    Attributes:
        number: its index.
        facts, personal: None for what is not theirs to see, was erased, or never was.
        apart: the record is theirs to see, and too large for this page: it is asked for by itself.
    """

    number: Count
    leaf: LeafBytes
    facts: PartBytes | None = None
    personal: PartBytes | None = None
    apart: bool = False


class LoggedPage(Record, frozen=True):
    """Leaves of the log in the order that was asked for.

    Attributes:
        proof: inclusion of all of them together under the head, in the order of ``sft.ledger.proofs.prove_several``; none
            where there is no leaf.
        head: the newest, a signed note: the operator is told it here alone.
        next: where the next page begins, also one that is asked for later (of the newest first: before which leaf).
        more: this is not the last page.
    """

    leaves: Annotated[tuple[LoggedLeaf, ...], Meta(max_length=LOG_ENTRIES)]
    proof: Annotated[tuple[Bytes32, ...], Meta(max_length=PAGE_HASHES)]
    head: HeadText
    next: Count
    more: bool


class ProvedLeaf(Record, frozen=True):
    """A leaf, and its inclusion under a head."""

    leaf: LeafBytes
    inclusion: LogProof
    head: HeadText
