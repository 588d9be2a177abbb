"""Lines of a list that scrolls, styled once: the toolkit keeps them by where they stand, and forgets all when one moves.

Rules. A line is cached by its number and by what it was drawn from, which whoever draws it says. While that is so, and the
widget has the same colors, edges and width, it is the same object: what the toolkit keeps for it, its pieces and its filtered
forms, holds too. Edges are drawn each time, for they show what has changed. Only lines near those in sight are cached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.styles import StylesBase
from textual.geometry import Region, Size, Spacing
from textual.strip import Strip

_SCREENS_CACHED: Final = 4


class LineCache(StylesCache):
    """The styled lines of one widget.

    Args:
        facts_of: gives the number of the line that stands in a row of the content, and what it is drawn from; None for one
            that is drawn each time.
    """

    def __init__(self, facts_of: Callable[[int], tuple[int, object] | None]) -> None:
        super().__init__()
        self._facts_of = facts_of
        self._frame: tuple[object, ...] = ()
        self._lines: dict[int, tuple[object, Strip]] = {}

    def render(  # type: ignore[override]
        self,
        styles: StylesBase,
        size: Size,
        base_background: Color,
        background: Color,
        render_content_line: Callable[[int], Strip],
        filters: Any,
        border_title: Any,
        border_subtitle: Any,
        content_size: Size,
        padding: Spacing,
        crop: Region,
        opacity: float,
        **terminal: Any,
    ) -> list[Strip]:
        frame = (styles.border, size.width, base_background, background, padding, opacity, *terminal.values())
        if frame != self._frame or len(self._lines) > _SCREENS_CACHED * size.height:
            self._frame = frame
            self._lines.clear()
        above = styles.gutter.top
        strips = []
        for y in crop.line_range:
            found = self._facts_of(y - above) if 0 <= y - above < content_size.height else None
            cached = None if found is None else self._lines.get(found[0])
            if found is not None and cached is not None and cached[0] == found[1]:
                strip = cached[1]
            else:
                strip = self.render_line(
                    styles,
                    y,
                    size,
                    content_size,
                    padding,
                    base_background,
                    background,
                    render_content_line,
                    border_title,
                    border_subtitle,
                    opacity,
                    *terminal.values(),
                )
                if found is not None:
                    self._lines[found[0]] = found[1], strip
            for each in filters:
                strip = strip.apply_filter(each, background)
            strips.append(strip)
        across = crop.column_span
        return strips if across == (0, size.width) else [strip.crop(*across) for strip in strips]
