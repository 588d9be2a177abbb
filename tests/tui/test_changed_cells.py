"""Only cells that changed are written, and afterwards the terminal shows all that was drawn, whatever was drawn before."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from tui.runtime.changed_cells import ChangedCells

CONSOLE = Console(color_system="truecolor")
STYLES = (None, Style(), Style(color="#ff0000"), Style(bold=True, bgcolor="#00ff00"))
WIDTH, HEIGHT = 12, 3
TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[0?;?([\d;]*)m|(.)", re.DOTALL)


class Glass:
    """A terminal: which character stands in each cell, and how it is drawn."""

    def __init__(self) -> None:
        self.cells = [[("?", "?")] * WIDTH for _ in range(HEIGHT)]

    def feed(self, data: str) -> None:
        y = x = 0
        style = ""
        for row, column, codes, text in (token.groups() for token in TOKEN.finditer(data)):
            if row:
                y, x = int(row) - 1, int(column) - 1
            elif not text:
                style = codes
            elif not (width := get_character_cell_size(text)):
                at = x - 1 if self.cells[y][x - 1][0] else x - 2
                self.cells[y][at] = (self.cells[y][at][0] + text, style)
            else:
                assert x + width <= WIDTH
                if not self.cells[y][x][0] and cell_len(self.cells[y][x - 1][0]) > 1:  # its half goes
                    self.cells[y][x - 1] = (" ", self.cells[y][x - 1][1])
                self.cells[y][x : x + width] = [(text, style), *[("", style)] * (width - 1)]
                x += width

    def text(self) -> list[str]:
        return ["".join(text for text, _ in line) for line in self.cells]


def strip_of(pieces) -> Strip:
    return Strip([Segment(text, STYLES[style]) for text, style in pieces])


def whole(lines) -> LayoutUpdate:
    strips = [[strip_of(pieces).adjust_cell_length(WIDTH)] for pieces in lines]
    return LayoutUpdate(strips, Region(0, 0, WIDTH, HEIGHT))


def shown(update) -> Glass:
    """Draw an update on a new terminal: everything is written."""
    glass = Glass()
    glass.feed(ChangedCells().of(update, Size(WIDTH, HEIGHT)).render_segments(CONSOLE))
    return glass


texts = st.tuples(st.text(alphabet="ab ─✓漢e\u0301", max_size=8), st.integers(0, len(STYLES) - 1))
frames = st.lists(st.lists(texts, max_size=4), min_size=HEIGHT, max_size=HEIGHT)


@given(st.lists(frames, min_size=1, max_size=4))
def test_frame_after_frame_the_terminal_shows_what_was_drawn_last(drawn):
    cells, glass = ChangedCells(), Glass()
    for frame in drawn:
        glass.feed(cells.of(whole(frame), Size(WIDTH, HEIGHT)).render_segments(CONSOLE))
        assert glass.cells == shown(whole(frame)).cells


@pytest.fixture
def written():
    """Draw lines on one terminal; gives what was written each time."""
    cells = ChangedCells()

    def draw(*lines, update=None) -> str:
        drawn = update or whole([[(line, 1)] for line in lines])
        return cells.of(drawn, Size(WIDTH, HEIGHT)).render_segments(CONSOLE)

    draw.cells = cells
    return draw


def test_what_stands_there_is_not_written_again_until_it_is_forgotten(written):
    first = written("one", "two", "three")
    assert written("one", "two", "three") == ""
    assert written("one", "tXo", "three") == "\x1b[0m\x1b[2;2HX\x1b[0m"
    written.cells.forget()
    written("one", "two", "three")
    written.cells.forget()
    assert written("one", "two", "three") == first


def test_runs_of_one_style_go_together_and_a_few_cells_are_passed_by_writing_them(written):
    written("a" * 12, "a" * 12, "a" * 12)
    assert written("ba" + "a" * 4 + "b" + "a" * 5, "a" * 12, "b" + "a" * 10 + "b") == (
        "\x1b[0m\x1b[1;1Hbaaaaab\x1b[3;1Hb\x1b[3;12Hb\x1b[0m"
    )


@pytest.mark.parametrize(("before", "after"), [("漢 b", "漢 c"), ("ab", "漢b"), ("漢字", "a字")])
def test_a_line_with_a_wide_character_is_written_whole(written, before, after):
    written(before, "", "")
    assert written(after, "", "").startswith(f"\x1b[0m\x1b[1;1H{after} ")


@pytest.mark.parametrize("wide", ["❤\ufe0f", "👩\u200d💻"])
def test_what_is_one_character_of_several_takes_the_cells_that_the_toolkit_counts(written, wide):
    assert cell_len(wide) == 2
    drawn = written(f"{wide}.txt", f"{wide} " * 4, "")
    assert "?" not in drawn, "no cell of the line is left as it was before"
    assert f"\x1b[1;1H{wide}.txt" in drawn
    assert f"\x1b[2;1H{f'{wide} ' * 4}" in drawn
    written("one", "two", "")
    assert written(f"{wide}.txt", "two", "").startswith(f"\x1b[0m\x1b[1;1H{wide}.txt ")


def test_a_part_of_a_line_is_drawn_over_what_stood_there_and_no_half_of_a_character_stays(written):
    glass = Glass()
    glass.feed(written("ab漢cd", "two", ""))
    part = ChopsUpdate([{0: None}, {}, {}], [(0, 3, 5)], [[], [], []])
    part.chops = [{3: strip_of([("XY", 1)])}, {}, {}]
    part.chop_ends = [[5], [], []]
    glass.feed(written(update=part))
    assert glass.text() == ["ab XYd      ", "two         ", " " * WIDTH]
