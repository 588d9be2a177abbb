"""The tree over all versions of a file (RFC 6962): grown by each replacement, and read to prove single versions.

Rules. Entries are versions, oldest first, hashed as the file's slot says (``sft.ledger.slots``). Purging takes a file as a
whole and destroying a content leaves the version's row, so no version ever leaves the tree; those that were lost before the
index was made again never were in it, and the file's row says which. It keeps the peaks too, and each version's row the
subtrees that it completed: so a proof of one version among n reads some log n rows and no others, whoever replaced a file how
often.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from struct import Struct as Layout
from typing import Final

from msgspec import Struct

from sft.errors import ProofInvalidError, RowForgedError
from sft.ledger.hashing import HASH_BYTES, fold, grown, hashes_of
from sft.ledger.proofs import prove_inclusion, verify_inclusion
from sft.ledger.slots import LostVersions, SlotVersion, number_at, position_of
from sft.store.files import entries_at
from sft.store.row_types import FileRow, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.table_specs import table_of

_RANGE: Final = Layout(">II")
RANGE_BYTES: Final = _RANGE.size  # of lost versions in a row


class GrownTree(Struct, frozen=True):
    """What a new version leaves: the file's peaks, and the subtrees of several versions that it completed."""

    peaks: bytes
    subtrees: bytes


def lost_versions(row: FileRow) -> tuple[LostVersions, ...]:
    """Read which versions of a file were lost."""
    return tuple(LostVersions(first, last) for first, last in _RANGE.iter_unpack(row.versions_lost))


def with_lost(lost: bytes, first: int, last: int) -> bytes:
    """Write in a file's row that these versions were lost too, which follow all that were kept or lost before."""
    return lost + _RANGE.pack(first, last)


def with_version(peaks: bytes, version: SlotVersion, lost: Sequence[LostVersions] = ()) -> GrownTree:
    """Add the next version to the tree.

    Args:
        peaks: hashes of the complete subtrees before it, the largest first; none before the first version.
        lost: those before it that are not in the tree.

    Raises:
        ValueError: the peaks are not those of the versions before it.
    """
    grown_peaks, completed = grown(position_of(version.number, lost), hashes_of(peaks), version.hash())
    return GrownTree(b"".join(grown_peaks), b"".join(completed))


def prove_versions(reading: ReadTransaction, file: FileRow, numbers: Collection[int]) -> Mapping[int, list[bytes]]:
    """Prove that versions are in the tree over all of a file's, whose root its row says: each by its number.

    Raises:
        RowForgedError: a row that it needs is gone or was changed.
    """
    wanted: set[tuple[int, int]] = set()

    def note(level: int, index: int) -> bytes:
        wanted.add((level, index))
        return b""

    lost = lost_versions(file)
    kept = position_of(file.newest, lost) + 1
    for number in numbers:
        prove_inclusion(position_of(number, lost), kept, note)
    ends = {number_at(((index + 1) << level) - 1, lost) for level, index in wanted}
    entries = {entry[0]: entry for entry in entries_at(reading, file.id, {*ends, *numbers})}

    def node(level: int, index: int) -> bytes:
        number, leaf, digest, size, subtrees = entries[number_at(((index + 1) << level) - 1, lost)]
        if level == 0:
            return SlotVersion(number, leaf, digest, size).hash()
        return subtrees[HASH_BYTES * (level - 1) : HASH_BYTES * level]

    root = fold(hashes_of(file.versions_peaks))
    proofs: dict[int, list[bytes]] = {}
    try:
        for number in numbers:
            position = position_of(number, lost)
            proofs[number] = prove_inclusion(position, kept, node)
            verify_inclusion(node(0, position), position, kept, proofs[number], root)
    except (KeyError, ProofInvalidError) as fault:
        raise RowForgedError(table_of(VersionRow), str(file.id)) from fault
    return proofs
