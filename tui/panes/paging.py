"""The lines of one folder, read page by page as they come into sight, and forgotten again.

Rules. A page is found again by the cursor before it, so memory holds a few pages and the cursors alone. What must know every
line (filter, sort, select all, the last line) skims the folder once and keeps a compact index: name, size, date. Reading is one
coroutine at a time; nothing here touches a widget.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from heapq import merge
from typing import Final

from sft.client.trust import SignatureState
from sft.model.names import fold
from tui.panes.entry import Entry, EntryKind, Reader, Sheet
from tui.panes.index import Index
from tui.widgets.rows import ListRow

_SELECTABLE: Final = frozenset({EntryKind.FILE, EntryKind.FOLDER})
_BLOCKS: Final = 24  # pages in memory
_SKIM_FROM: Final = 200  # lines; what lies farther off is reached by light pages
_YIELD_EVERY: Final = 250  # entries indexed between two breaths of the loop: some two milliseconds
_LOOKED_THROUGH: Final = 4000  # names: as long, where all of them match


class Order(StrEnum):
    """How a listing is sorted."""

    NAME = "name"
    SIZE = "size"
    DATE = "date"

    @property
    def next(self) -> Order:
        """The one that the sort key comes to next."""
        orders = list(Order)
        return orders[(orders.index(self) + 1) % len(orders)]


class PagedRows:
    """A folder's lines for a ``RowList``.

    Args:
        read: gives pages.
        draw: makes a line of an entry.
        lead: lines above all others: the way up.
        expected: how many entries there will be, if somebody said so.
    """

    def __init__(
        self,
        read: Reader,
        draw: Callable[[Entry], ListRow[Entry]],
        *,
        lead: tuple[Entry, ...] = (),
        expected: int | None = None,
    ) -> None:
        self._read = read
        self._draw = draw
        self._first = lead
        self._expected = expected
        self._starts = [0]
        self._cursors = [""]
        self._blocks: OrderedDict[int, tuple[Entry, ...]] = OrderedDict()
        self._known = 0
        self.ended = False
        self._index = Index()
        self._view: array[int] | None = None
        self._query = ""
        self._order = Order.NAME
        self._widened = 0
        self._sizes: dict[str, int] | None = None
        self._lock = asyncio.Lock()

    # -- a RowSource -----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._lead) + self._count

    def row(self, index: int) -> ListRow[Entry] | None:
        """Give a line; None if it is not here."""
        entry = self.entry(index)
        return None if entry is None else self._draw(entry)

    def index_of(self, key: str) -> int | None:
        """Find a line by its key, among those that are here."""
        for index, entry in enumerate(self._lead):
            if self._draw(entry).key == key:
                return index
        if self._view is not None:
            found = self._index.find(key)
            place = None if found is None else self._place_in_view(found)
            return None if place is None else len(self._lead) + place
        for start, block in self._blocks.items():
            for offset, entry in enumerate(block):
                if entry.path == key:
                    return len(self._lead) + start + offset
        return None

    def holds(self, first: int, last: int) -> bool:
        """Say whether all of these lines are here; a view is drawn from the index, which is."""
        if self._view is not None:
            return True
        number, last = max(first - len(self._lead), 0), last - len(self._lead)
        while number <= last and not (self.ended and number >= self._known):
            start = self._starts[bisect_right(self._starts, number) - 1]
            block = self._blocks.get(start, ())
            if number >= start + len(block):
                return False
            number = start + len(block)
        return True

    # -- what is known ----------------------------------------------------------------------------------

    @property
    def total(self) -> int | None:
        """How many entries there are; None until the end was seen."""
        return self._known if self.ended else self._expected

    @property
    def matching(self) -> int:
        """How many entries fit the filter, as far as known."""
        return self._count

    @property
    def whole(self) -> bool:
        """Say whether every entry is indexed."""
        return self._index.complete

    @property
    def bytes_known(self) -> int | None:
        """The size of all files, if every one of them is known."""
        if self._index.complete:
            return self._index.total_bytes
        if self.ended and sum(map(len, self._blocks.values())) == self._known:
            return sum(entry.size for block in self._blocks.values() for entry in block)
        return None

    def entry(self, index: int) -> Entry | None:
        """Give what a line stands for; None if it is not here."""
        if 0 <= index < len(self._lead):
            return self._lead[index]
        index -= len(self._lead)
        if self._view is not None:
            if not 0 <= index < len(self._view):
                return None
            number = self._view[index]
            return self._loaded(number) or self._index.entry(number)
        return self._loaded(index)

    async def selectable(self) -> dict[str, int]:
        """Give the size of every line that can be selected; the index must be whole."""
        index = self._index
        numbers = range(self._known) if self._view is None else self._view
        sizes: dict[str, int] = {}
        for count, number in enumerate(numbers):
            if index.kinds[number] in _SELECTABLE:
                sizes[index.path(number)] = index.sizes[number]
            if count % (_YIELD_EVERY * 4) == 0:
                await asyncio.sleep(0)
        return sizes

    def size_of(self, key: str) -> int:
        """Give the size of what a key names, as far as known."""
        if self._sizes is None:
            self._sizes = {e.path: e.size for block in self._blocks.values() for e in block}
        size = self._sizes.get(key)
        if size is None:
            found = self._index.find(key)
            size = 0 if found is None else self._index.sizes[found]
        return size

    def gone(self, keys: set[str]) -> set[str]:
        """Say which of some keys name nothing any more, as far as known."""
        if not self.ended or sum(map(len, self._blocks.values())) < self._known:
            return set()
        return keys - {entry.path for block in self._blocks.values() for entry in block}

    # -- reading ---------------------------------------------------------------------------------------------

    async def ensure(self, first: int, last: int, still: Callable[[], bool] = lambda: True) -> bool:
        """Read what lines ``first`` to ``last`` need; says whether anything was read.

        Args:
            still: asked between two pages: whether these lines are still wanted.
        """
        if self._view is not None:
            return False
        number = max(first - len(self._lead), 0)
        last -= len(self._lead)
        has_read = False
        async with self._lock:
            while number <= last and not (self.ended and number >= self._known) and still():
                place = bisect_right(self._starts, number) - 1
                start = self._starts[place]
                block = self._blocks.get(start)
                if block is None:
                    # Light pages only lead the way to where no page is known to begin yet.
                    is_last = place + 1 == len(self._starts) and not self.ended
                    full = not is_last or number - start < _SKIM_FROM
                    block = await self._fetch(place, full=full)
                    has_read = True
                    if not full:
                        continue
                if number < start + len(block):
                    number = start + len(block)
                elif not block:
                    break
        return has_read

    async def complete(self, on_more: Callable[[], None] | None = None) -> None:
        """Index every entry; ``on_more`` is called now and then while that goes on."""
        async with self._lock:
            index = self._index
            while not index.complete:
                sheet = await self._read(index.cursor, False)
                # Whoever types on cancels this within a page: what of it is indexed is not added again.
                for number, entry in enumerate(sheet.entries[len(index) - index.begun :]):
                    index.add(entry)
                    if number % _YIELD_EVERY == _YIELD_EVERY - 1:
                        await asyncio.sleep(0)
                following = sheet.next if sheet.entries else ""
                index.cursor, index.begun = following, len(index)
                index.complete = not following
                self._note_anchor(len(index), following)
                if not following:
                    self._known, self.ended = len(index), True
                await self._widen()
                if on_more is not None:
                    on_more()
                await asyncio.sleep(0)
            await self._widen()

    async def arrange(
        self,
        query: str,
        order: Order,
        on_more: Callable[[], None] | None = None,
    ) -> None:
        """Show what holds ``query``, sorted; without either the folder is as the server has it."""
        self._query, self._order = fold(query), order
        if not query and order is Order.NAME:
            self._view = None
            return
        self._view = array("L")
        self._widened = 0
        await self._widen()
        if not self._index.complete:
            await self.complete(on_more)
        await self._sort()

    def mark(self, path: str, state: SignatureState) -> None:
        """Note what was found out about a file meanwhile."""
        self._index.states[path] = state
        self._sizes = None
        for start, block in self._blocks.items():
            for offset, entry in enumerate(block):
                if entry.path == path:
                    changed = _with_state(entry, state)
                    self._blocks[start] = (*block[:offset], changed, *block[offset + 1 :])
                    return

    # -- inside ---------------------------------------------------------------------------------------------------

    @property
    def _lead(self) -> tuple[Entry, ...]:
        """What stands above: nothing while a filter is on, for then the first match is what is wanted."""
        return () if self._query else self._first

    @property
    def _count(self) -> int:
        if self._view is not None:
            return len(self._view)
        if self.ended:
            return self._known
        return max(self._known + 1, self._expected or 0) if self._known else (self._expected or 1)

    def _loaded(self, number: int) -> Entry | None:
        start = self._starts[bisect_right(self._starts, number) - 1]
        block = self._blocks.get(start)
        if block is None or number - start >= len(block):
            return None
        self._blocks.move_to_end(start)
        return block[number - start]

    async def _fetch(self, place: int, *, full: bool) -> tuple[Entry, ...]:
        start = self._starts[place]
        sheet = await self._read(self._cursors[place], full)
        if not sheet.entries:
            sheet = Sheet(
                (), ""
            )  # a page of nothing that another follows would have us ask for ever
        if full:
            self._keep(start, sheet.entries)
        end = start + len(sheet.entries)
        self._known = max(self._known, end)
        self._note_anchor(end, sheet.next)
        if not sheet.next:
            self._known, self.ended = end, True
        return sheet.entries

    def _keep(self, start: int, entries: tuple[Entry, ...]) -> None:
        """Keep a page, cut where a page that was reached another way begins: each start stands for the lines up to the next."""
        end = start + len(entries)
        place = bisect_right(self._starts, start) - 1
        inner = [one for one in self._starts[place:] if one < end] or [start]
        for first, last in zip(inner, [*inner[1:], end], strict=True):
            if first == start or first not in self._blocks:
                self._blocks[first] = entries[first - start : last - start]
                self._blocks.move_to_end(first)
        while len(self._blocks) > _BLOCKS:
            self._blocks.popitem(last=False)
        self._sizes = None

    def _note_anchor(self, start: int, cursor: str) -> None:
        if not cursor:
            return
        place = bisect_right(self._starts, start)
        if self._starts[place - 1] == start:
            self._cursors[place - 1] = cursor
            return
        self._starts.insert(place, start)
        self._cursors.insert(place, cursor)
        before = self._starts[place - 1]
        block = self._blocks.get(before)
        if block is not None and before + len(block) > start:
            # A finer page begins inside this one: each start stands for the lines up to the next.
            self._blocks[before] = block[: start - before]
            if start not in self._blocks:
                self._blocks[start] = block[start - before :]

    async def _widen(self) -> None:
        """Look through what was indexed since, in slices."""
        view, index = self._view, self._index
        while view is not None and view is self._view and self._widened < len(index):
            last = min(self._widened + _LOOKED_THROUGH, len(index))
            if self._query:
                view.extend(index.folded.holding(self._query, self._widened, last))
            else:
                view.extend(range(self._widened, last))
            self._widened = last
            await asyncio.sleep(0)

    def _place_in_view(self, number: int) -> int | None:
        view = self._view
        if view is None:
            return None
        if self._order is not Order.NAME:
            return view.index(number) if number in view else None
        place = bisect_left(view, number)
        return place if place < len(view) and view[place] == number else None

    async def _sort(self) -> None:
        view, index = self._view, self._index
        if view is None or self._order is Order.NAME:
            return
        column = index.sizes if self._order is Order.SIZE else index.dates

        def key(number: int) -> tuple[bool, int]:
            # Largest and newest first; folders stay above, as the server has them.
            return index.kinds[number] != EntryKind.FOLDER, -column[number]

        pieces: list[list[int]] = []
        for first in range(0, len(view), _YIELD_EVERY * 10):
            pieces.append(sorted(view[first : first + _YIELD_EVERY * 10], key=key))
            await asyncio.sleep(0)
        merged = array("L")
        for number in merge(*pieces, key=key):
            merged.append(number)
            if len(merged) % (_YIELD_EVERY * 4) == 0:
                await asyncio.sleep(0)
        self._view = merged


def _with_state(entry: Entry, state: SignatureState) -> Entry:
    return replace(entry, state=state)
