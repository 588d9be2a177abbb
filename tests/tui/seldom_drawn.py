"""Screens are drawn when something comes into sight, and where a test looks: after each key it took a quarter of the time.

Rules. Each widget is drawn once, when it comes: what cannot be drawn fails there. After that a screen is drawn where a test
reads it, whole, and at the end. What drawing does besides goes on as ever: a list asks for the lines in sight. On a terminal
that takes what is written (``test_drawn``), and where a test says ``always``, everything is drawn as it is for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from textual._compositor import Compositor
from textual._context import active_app, visible_screen_stack
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.row_list import RowList

_NO_LINES = Region(0, 0, 0, 0)
_render_update, _render_strips = Compositor.render_update, Compositor.render_strips


class SeldomDrawn:
    """What has been drawn of an app; ``always`` draws all of it from then on."""

    def __init__(self) -> None:
        self.always = False
        self._drawn: set[Widget] = set()

    def update(self, compositor: Compositor, full: bool, **how: Any) -> Any:
        """Take the place of what draws the changes, or all if somebody asks for that."""
        seen = compositor.visible_widgets
        if full or self.always or not active_app.get().is_headless or not seen.keys() <= self._drawn:
            self._drawn |= seen.keys()
            return _render_update(compositor, full=full, **how)
        changed = list(compositor._dirty_regions)
        compositor._dirty_regions.clear()
        for widget, (region, clip) in seen.items():
            if isinstance(widget, RowList) and any(region.intersection(clip).overlaps(each) for each in changed):
                widget.render_lines(_NO_LINES)
        return None

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Draw like this while the block runs."""

        def update(compositor: Compositor, full: bool = False, **how: Any) -> Any:
            return self.update(compositor, full, **how)

        with (
            mock.patch.object(Compositor, "render_update", update),
            mock.patch.object(Compositor, "render_strips", _strips),
        ):
            yield


def _strips(compositor: Compositor, size: Size | None = None) -> list[Strip]:
    """Draw what a test looks at; what lies behind a dialog may have changed since it was drawn."""
    app = active_app.get()
    if compositor is app.screen._compositor:
        visible_screen_stack.set(app._background_screens)
    return _render_strips(compositor, size)
