"""The lines of a log for a list, newest first, read page by page as they come into sight, and forgotten again.

    LogWindow       the whole log: a line's leaf follows from its place, so any place is one page away
    FoundWindow     what a filter leaves of it: from the newest back, as far as somebody has looked

Rules. A few pages are in memory, whatever the log's size; of a filter also where its pages begin, three numbers a page. Leaves
never change, so a page that is read again is the one that it was. Reading is one coroutine at a time; nothing here touches a
widget.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, Protocol

from sft.client.api.log import LogLines
from sft.client.logged import LogLine
from sft.limits import LOG_ENTRIES
from tui.widgets.rows import ListRow

_PAGES: Final = 24  # in memory
_ASKED_AT_ONCE: Final = 40  # pages that one look goes through without a line before it gives others a turn


class ReadLines(Protocol):
    """Reads pages of the leaves that are asked for."""

    async def before(self, end: int | None) -> LogLines:
        """Read a page of those before a leaf, the newest first."""

    async def after(self, start: int, limit: int = LOG_ENTRIES) -> LogLines:
        """Read a page of those from a leaf on, the oldest first."""


Draw = Callable[[LogLine], ListRow[LogLine]]


class _Pages:
    """The pages that were used last; a page's lines are the oldest first."""

    def __init__(self) -> None:
        self._lines: OrderedDict[int, list[LogLine]] = OrderedDict()

    def get(self, page: int) -> list[LogLine] | None:
        found = self._lines.get(page)
        if found is not None:
            self._lines.move_to_end(page)
        return found

    def keep(self, page: int, lines: list[LogLine]) -> None:
        self._lines[page] = lines
        self._lines.move_to_end(page)
        while len(self._lines) > _PAGES:
            self._lines.popitem(last=False)

    def holds(self, page: int) -> bool:
        return page in self._lines


class LogWindow:
    """All leaves of a log.

    Args:
        size: how many there are.
    """

    def __init__(self, read: ReadLines, draw: Draw, size: int) -> None:
        self._read = read
        self._draw = draw
        self.size = size
        self._pages = _Pages()
        self._lock = asyncio.Lock()

    more = False

    def __len__(self) -> int:
        return self.size

    @property
    def found(self) -> int:
        return self.size

    def row(self, index: int) -> ListRow[LogLine] | None:
        number = self.size - 1 - index
        if not 0 <= number < self.size:
            return None
        page = self._pages.get(number // LOG_ENTRIES)
        place = number % LOG_ENTRIES
        return None if page is None or place >= len(page) else self._draw(page[place])

    def index_of(self, key: str) -> int | None:
        number = int(key) if key.isdecimal() else self.size
        return self.size - 1 - number if number < self.size else None

    def holds(self, first: int, last: int) -> bool:
        return all(self._is_here(page) for page in self._between(first, last))

    async def reach(self, first: int, last: int) -> None:
        """Read what is missing of these lines, what is in sight first."""
        async with self._lock:
            for page in self._between(first, last):
                if not self._is_here(page):
                    await self._fetch(page)

    async def grow(self) -> int:
        """Read what is new; return how many lines that is."""
        async with self._lock:
            before = self.size
            while True:
                start = self.size
                lines = await self._read.after(start)
                self._take(start, lines.lines)
                if not lines.more:
                    return self.size - before

    def _take(self, start: int, lines: Sequence[LogLine]) -> None:
        for number, line in enumerate(lines, start):
            place = number % LOG_ENTRIES
            page = self._pages.get(number // LOG_ENTRIES) or []
            if len(page) == place:
                self._pages.keep(number // LOG_ENTRIES, [*page, line])
        self.size = start + len(lines)

    def _between(self, first: int, last: int) -> Iterable[int]:
        newest, oldest = self.size - 1 - max(first, 0), max(self.size - 1 - last, 0)
        return range(newest // LOG_ENTRIES, oldest // LOG_ENTRIES - 1, -1) if self.size else ()

    def _is_here(self, page: int) -> bool:
        lines = self._pages.get(page) if self._pages.holds(page) else None
        return lines is not None and len(lines) == min(LOG_ENTRIES, self.size - page * LOG_ENTRIES)

    async def _fetch(self, page: int) -> None:
        lines: list[LogLine] = []
        start, end = page * LOG_ENTRIES, min((page + 1) * LOG_ENTRIES, self.size)
        while len(lines) < end - start:
            found = await self._read.after(start + len(lines), end - start - len(lines))
            lines += found.lines
            if not found.lines:
                break
        self._pages.keep(page, lines)


class _Part(NamedTuple):
    """Lines of one stretch [start, end) of the log."""

    start: int
    end: int
    lines: int


class FoundWindow:
    """What fits a filter.

    Args:
        size: of the log: what comes later is new.
        fits: what the server cannot be asked for.
        looked: told how far back it has been looked, while that goes on.
    """

    def __init__(
        self,
        read: ReadLines,
        draw: Draw,
        size: int,
        *,
        fits: Callable[[LogLine], bool],
        looked: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._read = read
        self._draw = draw
        self._fits = fits
        self._looked = looked
        self.size = size
        self.cursor = size  # leaves before it were not looked at
        self.more = size > 0
        self._parts: list[_Part] = []  # the newest last: so that what is new and what is older are both cheap
        self._older: list[_Part] = []
        self._pages = _Pages()
        self._starts: list[int] | None = None
        self._lock = asyncio.Lock()

    def __len__(self) -> int:
        return self.found + self.more

    @property
    def found(self) -> int:
        """How many lines were found."""
        starts = self._begun()
        return starts[-1]

    def row(self, index: int) -> ListRow[LogLine] | None:
        if not 0 <= index < self.found:
            return None
        part = bisect_right(self._begun(), index) - 1
        lines = self._pages.get(self._part(part).end)
        return None if lines is None else self._draw(lines[-1 - (index - self._begun()[part])])

    def index_of(self, key: str) -> int | None:
        for part, start in enumerate(self._begun()[:-1]):
            if self._pages.holds(self._part(part).end):
                lines = self._pages.get(self._part(part).end) or []
                for place, line in enumerate(reversed(lines)):
                    if str(line.number) == key:
                        return start + place
        return None

    def holds(self, first: int, last: int) -> bool:
        if last >= self.found and self.more:
            return False
        return all(self._pages.holds(part.end) for part in self._between(first, last))

    async def reach(self, first: int, last: int) -> None:
        """Read these lines anew where they were forgotten, and look on until there are so many."""
        async with self._lock:
            for part in self._between(first, last):
                if not self._pages.holds(part.end):
                    self._pages.keep(part.end, await self._lines(part.start, part.end))
            while self.more and self.found <= last:
                await self._look_on()

    async def grow(self) -> int:
        """Look at what is new; return how many lines of it fit."""
        async with self._lock:
            lines, end = await self._new()
            if end == self.size:
                return 0
            newest = self._part(0) if self._begun()[-1] else None
            start, self.size = self.size, end
            if not lines:
                return 0
            if newest is not None and newest.lines + len(lines) <= LOG_ENTRIES and self._pages.holds(newest.end):
                kept = self._pages.get(newest.end) or []
                part = _Part(newest.start, end, newest.lines + len(lines))
                self._replace_newest(part)
                self._pages.keep(end, kept + lines)
            else:
                self._parts.append(_Part(start, end, len(lines)))
                self._pages.keep(end, lines)
            self._starts = None
            return len(lines)

    async def _new(self) -> tuple[list[LogLine], int]:
        lines: list[LogLine] = []
        at = self.size
        while True:
            page = await self._read.after(at)
            lines += filter(self._fits, page.lines)
            at = page.next
            if not page.more:
                return lines, max(page.head.size, self.size)

    async def _look_on(self) -> None:
        """Look at older leaves until one page has a line that fits, or for a turn."""
        for _ in range(_ASKED_AT_ONCE):
            end = self.cursor
            page = await self._read.before(end)
            self.cursor, self.more = page.next, page.more
            lines = [line for line in reversed(page.lines) if self._fits(line)]
            self._looked(self.cursor)
            if lines:
                self._older.append(_Part(self.cursor, end, len(lines)))
                self._pages.keep(end, lines)
                self._starts = None
            if lines or not self.more:
                return

    async def _lines(self, start: int, end: int) -> list[LogLine]:
        lines: list[LogLine] = []
        more = True
        while more and end > start:
            page = await self._read.before(end)
            lines += [line for line in page.lines if line.number >= start and self._fits(line)]
            end, more = page.next, page.more
        return lines[::-1]

    # -- the parts, the newest first --------------------------------------------------------------------------

    def _part(self, place: int) -> _Part:
        return self._parts[-1 - place] if place < len(self._parts) else self._older[place - len(self._parts)]

    def _replace_newest(self, part: _Part) -> None:
        if self._parts:
            self._parts[-1] = part
        else:
            self._older[0] = part

    def _begun(self) -> list[int]:
        """Say at which line each part begins, and at last where the next one would."""
        if self._starts is None:
            starts = [0]
            for place in range(len(self._parts) + len(self._older)):
                starts.append(starts[-1] + self._part(place).lines)
            self._starts = starts
        return self._starts

    def _between(self, first: int, last: int) -> list[_Part]:
        starts = self._begun()
        if not starts[-1] or first >= starts[-1]:
            return []
        begin = bisect_right(starts, max(first, 0)) - 1
        end = bisect_right(starts, min(last, starts[-1] - 1)) - 1
        return [self._part(place) for place in range(begin, end + 1)]
