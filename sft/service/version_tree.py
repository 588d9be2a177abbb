"""The tree over all versions of a file (RFC 6962), as far as its row keeps it: a replacement adds one entry.

Rules. Entry n, from 0, is version n + 1, hashed as the file's slot says (``sft.ledger.slots``). Purging takes a file as a
whole, so no version ever leaves the tree, and the file's newest number is its size.
"""

from __future__ import annotations

from sft.ledger.hashing import HASH_BYTES, grown
from sft.ledger.slots import SlotVersion


def with_version(peaks: bytes, version: SlotVersion) -> bytes:
    """Add the next version to the tree.

    Args:
        peaks: hashes of the complete subtrees before it, the largest first; none before version 1.

    Raises:
        ValueError: the peaks are not those of the versions before it.
    """
    subtrees = [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)]
    return b"".join(grown(version.number - 1, subtrees, version.hash()))
