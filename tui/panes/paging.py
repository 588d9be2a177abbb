"""The lines of one folder, read page by page as they come into sight, and forgotten again.

Rules. A page is found again by the cursor before it, so scrolling holds a few pages and the cursors alone. What must know every
line (filter, sort, select all) reads the folder once by light pages and keeps an entry for each, some 300 bytes. Reading is one
coroutine at a time, and what walks over many entries breathes; nothing here touches a widget.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from typing import Final

from msgspec.structs import replace

from sft.client.trust import SignatureState
from sft.model.names import fold
from tui.panes.entry import Entry, EntryKind, Reader
from tui.panes.inside import Tally
from tui.widgets.rows import ListRow

_PAGES: Final = 24  # in memory
_SKIM_FROM: Final = 200  # lines; what lies farther off is reached by light pages
_SORTED_AT_ONCE: Final = 2500  # entries: some two milliseconds, as the next
_LOOKED_THROUGH: Final = 4000
_AT_ONCE: Final = 1000
_BEYOND_ALL: Final = 1 << 62


class SortOrder(StrEnum):
    """How a listing is sorted."""

    NAME = "name"
    SIZE = "size"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Sorting:
    """How a listing is sorted, and whether the other way round than it comes first: names rise, sizes and dates fall."""

    order: SortOrder = SortOrder.NAME
    turned: bool = False

    @property
    def falls(self) -> bool:
        """Whether what is greater stands above."""
        return (self.order is not SortOrder.NAME) is not self.turned

    @property
    def next(self) -> Sorting:
        """What the sort key comes to next."""
        orders = list(SortOrder)
        return Sorting(orders[(orders.index(self.order) + 1) % len(orders)])

    def by(self, order: SortOrder) -> Sorting:
        """Return what a click on a heading makes of it: the second turns it round."""
        return Sorting(order, turned=order is self.order and not self.turned)

    @property
    def words(self) -> str:
        """Say it."""
        first = {
            SortOrder.NAME: ("a first", "z first"),
            SortOrder.SIZE: ("smallest first", "largest first"),
            SortOrder.DATE: ("oldest first", "newest first"),
        }[self.order][self.falls]
        return f"by {self.order.value}, {first}"


class PagedRows:
    """A folder's lines for a ``RowList``.

    Args:
        read: reads pages.
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
        self._lock = asyncio.Lock()
        # Where pages begin, as far as known; those in memory may overlap.
        self._starts = [0]
        self._cursors = [""]
        self._pages: dict[int, Sequence[Entry]] = {}
        self._sizes: dict[str, int | None] | None = None  # of what is in them
        self._page_tally = Tally()
        self._known = 0
        self.ended = False
        # Every entry in the order of the server, as far as read for filter and sort.
        self._entries: list[Entry] = []
        self._folded: list[str] = []
        self._tally = Tally()
        self._cursor = ""
        self._complete = False
        # Numbers of the entries that are shown, where that is not all of them in their order.
        self._view: array[int] | None = None
        self._looked_through = 0
        self._query = ""
        self._sorting = Sorting()

    # -- a RowSource -----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._lead) + self.matching

    def row(self, index: int) -> ListRow[Entry] | None:
        entry = self.entry(index)
        return None if entry is None else self._draw(entry)

    def index_of(self, key: str) -> int | None:
        for index, entry in enumerate(self._lead):
            if entry.path == key:
                return index
        number = next((n for n, entry in self._here() if entry.path == key), None)
        if number is None or self._view is None:
            return None if number is None else len(self._lead) + number
        if self._sorting == Sorting():
            place = bisect_left(self._view, number)
            found = place < len(self._view) and self._view[place] == number
        elif found := number in self._view:
            place = self._view.index(number)
        return len(self._lead) + place if found else None

    def holds(self, first: int, last: int) -> bool:
        """Return whether all of these lines are here; those of a filter or an order always are."""
        if self._view is not None:
            return True
        number, last = max(first - len(self._lead), 0), last - len(self._lead)
        while number <= last and not self._is_beyond(number):
            start = self._page_with(number)
            if start is None:
                return False
            number = start + len(self._pages[start])
        return True

    # -- what is known ----------------------------------------------------------------------------------

    @property
    def total(self) -> int | None:
        """How many entries there are; None until the end was seen."""
        return self._known if self.ended else self._expected

    @property
    def matching(self) -> int:
        """How many entries fit the filter, as far as known."""
        if self._view is not None:
            return len(self._view)
        if self.ended:
            return self._known
        return max(self._known + 1, self._expected or 0) if self._known else (self._expected or 1)

    @property
    def tally(self) -> Tally | None:
        """What there is, if all of it is known."""
        if self._complete:
            return self._tally
        return self._page_tally if self._is_whole else None

    def entry(self, index: int) -> Entry | None:
        """Return what a line stands for; None if it is not here."""
        if 0 <= index < len(self._lead):
            return self._lead[index]
        number = index - len(self._lead)
        if self._view is not None:
            if not 0 <= number < len(self._view):
                return None
            number = self._view[number]
        start = self._page_with(number)
        if start is not None:  # whose signatures are judged
            return self._pages[start][number - start]
        return None if self._view is None else self._entries[number]

    def find(self, paths: Collection[str]) -> dict[str, Entry]:
        """Return the entries of some paths, as far as they are here."""
        return {entry.path: entry for _, entry in self._here() if entry.path in paths}

    def lines_of(self, paths: Collection[str]) -> list[Entry]:
        """Return every line with one of some paths, in the order of the list: in the trash several have one path."""
        return [entry for _, entry in self._here() if entry.path in paths]

    async def selectable(self) -> dict[str, int | None]:
        """Return the size of every line that is selected with all others, None for folders; all must have been read."""
        numbers = range(len(self._entries)) if self._view is None else self._view
        sizes: dict[str, int | None] = {}
        for first in range(0, len(numbers), _AT_ONCE):
            listed = (self._entries[n] for n in numbers[first : first + _AT_ONCE])
            sizes |= {entry.path: _size(entry) for entry in listed if entry.can_be_chosen and not entry.secret}
            await asyncio.sleep(0)
        return sizes

    def size_of(self, path: str) -> int | None:
        """Return the size of what a path names, as far as known; None for a folder."""
        if path in self._page_sizes:
            return self._page_sizes[path]
        return next((_size(entry) for entry in self._entries if entry.path == path), 0)

    def gone(self, paths: set[str]) -> set[str]:
        """Return which of some paths name nothing any more, as far as known."""
        return paths - self._page_sizes.keys() if self._is_whole else set()

    # -- reading ---------------------------------------------------------------------------------------------

    async def ensure(self, first: int, last: int, still: Callable[[], bool] = lambda: True) -> bool:
        """Read what lines ``first`` to ``last`` need, while ``still`` wants them; return whether anything was read."""
        if self._view is not None:
            return False
        number, last = max(first - len(self._lead), 0), last - len(self._lead)
        has_read = False
        async with self._lock:
            while number <= last and not self._is_beyond(number) and still():
                start = self._page_with(number)
                if start is not None:
                    number = start + len(self._pages[start])
                    continue
                has_read = True
                place = bisect_right(self._starts, number) - 1
                # Light pages only lead the way to where no page is known to begin yet.
                is_last = place + 1 == len(self._starts) and not self.ended
                full = not is_last or number - self._starts[place] < _SKIM_FROM
                if await self._fetch(place, full=full):
                    break
        return has_read

    async def reach_end(self, still: Callable[[], bool]) -> None:
        """Read on to the end of the folder while ``still`` wants it, by pages of which only where they begin is kept."""
        await self.ensure(_BEYOND_ALL, _BEYOND_ALL, still)

    async def place_of(self, key: str) -> int | None:
        """Return the line of a path, having read as much as that takes; None where it is not there."""
        await self.ensure(0, _SKIM_FROM)
        found = self.index_of(key)
        if found is None and not self._is_whole:
            await self.complete()
            found = self.index_of(key)
        return found

    async def complete(self, on_more: Callable[[], None] | None = None) -> None:
        """Read every entry; ``on_more`` is called now and then while that goes on."""
        async with self._lock:
            while not self._complete:
                entries, following = await self._read(self._cursor, False)
                self._entries += self._with_signatures(entries)
                self._folded += [fold(entry.name) for entry in entries]
                self._tally += Tally.of(entries)
                self._cursor = following if entries else ""
                self._complete = not self._cursor
                self._note(len(self._entries), self._cursor)
                await self._look_through()
                if on_more is not None:
                    on_more()
                await asyncio.sleep(0)
            await self._look_through()

    async def arrange(self, query: str, sorting: Sorting, on_more: Callable[[], None] | None = None) -> None:
        """Show what holds ``query``, sorted; without either the folder is as the server has it."""
        self._query, self._sorting = fold(query), sorting
        if not query and sorting == Sorting():
            self._view = None
            return
        self._view = array("L")
        self._looked_through = 0
        await self._look_through()
        if not self._complete:
            await self.complete(on_more)
        await self._sort()

    def mark(self, file_id: bytes, version: int, state: SignatureState) -> None:
        """Show what a version was found to be, read to its end just now."""
        judged = file_id, version
        for start, page in self._pages.items():
            self._pages[start] = [replace(e, state=state) if (e.file_id, e.version) == judged else e for e in page]
        for number, entry in enumerate(self._entries):
            if (entry.file_id, entry.version) == judged:
                self._entries[number] = replace(entry, state=state)

    # -- inside ---------------------------------------------------------------------------------------------------

    @property
    def _lead(self) -> tuple[Entry, ...]:
        """What stands above: nothing while a filter is on, for then the first match is what is wanted."""
        return () if self._query else self._first

    @property
    def _page_sizes(self) -> dict[str, int | None]:
        if self._sizes is None:
            here = {entry.path: entry for page in self._pages.values() for entry in page}
            self._sizes = {path: _size(entry) for path, entry in here.items()}
            self._page_tally = Tally.of(here.values())
        return self._sizes

    @property
    def _is_whole(self) -> bool:
        """Whether every entry stands in a page that is in memory."""
        return self.ended and len(self._page_sizes) == self._known

    def _is_beyond(self, number: int) -> bool:
        return self.ended and number >= self._known

    def _page_with(self, number: int) -> int | None:
        for start, page in self._pages.items():
            if start <= number < start + len(page):
                return start
        return None

    def _here(self) -> Iterator[tuple[int, Entry]]:
        """Every entry that is here, with its number."""
        for start, page in self._pages.items():
            yield from enumerate(page, start)
        yield from enumerate(self._entries)

    def _with_signatures(self, entries: Sequence[Entry]) -> Iterator[Entry]:
        """Return entries of a light page as full pages that are here have shown the same versions."""
        here = {(e.file_id, e.version): e for page in self._pages.values() for e in page if e.state is not None}
        return (entry if entry.state is None else here.get((entry.file_id, entry.version), entry) for entry in entries)

    async def _fetch(self, place: int, *, full: bool) -> bool:
        """Read the page at a start that is known; return whether the folder ended with it."""
        start = self._starts[place]
        entries, following = await self._read(self._cursors[place], full)
        if full:
            self._pages[start] = entries
            for number, entry in enumerate(entries[: max(len(self._entries) - start, 0)], start):
                if self._entries[number].path == entry.path:
                    self._entries[number] = entry  # with its signature judged
            while len(self._pages) > _PAGES:
                del self._pages[next(iter(self._pages))]
            self._sizes = None
        # A page of nothing that another follows would have us ask for ever.
        self._note(start + len(entries), following if entries else "")
        return not entries

    def _note(self, end: int, following: str) -> None:
        """Note where a page ended, and the cursor of the next one; empty at the end of the folder."""
        self._known = max(self._known, end)
        if not following:
            self._known, self.ended = end, True
            return
        place = bisect_left(self._starts, end)
        if place == len(self._starts) or self._starts[place] != end:
            self._starts.insert(place, end)
            self._cursors.insert(place, following)

    async def _look_through(self) -> None:
        """Look through what was read since, in slices."""
        view = self._view
        while view is not None and view is self._view and self._looked_through < len(self._entries):
            first, query = self._looked_through, self._query
            last = min(first + _LOOKED_THROUGH, len(self._entries))
            view.extend(n for n in range(first, last) if query in self._folded[n])
            self._looked_through = last
            await asyncio.sleep(0)

    async def _sort(self) -> None:
        view = self._view
        sorting = self._sorting
        if view is None or sorting == Sorting():
            return
        sign = -1 if sorting.falls else 1
        order = sorting.order

        def key(number: int) -> tuple[bool, int]:
            entry = self._entries[number]
            by = number if order is SortOrder.NAME else entry.size if order is SortOrder.SIZE else entry.at or 0
            return entry.kind is not EntryKind.FOLDER, sign * by  # folders stay above

        pieces: list[list[int]] = []
        for first in range(0, len(view), _SORTED_AT_ONCE):
            pieces.append(sorted(view[first : first + _SORTED_AT_ONCE], key=key))
            await asyncio.sleep(0)
        merged = array("L")
        for number in merge(*pieces, key=key):
            merged.append(number)
            if len(merged) % _AT_ONCE == 0:
                await asyncio.sleep(0)
        self._view = merged


def _size(entry: Entry) -> int | None:
    return None if entry.kind is EntryKind.FOLDER else entry.size
