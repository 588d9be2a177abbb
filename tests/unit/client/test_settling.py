"""Which files are still, and not dealt with as they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from sft.client.transfers.local_file import LocalFile
from sft.client.transfers.watch import Settling


def file(path: str, size: int = 1, date: int = 0, inode: int = 1) -> LocalFile:
    return LocalFile(f"/top/{path}", path, size, date, date, (1, inode))


def test_a_file_is_ready_when_it_stayed_the_same_for_so_long():
    settling = Settling(5)
    assert settling.look(0, [file("a")]) == []
    assert settling.look(4, [file("a")]) == []
    assert settling.look(5, [file("a")]) == [file("a")]
    assert settling.look(6, [file("a")]) == [file("a")]  # nobody has dealt with it
    settling.done(file("a"))
    assert settling.look(99, [file("a")]) == []


def test_whatever_changes_begins_anew():
    for change in ({"size": 2}, {"date": 1}, {"inode": 2}):
        settling = Settling(5)
        settling.look(0, [file("a")])
        assert settling.look(5, [file("a", **change)]) == []
        assert settling.look(9, [file("a", **change)]) == []
        assert settling.look(10, [file("a", **change)]) == [file("a", **change)]


def test_what_went_away_is_forgotten():
    settling = Settling(0)
    settling.look(0, [file("a")])
    settling.done(file("a"))
    settling.look(1, [])
    assert settling.look(2, [file("a")]) == [file("a")]


def test_to_begin_again_leaves_what_is_still_as_it_was():
    settling = Settling(5)
    settling.look(0, [file("a"), file("b")])
    settling.done(file("a"))
    settling.begin_again([file("b")])
    assert settling.look(5, [file("a"), file("b")]) == [file("a")]


@given(st.lists(st.tuples(st.floats(0.1, 3), st.integers(0, 2)), min_size=1, max_size=30), st.floats(0, 5))
def test_nothing_is_ready_that_changed_within_the_time(looks, seconds):
    settling, now, since, before = Settling(seconds), 0.0, 0.0, None
    for pause, size in looks:
        now += pause
        if size != before:
            since, before = now, size
        ready = settling.look(now, [file("a", size=size)])
        assert bool(ready) == (now - since >= seconds)


def test_what_failed_is_tried_again_when_its_rights_change():
    settling = Settling(0)
    settling.look(0, [file("a")])
    settling.failed(file("a"))
    assert settling.look(1, [file("a")]) == []
    mended = structs.replace(file("a"), changed_ns=7)
    assert settling.look(2, [mended]) == [mended]
    settling.done(mended)
    assert settling.look(3, [structs.replace(mended, changed_ns=8)]) == []
