"""The ledger at a start: from the database and the last head that was kept to what is served from memory.

    log       the tree of the kept head, from tiles → its root is the head's → the leaves that came after
    state     blocks → the leaves from ``redo`` on → the roots are the last leaf's; else once more, from all leaves

Rules. Nothing that is loaded is believed: leaves carry MACs, the log must lead to the kept head, and the state to the last
leaf. A database that is behind the head was put back from a copy, one that leads elsewhere is another's: both are refused in
words. One that is ahead lost its head to a crash: it goes on the head, or is refused. A restart alone, which a person has
decided on, takes a log that no head leads to: by its leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sft.errors import LedgerFormatError, LogDamagedError, LogRolledBackError, ProofInvalidError, RowForgedError
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.hashing import HASH_BYTES, leaf_hash
from sft.ledger.leaves import LeafKind, LogLeaf, StateTreeKind
from sft.ledger.state import BLOCK_BYTES, StateTree
from sft.ledger.tiles import TILE_WIDTH, TileReader
from sft.ledger.tree import LogTree
from sft.service.log.blocks import BlockKey, ChangedBlocks
from sft.service.log.ledger import LastLeaf, LogState
from sft.store.ledger import blocks_from, leaf_at, leaves_from, ledger_row, tiles_at
from sft.store.row_types import LedgerRow, LogLeafRow
from sft.store.rows import ReadTransaction
from sft.store.settings import LOG_HOST, SERVER_ID, setting

PAGE: Final = 512  # leaves, or 4 MiB of blocks


class LoadedLog(NamedTuple):
    """What a start loaded."""

    epoch: int
    state: LogState
    blocks: ChangedBlocks


class LogName(NamedTuple):
    """What a log's origin is made of."""

    host: str
    server_id: bytes
    epoch: int


def log_name(reading: ReadTransaction) -> LogName:
    """Read what the log in the database is called."""
    host = setting(reading, LOG_HOST).decode()
    return LogName(host, setting(reading, SERVER_ID), ledger_row(reading).epoch)


def tile_in(reading: ReadTransaction, level: int, index: int) -> bytes:
    """Read a tile of the log; nothing where there is none."""
    return tiles_at(reading, [(level, index)]).get((level, index), b"")


def load_log(reading: ReadTransaction, kept: Checkpoint | None) -> LoadedLog:
    """Load log and state, and hold them against the last head.

    Args:
        kept: None: there is none to hold them against, for the log begins anew; then every leaf is hashed.

    Raises:
        LogRolledBackError: the head has more leaves than the database.
        LogDamagedError: a leaf was changed, or log or state lead elsewhere.
    """
    try:
        row = ledger_row(reading)
        if kept is not None and kept.origin.epoch < row.epoch:
            _require_just_restarted(reading, row)
            kept = None
        if kept is not None and (row.epoch, row.size) < (kept.origin.epoch, kept.size):
            raise LogRolledBackError(found=row.size, signed=kept.size)
        tree, last_leaf = _load_tree(reading, row, kept)
        if kept is None:
            _require_leaves(reading, tree)
        users, files, first_changes = _load_state(reading, row, last_leaf)
    except RowForgedError as forged:
        raise LogDamagedError(problem=str(forged.values["problem"])) from forged
    except (LedgerFormatError, ProofInvalidError) as fault:
        raise LogDamagedError(str(fault), problem="its rows do not have the form that this program wrote") from fault
    return LoadedLog(row.epoch, LogState(tree, last_leaf, users, files), ChangedBlocks(first_changes))


def _require_just_restarted(reading: ReadTransaction, row: LedgerRow) -> None:
    """Take no head of an epoch that ended, unless it is the one before a restart that a crash kept from being signed."""
    if leaf_at(reading, row.size - 1).kind != LeafKind.LOG_RESTARTED:
        raise LogDamagedError(problem="its last head is of the log before it was started again")


def _require_leaves(reading: ReadTransaction, tree: LogTree) -> None:
    """Hash every leaf, for tiles have no MAC and no head says here what they lead to."""
    hashed = LogTree()
    for row in _leaves(reading, 0):
        hashed, _ = hashed.append([leaf_hash(row.entry)])
    if (hashed.size, hashed.root()) != (tree.size, tree.root()):
        raise LogDamagedError(problem="its tiles do not fit its leaves")


def _load_tree(reading: ReadTransaction, row: LedgerRow, kept: Checkpoint | None) -> tuple[LogTree, LastLeaf]:
    known = row.size - 1 if kept is None else min(kept.size, row.size - 1)
    begun = known // TILE_WIDTH * TILE_WIDTH
    entries = [leaf.entry for leaf in _leaves(reading, begun)]
    hashes = [leaf_hash(entry) for entry in entries]
    tree = LogTree.load(known, _edge_reader(reading, begun, b"".join(hashes)))
    if kept is not None and known == kept.size:
        _require_root(tree, kept)
    tree, _ = tree.append(hashes[known - begun : -1])
    inclusion = tree.subtrees[::-1]
    tree, _ = tree.append(hashes[-1:])
    if kept is not None and known != kept.size:
        _require_root(tree, kept)
    return tree, LastLeaf(tree.size - 1, entries[-1], inclusion)


def _require_root(tree: LogTree, kept: Checkpoint) -> None:
    if tree.root() != kept.root:
        raise LogDamagedError(problem="it is not the one whose head was signed last")


def _edge_reader(reading: ReadTransaction, begun: int, last_hashes: bytes) -> TileReader:
    """Read the last tile of each level: the lowest is not kept, and made of its leaves."""

    def read(level: int, index: int) -> bytes:
        if level == 0 and index * TILE_WIDTH == begun:
            return last_hashes[: HASH_BYTES * TILE_WIDTH]
        return tile_in(reading, level, index)

    return read


def _load_state(
    reading: ReadTransaction, row: LedgerRow, last_leaf: LastLeaf
) -> tuple[StateTree, StateTree, dict[BlockKey, int]]:
    leaf = LogLeaf.decode(last_leaf.entry)
    for start, blocks in ((row.redo, True), (0, False)):
        hashes = {kind: _blocks(reading, kind) if blocks else bytearray() for kind in StateTreeKind}
        first_changes = _replay(reading, hashes, start)
        if first_changes is None:
            continue
        trees = {kind: StateTree([bytes(each)]) for kind, each in hashes.items()}
        roots = {kind: leaf.state_root(kind) for kind in StateTreeKind}
        if all((tree.size, tree.root()) == (roots[kind].size, roots[kind].root) for kind, tree in trees.items()):
            return trees[StateTreeKind.USERS], trees[StateTreeKind.FILES], first_changes
    raise LogDamagedError(problem="its leaves do not lead to the state that the last one names")


def _blocks(reading: ReadTransaction, kind: StateTreeKind) -> bytearray:
    hashes = bytearray()
    start = 0
    while rows := blocks_from(reading, kind, start, PAGE):
        for row in rows:
            if not _put(hashes, BLOCK_BYTES * row.number, row.hashes):
                return hashes
        start = rows[-1].number + 1
    return hashes


def _replay(reading: ReadTransaction, hashes: dict[StateTreeKind, bytearray], start: int) -> dict[BlockKey, int] | None:
    """Make the changes of all leaves from one on; return which blocks have any, and with which leaf they began.

    None: slots before them are missing.
    """
    first_changes: dict[BlockKey, int] = {}
    for row in _leaves(reading, start):
        for slot in LogLeaf.decode(row.entry).slots:
            kind = StateTreeKind(slot.tree)
            if not _put(hashes[kind], HASH_BYTES * slot.number, slot.record_hash):
                return None
            first_changes.setdefault((kind, slot.number // TILE_WIDTH), row.number)
    return first_changes


def _put(hashes: bytearray, place: int, data: bytes) -> bool:
    """Write over what is there, or behind it; False where something before it is missing."""
    if place > len(hashes):
        return False
    hashes[place : place + len(data)] = data
    return True


def _leaves(reading: ReadTransaction, start: int) -> Iterator[LogLeafRow]:
    while rows := leaves_from(reading, start, PAGE):
        yield from rows
        start = rows[-1].number + 1
