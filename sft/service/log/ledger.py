"""The ledger as it is served: the newest head, and proofs of leaves and slots under it.

Rules. Whoever reads sees one head: the trees are changed under the lock, together with it, after its leaves and the head itself
are on the disk. What was read of the database before or after that is told by its own slots: a proof is given of what the
head says, or none. Full tiles never change; the last ones of each level are in memory, the others come from the database, those
that were used last from memory. The writer's thread alone changes anything.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from functools import lru_cache, partial
from typing import Final, NamedTuple

from msgspec import Struct

from sft.errors import StoreError
from sft.ledger.hashing import HASH_BYTES, range_root
from sft.ledger.leaves import StateTreeKind, slot_hash
from sft.ledger.proofs import prove_consistency, prove_inclusion, prove_several
from sft.ledger.state import Draft, StateTree
from sft.ledger.tiles import TILE_LEVELS, TILE_WIDTH, TileReader, levels_above, read_tile, tile_width
from sft.ledger.tree import LogTree
from sft.model.evidence import Evidence, ProvedSlot, SlotsProof
from sft.store.ledger import FIRST_EPOCH

TILES_KEPT: Final = 256  # with their nodes 16 KiB each
HEADS_REMEMBERED: Final = 4096  # some minutes of a busy server; 150 bytes each
WAIT_SECONDS: Final = 5.0  # for a commit that was made already: its head follows in milliseconds


class SignedHead(Struct, frozen=True):
    """A signed head: the log's size and root, and the note that says so."""

    size: int
    root: bytes
    note: str


class LastLeaf(Struct, frozen=True):
    """The last leaf of a head: its index, its bytes, and the proof that it is in the log, from its sibling up."""

    index: int
    entry: bytes
    inclusion: tuple[bytes, ...]


class ProvedSlots(NamedTuple):
    """Evidence, and the head that it is under: whoever gets the one has to have the other."""

    head: SignedHead
    evidence: Evidence


class ProvedLeaves(NamedTuple):
    """A proof that a leaf, or several together, are in the log, and the head that it is under."""

    head: SignedHead
    proof: tuple[bytes, ...]


class LogState(NamedTuple):
    """A log and its state trees, as they were loaded."""

    tree: LogTree
    last_leaf: LastLeaf
    users: StateTree
    files: StateTree


class Grown(NamedTuple):
    """What a group made of a log and its state trees."""

    tree: LogTree
    last_leaf: LastLeaf
    users: Draft
    files: Draft


class Ledger:
    """One server's ledger.

    Args:
        state: None for a log that has no leaf yet.
        read: reads a tile from the database; one call at a time.
        epoch: of the log.
    """

    def __init__(self, state: LogState | None, read: TileReader, epoch: int = FIRST_EPOCH) -> None:
        self.epoch = epoch
        self._roots: dict[int, bytes] = {}  # by size, of the last heads: what people sign to have seen is one of these
        self._lock = threading.Lock()
        self._newer = threading.Condition(self._lock)
        self._reading = threading.Lock()
        self._read = read
        self._head: SignedHead | None = None
        self._tree = LogTree() if state is None else state.tree
        self._last_leaf = None if state is None else state.last_leaf
        self.users = StateTree() if state is None else state.users
        self.files = StateTree() if state is None else state.files
        self._full = lru_cache(maxsize=TILES_KEPT)(self._full_levels)
        self._partial = lru_cache(maxsize=8)(levels_above)  # the last tile of every level, as several heads have it

    @property
    def tree(self) -> LogTree:
        """The log's right edge."""
        return self._tree

    @property
    def head(self) -> SignedHead:
        """The newest head; StoreError where none was signed yet."""
        return self._of_head()[0]

    @property
    def last_leaf(self) -> LastLeaf:
        """The newest head's last leaf."""
        return self._of_head()[2]

    # -- proofs ------------------------------------------------------------------------------------

    def consistency(self, old_size: int, size: int | None = None) -> tuple[bytes, ...]:
        """Prove that the log of some size, or the newest head, goes on an older one; ValueError if it is no older one."""
        tree = self._of_head()[1]
        return tuple(prove_consistency(old_size, size or tree.size, partial(self._node, tree)))

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Prove that a leaf is in the log as it was at a size; ValueError if there is none of that index."""
        tree = self._of_head()[1]
        return tuple(prove_inclusion(index, size, partial(self._node, tree)))

    def remembers(self, size: int) -> bool:
        """Whether ``root_at`` says that without reading anything."""
        return size in self._roots

    def root_at(self, size: int) -> bytes | None:
        """Return the root that the log had at a size; None where it does not go so far."""
        known = self._roots.get(size)
        if known is not None:
            return known
        tree = self._of_head()[1]
        return range_root(0, size, partial(self._node, tree)) if 0 < size <= tree.size else None

    def prove_leaf(self, index: int) -> ProvedLeaves:
        """Prove one leaf under the newest head, from its sibling up; ValueError if it has none of that index."""
        with self._lock:
            head, tree, _ = self._of_head()
        return ProvedLeaves(head, tuple(prove_inclusion(index, tree.size, partial(self._node, tree))))

    def prove_leaves(self, indices: Collection[int]) -> ProvedLeaves:
        """Prove several leaves together under the newest head, as ``verify_several`` takes it; for none there is no hash.

        Raises:
            ValueError: it has none of an index.
        """
        with self._lock:
            head, tree, _ = self._of_head()
        proof = prove_several(indices, tree.size, partial(self._node, tree)) if indices else ()
        return ProvedLeaves(head, tuple(proof))

    def prove_slots(self, slots: Sequence[ProvedSlot]) -> ProvedSlots | None:
        """Prove what is the record of some slots, under the newest head.

        Returns:
            That head, and the evidence without ``seen``; None where one of them has another record, or is not there: it was
            read before a commit, or after the next one.
        """
        wanted: dict[int, dict[int, bytes]] = {}
        for each in slots:
            wanted.setdefault(each.tree, {})[each.number] = slot_hash(each.record)
        proofs: list[SlotsProof] = []
        with self._lock:
            head, _, leaf = self._of_head()
            for kind, hashes in wanted.items():
                state = self.users if kind == StateTreeKind.USERS else self.files
                if any(number >= state.size or state.leaf(number) != found for number, found in hashes.items()):
                    return None
                proofs.append(SlotsProof(kind, tuple(state.prove(hashes))))
        return ProvedSlots(head, Evidence(leaf.entry, leaf.inclusion, tuple(slots), tuple(proofs)))

    def wait_for(self, size: int, seconds: float = WAIT_SECONDS) -> None:
        """Wait until the newest head has so many leaves; StoreError if it has not in time.

        For whoever read the rows of a commit whose head is only being signed.
        """
        with self._newer:
            if not self._newer.wait_for(lambda: self._head is not None and self._head.size >= size, seconds):
                raise StoreError(problem=f"the log's head does not come to {size} leaves")

    # -- the writer's --------------------------------------------------------------------------------

    def begin(self, head: SignedHead) -> None:
        """Give the first head out, that of what was loaded."""
        with self._newer:
            self._head = head
            self._remember(head)

    def grow(self, grown: Grown, head: SignedHead, epoch: int = FIRST_EPOCH) -> None:
        """Have all that a group did; it, and the head of that epoch, are on the disk."""
        with self._newer:
            self.epoch = epoch
            self.users.apply(grown.users)
            self.files.apply(grown.files)
            self._tree, self._last_leaf, self._head = grown.tree, grown.last_leaf, head
            self._remember(head)
            self._newer.notify_all()

    def _remember(self, head: SignedHead) -> None:
        self._roots[head.size] = head.root
        if len(self._roots) > HEADS_REMEMBERED:
            del self._roots[next(iter(self._roots))]

    # -- tiles ---------------------------------------------------------------------------------------

    def _of_head(self) -> tuple[SignedHead, LogTree, LastLeaf]:
        head, tree, leaf = self._head, self._tree, self._last_leaf
        if head is None or leaf is None:
            raise StoreError(problem="the log has no head yet")
        return head, tree, leaf

    def _node(self, tree: LogTree, level: int, index: int) -> bytes:
        """Give a node of the log, as ``sft.ledger.proofs`` asks for it."""
        tile_level, above = divmod(level, TILE_LEVELS)
        tile, place = divmod(index, TILE_WIDTH >> above)
        if tile_width(tree.size, tile_level, tile) < TILE_WIDTH:
            levels = self._partial(tree.edges[tile_level])
        else:
            levels = self._full(tile_level, tile)
        return levels[above][HASH_BYTES * place : HASH_BYTES * (place + 1)]

    def _full_levels(self, level: int, index: int) -> list[bytes]:
        with self._reading:
            return levels_above(read_tile(self._read, level, index, TILE_WIDTH))
