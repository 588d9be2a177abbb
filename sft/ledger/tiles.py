"""Tiles and entry bundles of C2SP tlog-tiles: how a log lies on a disk, and any node of it, read from there.

Rules. A tile of level L holds the hashes of 256 subtrees of 2^(8·L) leaves each, an entry bundle 256 entries; the last of its
level holds what there is. Full ones never change. Nodes between two tile levels are hashed from the tile below. What is read
was written elsewhere: its shape is checked here, its truth by the root that a proof ends at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from sft.errors import ProofInvalidError
from sft.ledger.hashing import HASH_BYTES, parents

TILE_LEVELS: Final = 8  # of the tree, in one level of tiles
TILE_WIDTH: Final = 1 << TILE_LEVELS
ENTRY_BYTES: Final = 0xFFFF

TileReader = Callable[[int, int], bytes]
"""Gives the hashes of a tile by level and index; more than are asked for, where the log has grown since."""


class Tile(Struct, frozen=True, gc=False, order=True):
    """The hashes of a tile, 32 bytes each: 256 of a full one, the first ones of the last of its level."""

    level: int
    index: int
    hashes: bytes

    @property
    def path(self) -> str:
        return tile_path(self.level, self.index, len(self.hashes) // HASH_BYTES)


def tile_width(size: int, level: int, index: int) -> int:
    """Say how many hashes (of level 0: entries, too) a tile has in a log of ``size`` leaves; 0 where it has no such tile."""
    return max(0, min(TILE_WIDTH, (size >> TILE_LEVELS * level) - TILE_WIDTH * index))


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    return f"tile/{level}/{_numbered(index, width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    return f"tile/entries/{_numbered(index, width)}"


def _numbered(index: int, width: int) -> str:
    """Write an index in groups of three digits, each folder's begun with x: no folder has more than a thousand names."""
    if index < 0 or not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"no tile {index} has {width} hashes")
    digits = f"{index:,}".split(",")
    folders = "".join(f"x{group:0>3}/" for group in digits[:-1])
    return f"{folders}{digits[-1]:0>3}" + ("" if width == TILE_WIDTH else f".p/{width}")


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Write up to 256 entries, each after its length in two bytes; ValueError for one longer than 65,535 bytes."""
    if len(entries) > TILE_WIDTH or any(len(entry) > ENTRY_BYTES for entry in entries):
        raise ValueError(f"a bundle has {TILE_WIDTH} entries of {ENTRY_BYTES} bytes at most")
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """Read the ``width`` entries of a bundle; ProofInvalidError: it has fewer, more, or something after them."""
    entries: list[bytes] = []
    place = 0
    for _ in range(width):
        start = place + 2
        place = start + int.from_bytes(data[place:start])
        entries.append(data[start:place])
    if place != len(data):
        raise ProofInvalidError(f"a bundle of {len(data)} bytes does not hold {width} entries")
    return entries


def read_tile(read: TileReader, level: int, index: int, width: int) -> bytes:
    """Read the first ``width`` hashes of a tile; ProofInvalidError: it has fewer, or what is no hash."""
    hashes = read(level, index)
    if len(hashes) % HASH_BYTES or not HASH_BYTES * width <= len(hashes) <= HASH_BYTES * TILE_WIDTH:
        raise ProofInvalidError(f"tile {tile_path(level, index)} has {len(hashes)} bytes, {width} hashes were expected")
    return hashes[: HASH_BYTES * width]


def levels_above(hashes: bytes) -> list[bytes]:
    """Hash a tile's nodes: its own hashes first, then level by level the complete pairs of the one below."""
    levels = [hashes]
    for _ in range(TILE_LEVELS - 1):
        levels.append(parents(levels[-1]))
    return levels
