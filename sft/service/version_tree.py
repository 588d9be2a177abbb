"""The tree over all versions of a file (RFC 6962), as far as its row keeps it: a replacement adds one entry.

Rules. Entry n, from 0, is version n + 1, hashed as the file's slot says (``sft.ledger.slots``). Purging takes a file as a
whole, so no version ever leaves the tree, and the file's newest number is its size.
"""

from __future__ import annotations

from sft.ledger.hashing import grown, hashes_of
from sft.ledger.slots import SlotVersion


def with_version(peaks: bytes, version: SlotVersion) -> bytes:
    """Add the next version to the tree.

    Args:
        peaks: hashes of the complete subtrees before it, the largest first; none before version 1.

    Raises:
        ValueError: the peaks are not those of the versions before it.
    """
    return b"".join(grown(version.number - 1, hashes_of(peaks), version.hash()))
