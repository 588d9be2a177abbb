"""A folder of a hundred thousand files: what is read, drawn and kept of it, and that the loop breathes meanwhile."""

from __future__ import annotations

import asyncio
import tracemalloc
from contextlib import asynccontextmanager

import pytest

from tests.fakes.acme import acme
from tests.tui.ui_driver import driven
from tui.panes.entry import Entry, EntryKind
from tui.panes.paging import PagedRows, Sorting, SortOrder
from tui.widgets.list_messages import RowsWanted
from tui.widgets.row_list import RowList
from tui.widgets.rows import ListRow

MANY = 100_000
STORED = 3_000  # in the folder of the server
FOLDER = "archive/scans"
HEIGHT = 30  # of the list, in a terminal of 36 lines, at most


class Counted:
    """Counts the pages that are asked for, and holds them back while ``gate`` is closed."""

    def __init__(self, gateway) -> None:
        self.pages: list[tuple[str, bool]] = []
        self.rows = 0
        self.gate = asyncio.Event()
        self.gate.set()
        folder = gateway.files.list_folder

        async def counted(path, cursor="", *, judged=True):
            if path == FOLDER:
                self.pages.append((cursor, judged))
                await self.gate.wait()
            page = await folder(path, cursor, judged=judged)
            self.rows += len(page.files) if path == FOLDER else 0
            return page

        gateway.files.list_folder = counted

    @property
    def whole(self) -> int:
        return sum(judged for _, judged in self.pages)

    @property
    def light(self) -> int:
        return len(self.pages) - self.whole

    def clear(self) -> None:
        self.pages.clear()
        self.rows = 0


@asynccontextmanager
async def staged(tmp_path):
    counters = []
    async with driven(
        tmp_path, size=(100, 36), service=acme(many=STORED), prepare=lambda gateway: counters.append(Counted(gateway))
    ) as run:
        await opened(run)
        yield run, counters[0]


async def opened(run) -> None:
    # As the key does it: the folder above knows how many are inside.
    await run.go("archive")
    run.put_cursor_on("scans/")
    await run.press("enter")


async def test_opening_reads_what_is_in_sight_and_two_screens_more(tmp_path):
    async with staged(tmp_path) as (run, counted):
        lines = run.files.remote.lines
        assert len(lines.source) == STORED + 1
        assert counted.light == 0
        assert HEIGHT * 2 <= counted.rows <= HEIGHT * 3 + 2 * 85
        assert lines.source.holds(0, lines.size.height * 3 - 1)


async def test_lines_are_asked_for_before_they_come_into_sight(tmp_path):
    async with staged(tmp_path) as (run, counted):
        seen = []
        for _ in range(12):
            counted.clear()
            await run.press("pagedown")
            lines = run.files.remote.lines
            top = round(lines.scroll_offset.y)
            assert all(lines.source.row(n) for n in range(top, top + lines.size.height - 1))
            seen.append(len(counted.pages))
        assert max(seen) == 1


async def test_a_page_on_its_way_is_not_given_up_for_the_next_key(tmp_path):
    async with staged(tmp_path) as (run, counted):
        counted.clear()
        counted.gate.clear()
        pane = run.files.remote
        for _ in range(8):
            pane.lines.move_to(pane.lines.cursor + 50)
            await run.pilot.pause()
        assert len(counted.pages) == 1
        counted.gate.set()
        await run.quiet()
        top = round(pane.lines.scroll_offset.y)
        assert pane.lines.source.holds(top, top + pane.lines.size.height)
        assert len({cursor for cursor, _ in counted.pages}) == len(counted.pages)


async def test_the_end_is_reached_by_light_pages_and_the_way_back_reads_one(tmp_path):
    async with staged(tmp_path) as (run, counted):
        first = counted.rows
        counted.clear()
        await run.press("end")
        assert run.files.remote.current.name == f"scan-{STORED - 1:06}.tif"
        assert counted.whole <= 5
        assert 1 < counted.light <= STORED / 300
        counted.clear()
        await run.press("home")
        await run.press("end")
        assert counted.light == 0
        assert counted.rows <= first


async def test_the_end_of_a_folder_of_which_nobody_said_how_long_it_is_is_its_last_line(tmp_path):
    async with staged(tmp_path) as (run, counted):
        run.files.remote.read()  # as one that is remembered from another run
        await run.quiet()
        assert run.files.remote.rows.total is None
        counted.clear()
        await run.press("end")
        await run.quiet()
        assert run.files.remote.current.name == f"scan-{STORED - 1:06}.tif"
        assert counted.whole <= 5
        assert counted.light <= STORED / 300 + 1


async def test_a_long_way_is_left_when_the_person_goes_elsewhere(tmp_path):
    async with staged(tmp_path) as (run, counted):
        pane = run.files.remote
        counted.clear()
        counted.gate.clear()
        pane.lines.move_to(STORED)
        await run.pilot.pause()
        pane.lines.move_to(0)
        await run.pilot.pause()
        counted.gate.set()
        await run.quiet()
        assert len(counted.pages) == 1


async def test_a_key_draws_no_line_out_of_sight(tmp_path, monkeypatch):
    async with staged(tmp_path) as (run, _):
        run.pilot.drawn.always = True
        pane = run.files.remote
        drawn: list[int] = []
        rows: list[int] = []
        draw, row = RowList.render_line, PagedRows.row

        def counted_line(self, y):
            if self is pane.lines:
                drawn.append(y)
            return draw(self, y)

        def counted_row(self, index):
            rows.append(index)
            return row(self, index)

        monkeypatch.setattr(RowList, "render_line", counted_line)
        monkeypatch.setattr(PagedRows, "row", counted_row)
        await run.press("down")
        assert 0 < len(drawn) <= 2  # the line that was left, and the one that was reached
        drawn.clear()
        rows.clear()
        await run.press("pagedown")
        assert 0 < len(drawn) <= 2 * pane.lines.size.height
        top = round(pane.lines.scroll_offset.y)
        assert set(rows) <= set(range(max(top - pane.lines.size.height, 0), top + pane.lines.size.height))


async def test_what_is_told_of_the_next_file_lays_out_nothing(tmp_path):
    async with staged(tmp_path) as (run, _):
        await run.press("down", "down")
        laid_out: list[object] = []
        run.app.screen.screen_layout_refresh_signal.subscribe(run.app.screen, laid_out.append)
        await run.press("down")
        assert laid_out == []


async def test_selecting_everything_weighs_it_once(tmp_path):
    async with staged(tmp_path) as (run, counted):
        await run.press("a")
        pane = run.files.remote
        assert len(pane.lines.selected) == STORED
        weighed = pane.weight.size
        counted.clear()
        await run.press("down")
        pane.rows.size_of = lambda key: pytest.fail(f"{key} is weighed again")
        await run.press("down", "space")
        assert pane.weight.size < weighed
        assert f"{STORED - 1:,} selected" in str(pane.lines.border_subtitle)
        assert counted.pages == []


# -- without the app -----------------------------------------------------------------------------------------


async def read(cursor, full):
    first = int(cursor or 0)
    last = min(first + (85 if full else 350), MANY)
    entries = tuple(
        Entry(EntryKind.FILE, f"dir/f{n:06}", size=n * 7 % 1000, at=n, version=1) for n in range(first, last)
    )
    return entries, str(last) if last < MANY else ""


def rows_of() -> PagedRows:
    return PagedRows(read, lambda entry: ListRow(entry.path, entry, {"name": entry.name}))


async def turns_during(job) -> int:
    """Count how often others have their turn while something is done."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await job
    counting.cancel()
    return turns


async def test_the_loop_breathes_while_a_hundred_thousand_names_are_read_looked_through_and_sorted():
    rows = rows_of()
    assert await turns_during(rows.complete()) >= MANY / 350
    assert await turns_during(rows.arrange("f", Sorting())) >= MANY / 4000
    assert len(rows) == MANY
    assert await turns_during(rows.arrange("", Sorting(SortOrder.SIZE))) >= MANY / 2500
    assert await turns_during(rows.selectable()) >= MANY / 1000


async def test_memory_is_bounded():
    rows = rows_of()
    for first in range(0, MANY, 1000):
        await rows.ensure(first, first + 60)
    assert sum(map(len, rows._pages.values())) <= 24 * 85
    tracemalloc.start()
    await rows.complete()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < MANY * 320


def test_what_is_wanted_last_counts():
    lines = RowList([])
    assert RowsWanted(lines, 0, 10).can_replace(RowsWanted(lines, 5, 15))
