"""One side of the Files screen: a titled list, its filter, and the folder that it shows.

Rules. Where it stands, and how lines are read there, its side knows. Reading goes on in workers, one at a time; what comes
back is shown only if the pane still wants it. A folder is read anew without losing cursor or selection, and a place that was
left is found again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.worker import Worker, WorkerError

from sft.errors import SftError
from sft.model.text import count_text
from tui.context import AppContext
from tui.glyphs import Glyphs
from tui.panes.columns import Placed, placed, sight_of
from tui.panes.entry import Entry, EntryKind
from tui.panes.folder_list import FolderList
from tui.panes.inside import Tally
from tui.panes.paging import PagedRows, Sorting, SortOrder
from tui.panes.pane_side import PaneSide
from tui.text import cut_path
from tui.widgets.filter_line import FilterLine
from tui.widgets.row_list import RowList
from tui.widgets.rows import ListRow, ListRows
from tui.workers import start_worker

_SLOW_SECONDS: Final = 0.4  # so long the lines of the folder before stay: most are read sooner
_GROWN_SECONDS: Final = 0.1  # how often a list that grows is drawn anew
_SORTED_BY: Final = {  # of a column that is clicked
    "name": SortOrder.NAME,
    "size": SortOrder.SIZE,
    "age": SortOrder.DATE,
    "date": SortOrder.DATE,
}
_FILTER_SECONDS: Final = 0.04  # typing goes on while a hundred thousand names are looked through


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """Lines in sight, and around them, that are to be read."""

    rows: PagedRows
    first: int
    last: int


class Pane(Vertical):
    """One side."""

    @dataclass
    class Failed(Message):
        """A folder could not be read."""

        pane: Pane
        error: SftError

    @dataclass
    class Read(Message):
        """A folder, or more of it, is here."""

        pane: Pane

    def __init__(self, side: PaneSide, glyphs: Glyphs, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.rows: PagedRows | None = None
        self._side = side
        self.sorting = Sorting()
        self.query_text = ""
        self._glyphs = glyphs
        self._shelf = side.shelf
        self._later_width: int | None = None
        self.lines = FolderList(self._place, selecting=True, glyphs=glyphs)
        self._filter_line = FilterLine("part of a name", lambda: self.lines)
        self._places: dict[str, int] = {}
        self._location = ""
        self._title = ("", "")
        self._wanted: _Wanted | None = None
        self._is_paging = False
        self._selecting: Worker[object] | None = None
        self._arranging: Worker[object] | None = None
        self._shown_soon = ExitStack()
        self._is_unread = False
        self._weights: dict[str, int | None] = {}
        self._weight = Tally()

    def compose(self) -> ComposeResult:
        yield self.lines
        yield self._filter_line

    # -- what it shows -------------------------------------------------------------------------------------

    @property
    def current(self) -> Entry | None:
        row = self.lines.current
        return None if row is None else cast("Entry", row.value)

    @property
    def chosen(self) -> list[str]:
        """Paths that an act is about: those selected, else the one under the cursor."""
        selected = self.lines.selected
        if selected:
            return sorted(selected)
        entry = self.current
        return [] if entry is None or not entry.can_be_chosen else [entry.path]

    @property
    def chosen_lines(self) -> list[Entry]:
        """The lines that an act is about, as ``chosen``: in the trash several have one path, and one is meant."""
        if self.lines.selected and self.rows is not None:
            return self.rows.lines_of(self.lines.selected)
        entry = self.current
        return [] if entry is None or not entry.can_be_chosen else [entry]

    def found(self, paths: Sequence[str]) -> dict[str, Entry]:
        """Return the lines of those paths that are here."""
        return {} if self.rows is None else self.rows.find(frozenset(paths))

    @property
    def weight(self) -> Tally:
        """What they are: those selected, else the one under the cursor."""
        if self.lines.selected:
            return self._weight
        entry = self.current
        return Tally() if entry is None else Tally.of([entry])

    def open(self, entry: Entry) -> None:
        """Show a folder of the list, or the one above."""
        if entry.kind is EntryKind.UP:
            self.go_up()
        else:
            self._side.enter(entry)
            self.read(expected=sum(entry.inside) if entry.inside else None)

    def go_up(self) -> None:
        if self._side.go_up():
            self.read()

    def read(self, *, anew: bool = False, expected: int | None = None, at: str = "") -> None:
        """Show the folder in which its side stands.

        Args:
            anew: cursor, selection and filter stay.
            expected: how many entries it has, if known.
            at: the path on which the cursor is to stand.
        """
        side = self._side
        if side.absence:
            if self.rows is None:
                self._title = side.title
                self.lines.selected = set()
                self.lines.empty = side.absence
                self.lines.show(ListRows())
                self._retitle()
            return
        if not anew:
            if self.rows is not None:
                self._places[self._location] = self.lines.cursor
            self.lines.selected = set()
            self.query_text = ""
            self._filter_line.drop()
            self._location = side.location
        self._shelf = side.shelf
        self._title = side.title
        self._retitle()
        job = partial(self._show, side.rows(expected), anew=anew, at=at)
        self._work(job if anew else partial(self._open, job), keys_wait=not anew)

    def read_anew(self) -> None:
        """Read again what may be old, or could not be read."""
        if self.rows is not None or self._is_unread:
            self.read(anew=self.rows is not None)

    @property
    def _emptiness(self) -> str:
        return "Nothing fits the filter: esc clears it." if self.query_text else self._side.emptiness

    def say_failed(self, words: str) -> None:
        """Where nothing is shown yet, say why in its place, and what tries again."""
        if self.rows is None:
            self.lines.empty = f"{words}\nR tries again."
            self.lines.show(ListRows())

    @on(Failed)
    def _failed(self, event: Failed) -> None:
        if self._side.retreat(event.error):
            self.read()

    async def _open(self, show: Callable[[], Coroutine[None, None, None]]) -> None:
        """Show a folder; keys that come meanwhile are for it, and soon no line of another one stands under its title."""
        slow = self.set_timer(_SLOW_SECONDS, self._say_reading)
        try:
            await show()
        finally:
            slow.stop()

    def _keys_wait(self) -> AbstractContextManager[None]:
        return cast("AppContext", self.app).keys_wait()

    def _say_reading(self) -> None:
        self.lines.empty = f"Reading{self._glyphs.ellipsis}"
        self.lines.show(ListRows())

    async def _show(self, rows: PagedRows, *, anew: bool, at: str = "") -> None:
        rows_list = self.lines
        # The cursor stands on what can be opened, put or got, not on the way up.
        first = rows.entry(0)
        start = int(first is not None and first.kind is EntryKind.UP)
        target = rows_list.cursor if anew else self._places.get(self._location, start)
        height = max(rows_list.size.height, 20)
        try:
            if at:
                target = await rows.place_of(at) or target
            await rows.ensure(max(target - height, 0), target + height)
            if self.query_text or self.sorting != Sorting():
                await rows.arrange(self.query_text, self.sorting)
        except SftError as error:
            if not anew:  # the lines of another folder do not stand under its title
                self.rows, self._is_unread = None, True
            self.post_message(self.Failed(self, error))
            return
        self.rows, self._is_unread = rows, False
        self.lines.empty = self._emptiness
        if anew:
            rows_list.selected -= rows.gone(rows_list.selected)
            self._weigh()
            rows_list.show(rows)
        else:
            rows_list.show(rows, at="")
            rows_list.move_to(target)
            if not target:
                rows_list.scroll_to(y=0, animate=False, immediate=True)
        self._retitle()
        self.post_message(self.Read(self))

    # -- reading -------------------------------------------------------------------------------------------

    def _work(self, job: Callable[[], Coroutine[None, None, None]], *, keys_wait: bool = False) -> Worker[object]:
        return start_worker(self, job, group="reading", exclusive=True, keys_wait=keys_wait)

    @on(RowList.RowsWanted)
    def _rows_wanted(self, event: RowList.RowsWanted) -> None:
        event.stop()
        if self.rows is None:
            return
        self._wanted = _Wanted(self.rows, event.first, event.last)
        if not self._is_paging:
            # Not of the group of whole folders: lines that are wanted late must not stop one that is being opened.
            self._is_paging = True
            start_worker(self, self._page, group="paging")

    def _is_wanted(self, wanted: _Wanted) -> bool:
        return self._wanted is wanted

    async def _page(self) -> None:
        """Read what is wanted, page by page; a page that is on its way is never given up for another."""
        try:
            while (wanted := self._wanted) is not None:
                rows = wanted.rows
                still_wanted = partial(self._is_wanted, wanted)
                has_read = await rows.ensure(wanted.first, wanted.last, still_wanted)
                if self._wanted is wanted:
                    self._wanted = None
                if has_read and rows is self.rows:
                    self.lines.changed()
                    self._retitle()
                    self.post_message(self.Read(self))
        except SftError as error:
            self._wanted = None
            self.post_message(self.Failed(self, error))
        finally:
            self._is_paging = False

    @on(FolderList.EndWanted)
    def _end_wanted(self, event: FolderList.EndWanted) -> None:
        event.stop()
        if self.rows is not None and self.rows.total is None:
            start_worker(self, partial(self._go_to_end, self.rows), group="end", exclusive=True, keys_wait=True)

    async def _go_to_end(self, rows: PagedRows) -> None:
        """Go to the last line of a folder of which nobody said how many there are."""
        before = self.lines.cursor
        try:
            await rows.reach_end(lambda: self.lines.cursor == before)
        except SftError as error:
            self.post_message(self.Failed(self, error))
            return
        if rows is self.rows and self.lines.cursor == before:
            self.lines.changed()
            self.lines.move_to(len(rows) - 1)
            self._retitle()
            self.post_message(self.Read(self))

    @on(RowList.AllWanted)
    def _all_wanted(self, event: RowList.AllWanted) -> None:
        event.stop()
        if self.rows is not None:
            job = partial(self._select_all, self.rows, invert=event.invert)
            self._selecting = start_worker(self, job, group="selecting", exclusive=True)

    async def _select_all(self, rows: PagedRows, *, invert: bool) -> None:
        try:
            await rows.complete()
        except SftError as error:
            self.post_message(self.Failed(self, error))
            return
        sizes = await rows.selectable()
        everything = set(sizes)
        self._weights |= sizes
        self.lines.select_keys(everything - self.lines.selected if invert else everything)

    @property
    def is_settling(self) -> bool:
        """Whether a selection, a filter or an order was asked for that is not there yet."""
        return any(worker is not None and not worker.is_finished for worker in (self._selecting, self._arranging))

    async def settled(self) -> bool:
        """Wait for them; return whether they came."""
        try:
            for worker in (self._arranging, self._selecting):
                if worker is not None and not worker.is_finished:
                    await worker.wait()
        except WorkerError:  # another folder was opened meanwhile
            return False
        return True

    # -- filter and order ------------------------------------------------------------------------------------

    def open_filter(self) -> None:
        self._filter_line.open()

    def clear(self) -> bool:
        """Drop the filter, else the selection; return whether there was one."""
        if self.query_text or self._filter_line.used:
            self.query_text = ""
            self._filter_line.drop()
            self._arrange()
            return True
        if self.lines.selected:
            self.lines.select_keys(set())
            return True
        return False

    def sort(self, sorting: Sorting) -> None:
        """Sort otherwise: what comes first is in sight then, and the cursor stays on its entry."""
        self.sorting = sorting
        self._arrange(to_top=True)

    @on(RowList.HeadingClicked)
    def _heading_clicked(self, event: RowList.HeadingClicked) -> None:
        event.stop()
        order = _SORTED_BY.get(event.column)
        if order is not None:
            self.sort(self.sorting.by(order))

    @on(FilterLine.Typed)
    def _typed(self, event: FilterLine.Typed) -> None:
        event.stop()
        if event.text != self.query_text:
            self.query_text = event.text
            self._arrange(typing=True)

    @on(FilterLine.Left)
    def _filter_left(self, event: FilterLine.Left) -> None:
        event.stop()
        self.clear()

    @on(FilterLine.Submitted)
    def _filter_submitted(self, event: FilterLine.Submitted) -> None:
        """Let what is typed next be for the lines that fit, though they may not be there yet."""
        event.stop()
        if self._arranging is not None and not self._arranging.is_finished:
            self._shown_soon.enter_context(self._keys_wait())

    def _arrange(self, *, typing: bool = False, to_top: bool = False) -> None:
        if self.rows is None:
            return
        self._shown_soon = shown_soon = ExitStack()
        if not typing:
            shown_soon.enter_context(self._keys_wait())
        self._arranging = self._work(partial(self._arranged, self.rows, shown_soon, typing=typing, to_top=to_top))

    async def _arranged(self, rows: PagedRows, shown_soon: ExitStack, *, typing: bool, to_top: bool) -> None:
        """Filter and sort; ``shown_soon`` is left when the first lines are there, though more may come."""
        with shown_soon:
            if typing:
                await asyncio.sleep(_FILTER_SECONDS)
            if rows is not self.rows:
                return
            shown_at = float("-inf")
            is_placed = False

            def place() -> None:
                nonlocal is_placed
                at = None if is_placed else self._focus_key(rows)
                is_placed = is_placed or at is not None
                self.lines.show(rows, at=at)
                self._retitle()

            def more() -> None:
                nonlocal shown_at
                now = asyncio.get_running_loop().time()
                if now - shown_at >= _GROWN_SECONDS:
                    shown_at = now
                    place()
                    shown_soon.close()

            self.lines.empty = self._emptiness
            try:
                await rows.arrange(self.query_text, self.sorting, more)
            except SftError as error:
                self.post_message(self.Failed(self, error))
                return
            place()
            if to_top:
                self.lines.scroll_to(y=0, animate=False, immediate=True)
            self.post_message(self.Read(self))

    def _focus_key(self, rows: PagedRows) -> str | None:
        """Where the cursor goes: to the first match while something is typed, else where it was."""
        first = rows.row(0) if self.query_text else None
        return None if first is None else first.key

    def show_within(self, later_width: int | None) -> None:
        """Note how wide the list will be in a wider window where something comes to stand beside it."""
        if later_width != self._later_width:
            self._later_width = later_width
            self.lines.refresh()

    def _place(self, width: int, rows: Sequence[ListRow[Entry]]) -> Placed:
        arrow = self._glyphs.down if self.sorting.falls else self._glyphs.up
        return placed(width, sight_of(rows), self._shelf, self.sorting.order, arrow, self._later_width)

    # -- its frame ---------------------------------------------------------------------------------------------

    @on(RowList.SelectionChanged)
    def _selection_changed(self) -> None:
        self._weigh()
        self._retitle()

    def _weigh(self) -> None:
        """Add up what is selected: each size is looked up once."""
        selected, rows = self.lines.selected, self.rows
        for gone in self._weights.keys() - selected:
            del self._weights[gone]
        for key in selected - self._weights.keys():
            self._weights[key] = 0 if rows is None else rows.size_of(key)
        sizes = list(self._weights.values())
        folders = sizes.count(None)
        self._weight = Tally(folders, len(sizes) - folders, size=sum(filter(None, sizes)))

    def on_resize(self) -> None:
        self._retitle()

    def _retitle(self) -> None:
        room = max(self.size.width - 7, 4)
        title, path = self._title
        path = cut_path(path, max(room - len(title) - 1, 4), self._glyphs.ellipsis)
        self.lines.border_title = Content(f"{title} {path}".strip())
        self.lines.border_subtitle = Content(self._summary(self.rows, room)) if self.rows else None

    def _summary(self, rows: PagedRows, room: int) -> str:
        if self.lines.selected:
            return f"{count_text(len(self.lines.selected))} selected: {self._weight.words}"
        total = rows.total
        whole = self._glyphs.ellipsis if total is None else count_text(total)
        if self.query_text:
            return f"{count_text(rows.matching)} of {whole}"
        if total == 0:
            return "empty"
        counted = rows.tally
        message = f"{whole} items" if counted is None else counted.words
        order = "" if self.sorting == Sorting() else f", by {self.sorting.order.value}"
        return message + order if cell_len(message + order) <= room else message  # the heading says it too
