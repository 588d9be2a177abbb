"""Width goes to names: over every width of a window, and names that can be told apart however they are cut."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from sft.client.transfers.queue.job import Direction, JobState
from tests.tui.test_looks import job
from tui.glyphs import FINE
from tui.panes.columns import LEAST_NAME, Shelf, Sight, name_cells, placed
from tui.panes.layout import Place, Wishes, share
from tui.panes.paging import SortOrder
from tui.screens.transfers import place_columns
from tui.themes.styles import styles_of
from tui.widgets.dock import job_line
from tui.widgets.names import cut_names

WINDOWS = range(60, 301)
WISHES = (Wishes(), Wishes(details=True), Wishes(details=False), Wishes(zoomed=True))
LENGTHS = (24, 38, 60)
AUTHORS = ((3, False), (10, True))
SIGHTS = [Sight(name, *author) for name, author in product(LENGTHS, AUTHORS)]


def lists(height: int, wishes: Wishes, bar: int):
    """Give how wide a list is inside, and will be, by width of the window; with or without a bar to scroll by."""
    for window in WINDOWS:
        found = share(window, height, wishes)
        if found.details is not Place.WHOLE:
            yield window, found, found.list_width - bar


@pytest.mark.parametrize("height", [15, 36])
@pytest.mark.parametrize("bar", [0, 1])
@pytest.mark.sampled(4)
def test_a_wider_window_never_shows_less_of_a_name_and_never_less_than_24_cells(height, bar):
    for wishes, sight, shelf, order in product(WISHES, SIGHTS, (Shelf.REMOTE, Shelf.TRASH), SortOrder):
        shown = [
            (
                window,
                found.both or found.details is Place.OTHER_PANE,
                name_cells(width, sight, shelf, order, found.later_width),
            )
            for window, found, width in lists(height, wishes, bar)
        ]
        assert all(cells >= LEAST_NAME for *_, cells in shown)
        for (_, were_two, before), (window, are_two, cells) in pairwise(shown):
            assert cells >= before or (are_two and not were_two), (window, wishes, sight, shelf, order)


@pytest.mark.parametrize("shelf", Shelf)
def test_columns_fill_what_names_leave_and_the_one_sorted_by_is_always_there(shelf):
    keys = {SortOrder.NAME: {"name"}, SortOrder.SIZE: {"size"}, SortOrder.DATE: {"age", "date"}}
    for sight, order in product(SIGHTS, SortOrder):
        for window, found, width in lists(36, Wishes(), 1):
            columns = placed(width, sight, shelf, order, "↓", found.later_width)
            taken = sum(cells for _, cells in columns) + sum(column.gap for column, _ in columns[1:])
            assert taken <= width, window
            (by,) = [column for column, _ in columns if column.title.endswith("↓")]
            assert by.key in keys[order]


@pytest.mark.parametrize(
    ("window", "cells", "columns"),
    [
        (80, 25, ["size"]),
        (100, 35, ["size"]),
        (120, 38, ["size", "age"]),
        (140, 38, ["size", "from", "age"]),
        (300, 93, ["size", "from", "date"]),
    ],
)
def test_what_stands_beside_names_of_38_cells(window, cells, columns):
    found = share(window, 36, Wishes())
    there = placed(found.list_width, Sight(38, 3), Shelf.REMOTE, SortOrder.NAME, "↑", found.later_width)
    assert [column.key for column, _ in there[2:]] == columns
    assert there[1][1] == cells


def test_the_author_comes_before_the_age_where_several_stand_in_a_folder():
    one, several = (placed(56, Sight(30, 4, many), Shelf.REMOTE, SortOrder.NAME, "↑") for many in (False, True))
    assert [column.key for column, _ in one[2:]] == ["size", "age"]
    assert [column.key for column, _ in several[2:]] == ["size", "from"]


def test_transfers_and_dock_show_no_less_of_a_name_in_a_wider_window():
    name = "".join(chr(ord("a") + n % 26) for n in range(80))
    moving = job(Direction.PUT, title=name, state=JobState.RUNNING, total_bytes=2**31, done_bytes=2**30)
    listed, docked = [], []
    for window in WINDOWS:
        (what,) = [cells for column, cells in place_columns(FINE, window - 4, ()) if column.key == "what"]
        columns = place_columns(FINE, window - 4, ())
        assert sum(cells for _, cells in columns) + sum(column.gap for column, _ in columns[1:]) <= window - 4
        listed.append(what)
        inner = window - (4 if window >= 110 else 2)
        line = job_line(moving, Rates(), FINE, inner, styles_of("sft-dark")).plain
        assert cell_len(line) <= inner
        docked.append(sum(character in line.partition("  ")[0] for character in name))
    for cells in (listed, docked):
        assert cells == sorted(cells)
        assert cells[0] >= LEAST_NAME - 3


class Rates:
    def rate(self, job_id: int) -> None:
        return None


# -- how names are cut ----------------------------------------------------------------------------------------


def test_where_neighbours_share_a_beginning_the_cut_lies_in_it():
    names = [f"measurement-series-2026-{n:05}-sensor-20.csv" for n in (19, 20, 21)]
    assert cut_names(names, [28] * 3) == [
        "measurem…00019-sensor-20.csv",
        "measurem…00020-sensor-20.csv",
        "measurem…00021-sensor-20.csv",
    ]


def test_a_cut_keeps_the_ending_and_leaves_alone_what_fits():
    names = ["notes.md", "minutes of the annual meeting of the board in november.docx", "x" * 60]
    assert cut_names(names, [24] * 3) == ["notes.md", "minutes of t…vember.docx", "xxxxxxxxxxxx…xxxxxxxxxxx"]


parts = st.text(alphabet="ab-1é漢", max_size=40)


@given(
    beginning=parts, ending=parts, middles=st.lists(st.integers(0, 10**6), min_size=2, max_size=30, unique=True),
    room=st.integers(24, 60), paths=st.booleans(),
)  # fmt: skip
@example(beginning="a" * 40, ending="b" * 40, middles=[1, 2], room=24, paths=False)
@example(beginning="a" * 40, ending="/b" * 20, middles=[1, 2], room=24, paths=True)
def test_two_names_in_sight_never_look_the_same(beginning, ending, middles, room, paths):
    names = [f"{beginning}{middle}{ending}.txt" for middle in middles]
    cut = cut_names(names, [room] * len(names), paths=paths)
    assert len(set(cut)) == len(names)
    assert all(cell_len(text) <= room for text in cut)
