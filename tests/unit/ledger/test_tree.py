"""Appending: every size has RFC 6962's root and the tiles that C2SP wants, however the leaves came."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.errors import ProofInvalidError
from sft.ledger.hashing import EMPTY_ROOT, leaf_hash
from sft.ledger.tree import LogTree
from tests.unit.ledger.naive import HASHES, head, node
from tests.unit.ledger.stored import StoredLog


def expected_tiles(size: int) -> dict[tuple[int, int], bytes]:
    tiles = {}
    for level in range(3):
        hashes = [node(8 * level, index) for index in range(size >> 8 * level)]
        for start in range(0, len(hashes), 256):
            tiles[level, start // 256] = b"".join(hashes[start : start + 256])
    return tiles


def test_the_empty_log():
    assert LogTree().root() == EMPTY_ROOT
    assert LogTree().append([]) == (LogTree(), [])
    assert LogTree.load(0, StoredLog().read) == LogTree()


def test_one_leaf_at_a_time_gives_every_root():
    log = StoredLog()
    for size in range(1, 800):
        log.append([HASHES[size - 1]])
        assert log.tree.size == size
        assert log.tree.root() == head(0, size)


@given(st.lists(st.integers(0, 300), max_size=4))
def test_any_groups_keep_the_same_tiles(groups):
    log, size = StoredLog(), 0
    for group in groups:
        log.append(HASHES[size : size + group])
        size += group
    assert log.tree.root() == head(0, size)
    assert log.tiles == expected_tiles(size)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 768, 1199])
def test_a_start_reads_the_edge_alone_and_goes_on(size):
    log = StoredLog()
    log.append(HASHES[:size])
    loaded = LogTree.load(size, log.read)
    assert loaded == log.tree
    assert len(log.reads) <= 2
    assert loaded.append(HASHES[size:]) == log.tree.append(HASHES[size:])


def test_an_older_size_is_loaded_from_newer_tiles():
    log = StoredLog()
    log.append(HASHES[:1200])
    for size in (1, 100, 256, 300, 1023):
        assert LogTree.load(size, log.read).root() == head(0, size)


def test_three_levels_of_tiles():
    # Past 65,536 leaves, where a level above the next begins; their nodes are their tree's own.
    hashes = [leaf_hash(b"%d" % index) for index in range(66_000)]
    log, whole = StoredLog(), StoredLog()
    chance = random.Random(7)
    while (size := log.tree.size) < len(hashes):
        log.append(hashes[size : size + chance.randint(1, 5000)])
    whole.append(hashes)
    assert log.tree == whole.tree
    assert log.tiles == whole.tiles
    assert {level for level, _ in log.tiles} == {0, 1, 2}
    assert LogTree.load(66_000, log.read) == log.tree
    assert len(log.reads) == 3
    assert [len(log.tiles[2, 0]), len(log.tiles[1, 1]), len(log.tiles[0, 257])] == [32, 32, 32 * (66_000 % 256)]


def test_only_changed_tiles_are_returned():
    log = StoredLog()
    assert [(t.level, t.index, len(t.hashes) // 32) for t in log.append(HASHES[:600])] == [
        (0, 0, 256),
        (0, 1, 256),
        (0, 2, 88),
        (1, 0, 2),
    ]
    assert [(t.level, t.index, len(t.hashes) // 32) for t in log.append(HASHES[600:601])] == [(0, 2, 89)]
    assert [(t.level, t.index, len(t.hashes) // 32) for t in log.append(HASHES[601:768])] == [(0, 2, 256), (1, 0, 3)]


def test_appending_leaves_the_tree_before_as_it_was():
    before, _ = LogTree().append(HASHES[:300])
    before.append(HASHES[300:600])
    assert before == LogTree().append(HASHES[:300])[0]


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_what_is_no_hash_is_a_bug(length):
    with pytest.raises(ValueError, match="32 bytes"):
        LogTree().append([bytes(length)])


@pytest.mark.parametrize("length", [0, 31, 33, 32 * 43, 32 * 257])
def test_an_edge_of_another_shape_is_refused(length):
    with pytest.raises(ProofInvalidError, match="44 hashes were expected"):
        LogTree.load(44, lambda _level, _index: bytes(length))
