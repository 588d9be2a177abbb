"""A log as files that other people's tools read and any web server can give out: C2SP tlog-tiles, and addenda beside them.

    checkpoint                      the signed head
    tile/<level>/<number>           256 hashes; the last one of a level as <number>.p/<how many>
    tile/entries/<number>           256 leaves, likewise
    addenda/<2>/<2>/<digest>        the parts of records, where they are given out

Rules. Full tiles and bundles never change and are written once. The checkpoint is written last: until then the files tell of
the one before, and partial tiles of that stay. Nothing that is read is believed: tiles and checkpoint lead to one root, or are
refused; who replays the leaves sees the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from msgspec import Struct

from sft import limits
from sft.errors import LedgerFormatError, ProofInvalidError
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.hashing import HASH_BYTES, leaf_hash
from sft.ledger.leaves import LogLeaf
from sft.ledger.records import ADDENDUM_BYTES, LeafRecord, addendum_path
from sft.ledger.tiles import (
    ENTRY_BYTES,
    TILE_LEVELS,
    TILE_WIDTH,
    Tile,
    bundle_path,
    decode_bundle,
    encode_bundle,
    tile_path,
    tile_width,
)
from sft.ledger.tree import LogTree

CHECKPOINT: Final = "checkpoint"

_TILE_BYTES: Final = HASH_BYTES * TILE_WIDTH
_BUNDLE_BYTES: Final = (ENTRY_BYTES + 2) * TILE_WIDTH


class LogFiles(Protocol):
    """Where the files lie; paths as above."""

    def read(self, path: str, at_most: int) -> bytes | None:
        """Read a whole file of so many bytes at most; None where there is none."""

    def write(self, path: str, data: bytes) -> None:
        """Write a whole file, over what there is; it may reach the disk later."""

    def settle(self) -> None:
        """Wait until all that was written is on the disk."""


class PublishedLeaf(Struct, frozen=True):
    """A leaf and its record.

    Attributes:
        record: None where it is not given out.
        problem: what is wrong with what lies there as its record; empty for nothing.
    """

    entry: bytes
    record: LeafRecord | None
    problem: str = ""


def read_checkpoint(files: LogFiles) -> str | None:
    """Read the signed head's note; None where there is no log. LedgerFormatError for what is no text."""
    data = files.read(CHECKPOINT, limits.NOTE_BYTES)
    try:
        return None if data is None else data.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise LedgerFormatError("the checkpoint is no text") from fault


def read_leaves(files: LogFiles, size: int) -> Iterator[PublishedLeaf]:
    """Read the leaves of a log of ``size``, each with its record as far as that is there.

    Raises:
        ProofInvalidError: a bundle is missing, or has another shape.
    """
    for index in range(-(-size // TILE_WIDTH)):
        width = tile_width(size, 0, index)
        data = _read_either(files, bundle_path(index, width), bundle_path(index), _BUNDLE_BYTES)
        if data is None:
            raise ProofInvalidError(f"{bundle_path(index, width)} is missing")
        for entry in _entries(data, width):
            yield _with_record(files, entry)


def read_tree(files: LogFiles, checkpoint: Checkpoint) -> LogTree:
    """Read the right edge of a log from its tiles; ProofInvalidError unless it leads to the checkpoint's root."""
    tree = LogTree.load(checkpoint.size, lambda level, index: _tile(files, checkpoint.size, level, index))
    if tree.root() != checkpoint.root:
        raise ProofInvalidError("its tiles do not lead to the root of its checkpoint")
    return tree


class LogWriter:
    """Adds leaves to the files of a log.

    Args:
        before: the checkpoint that the files have, which was opened; None for a new log.

    Attributes:
        next_leaf: the index of the leaf that is to be added next: of the last bundle, where that is not full, its first one.

    Raises:
        ProofInvalidError: the files do not hold together.
    """

    def __init__(self, files: LogFiles, before: Checkpoint | None) -> None:
        self._files = files
        self._tree = LogTree()
        self._entries: list[bytes] = []
        if before is not None:
            read_tree(files, before)
            full = before.size // TILE_WIDTH * TILE_WIDTH
            self._tree = LogTree.load(full, lambda level, index: _tile(files, before.size, level, index))

    @property
    def next_leaf(self) -> int:
        return self._tree.size + len(self._entries)

    def add(self, entry: bytes, record: LeafRecord | None = None) -> None:
        """Add a leaf, and its record where that is given out."""
        for digest, addendum in () if record is None else record.addenda():
            self._files.write(addendum_path(digest), addendum)
        self._entries.append(entry)
        if len(self._entries) == TILE_WIDTH:
            self._write(bundle_path(self._tree.size // TILE_WIDTH), self._entries)
            for tile in self._append():
                if len(tile.hashes) == _TILE_BYTES:
                    self._files.write(tile.path, tile.hashes)

    def end(self, checkpoint: Checkpoint, note: str) -> None:
        """Write what is not full yet, and at last the checkpoint.

        Raises:
            ProofInvalidError: the leaves are not those of the checkpoint, which is not written then.
        """
        if self._entries:
            index, entries = self._tree.size // TILE_WIDTH, list(self._entries)
            self._append()
            self._write(bundle_path(index, len(entries)), entries)
        if (self._tree.size, self._tree.root()) != (checkpoint.size, checkpoint.root):
            raise ProofInvalidError("its leaves do not lead to the root of its checkpoint")
        for level, hashes in enumerate(self._tree.edges):
            if hashes:
                tile = Tile(level, self._tree.size >> TILE_LEVELS * (level + 1), hashes)
                self._files.write(tile.path, tile.hashes)
        self._files.settle()
        self._files.write(CHECKPOINT, note.encode())
        self._files.settle()

    def _append(self) -> list[Tile]:
        self._tree, tiles = self._tree.append([leaf_hash(entry) for entry in self._entries])
        self._entries = []
        return tiles

    def _write(self, path: str, entries: Sequence[bytes]) -> None:
        self._files.write(path, encode_bundle(entries))


def _tile(files: LogFiles, size: int, level: int, index: int) -> bytes:
    width = tile_width(size, level, index)
    data = _read_either(files, tile_path(level, index, width), tile_path(level, index), _TILE_BYTES)
    return b"" if data is None else data


def _read_either(files: LogFiles, partial: str, full: str, at_most: int) -> bytes | None:
    """Read a file as the checkpoint has it, or the full one that came after it: partial ones may be removed then."""
    data = files.read(partial, at_most)
    return files.read(full, at_most) if data is None and partial != full else data


def _entries(data: bytes, width: int) -> list[bytes]:
    """Read the first entries of a bundle that may be of a longer log."""
    place = 0
    for _ in range(width):
        place += 2 + int.from_bytes(data[place : place + 2])
    return decode_bundle(data[:place], width)


def _with_record(files: LogFiles, entry: bytes) -> PublishedLeaf:
    try:
        leaf = LogLeaf.decode(entry)
    except LedgerFormatError:
        return PublishedLeaf(entry, None)  # whoever replays it finds that
    try:
        record = LeafRecord.of_addenda(leaf, lambda digest: files.read(addendum_path(digest), ADDENDUM_BYTES))
    except LedgerFormatError as fault:
        return PublishedLeaf(entry, None, fault.detail)
    return PublishedLeaf(entry, record)
