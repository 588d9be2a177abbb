"""A scroll bar is drawn anew only where it looks otherwise."""

from __future__ import annotations

from math import ceil
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Size

from tui.runtime.scrollbars import WholeCells, _drawn_position


def _bar(length, virtual, window):
    return SimpleNamespace(vertical=True, size=Size(1, length), window_virtual_size=virtual, window_size=window)


def _look(length, virtual, window, position):
    drawn = WholeCells.render_bar(size=length, virtual_size=ceil(virtual), window_size=window, position=position)
    return [(segment.text, segment.style) for segment in drawn.segments]


@given(st.integers(1, 60), st.integers(1, 200_000), st.data())
def test_what_is_kept_looks_as_what_was_asked_for(length, beyond, data):
    virtual = length + beyond
    position = data.draw(st.integers(0, beyond))
    kept = _drawn_position(_bar(length, virtual, length), position)
    assert 0 <= kept <= position
    before, after = _look(length, virtual, length, kept + 1e-6), _look(length, virtual, length, position)
    assert [style.reverse for _, style in before] == [style.reverse for _, style in after]


def test_a_line_of_many_moves_nothing():
    bar = _bar(25, 100_001, 25)
    assert len({_drawn_position(bar, line) for line in range(4000)}) < 10


def test_nothing_to_scroll_stays():
    assert _drawn_position(_bar(25, 25, 25), 0) == 0
    assert _drawn_position(_bar(0, 100, 0), 7) == 7
