"""The tree over all versions of a file (RFC 6962), as far as its row keeps it: a replacement adds one entry.

Rules. Entry n, from 0, is version n + 1: its number, the leaf of the log that it was stored with, its digest. Purging takes a
file as a whole, so no version ever leaves the tree, and the file's newest number is its size.
"""

from __future__ import annotations

import struct
from typing import Final

from sft.ledger.hashing import HASH_BYTES, grown, leaf_hash

_ENTRY: Final = struct.Struct(">QQ")


def with_version(peaks: bytes, *, number: int, leaf: int, digest: bytes) -> bytes:
    """Add the next version to the tree.

    Args:
        peaks: hashes of the complete subtrees before it, the largest first; none before version 1.
        number: the version's.
        leaf: index in the log.
        digest: of the content, 64 bytes.

    Raises:
        ValueError: the peaks are not those of ``number - 1`` versions.
    """
    subtrees = [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)]
    return b"".join(grown(number - 1, subtrees, leaf_hash(_ENTRY.pack(number, leaf) + digest)))
