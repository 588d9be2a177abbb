"""RFC 6962's two hashes, and which complete subtrees a range of leaves is made of.

Rules. A leaf and an inner node are hashed under different first bytes, so that neither passes for the other. A complete
subtree is named by level and index: the node of the 2^level leaves from index · 2^level on. It never changes as its log
grows; all that does change is made of complete subtrees, the largest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

Node = Callable[[int, int], bytes]
"""Gives the hash of a complete subtree by level and index."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def parents(hashes: bytes | bytearray) -> bytes:
    """Hash each two neighbours of a level together; one without a neighbour has no parent yet.

    Neighbours lie beside one another, as they are hashed: a start of a million slots goes through here.
    """
    step = 2 * HASH_BYTES
    return b"".join(
        [sha256(b"\x01" + hashes[at : at + step]).digest() for at in range(0, len(hashes) - HASH_BYTES, step)]
    )


def fold(subtrees: Sequence[bytes]) -> bytes:
    """Hash the subtrees of a range together, the largest first; EMPTY_ROOT of none."""
    if not subtrees:
        return EMPTY_ROOT
    *larger, root = subtrees
    for subtree in reversed(larger):
        root = node_hash(subtree, root)
    return root


def hashes_of(data: bytes) -> list[bytes]:
    """Take hashes apart that were joined, as rows keep them."""
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def complete_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Name the fewest complete subtrees of the leaves [start, end), as (level, index).

    ``start`` is a multiple of a power of 2 that is no less than ``end - start``: 0, or where RFC 6962 splits.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def grown(size: int, subtrees: Sequence[bytes], added: bytes) -> tuple[list[bytes], list[bytes]]:
    """Grow a tree of ``size`` leaves by one.

    Returns:
        Its complete subtrees, the largest first, and those of several leaves that the new one completes, the smallest first.

    Raises:
        ValueError: these are not the subtrees of so many leaves.
    """
    if len(subtrees) != size.bit_count():
        raise ValueError(f"{len(subtrees)} subtrees of {size} leaves")
    kept, completed = list(subtrees), []
    while size & 1:
        added = node_hash(kept.pop(), added)
        completed.append(added)
        size >>= 1
    return [*kept, added], completed


def range_root(start: int, end: int, node: Node) -> bytes:
    """Hash the leaves [start, end) as one tree; ``start`` as for ``complete_subtrees``."""
    width, root = end - start, b""
    if width & (width - 1) == 0 < width:  # nearly always: a complete subtree
        level = width.bit_length() - 1
        return node(level, start >> level)
    for level in range(width.bit_length()):
        if width >> level & 1:
            subtree = node(level, (end >> level) - 1)
            root = node_hash(subtree, root) if root else subtree
    return root or EMPTY_ROOT


def split(start: int, end: int) -> int:
    """Say where RFC 6962 divides two leaves or more: after the largest power of 2 that is less than all of them."""
    return start + (1 << ((end - start - 1).bit_length() - 1))
