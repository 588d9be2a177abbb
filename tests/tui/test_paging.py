from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from sft.client.trust import SignatureState
from tui.panes.entry import UP, Entry, EntryKind
from tui.panes.paging import PagedRows, Sorting, SortOrder
from tui.widgets.rows import ListRow

pytestmark = pytest.mark.every_run  # no app runs in any of them


class Shelf:
    """A folder of so many files that counts how it is read."""

    def __init__(self, count: int, full: int = 85, light: int = 350) -> None:
        self.count, self.full, self.light = count, full, light
        self.read_full = self.read_light = 0
        self.bad = set()

    async def read(self, cursor, full):
        first = int(cursor or 0)
        size = self.full if full else self.light
        self.read_full += full
        self.read_light += not full
        last = min(first + size, self.count)
        entries = tuple(
            Entry(
                EntryKind.FILE,
                f"dir/f{n:06}",
                size=n * 7 % 1000,
                at=n,
                version=1,
                state=SignatureState.BAD if n in self.bad else SignatureState.SIGNED,
                file_id=n.to_bytes(16, "big"),
            )
            for n in range(first, last)
        )
        return entries, str(last) if last < self.count else ""


def rows_of(shelf: Shelf, **options) -> PagedRows:
    return PagedRows(shelf.read, lambda entry: ListRow(entry.path, entry, {"name": entry.name}), **options)


async def test_only_what_is_in_sight_is_read():
    shelf = Shelf(100_000)
    rows = rows_of(shelf, expected=100_000)
    await rows.ensure(0, 60)
    assert (shelf.read_full, shelf.read_light) == (1, 0)
    assert len(rows) == 100_000
    assert rows.row(60).cells["name"] == "f000060"
    assert rows.row(90) is None


async def test_every_line_is_the_right_one_wherever_one_jumps():
    shelf = Shelf(10_000)
    rows = rows_of(shelf, lead=(UP,), expected=10_000)
    for first in (0, 9_950, 40, 5_000, 4_990, 7_777, 1):
        await rows.ensure(first, first + 50)
        for index in range(first, min(first + 51, 10_001)):
            expected = ".." if index == 0 else f"f{index - 1:06}"
            assert rows.row(index).cells["name"] == expected


async def test_a_long_way_is_gone_by_light_pages_and_memory_stays_flat():
    shelf = Shelf(100_000)
    rows = rows_of(shelf, expected=100_000)
    await rows.ensure(99_900, 99_999)
    assert shelf.read_full <= 4
    assert shelf.read_light <= 100_000 / 350 + 1
    assert sum(len(block) for block in rows._pages.values()) < 5_000


async def test_walking_through_everything_keeps_few_pages():
    rows = rows_of(Shelf(20_000))
    tracemalloc.start()
    for first in range(0, 20_000, 60):
        await rows.ensure(first, first + 60)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows) == 20_000
    assert peak < 4 * 2**20


async def test_without_a_count_the_end_is_found():
    rows = rows_of(Shelf(200))
    await rows.ensure(0, 40)
    assert len(rows) == 86
    await rows.ensure(80, 300)
    assert (len(rows), rows.ended) == (200, True)


async def test_an_empty_folder_has_no_lines():
    rows = rows_of(Shelf(0))
    await rows.ensure(0, 40)
    assert (len(rows), rows.row(0)) == (0, None)


async def test_the_filter_finds_everything_and_its_lines_are_drawn_from_the_index():
    shelf = Shelf(3_000)
    rows = rows_of(shelf, lead=(UP,))
    await rows.ensure(0, 40)
    grown = []
    await rows.arrange("99", Sorting(), lambda: grown.append(len(rows)))
    assert [rows.row(n).cells["name"] for n in range(len(rows))] == [
        f"f{n:06}" for n in range(3_000) if "99" in f"{n:06}"
    ]
    assert grown == sorted(grown)
    again = shelf.read_light
    await rows.arrange("998", Sorting())
    assert len(rows) == 3
    assert shelf.read_light == again
    await rows.arrange("", Sorting())
    assert rows.row(0).cells["name"] == ".."


async def test_typing_on_while_the_folder_is_looked_through_finds_nothing_twice():
    rows = rows_of(Shelf(5_000, light=2_000))
    for query in ("1", "12", "1"):
        looking = asyncio.create_task(rows.arrange(query, Sorting()))
        for _ in range(12):  # into the middle of a page
            await asyncio.sleep(0)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    await rows.arrange("5", Sorting())
    assert [rows.row(n).cells["name"] for n in range(len(rows))] == [
        f"f{n:06}" for n in range(5_000) if "5" in f"{n:06}"
    ]


async def test_sorting_by_size_and_date():
    rows = rows_of(Shelf(2_000))
    await rows.arrange("", Sorting(SortOrder.SIZE))
    sizes = [rows.entry(n).size for n in range(len(rows))]
    assert sizes == sorted(sizes, reverse=True)
    await rows.arrange("", Sorting(SortOrder.DATE))
    assert rows.entry(0).name == "f001999"


async def test_each_order_can_be_turned_round_and_folders_stay_above():
    folders = [Entry(EntryKind.FOLDER, name) for name in ("a", "b")]
    files = [Entry(EntryKind.FILE, f"f{n}", size=n % 3, at=n) for n in range(6)]

    async def read(_cursor, _full):
        return [*folders, *files], ""

    rows = PagedRows(read, lambda entry: ListRow(entry.path, entry, {"name": entry.name}))

    async def shown(sorting):
        await rows.arrange("", sorting)
        await rows.ensure(0, 8)
        return "".join(rows.entry(n).name[-1] for n in range(len(rows)))

    assert await shown(Sorting()) == "ab012345"
    assert await shown(Sorting(SortOrder.NAME, turned=True)) == "ba543210"
    assert await shown(Sorting(SortOrder.SIZE)) == "ab251403"
    assert await shown(Sorting(SortOrder.SIZE, turned=True)) == "ab031425"
    assert await shown(Sorting(SortOrder.DATE)) == "ab543210"
    assert await shown(Sorting(SortOrder.DATE, turned=True)) == "ab012345"
    await rows.arrange("", Sorting(SortOrder.NAME, turned=True))
    assert rows.index_of("b") == 0


def test_a_second_click_turns_the_order_round_and_says_so():
    by_size = Sorting().by(SortOrder.SIZE)
    assert by_size.words == "by size, largest first"
    assert by_size.by(SortOrder.SIZE).words == "by size, smallest first"
    assert by_size.by(SortOrder.SIZE).by(SortOrder.SIZE) == by_size
    assert Sorting().by(SortOrder.NAME).words == "by name, z first"
    assert by_size.by(SortOrder.SIZE).by(SortOrder.DATE).words == "by date, newest first"
    assert Sorting().next == Sorting(SortOrder.SIZE)


async def test_a_path_is_found_wherever_it_lies():
    rows = rows_of(Shelf(3_000))
    assert await rows.place_of("dir/f002345") == 2_345
    assert await rows.place_of("none") is None


async def test_a_verdict_is_kept_while_the_folder_is_shown():
    rows = rows_of(Shelf(300))
    await rows.ensure(0, 10)
    rows.mark((3).to_bytes(16, "big"), 1, SignatureState.VERIFIED)
    assert rows.entry(3).state is SignatureState.VERIFIED
    await rows.arrange("f000003", Sorting())
    assert rows.entry(0).state is SignatureState.VERIFIED


async def test_a_verdict_is_of_the_version_that_was_judged():
    rows = rows_of(Shelf(300))
    await rows.ensure(0, 10)
    rows.mark((3).to_bytes(16, "big"), 2, SignatureState.VERIFIED)
    rows.mark((300).to_bytes(16, "big"), 1, SignatureState.VERIFIED)
    assert {rows.entry(n).state for n in range(10)} == {SignatureState.SIGNED}


async def test_a_page_that_is_read_later_says_what_was_judged_then():
    shelf = Shelf(300)
    rows = rows_of(shelf)
    rows.mark((200).to_bytes(16, "big"), 1, SignatureState.VERIFIED)
    shelf.bad = {200}
    await rows.ensure(190, 210)
    assert rows.entry(200).state is SignatureState.BAD


async def test_keys_find_their_lines():
    rows = rows_of(Shelf(300), lead=(UP,))
    await rows.ensure(0, 100)
    assert rows.index_of("dir/f000050") == 51
    assert rows.index_of("dir/none") is None
    await rows.complete()
    assert len(await rows.selectable()) == 300
    assert rows.size_of("dir/f000299") == 299 * 7 % 1000


@pytest.mark.parametrize("start", [SortOrder.NAME, SortOrder.SIZE, SortOrder.DATE])
def test_orders_come_round(start):
    assert Sorting(start, turned=True).next.next.next == Sorting(start)
