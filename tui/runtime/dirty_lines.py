"""Which lines of which widgets are rendered when something has changed: those that have, and nothing that lies under them.

The toolkit renders every widget that touches the smallest rectangle around all changes, whole: a key that moves a cursor and
changes a word of the last line would cost the whole window, containers too (measured: two thirds of a key).

Rules. A widget is rendered in the lines in which something of it has changed, over its whole width: where widgets overlap, the
toolkit cuts lines into pieces of one widget each, and a piece has to be whole. What one widget in front covers is not rendered.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class DirtyLines(Compositor):
    """Renders what has changed."""

    def __init__(self) -> None:
        super().__init__()
        self._changed: tuple[Region, ...] = ()

    def render_partial_update(self) -> ChopsUpdate | None:
        self._changed = tuple(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._changed = ()

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if not self._changed:
            yield from super()._get_renders(crop)
            return
        rendered: list[Region] = []
        for widget, (region, clip) in self.visible_widgets.items():  # from the front to the back
            seen = region.intersection(clip)
            parts = [part for changed in self._changed if (part := seen.intersection(changed))]
            if not parts:
                continue
            around = Region.from_union(parts)
            lines = Region(seen.x, around.y, seen.width, around.height)
            if any(front.contains_region(lines) for front in rendered):
                continue
            rendered.append(lines)
            yield lines, lines, widget.render_lines(lines.translate(-region.offset))
