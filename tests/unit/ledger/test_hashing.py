"""The two hashes and the shape of the tree, against values that are published and the recursive definition."""

from __future__ import annotations

import pytest

from sft.ledger.hashing import EMPTY_ROOT, complete_subtrees, fold, grown, leaf_hash, node_hash, range_root, split
from tests.unit.ledger.naive import head, node

# The leaves and roots of the test data that came with RFC 6962 (certificate-transparency, merkletree tests).
PUBLISHED = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_nothing_hashes_as_nothing():
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert fold([]) == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size):
    leaves = [leaf_hash(bytes.fromhex(each)) for each in PUBLISHED]

    def published(level: int, index: int) -> bytes:
        if level == 0:
            return leaves[index]
        return node_hash(published(level - 1, 2 * index), published(level - 1, 2 * index + 1))

    assert range_root(0, size, published).hex() == ROOTS[size - 1]


def test_a_leaf_never_passes_for_a_node():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


def test_a_range_is_hashed_as_its_own_tree():
    for start, width in ((0, 1024), (256, 256), (512, 512), (1024, 128)):
        for end in range(start + 1, min(start + width, 1200) + 1):
            assert range_root(start, end, node) == head(start, end)


def test_complete_subtrees_are_the_fewest():
    assert list(complete_subtrees(0, 7)) == [(2, 0), (1, 2), (0, 6)]
    assert list(complete_subtrees(8, 13)) == [(2, 2), (0, 12)]
    assert list(complete_subtrees(0, 0)) == []


@pytest.mark.parametrize("start,end,middle", [(0, 2, 1), (0, 3, 2), (0, 4, 2), (0, 5, 4), (8, 16, 12), (8, 13, 12)])
def test_where_a_tree_divides(start, end, middle):
    assert split(start, end) == middle


def test_a_tree_grows_by_one_leaf():
    subtrees: list[bytes] = []
    for size in range(300):
        subtrees, completed = grown(size, subtrees, node(0, size))
        levels = range(1, ((size + 1) & -(size + 1)).bit_length())
        assert completed == [node(level, ((size + 1) >> level) - 1) for level in levels]
        assert subtrees == [node(level, index) for level, index in complete_subtrees(0, size + 1)]
        assert fold(subtrees) == head(0, size + 1)


@pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 0), (3, 1), (4, 2), (8, 3)])
def test_only_the_subtrees_of_its_size_grow(size, count):
    with pytest.raises(ValueError, match=f"{count} subtrees of {size} leaves"):
        grown(size, [node(0, each) for each in range(count)], node(0, 9))
