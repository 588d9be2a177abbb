"""Proofs: those of RFC 6962 for all small trees, and nothing else holds."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.errors import ProofInvalidError
from sft.ledger.hashing import EMPTY_ROOT, node_hash
from sft.ledger.proofs import (
    prove_consistency,
    prove_inclusion,
    prove_several,
    verify_consistency,
    verify_inclusion,
    verify_several,
)
from tests.unit.ledger.mutated_proofs import mutate
from tests.unit.ledger.naive import HASHES, head, node, path, proof

SIZES = range(1, 257)
in_two = pytest.mark.parametrize("sizes", [SIZES[:66], pytest.param(SIZES[66:], marks=pytest.mark.long)])
OTHER = bytes(32)


@in_two
def test_every_inclusion_is_the_rfcs_and_holds(sizes):
    for size in sizes:
        root = head(0, size)
        for index in range(size):
            made = prove_inclusion(index, size, node)
            assert made == path(index, 0, size)
            verify_inclusion(HASHES[index], index, size, made, root)


@in_two
def test_every_consistency_is_the_rfcs_and_holds(sizes):
    for new in sizes:
        for old in range(1, new + 1):
            made = prove_consistency(old, new, node)
            assert made == proof(old, new)
            verify_consistency(old, head(0, old), new, head(0, new), made)


def test_the_example_of_the_rfc():
    # RFC 6962, 2.1.3: seven leaves, and what their nodes are called there.
    a, b, c, d, e, f, j = HASHES[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l = node_hash(g, h), node_hash(i, j)  # noqa: E741 -- the RFC's letters
    paths = {index: prove_inclusion(index, 7, node) for index in (0, 3, 4, 6)}
    assert paths == {0: [b, h, l], 3: [c, g, l], 4: [f, j, k], 6: [i, k]}
    proofs = {old: prove_consistency(old, 7, node) for old in (3, 4, 6)}
    assert proofs == {3: [c, d, g, l], 4: [l], 6: [i, j, k]}
    assert head(0, 7) == node_hash(k, l)


def test_every_set_of_leaves_of_small_trees_is_proved_by_the_fewest_hashes():
    for size in range(1, 10):
        for count in range(1, size + 1):
            for chosen in combinations(range(size), count):
                made = prove_several(chosen, size, node)
                assert len(made) == _subtrees_without(set(chosen), 0, size)
                verify_several({index: HASHES[index] for index in chosen}, size, made, head(0, size))


def _subtrees_without(chosen: set[int], start: int, end: int) -> int:
    if not chosen & set(range(start, end)):
        return 1
    if end - start == 1:
        return 0
    middle = start + max(2**k for k in range(9) if 2**k < end - start)
    return _subtrees_without(chosen, start, middle) + _subtrees_without(chosen, middle, end)


@pytest.mark.long
def test_one_leaf_of_several_takes_as_many_hashes_as_inclusion():
    for size in SIZES:
        for index in range(size):
            assert sorted(prove_several([index, index], size, node)) == sorted(path(index, 0, size))


@given(st.data())
def test_many_leaves_of_larger_trees(data):
    size = data.draw(st.integers(257, 1200))
    chosen = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=40))
    made = prove_several(chosen, size, node)
    leaves = {index: HASHES[index] for index in chosen}
    verify_several(leaves, size, made, head(0, size))
    lied = data.draw(st.sampled_from(chosen))
    with pytest.raises(ProofInvalidError):
        verify_several({**leaves, lied: OTHER}, size, made, head(0, size))


# -- nothing else holds -------------------------------------------------------------------------------


def test_a_leaf_is_proved_at_its_own_place_alone():
    for size in range(2, 40):
        root = head(0, size)
        for index in range(size):
            for other in {*range(-2, size + 3)} - {index}:
                with pytest.raises(ProofInvalidError):
                    verify_inclusion(HASHES[index], other, size, path(index, 0, size), root)


def test_an_inner_node_is_no_leaf():
    with pytest.raises(ProofInvalidError):
        verify_several({0: node(1, 0), 1: node(1, 1)}, 4, [], head(0, 4))
    with pytest.raises(ProofInvalidError):
        verify_inclusion(node(1, 0), 0, 4, [node(1, 1)], head(0, 4))
    with pytest.raises(ProofInvalidError):
        verify_inclusion(node(2, 0), 0, 5, path(0, 0, 5)[2:], head(0, 5))


def test_no_root_but_the_own_one():
    for old, new in [(1, 2), (3, 7), (4, 8), (6, 8), (8, 8), (0, 5), (0, 0)]:
        made = proof(old, new) if old else []
        verify_consistency(old, head(0, old), new, head(0, new), made)
        for roots in [(OTHER, head(0, new)), (head(0, old), OTHER), (OTHER, OTHER)]:
            if (old, roots) in {(8, (OTHER, OTHER)), (0, (head(0, 0), OTHER))} and new:
                continue  # the same root twice, and any tree after nothing
            with pytest.raises(ProofInvalidError):
                verify_consistency(old, roots[0], new, roots[1], made)


@pytest.mark.parametrize("old,new", [(-1, 5), (6, 5), (5, 0), (-2, -1)])
def test_no_tree_goes_back(old, new):
    with pytest.raises(ProofInvalidError, match="has grown so"):
        verify_consistency(old, head(0, 5), new, head(0, 5), [])


def test_a_proof_without_any_hash_is_none_between_two_sizes():
    for old in (1, 2, 3, 4):
        with pytest.raises(ProofInvalidError, match="too few"):
            verify_consistency(old, head(0, old), 5, head(0, old), [])


def test_nothing_is_added_to_a_proof_that_needs_nothing():
    for old in (0, 5):
        with pytest.raises(ProofInvalidError, match="too few or too many"):
            verify_consistency(old, head(0, old), 5, head(0, 5), [OTHER])
    with pytest.raises(ProofInvalidError, match="too many"):
        verify_inclusion(HASHES[0], 0, 1, [OTHER], HASHES[0])
    with pytest.raises(ProofInvalidError, match="too few or too many"):
        verify_several({0: HASHES[0]}, 1, [OTHER], HASHES[0])
    with pytest.raises(ProofInvalidError, match="too many"):
        verify_consistency(1, HASHES[0], 2, head(0, 2), [HASHES[1], OTHER])


def test_no_path_is_longer_than_its_tree_is_high():
    # As if one leaf were all there is: what is on its left would be hashed in, and the root of two comes out.
    with pytest.raises(ProofInvalidError, match="too many"):
        verify_inclusion(HASHES[1], 0, 1, [HASHES[0]], head(0, 2))
    with pytest.raises(ProofInvalidError, match="too many"):
        verify_consistency(1, HASHES[0], 2, head(0, 3), [HASHES[1], HASHES[2]])
    with pytest.raises(ProofInvalidError, match="too few or too many"):
        verify_inclusion(HASHES[0], 0, 3, [HASHES[1]], head(0, 2))
    with pytest.raises(ProofInvalidError, match="too few or too many"):
        verify_consistency(1, HASHES[0], 4, head(0, 2), [HASHES[1]])
    with pytest.raises(ProofInvalidError, match="too few"):
        verify_several({0: HASHES[0]}, 3, [HASHES[1]], head(0, 2))


@pytest.mark.parametrize("size", [(1 << 40) + 1, 1 << 63, 1 << 20_000], ids=int.bit_length)
def test_no_log_is_so_large(size):
    # A number of a peer's decides neither how long a check takes, nor how deep it goes.
    with pytest.raises(ProofInvalidError):
        verify_inclusion(OTHER, 0, size, [OTHER] * 41, OTHER)
    with pytest.raises(ProofInvalidError, match="no such leaves"):
        verify_several({0: OTHER}, size, [OTHER] * 41, OTHER)
    with pytest.raises(ProofInvalidError, match="has grown so"):
        verify_consistency(1, OTHER, size, OTHER, [OTHER] * 41)


def test_hashes_of_other_lengths_are_refused():
    # The boundary between two neighbours moved by one byte: the same bytes are hashed to the same node.
    left, right = HASHES[0], HASHES[1]
    moved = (left + right[:1], right[1:])
    with pytest.raises(ProofInvalidError, match="32 bytes"):
        verify_inclusion(moved[0], 0, 2, [moved[1]], head(0, 2))
    with pytest.raises(ProofInvalidError, match="32 bytes"):
        verify_several({0: moved[0]}, 2, [moved[1]], head(0, 2))
    with pytest.raises(ProofInvalidError, match="32 bytes"):
        verify_consistency(1, moved[0], 2, head(0, 2), [moved[1]])


@pytest.mark.parametrize("leaves", [{}, {-1: OTHER}, {5: OTHER}, {0: OTHER, 5: OTHER}])
def test_leaves_that_are_none_are_refused(leaves):
    with pytest.raises(ProofInvalidError, match="no such leaves"):
        verify_several(leaves, 5, [OTHER], OTHER)
    with pytest.raises(ValueError, match="no such leaves"):
        prove_several(leaves, 5, node)


@pytest.mark.parametrize("index,size", [(-1, 5), (5, 5), (0, 0)])
def test_a_leaf_that_is_none_is_refused(index, size):
    with pytest.raises(ProofInvalidError, match="no such leaf"):
        verify_inclusion(OTHER, index, size, [], OTHER)
    with pytest.raises(ValueError, match="no leaf"):
        prove_inclusion(index, size, node)


@pytest.mark.parametrize("old,new", [(-1, 5), (6, 5)])
def test_no_proof_is_made_of_a_tree_that_goes_back(old, new):
    with pytest.raises(ValueError, match="do not come before"):
        prove_consistency(old, new, node)


def test_anything_goes_on_nothing():
    assert prove_consistency(0, 7, node) == prove_consistency(7, 7, node) == []
    verify_consistency(0, EMPTY_ROOT, 7, head(0, 7), [])


def test_random_changes_of_a_proof_are_refused():
    seed = 6962
    chance = random.Random(seed)
    kinds = {mutate(chance) for _ in range(5000)}
    assert len(kinds) == 3, seed
