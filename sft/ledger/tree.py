"""The log's right edge: what appending to a log of any size takes, and its root.

Rules. Nothing but the last tile of each level is read at a start, and nothing at all to append: both are a few kilobytes at
any size. A tree is a value: appending gives a new one, so that a group that is rolled back leaves the old one as it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from sft.ledger.hashing import HASH_BYTES, complete_subtrees, fold, node_hash
from sft.ledger.tiles import TILE_LEVELS, TILE_WIDTH, Tile, TileReader, levels_above, read_tile


class LogTree(Struct, frozen=True):
    """A log of ``size`` leaves, as far as the next ones need it: ``LogTree()`` is the empty one.

    Args:
        size: leaves.
        subtrees: hashes of the complete subtrees that it is made of, the largest first.
        edges: hashes of the last tile of each level, lowest first; none where that is full.
    """

    size: int = 0
    subtrees: tuple[bytes, ...] = ()
    edges: tuple[bytes, ...] = ()

    @classmethod
    def load(cls, size: int, read: TileReader) -> LogTree:
        """Read the edge of a log of ``size`` leaves; ProofInvalidError: a tile of it has another shape."""
        edges: list[bytes] = []
        level = 0
        while (complete := size >> TILE_LEVELS * level) > 0:
            index, width = divmod(complete, TILE_WIDTH)
            edges.append(read_tile(read, level, index, width) if width else b"")
            level += 1
        nodes = [levels_above(edge) for edge in edges]
        subtrees: list[bytes] = []
        for at, index in complete_subtrees(0, size):
            tile_level, above = divmod(at, TILE_LEVELS)
            place = HASH_BYTES * (index % (TILE_WIDTH >> above))
            subtrees.append(nodes[tile_level][above][place : place + HASH_BYTES])
        return cls(size, tuple(subtrees), tuple(edges))

    def root(self) -> bytes:
        """RFC 6962's tree head: 32 bytes."""
        return fold(self.subtrees)

    def append(self, hashes: Iterable[bytes]) -> tuple[LogTree, list[Tile]]:
        """Append leaf hashes, 32 bytes each.

        Returns:
            The tree after them, and every tile that is new or longer: the full ones, and the last of a level where that is
            not full. By level and index.
        """
        size, subtrees = self.size, list(self.subtrees)
        edges = [bytearray(edge) for edge in self.edges]
        tiles: list[Tile] = []
        grown: set[int] = set()
        for each in hashes:
            if len(each) != HASH_BYTES:
                raise ValueError(f"a leaf hash has {HASH_BYTES} bytes, not {len(each)}")
            subtree, level, before = each, 0, size
            size += 1
            while True:
                if level % TILE_LEVELS == 0:
                    at = level // TILE_LEVELS
                    if at == len(edges):
                        edges.append(bytearray())
                    edges[at] += subtree
                    grown.add(at)
                    if len(edges[at]) == HASH_BYTES * TILE_WIDTH:
                        tiles.append(Tile(at, before // TILE_WIDTH, bytes(edges[at])))
                        edges[at].clear()
                if not before & 1:
                    break
                subtree = node_hash(subtrees.pop(), subtree)
                before >>= 1
                level += 1
            subtrees.append(subtree)
        kept = tuple(map(bytes, edges))
        tiles += [Tile(at, size >> TILE_LEVELS * (at + 1), kept[at]) for at in grown if kept[at]]
        return LogTree(size, tuple(subtrees), kept), sorted(tiles)
