"""What the toolkit leaves to be set for the whole process: scroll bars of whole cells, and how soon keys are answered.

Its own scroll bars draw eighths of a cell, which plain terminals do not have.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual import constants, screen
from textual.scrollbar import ScrollBar, ScrollBarRender

_FRAME_SECONDS: Final = 1 / 120  # a change waits for it; the toolkit's own 1/60 is a third of what a key may take
_ESCAPE_SECONDS: Final = 0.025  # what follows an escape within a sequence comes at once, also from far away


class WholeCells(ScrollBarRender):
    """Draws spaces on colors alone."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def draw_whole_cells() -> None:
    """Have all scroll bars of this process drawn so."""
    ScrollBar.renderer = WholeCells


def draw_soon() -> None:
    """Have changes drawn, and the escape key told from a sequence, sooner than the toolkit would."""
    screen.UPDATE_PERIOD = _FRAME_SECONDS  # type: ignore[misc]  # the toolkit reads both anew at each use
    constants.ESCAPE_DELAY = _ESCAPE_SECONDS  # type: ignore[misc]
