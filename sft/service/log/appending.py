"""The writer's two steps: before the commit a group's events become leaves, after it the head is signed and kept.

    before     changed slots → for each leaf its slots, the roots after it, its record → rows: leaves, tiles, blocks, how far
    after      head signed → in its file, synced → served

Rules. The first step changes nothing but the transaction: a group that is rolled back leaves all of memory as it was. The log
in the database must be as long as the one in memory: whoever else wrote to it, nothing is appended to what was not seen.
Nothing is handed out before the second step has ended.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from sft.errors import StoreError
from sft.ledger.hashing import HASH_BYTES, leaf_hash
from sft.ledger.leaves import ChangedSlot, LogLeaf, StateRoot, StateTreeKind
from sft.ledger.records import SALT_BYTES, LeafRecord, RecordPart
from sft.ledger.state import Draft
from sft.ledger.tiles import TILE_WIDTH, Tile
from sft.model.events import DomainEvent
from sft.service.log.blocks import BlockPlan, ChangedBlocks
from sft.service.log.changes import by_leaf, changed_slots
from sft.service.log.events import facts_of, line_of, personal_of
from sft.service.log.ledger import Grown, LastLeaf, Ledger, SignedHead
from sft.store.ledger import add_leaves, change_ledger, ledger_row, put_blocks, put_tiles
from sft.store.row_types import LedgerRow, LogLeafRow, LogTileRow, StateBlockRow
from sft.store.rows import Transaction

Sign = Callable[[int, bytes, int], str]
"""Signs the head of a log's size and root, in an epoch."""


class _Group(NamedTuple):
    grown: Grown
    blocks: BlockPlan
    epoch: int


class Appending:
    """The steps of one writer.

    Args:
        ledger: which they change.
        blocks: what the database has of its state.
        sign: makes the note of a head.
        keep: writes it to its file; it is on the disk when that returns.
        entropy: gives so many random bytes.
    """

    def __init__(
        self,
        ledger: Ledger,
        blocks: ChangedBlocks,
        *,
        sign: Sign,
        keep: Callable[[str], None],
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._ledger = ledger
        self._blocks = blocks
        self._sign = sign
        self._keep = keep
        self._entropy = entropy
        self._group: _Group | None = None

    def begin(self, epoch: int, kept: str | None) -> None:
        """Serve the head of what was loaded, at a start; keep it where it is another than the last one that was."""
        tree = self._ledger.tree
        root = tree.root()
        note = self._sign(tree.size, root, epoch)
        if note != kept:
            self._keep(note)
        self._ledger.begin(SignedHead(tree.size, root, note))

    def before_commit(self, transaction: Transaction, events: Sequence[DomainEvent]) -> None:
        """Append what happened to the log, within the transaction.

        Raises:
            StoreError: what changed is named by no leaf, or the log is another than the one in memory.
        """
        self._group = None
        leaves = [event for event in events if event.leaf]
        ledger = self._ledger
        changes = changed_slots(transaction, ledger.users, ledger.files)
        slots = by_leaf(changes, leaves, transaction.slots_at_leaves)
        if not leaves:
            return
        row = ledger_row(transaction)
        if (row.size, row.users, row.files) != (ledger.tree.size, ledger.users.size, ledger.files.size):
            raise StoreError(problem="its log is not the one that this server has in memory")
        drafting = _Drafting(row, ledger, transaction.now, self._entropy)
        for event, changed in zip(leaves, slots, strict=True):
            drafting.add(event, changed)
        if drafting.files.size != transaction.next_slot:
            raise StoreError(problem="a slot was given out to nothing")
        self._group = self._write(transaction, row, drafting, slots)

    def after_commit(self, _events: Sequence[DomainEvent]) -> None:
        """Sign the head of what was committed, keep it, and serve it.

        Raises:
            OSError: it cannot be kept: then it is not served.
        """
        group, self._group = self._group, None
        if group is None:
            return
        tree = group.grown.tree
        root = tree.root()
        note = self._sign(tree.size, root, group.epoch)
        self._keep(note)
        self._blocks.follow(group.blocks)
        self._ledger.grow(group.grown, SignedHead(tree.size, root, note), group.epoch)

    def _write(
        self, transaction: Transaction, row: LedgerRow, drafting: _Drafting, slots: Sequence[Sequence[ChangedSlot]]
    ) -> _Group:
        grown, tiles = drafting.grown()
        changed = {(each.tree, each.number // TILE_WIDTH): None for each in chain.from_iterable(slots)}
        plan = self._blocks.plan(list(changed), row.size, grown.tree.size)
        add_leaves(transaction, drafting.rows)
        put_tiles(transaction, [LogTileRow(tile.level, tile.index, tile.hashes) for tile in tiles if _is_kept(tile)])
        if plan.due:
            put_blocks(transaction, drafting.blocks(plan.due))
        after = replace(row, size=grown.tree.size, users=drafting.users.size, files=drafting.files.size, redo=plan.redo)
        change_ledger(transaction, after)
        return _Group(grown, plan, row.epoch)


def _is_kept(tile: Tile) -> bool:
    """Return whether a tile is written: the last one of the lowest level would be each time, and its leaves are there."""
    return tile.level > 0 or len(tile.hashes) == HASH_BYTES * TILE_WIDTH


class _Drafting:
    """The leaves of a group, as they are made."""

    def __init__(self, row: LedgerRow, ledger: Ledger, now: int, entropy: Callable[[int], bytes]) -> None:
        self._ledger = ledger
        self._first = row.size
        self._now = now
        self._entropy = entropy
        self.users = ledger.users.draft()
        self.files = ledger.files.draft()
        self._drafts: dict[int, Draft] = {StateTreeKind.USERS: self.users, StateTreeKind.FILES: self.files}
        self._roots = {kind: _root(kind, draft) for kind, draft in self._drafts.items()}
        self.rows: list[LogLeafRow] = []

    def add(self, event: DomainEvent, slots: Sequence[ChangedSlot]) -> None:
        """Make the leaf of an event that changes some slots."""
        for each in slots:
            self._drafts[each.tree].set(each.number, each.record_hash)
        for kind in {each.tree for each in slots}:
            self._roots[kind] = _root(kind, self._drafts[kind])
        record = self._record(event)
        line = line_of(event)
        found_by = line.file or line.found_by
        leaf = LogLeaf(
            kind=line.kind,
            time=self._now,
            slots=tuple(slots),
            state_roots=tuple(self._roots.values()),
            facts=record.facts_hash(),
            personal=record.personal_hash(),
        )
        personal = record.personal
        self.rows.append(
            LogLeafRow(
                number=self._first + len(self.rows),
                entry=leaf.encode(),
                kind=line.kind.value,
                time=self._now,
                user_id=event.by.user_id,
                subject_user_id=None if line.user is None else getattr(event, line.user),
                file_id=None if found_by is None else getattr(event, found_by),
                facts=record.facts.body,
                facts_salt=record.facts.salt,
                personal=None if personal is None else personal.body,
                personal_salt=None if personal is None else personal.salt,
            )
        )

    def grown(self) -> tuple[Grown, list[Tile]]:
        """Append the leaves to the log: what that makes of it, and the tiles that are new or longer."""
        *before, last = [leaf_hash(row.entry) for row in self.rows]
        tree, tiles = self._ledger.tree.append(before)
        # Left of the last leaf stands nothing but the complete subtrees of all before it.
        inclusion = tree.subtrees[::-1]
        tree, last_tiles = tree.append([last])
        latest = {(tile.level, tile.index): tile for tile in (*tiles, *last_tiles)}
        leaf = LastLeaf(tree.size - 1, self.rows[-1].entry, inclusion)
        return Grown(tree, leaf, self.users, self.files), list(latest.values())

    def blocks(self, due: Sequence[tuple[int, int]]) -> list[StateBlockRow]:
        """Make the rows of blocks as they are after the group."""
        rows = []
        for kind, state in ((StateTreeKind.USERS, self._ledger.users), (StateTreeKind.FILES, self._ledger.files)):
            wanted = [number for each, number in due if each == kind]
            changed = dict(self._drafts[kind].blocks()) if wanted else {}
            rows += [StateBlockRow(kind, number, changed.get(number) or state.block(number)) for number in wanted]
        return rows

    def _record(self, event: DomainEvent) -> LeafRecord:
        facts = RecordPart(self._entropy(SALT_BYTES), facts_of(event))
        personal = personal_of(event)
        return LeafRecord(facts, None if personal is None else RecordPart(self._entropy(SALT_BYTES), personal))


def _root(kind: int, draft: Draft) -> StateRoot:
    return StateRoot(kind, draft.size, draft.root())
