"""What is drawn goes to the terminal only where it differs from what stands there: over a slow line bytes are what a key costs.

The toolkit draws whatever may have changed: a change of focus most of the window, a dialog that closes all of it.

Rules. A cell is a character and the style in which it is drawn. What stands on the terminal is known from what was written; it
is forgotten whenever something else may have written there, or moved it: then everything is drawn. A line with a character
whose width terminals do not agree upon is written whole, as what follows such a character may stand elsewhere. Runs of one
style go together, whatever their line: most of what a small change takes would be the colors, again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, TypeAlias

from rich.cells import cell_len, get_character_cell_size, split_graphemes
from rich.color import ColorSystem
from rich.console import Console
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Size
from textual.strip import Strip

_PASSED: Final = 6  # cells that stand already are written again sooner than the cursor is sent beyond them

Cell: TypeAlias = tuple[str, str]
"""Its characters and the codes of its style; the second half of a wide character has none."""

_UNKNOWN: Final = ("", "?")


class _Line:
    """Cells; ``odd`` if not each of their characters surely takes one."""

    __slots__ = ("cells", "odd")

    def __init__(self, cells: list[Cell], *, odd: bool) -> None:
        self.cells = cells
        self.odd = odd


class ChangedCells:
    """What stands on the terminal."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._size = Size(0, 0)

    def forget(self) -> None:
        """Draw everything anew: nobody knows any more what stands there."""
        self._size = Size(0, 0)

    def of(self, update: CompositorUpdate, size: Size) -> CompositorUpdate:
        """Return what of an update is to be written on a terminal of that size."""
        return _Changes(update, lambda color: self._written(update, size, color))

    def _written(self, update: CompositorUpdate, size: Size, color: ColorSystem) -> str:
        if size != self._size:
            self._size = size
            self._lines = [_Line([_UNKNOWN] * size.width, odd=True) for _ in range(size.height)]
        is_whole = isinstance(update, LayoutUpdate) and update.region.x <= 0 and update.region.right >= size.width
        drawn: dict[int, _Line] = {}
        for y, x, strip in _pieces(update):
            if 0 <= y < size.height:
                if y not in drawn:
                    before = self._lines[y]
                    drawn[y] = _Line(before.cells.copy(), odd=before.odd and not is_whole)
                _draw(drawn[y], x, strip, color)
        runs: dict[str, list[tuple[int, int, str]]] = {}
        for y, line in drawn.items():
            before, self._lines[y] = self._lines[y], line
            del line.cells[size.width :]
            if before.cells != line.cells:
                for x, style, text in _runs(before, line):
                    runs.setdefault(style, []).append((y, x, text))
        return "".join(_sequence(runs))


class _Changes(CompositorUpdate):
    """An update of which only what differs is written; what it writes counts as standing there from then on."""

    def __init__(self, update: CompositorUpdate, written: Callable[[ColorSystem], str]) -> None:
        self._update = update
        self._written = written

    def render_segments(self, console: Console) -> str:
        # Where a terminal has no colors the toolkit has taken them out of the styles.
        return self._written(console._color_system or ColorSystem.TRUECOLOR)  # noqa: SLF001 - as the toolkit does


def _pieces(update: CompositorUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Give the parts of an update, each with its line and column."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                yield y, x, strip
                x += strip.cell_length
    elif isinstance(update, ChopsUpdate):
        for y, first, last in update.spans:
            for end, (x, part) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if part is not None and x <= last and end > first:
                    yield y, x, part if end <= last else part.crop(0, last - x)


def _draw(line: _Line, x: int, strip: Strip, color: ColorSystem) -> None:
    """Draw a part of a line over what stands there."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        codes = "" if style is None else style._ansi if style._ansi is not None else Strip.render_ansi(style, color)  # noqa: SLF001 - as the toolkit does
        found, odd = _cells_of(text, codes)
        if odd and not get_character_cell_size(text[0]):  # it stands on the one before it
            _put_onto(cells, found[0])
            found = found[1:]
        cells.extend(found)
        line.odd = line.odd or odd
    line.cells[x : x + len(cells)] = cells


@lru_cache(maxsize=4096)
def _cells_of(text: str, codes: str) -> tuple[tuple[Cell, ...], bool]:
    """Return the cells of a text, and whether not each of its characters surely takes one."""
    if text.isascii():
        return tuple(_cell(character, codes) for character in text), False
    cells: list[Cell] = []
    odd = False
    for start, end, width in split_graphemes(text)[0]:  # as the toolkit measures: a heart and a selector are two wide
        odd = odd or width != 1 or end - start > 1
        cells.append(_cell(text[start:end], codes))
        cells.extend([("", codes)] * (width - 1))
    return tuple(cells), odd


def _put_onto(cells: list[Cell], mark: Cell) -> None:
    """Let what has no width stand on the character before it."""
    if cells:
        at = len(cells) - 1 - (not cells[-1][0])
        text = cells[at][0] + mark[0]
        if cell_len(text) == cell_len(cells[at][0]):  # it had its place before
            cells[at] = (text, cells[at][1])


@lru_cache(maxsize=16384)
def _cell(character: str, codes: str) -> Cell:
    """Make a cell once: the same ones are compared, line for line, at every frame."""
    return character, codes


def _runs(before: _Line, line: _Line) -> Iterator[tuple[int, str, str]]:
    """Give what differs in a line: column, style and text."""
    cells = line.cells
    if before.odd or line.odd:
        cells, changed = _without_halves(cells), list(range(len(cells)))
    else:
        pairs = enumerate(zip(before.cells, cells, strict=True))
        changed = [x for x, (old, new) in pairs if old is not new and old != new]
    first = end = changed[0]
    style = cells[first][1]
    for x in changed[1:]:
        if x - end > _PASSED or any(codes != style for _, codes in cells[end + 1 : x + 1]):
            yield first, style, "".join(text for text, _ in cells[first : end + 1])
            first, style = x, cells[x][1]
        end = x
    yield first, style, "".join(text for text, _ in cells[first : end + 1])


def _without_halves(line: list[Cell]) -> list[Cell]:
    """Blank what is left of a wide character of which the other half was drawn over."""
    follows = [text for text, _ in line[1:]] + [" "]
    mended: list[Cell] = []
    for (text, style), after in zip(line, follows, strict=True):
        is_second = not text and bool(mended) and _is_wide(mended[-1][0])
        is_whole = not after if _is_wide(text) else bool(text) or is_second
        mended.append((text if is_whole else " ", style))
    return mended


def _is_wide(text: str) -> bool:
    return not text.isascii() and cell_len(text) > 1


def _sequence(runs: dict[str, list[tuple[int, int, str]]]) -> Iterator[str]:
    """Give what draws such runs, style by style."""
    for style, found in runs.items():
        yield f"\x1b[0;{style}m" if style else "\x1b[0m"
        for y, x, text in found:
            yield f"\x1b[{y + 1};{x + 1}H{text}"
    if runs:
        yield "\x1b[0m"
