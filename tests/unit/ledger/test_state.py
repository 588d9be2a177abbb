"""The state tree against RFC 6962's hash of the same list, however it came about."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from sft.errors import ProofInvalidError
from sft.ledger.hashing import EMPTY_ROOT, node_hash
from sft.ledger.proofs import verify_several
from sft.ledger.state import StateTree
from tests.unit.ledger.naive import HASHES, head


def record(number: int) -> bytes:
    return sha256(b"record %d" % number).digest()


def root_of(hashes: list[bytes]) -> bytes:
    """RFC 6962's MTH over hashes of leaves."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY_ROOT
    k = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node_hash(root_of(hashes[:k]), root_of(hashes[k:]))


@pytest.mark.parametrize("size", [*range(70), 255, 256, 257, 1199])
def test_it_hashes_as_the_rfc_says(size):
    tree = StateTree(HASHES[:size])
    assert tree.size == size
    assert tree.root() == head(0, size)


def test_it_grows_one_slot_at_a_time():
    tree = StateTree()
    for slot in range(600):
        tree.apply(tree.draft({slot: HASHES[slot]}))
        assert tree.root() == head(0, slot + 1)
    assert tree.leaf(599) == HASHES[599]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 256, 300])
def test_every_slot_is_changed_in_place(size):
    hashes = HASHES[:size]
    tree = StateTree(hashes)
    for slot in range(size):
        hashes[slot] = record(slot)
        tree.apply(tree.draft({slot: record(slot)}))
        assert tree.root() == root_of(hashes)


def test_a_draft_touches_nothing():
    tree = StateTree(HASHES[:9])
    draft = tree.draft({4: record(4), 9: record(9), 10: record(10)})
    assert draft.root() != tree.root() == head(0, 9)
    assert (tree.size, tree.leaf(4)) == (9, HASHES[4])
    assert (draft.size, draft.leaf(4), draft.leaf(5), draft.leaf(10)) == (11, record(4), HASHES[5], record(10))


def test_the_root_after_each_change_of_a_group_is_known():
    tree, hashes = StateTree(HASHES[:5]), HASHES[:5]
    draft = tree.draft()
    assert draft.root() == tree.root()
    for slot in (0, 5, 0, 6, 3, 7, 8, 5):
        draft.set(slot, record(slot * 100 + len(hashes)))
        hashes[slot : slot + 1] = [record(slot * 100 + len(hashes))]
        assert draft.root() == root_of(hashes)
    tree.apply(draft)
    assert tree.root() == root_of(hashes)
    assert [tree.leaf(slot) for slot in range(tree.size)] == hashes


def test_a_draft_of_another_state_is_not_applied():
    tree, other = StateTree(HASHES[:5]), StateTree(HASHES[:5])
    first, second = tree.draft({0: record(0)}), tree.draft({1: record(1)})
    with pytest.raises(ValueError, match="another tree"):
        other.apply(first)
    tree.apply(first)
    with pytest.raises(ValueError, match="another tree"):
        tree.apply(second)
    with pytest.raises(ValueError, match="another tree"):
        tree.apply(first)
    assert tree.root() == root_of([record(0), *HASHES[1:5]])


@pytest.mark.parametrize("slot,length", [(-1, 32), (6, 32), (0, 31), (5, 33)])
def test_a_slot_beyond_the_next_or_what_is_no_hash_is_a_bug(slot, length):
    with pytest.raises(ValueError, match=f"for slot {slot} of 5"):
        StateTree(HASHES[:5]).draft({slot: bytes(length)})


@pytest.mark.parametrize("slot", [-1, 5])
def test_a_slot_that_is_none_is_a_bug(slot):
    with pytest.raises(ValueError, match="among 5"):
        StateTree(HASHES[:5]).leaf(slot)


def test_slots_are_proved_together():
    tree = StateTree(HASHES[:1000])
    tree.apply(tree.draft({7: record(7), 1000: record(1000)}))
    leaves = {slot: tree.leaf(slot) for slot in (7, 8, 500, 1000)}
    verify_several(leaves, 1001, tree.prove(leaves), tree.root())
    with pytest.raises(ProofInvalidError):
        verify_several({**leaves, 7: HASHES[7]}, 1001, tree.prove(leaves), tree.root())


# -- kept in blocks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600])
def test_it_starts_again_from_its_blocks(size):
    tree = StateTree(HASHES[:size])
    blocks = dict(tree.blocks())
    assert list(blocks) == list(range((size + 255) // 256))
    assert b"".join(blocks.values()) == b"".join(HASHES[:size])
    again = StateTree(blocks.values())
    assert (again.size, again.root()) == (size, tree.root())


def test_a_draft_gives_the_blocks_that_it_changes():
    tree = StateTree(HASHES[:600])
    kept = dict(tree.blocks())
    draft = tree.draft({3: record(3)} | {slot: record(slot) for slot in range(600, 780)})
    changed = dict(draft.blocks())
    assert list(changed) == [0, 2, 3]
    tree.apply(draft)
    assert {**kept, **changed} == dict(tree.blocks())


def test_blocks_that_hold_no_hashes_are_refused():
    with pytest.raises(ProofInvalidError, match="33 bytes"):
        StateTree([bytes(33)])


class Slots(RuleBasedStateMachine):
    """Drafts that are applied or dropped, beside a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = StateTree()
        self.hashes: list[bytes] = []

    @rule(places=st.lists(st.integers(0, 1 << 16), max_size=40), kept=st.booleans())
    def change(self, places: list[int], kept: bool) -> None:
        draft, hashes = self.tree.draft(), list(self.hashes)
        for place in places:
            slot = place % (len(hashes) + 1)
            draft.set(slot, record(place))
            hashes[slot : slot + 1] = [record(place)]
            assert draft.root() == root_of(hashes)
        if kept:
            self.tree.apply(draft)
            self.hashes = hashes

    @rule(data=st.data())
    def prove(self, data: st.DataObject) -> None:
        if self.hashes:
            slots = data.draw(st.lists(st.integers(0, len(self.hashes) - 1), min_size=1, max_size=5))
            leaves = {slot: self.hashes[slot] for slot in slots}
            verify_several(leaves, len(self.hashes), self.tree.prove(slots), root_of(self.hashes))

    @invariant()
    def it_is_the_list(self) -> None:
        assert self.tree.size == len(self.hashes)
        assert self.tree.root() == root_of(self.hashes)


@pytest.mark.hypothesis
def test_drafts_hold_what_a_plain_list_does() -> None:
    run_state_machine_as_test(Slots)
