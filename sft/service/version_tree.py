"""The tree over all versions of a file (RFC 6962): grown by each replacement, and read to prove single versions.

Rules. Entry n, from 0, is version n + 1, hashed as the file's slot says (``sft.ledger.slots``). Purging takes a file as a
whole and destroying a content leaves the version's row, so no version ever leaves the tree, and the file's newest number is its
size. The file's row keeps the peaks, and each version's row the subtrees that it completed: so a proof of one version among n
reads some log n rows and no others, whoever replaced a file how often.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct

from sft.errors import ProofInvalidError, RowForgedError
from sft.ledger.hashing import HASH_BYTES, fold, grown, hashes_of
from sft.ledger.proofs import prove_inclusion, verify_inclusion
from sft.ledger.slots import SlotVersion
from sft.store.files import entries_at
from sft.store.row_types import FileRow, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.table_specs import table_of


class GrownTree(Struct, frozen=True):
    """What a new version leaves: the file's peaks, and the subtrees of several versions that it completed."""

    peaks: bytes
    subtrees: bytes


def with_version(peaks: bytes, version: SlotVersion) -> GrownTree:
    """Add the next version to the tree.

    Args:
        peaks: hashes of the complete subtrees before it, the largest first; none before version 1.

    Raises:
        ValueError: the peaks are not those of the versions before it.
    """
    grown_peaks, completed = grown(version.number - 1, hashes_of(peaks), version.hash())
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

    for number in numbers:
        prove_inclusion(number - 1, file.newest, note)
    ends = {(index + 1) << level for level, index in wanted}
    entries = {entry[0]: entry for entry in entries_at(reading, file.id, {*ends, *numbers})}

    def node(level: int, index: int) -> bytes:
        number, leaf, digest, size, subtrees = entries[(index + 1) << level]
        if level == 0:
            return SlotVersion(number, leaf, digest, size).hash()
        return subtrees[HASH_BYTES * (level - 1) : HASH_BYTES * level]

    root = fold(hashes_of(file.versions_peaks))
    proofs: dict[int, list[bytes]] = {}
    try:
        for number in numbers:
            proofs[number] = prove_inclusion(number - 1, file.newest, node)
            verify_inclusion(node(0, number - 1), number - 1, file.newest, proofs[number], root)
    except (KeyError, ProofInvalidError) as fault:
        raise RowForgedError(table_of(VersionRow), str(file.id)) from fault
    return proofs
