"""The list that every screen uses: it draws the lines in sight and nothing else, so a million of them cost what forty do.

Rules. Keys come from ``tui.keys``. Space selects and steps on, it never acts; enter opens. A line that is not here yet is drawn
as dots, and asked for with ``RowsWanted`` before it comes into sight. Selection and cursor belong to keys of lines, not to
their places: both survive a listing that is read anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.glyphs import FINE, Glyphs
from tui.keys import bindings_of
from tui.runtime.line_cache import LineCache
from tui.text import cut, cut_name, cut_path
from tui.themes.styles import styles_of
from tui.widgets.list_messages import (
    AllWanted,
    HeadingClicked,
    Highlighted,
    RowOpened,
    RowsWanted,
    SelectionChanged,
    WentBack,
)
from tui.widgets.names import cut_names
from tui.widgets.rows import Arrange, Column, ListRow, ListRows, Placed, RowSource, layout

_ODD: Final = re.compile(r"(\\u\{[0-9a-f]+\})")
_OF_SELECTING: Final = frozenset(
    f"list.{name}" for name in ("select", "select_up", "select_down", "select_all", "invert")
)
_SCREENS_AHEAD: Final = 2  # beyond the lines in sight: what a page key shows next is here already


_TONES: Final = ("strong", "good", "doubt", "bad", "second", "accent")  # of cells that are live


class RowList(ScrollView, can_focus=True):
    """A list of lines with a cursor and a selection.

    Args:
        columns: what each line shows, or what decides it.
        selecting: whether lines can be selected.
        header: whether the titles of the columns stand above.
        sign: of a selected line, where the usual one means something else in this list.
        leads: a field beside it has the focus and moves its cursor, which looks as if it had.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("list")]

    cursor: reactive[int] = reactive(0, repaint=False)

    Highlighted: TypeAlias = Highlighted
    Opened: TypeAlias = RowOpened
    WentBack: TypeAlias = WentBack
    HeadingClicked: TypeAlias = HeadingClicked
    SelectionChanged: TypeAlias = SelectionChanged
    AllWanted: TypeAlias = AllWanted
    RowsWanted: TypeAlias = RowsWanted

    def __init__(
        self,
        columns: Sequence[Column] | Arrange,
        *,
        selecting: bool = False,
        header: bool = True,
        leads: bool = False,
        sign: str = "",
        glyphs: Glyphs = FINE,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._styles_cache = LineCache(self._facts_of)
        self._columns: Arrange = columns if callable(columns) else partial(_laid_out, list(columns))
        self._placed: Placed = ()
        self._texts: dict[int, str] = {}  # names in sight, cut
        self.selecting = selecting
        self.glyphs = glyphs
        self._sign = sign or glyphs.selected
        self.selected: set[str] = set()
        self.empty = ""
        self._header = int(header)
        self._source: RowSource[Any] = ListRows()
        self._cursor_key = ""
        self._leads = leads
        self._base = Style.null()
        self._styles: Mapping[str, Style] = {}
        self._wanted: tuple[int, int] | None = None
        self._stale = False

    # -- what it shows ------------------------------------------------------------------------------

    @property
    def source(self) -> RowSource[Any]:
        return self._source

    @property
    def current(self) -> ListRow[Any] | None:
        return self._source.row(self.cursor)

    def show(self, source: RowSource[Any], *, at: str | None = None) -> None:
        """Show other lines; the cursor goes to the line of a key, else it stays on its key, or near."""
        self._source = source
        key = self._cursor_key if at is None else at
        found = source.index_of(key) if key else None
        if found is None and at is not None:
            found = 0
        self._wanted = None
        self._resize()
        self.cursor = self._clamped(self.cursor if found is None else found)
        self.changed()

    def changed(self) -> None:
        """Draw anew after the source has changed by itself."""
        self._wanted = None
        self._resize()
        if self.cursor >= len(self._source):
            self.cursor = self._clamped(self.cursor)
        self._remember()
        self.refresh()
        self.post_message(self.Highlighted(self, self.current))

    def set_stale(self, stale: bool) -> None:  # noqa: FBT001 - the one thing that it says
        """Draw everything quietly that nobody can vouch for any more, or as ever again."""
        if stale is not self._stale:
            self._stale = stale
            self.refresh()

    def select_keys(self, keys: set[str]) -> None:
        self.selected = keys
        self.refresh()
        self.post_message(self.SelectionChanged(self))

    def move_to(self, index: int) -> None:
        self.cursor = self._clamped(index)

    def aim(self, key: str) -> None:
        """Put the cursor on the line of a key, now or once it is here."""
        found = self._source.index_of(key)
        if found is not None:
            self.move_to(found)
        self._cursor_key = key

    # -- drawing ----------------------------------------------------------------------------------------

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines in sight; the style below all of them, and what they need, is found out once."""
        self._base, self._styles = self.rich_style, styles_of(self.app.theme)
        if self._stale:
            muted = self._styles["muted"]
            self._base += muted
            self._styles = {**self._styles, **dict.fromkeys(_TONES, muted)}
        self._look_ahead()
        self._place()
        return super().render_lines(crop)

    def _facts_of(self, y: int) -> tuple[int, object] | None:
        """Return which line stands there, and all that it is drawn from."""
        index = round(self.scroll_offset.y) + y - self._header
        row = None if y < self._header else self._source.row(index)
        if row is None:
            return None
        looks = index == self.cursor, self._leads_keys, row.key in self.selected
        return index, (row, *looks, self._texts.get(index), self._placed, self._base, self._styles)

    def _place(self) -> None:
        """Place the columns, and cut names so that those in sight can be told apart."""
        top = round(self.scroll_offset.y)
        found = (
            (index, self._source.row(index)) for index in range(top, min(top + self.size.height, len(self._source)))
        )
        rows = [(index, row) for index, row in found if row is not None]
        self._placed = self._columns(self.size.width - 2, [row for _, row in rows])
        self._texts = {}
        for place, (column, _) in enumerate(self._placed):
            if column.is_name or column.is_path:
                rooms = [self._room(row.cells, place) for _, row in rows]
                names = [row.cells.get(column.key, "") for _, row in rows]
                texts = cut_names(names, rooms, self.glyphs.ellipsis, paths=column.is_path)
                self._texts |= dict(zip((index for index, _ in rows), texts, strict=True))
                break

    def _room(self, cells: Mapping[str, str], place: int) -> int:
        """Return the room of a cell and of the empty ones after it."""
        room = self._placed[place][1]
        for column, width in self._placed[place + 1 :]:
            if cells.get(column.key):
                break
            room += width + 1
        return room

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self._base
        if self._header and y == 0:
            style = base + self._styles["muted"]
            cells = {column.key: cut(column.title, room, self.glyphs.ellipsis) for column, room in self._placed}
            return self._strip(cells, {}, width, style)
        top = round(self.scroll_offset.y)
        index = top + y - self._header
        if index >= len(self._source):
            words, number = self.empty.splitlines(), index - len(self._source) - 1
            if self._is_bare and 0 <= number < len(words):
                muted = base + self._styles["muted"]
                return Strip([Segment(f" {cut(words[number], width - 2)}", muted)]).adjust_cell_length(width, base)
            return Strip.blank(width, base)
        row = self._source.row(index)
        is_cursor = index == self.cursor
        if row is None:
            style = base + self._styles["muted"]
            text = f" {self.glyphs.ellipsis}"
            strip = Strip([Segment(text, style)]).adjust_cell_length(width, base)
            return strip.apply_style(self._styles["cursor"]) if is_cursor and self._leads_keys else strip
        style = base
        if row.key in self.selected:
            style += self._styles["selected"]
        is_bar = is_cursor and self._leads_keys
        if is_bar:
            style += self._styles["cursor"]
        is_marked = row.key in self.selected
        strip = self._strip(
            row.cells, row.tones, width, style, keep=is_bar, marked=is_marked, name=self._texts.get(index)
        )
        return self._outlined(strip, style) if is_cursor and not is_bar else strip

    def _outlined(self, strip: Strip, style: Style) -> Strip:
        """Show where the cursor of a list stands that keys do not move."""
        edge = style + self._styles["outline"]
        before, behind = (Strip([Segment(sign, edge)]) for sign in (self.glyphs.before, self.glyphs.behind))
        return Strip.join([before, strip.crop(1, strip.cell_length - 1), behind])

    def _strip(
        self,
        cells: Mapping[str, str],
        tones: Mapping[str, str],
        width: int,
        style: Style,
        *,
        keep: bool = False,
        marked: bool = False,
        name: str | None = None,
    ) -> Strip:
        segments: list[Segment] = []
        following = 0  # the first column that a name has not run through
        for number, (column, own_room) in enumerate(self._placed):
            if number < following:
                continue
            room = own_room
            segments.append(Segment(" " * (column.gap if number else 1), style))
            text = cells.get(column.key, "")
            if marked and column.key == "mark":
                text = self._sign
            if name is not None and (column.is_name or column.is_path):
                text, name = name, None
                following = number + 1
                while cell_len(text) > room and following < len(self._placed):
                    passed, width_passed = self._placed[following]
                    room += passed.gap + width_passed
                    following += 1
            else:
                fits = cut_name if column.is_name else cut_path if column.is_path else cut
                text = fits(text, room, self.glyphs.ellipsis)
            suffix = cells.get("suffix", "") if column.is_name else ""
            suffix = f" {suffix}" if suffix and cell_len(text) + 1 + cell_len(suffix) <= room else ""
            spare = " " * max(room - cell_len(text) - cell_len(suffix), 0)
            text = spare + text if column.right else text
            tone = tones.get(column.key)
            # On the cursor's own color other colors may not be readable: there the sign alone tells.
            cell_style = style + self._styles[tone] if tone and not keep else style
            if tone == "bar" and not keep:
                segments.extend(self._bar(text + spare, style))
                continue
            for part, piece in enumerate(_ODD.split(text)):
                if piece:
                    odd = Style(reverse=True) if part % 2 else Style.null()
                    segments.append(Segment(piece, cell_style + odd))
            if suffix:
                quiet = style if keep else style + self._styles["muted"]
                segments.append(Segment(suffix, quiet))
            if spare and not column.right:
                segments.append(Segment(spare, cell_style))
        segments.append(Segment(" ", style))
        return Strip(segments).adjust_cell_length(width, style)

    @property
    def _is_bare(self) -> bool:
        """Whether nothing stands here but the way up."""
        first = self._source.row(0)
        return not len(self._source) or (len(self._source) == 1 and first is not None and not first.selectable)

    def _bar(self, text: str, style: Style) -> list[Segment]:
        full = len(text) - len(text.lstrip(self.glyphs.full + self.glyphs.half))
        end = len(text) - len(text[full:].lstrip(self.glyphs.empty))
        return [
            Segment(piece, style + self._styles[part] if part else style)
            for piece, part in ((text[:full], "bar"), (text[full:end], "track"), (text[end:], ""))
            if piece
        ]

    @property
    def _leads_keys(self) -> bool:
        """Whether keys move its cursor now: then it is a bar, else an outline."""
        return self.has_focus or self._leads

    def _look_ahead(self) -> None:
        """Ask for what is missing among the lines in sight and those around them, once."""
        top, height = round(self.scroll_offset.y), self.size.height
        first = max(top - height, 0)
        last = min(top + height * (1 + _SCREENS_AHEAD), len(self._source) - 1)
        if self._source.holds(first, last):
            # What was asked for before is not wanted any more: nobody must go on looking for it.
            asked, self._wanted = self._wanted, None
            if asked is not None:
                self.post_message(self.RowsWanted(self, first, last))
        elif (first, last) != self._wanted:
            self._wanted = (first, last)
            self.post_message(self.RowsWanted(self, first, last))

    def _resize(self) -> None:
        height = len(self._source) + self._header
        if self.virtual_size.height != height or self.virtual_size.width != self.size.width:
            self.virtual_size = Size(self.size.width, height)

    # -- the cursor ---------------------------------------------------------------------------------------

    def watch_cursor(self, old: int, new: int) -> None:
        self._remember()
        for index in (old, new):
            self.refresh_line(index + self._header)
        self._into_sight(new)
        self.post_message(self.Highlighted(self, self.current))

    def _into_sight(self, index: int) -> None:
        room = max(self.size.height - self._header, 1)
        top = round(self.scroll_offset.y)
        if index < top:
            self.scroll_to(y=index, animate=False, immediate=True)
        elif index >= top + room:
            self.scroll_to(y=index - room + 1, animate=False, immediate=True)

    def _remember(self) -> None:
        row = self.current
        if row is not None:
            self._cursor_key = row.key

    def _clamped(self, index: int) -> int:
        return max(0, min(index, len(self._source) - 1))

    def on_resize(self, event: events.Resize) -> None:
        del event
        self._wanted = None
        self._resize()
        self._into_sight(self.cursor)
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # -- keys and mouse -----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys of selecting to the screen where nothing can be selected."""
        return self.selecting or action != "act" or parameters[0] not in _OF_SELECTING

    def action_act(self, act: str) -> None:
        page = max(self.size.height - self._header - 1, 1)
        last = len(self._source) - 1
        moves = {
            "list.up": self.cursor - 1,
            "list.down": self.cursor + 1,
            "list.page_up": self.cursor - page,
            "list.page_down": self.cursor + page,
            "list.first": 0,
            "list.last": last,
        }
        if act in moves:
            self.move_to(moves[act])
        elif act == "list.open":
            if self.current is not None:
                self.post_message(self.Opened(self, self.current))
        elif act == "list.back":
            self.post_message(self.WentBack(self))
        elif self.selecting:
            self._select(act)

    def _select(self, act: str) -> None:
        if act in {"list.select", "list.select_down"}:
            self._toggle()
            self.move_to(self.cursor + 1)
        elif act == "list.select_up":
            self._toggle()
            self.move_to(self.cursor - 1)
        elif act in {"list.select_all", "list.invert"}:
            self.post_message(self.AllWanted(self, act == "list.invert"))

    def _toggle(self) -> None:
        row = self.current
        if row is not None and row.selectable:
            self.selected ^= {row.key}
            self.refresh_line(self.cursor + self._header)
            self.post_message(self.SelectionChanged(self))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a double click opens; with ctrl it selects."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = round(self.scroll_offset.y) + offset.y - self._header
        if offset.y < self._header and (column := self._column_at(offset.x)):
            self.post_message(self.HeadingClicked(self, column))
        if offset.y < self._header or not 0 <= index < len(self._source):
            return
        self.move_to(index)
        if self.selecting and event.ctrl:
            self._toggle()
        elif event.chain == 2 and self.current is not None:  # noqa: PLR2004 - a double click
            self.post_message(self.Opened(self, self.current))

    def _column_at(self, x: int) -> str:
        """Return the key of the column whose title stands there, with the gap before it."""
        end = 0
        for number, (column, width) in enumerate(self._placed):
            end += (column.gap if number else 1) + width
            if x < end:
                return column.key
        return ""


def _laid_out(columns: Sequence[Column], width: int, rows: Sequence[ListRow[Any]]) -> Placed:
    del rows
    return layout(columns, width)
