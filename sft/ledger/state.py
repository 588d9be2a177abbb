"""The state tree: what is now, one dense slot for each user and file, hashed as a log's leaves are and changed in place.

Rules. A change is drafted first: a draft knows the root after each change and touches nothing, and is applied when what it
is about was committed. It is for the tree that it was drafted on, as that was then. Slots are never taken out. Only complete
subtrees are kept, one array a level: 64 bytes a slot in all. One thread at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sft.errors import ProofInvalidError
from sft.ledger.hashing import EMPTY_ROOT, HASH_BYTES, node_hash, parents
from sft.ledger.proofs import prove_several
from sft.ledger.tiles import TILE_WIDTH

BLOCK_BYTES = HASH_BYTES * TILE_WIDTH


class _Slots(ABC):
    """A tree over slots, as it is or as it would be."""

    __slots__ = ("size",)

    size: int

    @abstractmethod
    def node(self, level: int, index: int) -> bytes:
        """Give the hash of a complete subtree, as ``sft.ledger.proofs`` asks for it."""

    @abstractmethod
    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Give the slots' hashes to keep, in blocks of 256, each with its number: all, or those with a change."""

    def root(self) -> bytes:
        # As ``range_root`` does it from 0, without its lists: every leaf of the log has two.
        root, level, index = b"", 0, self.size
        while index:
            if index & 1:
                subtree = self.node(level, index - 1)
                root = node_hash(subtree, root) if root else subtree
            level, index = level + 1, index >> 1
        return root or EMPTY_ROOT

    def leaf(self, slot: int) -> bytes:
        if not 0 <= slot < self.size:
            raise ValueError(f"no slot {slot} among {self.size}")
        return self.node(0, slot)

    def prove(self, slots: Iterable[int]) -> list[bytes]:
        """Prove several slots under the root, for ``verify_several``."""
        return prove_several(slots, self.size, self.node)


class StateTree(_Slots):
    """The slots that are.

    Args:
        hashes: of the slots' records, 32 bytes each, from slot 0.
    """

    __slots__ = ("_changes", "_levels")

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        leaves = bytearray().join(hashes)
        if len(leaves) % HASH_BYTES:
            raise ProofInvalidError(f"{len(leaves)} bytes are no hashes of slots")
        self.size = len(leaves) // HASH_BYTES
        self._levels = [leaves]
        while len(self._levels[-1]) >= 2 * HASH_BYTES:
            self._levels.append(bytearray(parents(self._levels[-1])))
        self._changes = 0

    def node(self, level: int, index: int) -> bytes:
        return bytes(self._levels[level][HASH_BYTES * index : HASH_BYTES * (index + 1)])

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        return ((index, self.block(index)) for index in range(-(-self.size // TILE_WIDTH)))

    def block(self, index: int) -> bytes:
        return bytes(self._levels[0][BLOCK_BYTES * index : BLOCK_BYTES * (index + 1)])

    def draft(self, changes: Mapping[int, bytes] | None = None) -> Draft:
        """Begin what may be applied later: changes are record hashes by slot, new slots in order after the last."""
        draft = Draft(self, self._changes)
        for slot, record_hash in (changes or {}).items():
            draft.set(slot, record_hash)
        return draft

    def apply(self, draft: Draft) -> None:
        """Make a draft the truth; ValueError: it was drafted on another tree, or before another was applied."""
        changed = draft.changed_since(self, self._changes)
        self._changes += 1
        self._levels += [bytearray() for _ in changed[len(self._levels) :]]
        for level, nodes in zip(self._levels, changed, strict=False):
            for index, subtree in nodes.items():
                level[HASH_BYTES * index : HASH_BYTES * (index + 1)] = subtree
        self.size = draft.size


class Draft(_Slots):
    """The slots as they would be after some changes; made by ``StateTree.draft``."""

    __slots__ = ("_changed", "_changes_before", "_tree")

    def __init__(self, tree: StateTree, changes_before: int) -> None:
        self.size = tree.size
        self._tree = tree
        self._changes_before = changes_before
        self._changed: list[dict[int, bytes]] = []  # by level; new ones in order of index: they are appended so

    def node(self, level: int, index: int) -> bytes:
        changed = self._changed[level].get(index) if level < len(self._changed) else None
        return changed or self._tree.node(level, index)

    def set(self, slot: int, record_hash: bytes) -> None:
        """Change a slot, or begin the next one, whose number is the size; ValueError for one beyond it."""
        if not 0 <= slot <= self.size or len(record_hash) != HASH_BYTES:
            raise ValueError(f"no hash of {len(record_hash)} bytes for slot {slot} of {self.size}")
        self.size = max(self.size, slot + 1)
        self._changed += [{} for _ in range(len(self._changed), self.size.bit_length())]
        index, subtree, kept = slot, record_hash, self._tree.node
        for level, changed in enumerate(self._changed):
            changed[index] = subtree
            if (index | 1) + 1 << level > self.size:
                break  # no neighbour yet
            neighbour = changed.get(index ^ 1) or kept(level, index ^ 1)
            subtree = node_hash(neighbour, subtree) if index & 1 else node_hash(subtree, neighbour)
            index >>= 1

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        changed: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
        for slot in sorted(self._changed[0] if self._changed else ()):
            changed[slot // TILE_WIDTH][slot % TILE_WIDTH] = self._changed[0][slot]
        for index in sorted(changed):
            block = bytearray(self._tree.block(index))
            for place, record_hash in changed[index].items():
                block[HASH_BYTES * place : HASH_BYTES * (place + 1)] = record_hash
            yield index, bytes(block)

    def changed_since(self, tree: StateTree, changes: int) -> Sequence[Mapping[int, bytes]]:
        """Give what changed, by level and index, for the tree that it was drafted on, as that was; else ValueError."""
        if self._tree is not tree or self._changes_before != changes:
            raise ValueError("the draft is of another tree, or of what that was before")
        return self._changed
