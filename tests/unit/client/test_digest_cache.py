"""Digests that are kept as long as a file is as it was."""

from __future__ import annotations

import os

import pytest

from sft.client.state import StateFolder
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.local_tree import walk_local
from sft.crypto.digests import blake2b_512
from sft.errors import LocalFileError, SourceChangedError

LATER = 2**33  # long after any file of a test


@pytest.fixture
def state(tmp_path):
    return StateFolder(tmp_path / "state", tmp_path / "state")


@pytest.fixture
def top(tmp_path):
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "a").write_bytes(b"aaa")
    (tmp_path / "top" / "b").write_bytes(b"bbb")
    return tmp_path / "top"


def cache_of(state, top, clock=lambda: LATER):
    cache = DigestCache(state, top, clock)
    cache.load()
    return cache


def test_what_was_read_is_known_in_the_next_run_until_the_file_changes(state, top):
    a, b = walk_local(top).files
    cache = cache_of(state, top)
    assert cache.is_known_as(a, bytes(64)) is None
    digest = cache.read(a)
    assert digest == blake2b_512(b"aaa").digest()
    cache.save([a, b])
    again = cache_of(state, top)
    assert again.is_known_as(a, digest) is True
    assert again.is_known_as(a, bytes(64)) is False
    assert again.is_known_as(b, bytes(64)) is None
    (top / "a").write_bytes(b"AAA")
    (changed, _) = walk_local(top).files
    assert again.is_known_as(changed, digest) is None
    assert cache_of(state, top / "..").is_known_as(a, digest) is None  # another folder's


def test_a_file_that_was_only_just_written_is_read_again(state, top):
    a, _ = walk_local(top).files
    for age, kept in ((1.9, None), (2.1, True)):
        cache = cache_of(state, top, lambda: max(a.modified_ns, a.changed_ns) / 10**9 + age)  # noqa: B023
        digest = cache.read(a)
        assert cache.is_known_as(a, digest) is kept


def test_what_is_not_as_it_was_walked_is_not_read(state, top):
    a, b = walk_local(top).files
    cache = cache_of(state, top)
    (top / "a").write_bytes(b"longer")
    with pytest.raises(SourceChangedError):
        cache.read(a)
    cache.note_sent(a, bytes(64))
    assert cache.is_known_as(a, bytes(64)) is None
    cache.note_sent(b, bytes(64))
    assert cache.is_known_as(b, bytes(64)) is True
    (top / "a").replace(top / "b")
    with pytest.raises(SourceChangedError):
        cache.read(b)
    (top / "b").unlink()
    (top / "b").symlink_to(top)
    with pytest.raises(LocalFileError):
        cache.read(b)


def test_files_that_went_are_forgotten_and_what_is_damaged_is_left_out(state, top):
    a, b = walk_local(top).files
    cache = cache_of(state, top)
    digests = [cache.read(a), cache.read(b)]
    cache.save([b])
    (name,) = os.listdir(state.path("digests"))
    path = state.path("digests") / name
    assert cache_of(state, top).is_known_as(a, digests[0]) is None
    assert cache_of(state, top).is_known_as(b, digests[1]) is True
    for damage in (path.read_bytes()[:-1], b"x" + path.read_bytes()[1:], b""):
        path.write_bytes(damage)
        assert cache_of(state, top).is_known_as(b, digests[1]) is None


def test_nothing_is_written_where_nothing_is_new(state, top):
    cache = cache_of(state, top)
    cache.save(walk_local(top).files)
    assert not state.path("digests").exists()
