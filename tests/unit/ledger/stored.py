"""A log in memory, as a database would keep it: its tiles, each under level and index."""

from __future__ import annotations

from collections.abc import Sequence

from sft.ledger.tiles import Tile
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
