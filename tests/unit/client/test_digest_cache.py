"""Digests that are kept as long as a file is as it was."""

from __future__ import annotations

import pytest
from msgspec import structs

from sft.client.state import StateFolder
from sft.client.transfers import digest_cache
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


def cache_of(state, clock=lambda: LATER):
    return DigestCache(state, clock)


def test_what_was_read_is_known_in_the_next_run_until_the_file_changes(state, top):
    a, b = walk_local(top).files
    cache = cache_of(state)
    assert cache.is_known_as(a, bytes(64)) is None
    digest = cache.read(a)
    assert digest == blake2b_512(b"aaa").digest()
    cache.save()
    again = cache_of(state)
    assert again.is_known_as(a, digest) is True
    assert again.is_known_as(a, bytes(64)) is False
    assert again.is_known_as(b, bytes(64)) is None
    (top / "a").write_bytes(b"AAA")
    (changed, _) = walk_local(top).files
    assert again.is_known_as(changed, digest) is None


def test_a_file_that_was_only_just_written_is_read_again(state, top):
    a, _ = walk_local(top).files
    for age, kept in ((1.9, None), (2.1, True)):
        cache = cache_of(state, lambda: max(a.modified_ns, a.changed_ns) / 10**9 + age)  # noqa: B023
        digest = cache.read(a)
        assert cache.is_known_as(a, digest) is kept


def test_what_is_not_as_it_was_seen_is_not_read(state, top):
    a, b = walk_local(top).files
    cache = cache_of(state)
    (top / "a").write_bytes(b"longer")
    with pytest.raises(SourceChangedError):
        cache.read(a)
    assert cache.is_known_as(a, blake2b_512(b"longer").digest()) is None
    (top / "a").replace(top / "b")
    with pytest.raises(SourceChangedError):
        cache.read(b)
    (top / "b").unlink()
    (top / "b").symlink_to(top)
    with pytest.raises(LocalFileError):
        cache.read(b)


def test_processes_keep_one_anothers_and_what_is_damaged_is_written_anew(state, top):
    a, b = walk_local(top).files
    one, other = cache_of(state), cache_of(state)
    assert one.is_known_as(a, bytes(64)) is other.is_known_as(a, bytes(64)) is None  # both have looked
    digests = [one.read(a), other.read(b)]
    one.save()
    other.save()
    both = cache_of(state)
    assert [both.is_known_as(*each) for each in zip((a, b), digests, strict=True)] == [True, True]
    path = state.path("digests/files")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])  # a crash
    assert [cache_of(state).is_known_as(*each) for each in zip((a, b), digests, strict=True)] == [True, None]
    for damaged in (b"x" + whole[1:], b"", whole[:9]):
        path.write_bytes(damaged)
        cache = cache_of(state)
        assert cache.is_known_as(b, digests[1]) is None
        cache.read(b)
        cache.save()
        assert cache_of(state).is_known_as(b, digests[1]) is True


def test_a_long_one_is_written_anew_with_what_was_read_last(state, top, monkeypatch):
    monkeypatch.setattr(digest_cache, "_MOST_RECORDS", 5)
    monkeypatch.setattr(digest_cache, "_KEPT_RECORDS", 3)
    (a, _), cache = walk_local(top).files, cache_of(state)
    files = [structs.replace(a, size=size) for size in range(8)]
    for file in files:
        cache.note(file, bytes(64))
        cache.save()
        assert state.path("digests/files").stat().st_size <= 5 * 76
    known = cache_of(state)
    assert [known.is_known_as(file, bytes(64)) for file in files] == [None] * 4 + [True] * 4


def test_a_flipped_bit_leaves_its_record_out_and_the_next_reading_mends_it(state, top):
    a, _ = walk_local(top).files
    cache = cache_of(state)
    digest = cache.read(a)
    cache.save()
    path = state.path("digests/files")
    whole = path.read_bytes()
    for place in range(76, 152):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        cache = cache_of(state)
        assert cache.is_known_as(a, digest) is None
        cache.read(a)
        cache.save()
        assert cache_of(state).is_known_as(a, digest) is True


class LateLock:
    """A lock that others have had before whoever takes it first."""

    def __init__(self, lock, meanwhile):
        self._lock = lock
        self._meanwhile = [meanwhile]

    def __enter__(self):
        if self._meanwhile:
            self._meanwhile.pop()()
        return self._lock.__enter__()

    def __exit__(self, *fault):
        return self._lock.__exit__(*fault)


def test_it_is_read_once_by_however_many_threads(state, top, monkeypatch):
    (file, _), cache, reads = walk_local(top).files, cache_of(state), []
    read = StateFolder.read
    monkeypatch.setattr(StateFolder, "read", lambda *asked: reads.append(asked) or read(*asked))
    cache._lock = LateLock(cache._lock, lambda: cache.is_known_as(file, bytes(64)))
    assert cache.is_known_as(file, bytes(64)) is None
    assert reads == [(state, "digests/files")]


def test_nothing_is_written_where_nothing_is_new(state, top):
    cache = cache_of(state)
    assert cache.is_known_as(walk_local(top).files[0], bytes(64)) is None
    cache.save()
    assert not state.path("digests").exists()


def test_many_that_are_kept_already_are_not_added_once_more(state, top):
    (a, _) = walk_local(top).files
    files = [structs.replace(a, size=size) for size in range(100)]
    sizes = []
    for _ in range(2):
        cache = cache_of(state)
        for file in files:
            cache.note(file, bytes(64))
        cache.save()
        sizes.append(state.path("digests/files").stat().st_size)
    assert sizes == [(1 + 100) * 76] * 2
    known = cache_of(state)
    assert known.is_known_as(a, bytes(64)) in {True, None}
    known.note(files[5], bytes(64))
    known.save()
    assert state.path("digests/files").stat().st_size == sizes[0]
