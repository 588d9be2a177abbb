"""A log in memory, as a database would keep it: its tiles, each under level and index; and nodes read from tiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from sft.ledger.proofs import Node
from sft.ledger.slots import SlotVersion
from sft.ledger.tiles import TILE_LEVELS, TILE_WIDTH, Tile, TileReader, levels_above, read_tile, tile_width
from sft.ledger.tree import LogTree


class StoredLog:
    """Appends, keeps every tile that changed, and gives them again."""

    def __init__(self) -> None:
        self.tree = LogTree()
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.reads: list[tuple[int, int]] = []

    def append(self, hashes: Sequence[bytes]) -> list[Tile]:
        self.tree, tiles = self.tree.append(hashes)
        self.tiles.update({(tile.level, tile.index): tile.hashes for tile in tiles})
        return tiles

    def read(self, level: int, index: int) -> bytes:
        self.reads.append((level, index))
        return self.tiles[level, index]


_levels_above = lru_cache(256)(levels_above)  # of a tile that is asked for one node after another


def nodes_of(size: int, read: TileReader) -> Node:
    """Give the nodes of a log of ``size`` leaves, each read from its tile."""

    def node(level: int, index: int) -> bytes:
        tile_level, above = divmod(level, TILE_LEVELS)
        tile, place = divmod(index, TILE_WIDTH >> above)
        hashes = read_tile(read, tile_level, tile, tile_width(size, tile_level, tile))
        return _levels_above(hashes)[above][32 * place : 32 * (place + 1)]

    return node


def versions_root(versions: Iterable[SlotVersion]) -> bytes:
    """Hash the versions of a file that are kept, oldest first."""
    tree, _ = LogTree().append([each.hash() for each in versions])
    return tree.root()
