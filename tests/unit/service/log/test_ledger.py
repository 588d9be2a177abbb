"""What is served from memory: proofs that hold, of the head that is newest, and none of what is not so."""

from __future__ import annotations

import threading

import pytest
from msgspec.structs import replace

from sft.errors import StoreError
from sft.ledger.hashing import leaf_hash
from sft.ledger.leaves import StateTreeKind
from sft.ledger.proofs import verify_consistency, verify_inclusion
from sft.ledger.state import StateTree
from sft.ledger.tiles import TILE_WIDTH
from sft.ledger.tree import LogTree
from sft.model.evidence import ProvedSlot
from sft.service.log.ledger import Grown, LastLeaf, Ledger, SignedHead
from sft.service.log.slots import SlotRecords
from sft.store.row_types import FileRow
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import MAX, ServiceFixture


class Grower:
    """A ledger that grows without a database: its full tiles are kept here."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.asked: list[tuple[int, int]] = []
        self.roots = [LogTree().root()]
        self.ledger = Ledger(None, self.read)

    def read(self, level: int, index: int) -> bytes:
        self.asked.append((level, index))
        return self.tiles[level, index]

    def grow(self, leaves: int) -> None:
        ledger, tree = self.ledger, self.ledger.tree
        for _ in range(leaves):
            entry = b"%d" % tree.size
            before = tree
            tree, tiles = tree.append([leaf_hash(entry)])
            self.tiles |= {
                (tile.level, tile.index): tile.hashes for tile in tiles if len(tile.hashes) == 32 * TILE_WIDTH
            }
            self.roots.append(tree.root())
        last = LastLeaf(tree.size - 1, entry, before.subtrees[::-1])
        grown = Grown(tree, last, ledger.users.draft(), ledger.files.draft())
        ledger.grow(grown, SignedHead(tree.size, tree.root(), f"head {tree.size}"))


def test_there_is_no_head_before_the_first_leaf() -> None:
    ledger = Ledger(None, lambda _level, _index: b"")
    for asked in (
        lambda: ledger.head,
        lambda: ledger.last_leaf,
        lambda: ledger.consistency(0),
        lambda: ledger.prove_leaf(0),
    ):
        with pytest.raises(StoreError):
            asked()


def test_every_proof_holds_at_every_size() -> None:
    grower = Grower()
    for size in range(1, 40):
        grower.grow(1)
        ledger = grower.ledger
        last = ledger.last_leaf
        assert (ledger.head.size, last.index) == (size, size - 1)
        verify_inclusion(leaf_hash(last.entry), last.index, size, last.inclusion, grower.roots[size])
        for index in range(size):
            head, proof = ledger.prove_leaf(index)
            verify_inclusion(leaf_hash(b"%d" % index), index, head.size, proof, grower.roots[size])
        for old in range(size + 1):
            verify_consistency(old, grower.roots[old], size, grower.roots[size], ledger.consistency(old))
    assert grower.asked == []


def test_full_tiles_are_read_once_and_the_last_ones_never() -> None:
    grower = Grower()
    grower.grow(3 * TILE_WIDTH + 17)
    ledger, size = grower.ledger, 3 * TILE_WIDTH + 17
    for index in (5, TILE_WIDTH + 5, size - 1):
        verify_inclusion(leaf_hash(b"%d" % index), index, size, ledger.prove_leaf(index).proof, grower.roots[size])
    assert grower.asked == [(0, 0), (0, 1)]
    for old in (1, 300, TILE_WIDTH, 2 * TILE_WIDTH + 3):
        verify_consistency(old, grower.roots[old], size, grower.roots[size], ledger.consistency(old))
        verify_consistency(old, grower.roots[old], size - 9, grower.roots[size - 9], ledger.consistency(old, size - 9))
    assert sorted(set(grower.asked)) == [(0, 0), (0, 1), (0, 2)]
    assert len(grower.asked) == 3


def test_what_the_log_has_not_is_not_proved() -> None:
    grower = Grower()
    grower.grow(7)
    for refused in (lambda: grower.ledger.prove_leaf(7), lambda: grower.ledger.consistency(8)):
        with pytest.raises(ValueError, match="7"):
            refused()


def slot_of_file(services: ServiceFixture) -> ProvedSlot:
    with services.readers.reading() as reading:
        (row,) = reading.rows.all(rows_of(FileRow))
        (record,) = SlotRecords(reading).files([row])
    return ProvedSlot(StateTreeKind.FILES, row.slot, record)


def test_a_slot_that_was_read_before_or_after_the_head_is_not_proved(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"one")
    ledger = services.log.ledger
    old = slot_of_file(services)
    assert ledger.prove_slots([old]) is not None
    keep, services.log.appending._keep = services.log.appending._keep, lambda _note: None
    later, _ = services.log.opened()
    from sft.service.files import show_file

    services.replace(MAX, "a", b"two", services.ask(show_file, MAX, path="a"))
    services.log.appending._keep = keep
    new = slot_of_file(services)
    assert ledger.prove_slots([old]) is None
    assert ledger.prove_slots([new]) is not None
    assert later.prove_slots([new]) is None
    beyond = ProvedSlot(StateTreeKind.FILES, new.number + 1, new.record)
    assert ledger.prove_slots([new, beyond]) is None
    assert ledger.prove_slots([replace(new, tree=StateTreeKind.USERS)]) is None


def test_who_waits_for_a_head_goes_on_when_it_is_there() -> None:
    grower = Grower()
    waited = threading.Thread(target=grower.ledger.wait_for, args=(3,))
    waited.start()
    grower.grow(2)
    grower.grow(1)
    waited.join(10)
    assert not waited.is_alive()
    with pytest.raises(StoreError) as refused:
        grower.ledger.wait_for(4, seconds=0)
    assert "does not come to 4" in str(refused.value.values["problem"])


def test_a_draft_of_another_time_is_refused_and_the_head_stays() -> None:
    grower = Grower()
    grower.grow(1)
    ledger = grower.ledger
    stale = ledger.users.draft({0: bytes(32)})
    ledger.users = StateTree()
    with pytest.raises(ValueError, match="another tree"):
        ledger.grow(Grown(ledger.tree, ledger.last_leaf, stale, ledger.files.draft()), SignedHead(9, b"", ""))
    assert ledger.head.size == 1
