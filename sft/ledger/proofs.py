"""Proofs of RFC 6962, made and checked: a leaf or several stand in a tree, and a tree goes on another.

Rules. A check raises ``ProofInvalidError`` and returns nothing. A proof has one form: every hash of it is 32 bytes and is
used, and whoever adds, drops or moves one is refused. Indices and sizes of a check may come from anywhere, those of a proof
to be made are our own. Inclusion of one leaf and consistency are in RFC 6962's order, from the leaf up; a proof of several
leaves has the roots of the subtrees without any of them, from left to right.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sft import limits
from sft.errors import ProofInvalidError
from sft.ledger.hashing import EMPTY_ROOT, HASH_BYTES, Node, node_hash, range_root, split

# -- inclusion ----------------------------------------------------------------------------------------


def prove_inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Prove that a leaf is in the tree of ``size`` leaves: a hash for each time that it was doubled."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} among {size}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = split(start, end)
        if index < middle:
            proof.append(range_root(middle, end, node))
            end = middle
        else:
            proof.append(range_root(start, middle, node))
            start = middle
    return proof[::-1]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf is in a tree (RFC 9162, 2.1.3.2); ProofInvalidError if this does not prove it."""
    _require_hashes([leaf_hash, *proof])
    if not 0 <= index < size <= limits.LOG_LEAVES:
        raise ProofInvalidError("the log has no such leaf")
    last = size - 1
    reached = leaf_hash
    for each in proof:
        if last == 0:
            raise ProofInvalidError("the proof has too many hashes")
        if index & 1 or index == last:
            reached = node_hash(each, reached)
            while not index & 1 and index:  # on the right edge: levels at which it has no neighbour
                index, last = index >> 1, last >> 1
        else:
            reached = node_hash(reached, each)
        index, last = index >> 1, last >> 1
    _require_end(used_up=last == 0, is_root=reached == root)


def prove_several(indices: Iterable[int], size: int, node: Node) -> list[bytes]:
    """Prove that leaves are in the tree of ``size`` leaves, with the fewest hashes; ValueError for no or no such leaf."""
    wanted = sorted(set(indices))
    if not wanted or not 0 <= wanted[0] <= wanted[-1] < size:
        raise ValueError(f"no such leaves among {size}")
    proof: list[bytes] = []
    pending = [(0, size, 0, len(wanted))]  # leaves, and which of those that are wanted are among them
    while pending:
        start, end, first, behind = pending.pop()
        if first == behind:
            proof.append(range_root(start, end, node))
        elif end - start > 1:
            middle = split(start, end)
            parting = bisect_left(wanted, middle, first, behind)
            pending += [(middle, end, parting, behind), (start, middle, first, parting)]
    return proof


def verify_several(leaf_hashes: Mapping[int, bytes], size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that leaves, by index, are in a tree; ProofInvalidError if this does not prove each of them."""
    _require_hashes([*leaf_hashes.values(), *proof])
    wanted = sorted(leaf_hashes)
    if not wanted or not 0 <= wanted[0] <= wanted[-1] < size <= limits.LOG_LEAVES:
        raise ProofInvalidError("the log has no such leaves")
    rest = iter(proof)
    reached = _root_of_several(leaf_hashes, wanted, rest, 0, size)
    _require_end(used_up=next(rest, None) is None, is_root=reached == root)


def _root_of_several(
    leaf_hashes: Mapping[int, bytes], wanted: Sequence[int], rest: Iterator[bytes], start: int, end: int
) -> bytes:
    if not _any_in(wanted, start, end):
        each = next(rest, None)
        if each is None:
            raise ProofInvalidError("the proof has too few hashes")
        return each
    if end - start == 1:
        return leaf_hashes[start]
    middle = split(start, end)
    left = _root_of_several(leaf_hashes, wanted, rest, start, middle)
    return node_hash(left, _root_of_several(leaf_hashes, wanted, rest, middle, end))


def _any_in(wanted: Sequence[int], start: int, end: int) -> bool:
    at = bisect_left(wanted, start)
    return at < len(wanted) and wanted[at] < end


# -- consistency --------------------------------------------------------------------------------------


def prove_consistency(old_size: int, new_size: int, node: Node) -> list[bytes]:
    """Prove that a tree begins with the leaves of an older one: nothing for the same size, or none."""
    if not 0 <= old_size <= new_size:
        raise ValueError(f"{old_size} leaves do not come before {new_size}")
    proof: list[bytes] = []
    start, end = 0, new_size
    while old_size and old_size != end:
        middle = split(start, end)
        if old_size <= middle:
            proof.append(range_root(middle, end, node))
            end = middle
        else:
            proof.append(range_root(start, middle, node))
            start = middle
    if start:  # else the old root itself, which the checker has
        proof.append(range_root(start, end, node))
    return proof[::-1]


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that a tree goes on an older one (RFC 9162, 2.1.4.2); ProofInvalidError if this does not prove it."""
    _require_hashes([old_root, new_root, *proof])
    if not 0 <= old_size <= new_size <= limits.LOG_LEAVES:
        raise ProofInvalidError("no log has grown so")
    if old_size in {0, new_size}:
        begins = EMPTY_ROOT if old_size == 0 else new_root
        ends = EMPTY_ROOT if new_size == 0 else new_root
        _require_end(used_up=not proof, is_root=(old_root, new_root) == (begins, ends))
        return
    hashes = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not proof:
        raise ProofInvalidError("the proof has too few hashes")
    index, last = old_size - 1, new_size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            raise ProofInvalidError("the proof has too many hashes")
        if index & 1 or index == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = node_hash(new, each)
        index, last = index >> 1, last >> 1
    _require_end(used_up=last == 0, is_root=(old, new) == (old_root, new_root))


def _require_hashes(hashes: Iterable[bytes]) -> None:
    """Refuse what is no hash: two neighbours of other lengths would be hashed together to the same node."""
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofInvalidError(f"a hash of a proof has {HASH_BYTES} bytes")


def _require_end(*, used_up: bool, is_root: bool) -> None:
    if not used_up:
        raise ProofInvalidError("the proof has too few or too many hashes")
    if not is_root:
        raise ProofInvalidError("the proof leads to another root")
