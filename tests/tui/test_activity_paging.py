"""The lines of a log come page by page, are forgotten, and found again; what is new comes on top."""

from __future__ import annotations

import asyncio
import tracemalloc
from dataclasses import dataclass

import pytest

from tui.screens.activity_paging import FoundWindow, LogWindow
from tui.widgets.rows import ListRow

pytestmark = pytest.mark.every_run  # no app runs in any of them


@dataclass(frozen=True)
class Line:
    number: int


@dataclass(frozen=True)
class Head:
    size: int


@dataclass(frozen=True)
class Page:
    lines: list[Line]
    head: Head
    next: int
    more: bool


class Log:
    """A log of so many leaves, of which a page has at most ``page``; a filter of the server lets through every ``step``-th."""

    def __init__(self, size: int, page: int = 100, step: int = 1) -> None:
        self.size = size
        self.page = page
        self.step = step
        self.asked = 0

    async def before(self, end):
        self.asked += 1
        await asyncio.sleep(0)
        end = self.size if end is None else min(end, self.size)
        start = max(0, end - self.page * self.step)
        lines = [Line(n) for n in range(end - 1, start - 1, -1) if n % self.step == 0]
        return Page(lines, Head(self.size), start, start > 0)

    async def after(self, start, limit=100):
        self.asked += 1
        await asyncio.sleep(0)
        end = min(self.size, start + min(limit, self.page))
        lines = [Line(n) for n in range(start, end) if n % self.step == 0]
        return Page(lines, Head(self.size), end, end < self.size)


def draw(line):
    return ListRow(str(line.number), line, {})


def numbers(window, first, last):
    rows = [window.row(index) for index in range(first, last)]
    return [None if row is None else row.value.number for row in rows]


async def test_any_place_of_the_log_is_one_page_away():
    log = Log(1_000_050)
    window = LogWindow(log, draw, log.size)
    assert len(window) == log.size
    assert not window.holds(0, 30)
    await window.reach(0, 30)
    assert window.holds(0, 30)
    assert numbers(window, 0, 3) == [1_000_049, 1_000_048, 1_000_047]
    await window.reach(log.size - 30, log.size - 1)
    assert numbers(window, log.size - 2, log.size) == [1, 0]
    assert log.asked == 2
    assert window.index_of("1000049") == 0
    assert window.index_of("0") == log.size - 1
    assert window.index_of("1000050") is None


@pytest.mark.parametrize("page", [1, 7, 100])
async def test_short_pages_are_filled(page):
    window = LogWindow(Log(250, page), draw, 250)
    await window.reach(0, 249)
    assert numbers(window, 0, 250) == [*range(249, -1, -1)]


@pytest.mark.long
async def test_memory_is_flat_however_far_one_scrolls():
    log = Log(200_000)
    window = LogWindow(log, draw, log.size)
    tracemalloc.start()
    try:
        for first in range(0, log.size, 100):
            await window.reach(first, first + 40)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * 2**20
    assert numbers(window, 0, 1) == [None]
    await window.reach(0, 10)
    assert numbers(window, 0, 1) == [199_999]


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 250])
async def test_what_is_new_comes_on_top(size):
    log = Log(size)
    window = LogWindow(log, draw, size)
    await window.reach(0, 40)
    log.size += 130
    assert await window.grow() == 130
    assert await window.grow() == 0
    await window.reach(0, len(window))
    assert numbers(window, 0, len(window)) == [*range(size + 129, -1, -1)]


async def test_a_filter_shows_what_fits_and_looks_on_as_far_as_is_needed():
    log = Log(10_000)
    window = FoundWindow(log, draw, log.size, fits=lambda line: line.number % 10 == 0)
    assert len(window) == 1  # there may be something
    await window.reach(0, 30)
    assert numbers(window, 0, 3) == [9990, 9980, 9970]
    assert log.asked <= 4
    assert window.more
    assert len(window) == window.found + 1
    await window.reach(0, 2000)
    assert not window.more
    assert len(window) == 1000
    assert not window.holds(0, 10)  # forgotten
    await window.reach(0, 10)
    assert numbers(window, 0, 3) == [9990, 9980, 9970]
    assert window.index_of("9980") == 1
    assert window.index_of("9981") is None


async def test_a_filter_that_finds_nothing_looks_to_the_end_and_says_so():
    log, looked = Log(5_000), []
    window = FoundWindow(log, draw, log.size, fits=lambda _: False, looked=looked.append)
    await window.reach(0, 30)
    assert (len(window), window.more, window.cursor) == (0, False, 0)
    assert looked == [*range(4900, -1, -100)]
    assert window.holds(0, 30)


async def test_pages_of_a_filter_are_read_again_as_they_were():
    log = Log(30_000, page=10, step=100)
    window = FoundWindow(log, draw, log.size, fits=lambda line: line.number % 200 == 0)
    await window.reach(0, 200)
    every = numbers(window, 0, 150)
    for first in range(0, 150, 10):
        await window.reach(first, first + 9)
        assert numbers(window, first, first + 10) == [29_800 - 200 * n for n in range(first, first + 10)]
    assert len(every) == 150


async def test_what_is_new_and_fits_comes_on_top_of_what_was_found():
    log = Log(1000)
    window = FoundWindow(log, draw, log.size, fits=lambda line: line.number % 2 == 0)
    await window.reach(0, 10)
    for _ in range(300):
        log.size += 1
        await window.grow()
    await window.reach(0, 400)
    assert numbers(window, 0, 400) == [1298 - 2 * n for n in range(400)]
    assert len(window._parts) < 5  # one each would be a leak
    assert await window.grow() == 0


async def test_what_is_new_and_does_not_fit_is_not_asked_for_again():
    log = Log(100)
    window = FoundWindow(log, draw, log.size, fits=lambda _: False)
    await window.reach(0, 10)
    log.size += 250
    assert await window.grow() == 0
    assert window.size == 350
    asked = log.asked
    assert await window.grow() == 0
    assert log.asked == asked + 1
