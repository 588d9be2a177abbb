"""What the toolkit leaves to be set for the whole process: scroll bars of whole cells, and how soon keys are answered.

Its own scroll bars draw eighths of a cell, which plain terminals do not have; and all of their lines with each line scrolled.
"""

from __future__ import annotations

import math
from typing import ClassVar, Final

from textual import constants, screen
from textual.scrollbar import ScrollBar, ScrollBarRender

_FRAME_SECONDS: Final = 1 / 120  # a change waits for it; the toolkit's own 1/60 is a third of what a key may take
_CELL_PARTS: Final = 8  # where a bar begins is counted so, whatever it is drawn of
_ESCAPE_SECONDS: Final = 0.025  # what follows an escape within a sequence comes at once, also from far away


class WholeCells(ScrollBarRender):
    """Draws spaces on colors alone."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def _drawn_position(self: ScrollBar, position: float) -> float:
    """Return the least position that looks the same: a bar that stays where it is, is not drawn for each line scrolled."""
    length = self.size.height if self.vertical else self.size.width
    beyond = self.window_virtual_size - self.window_size
    if beyond <= 0 or not length:
        return position
    thumb = max(1.0, self.window_size * length / self.window_virtual_size)
    steps = (length - thumb) * _CELL_PARTS
    return math.floor(position * steps / beyond) * beyond / steps if steps > 0 else position


def draw_whole_cells() -> None:
    """Have all scroll bars of this process drawn so, where they stand otherwise than before."""
    ScrollBar.renderer = WholeCells
    ScrollBar.validate_position = _drawn_position  # type: ignore[method-assign]


def draw_soon() -> None:
    """Have changes drawn, and the escape key told from a sequence, sooner than the toolkit would."""
    screen.UPDATE_PERIOD = _FRAME_SECONDS  # type: ignore[misc]  # the toolkit reads both anew at each use
    constants.ESCAPE_DELAY = _ESCAPE_SECONDS  # type: ignore[misc]
