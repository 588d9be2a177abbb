"""How much goes to the terminal, counted where it is written, and that it stands there afterwards: no clock can tell either."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from unittest import mock

from rich.color import ColorSystem
from textual._context import visible_screen_stack
from textual.drivers import headless_driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tests.campaigns.screen import Screen
from tests.fakes.acme import acme
from tests.tui.ui_driver import UiDriver, driven
from tui.runtime.changed_cells import ChangedCells
from tui.themes import theme_names
from tui.widgets.row_list import RowList

SIZE = (120, 36)
MANY = 100  # in a folder that has to scroll


class DrawingDriver(HeadlessDriver):
    """Writes as on a terminal: into one in memory."""

    def __init__(self, *args, **how) -> None:
        super().__init__(*args, **how)
        self.bytes = 0
        self.terminal = Screen(*SIZE)

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.bytes += len(data.encode())
        assert self.terminal.feed(data) == ""


class Drawn:
    """A running app, and what it writes."""

    def __init__(self, run: UiDriver) -> None:
        self.run = run
        driver = run.app._driver
        assert isinstance(driver, DrawingDriver)
        self._driver = driver

    async def by(self, *keys: str) -> int:
        """Press keys; give the bytes that they took, once it is sure that everything stands where it is to stand."""
        await self.run.quiet()
        before = self._driver.bytes
        await self.run.press(*keys)
        assert self._driver.terminal.text.splitlines() == self.run.lines(), keys
        return self._driver.bytes - before

    def assert_all_stands(self) -> None:
        """Compare every cell and its style with what is drawn when nothing is remembered."""
        app, anew = self.run.app, ChangedCells()
        for widget in app.screen.walk_children(with_self=True):
            widget._styles_cache.clear()
            if isinstance(widget, RowList):
                widget._styles_cache._lines.clear()
        visible_screen_stack.set(app._background_screens)
        whole = app.screen._compositor.render_full_update()
        anew._written(whole, app.size, app.console._color_system or ColorSystem.TRUECOLOR)
        for y, (stands, drawn) in enumerate(zip(app._changed_cells._lines, anew._lines, strict=True)):
            assert stands.cells == drawn.cells, y


@asynccontextmanager
async def drawing(here, folder="finance/2026", *, colors: ColorSystem | None = None) -> AsyncIterator[Drawn]:
    with mock.patch.object(headless_driver, "HeadlessDriver", DrawingDriver):
        async with driven(here, "ada", size=SIZE, service=acme(many=MANY)) as run:
            if colors is not None:
                run.app.console._color_system = colors
            await run.go(folder)
            yield Drawn(run)


async def test_what_has_changed_is_all_that_is_drawn(tmp_path):
    async with drawing(tmp_path, colors=ColorSystem.TRUECOLOR) as drawn:  # what takes the most
        assert await drawn.by("down") < 2000
        for _ in range(2):
            assert await drawn.by("tab") < 4000
        assert await drawn.by("slash") < 4000
        assert await drawn.by("a") < 4000
        assert await drawn.by("escape") < 4000
        for opens in ("colon", "V"):
            assert await drawn.by(opens) < 15_000
            assert drawn.run.dialog
            assert await drawn.by("escape") < 12_000
        for place in ("2", "4"):
            assert await drawn.by(place) < 15_000
            assert await drawn.by("1") < 12_000


class Rendered(Counter):
    """Counts lines of lists that are drawn, and widgets that are asked for theirs, from now on."""

    @classmethod
    @contextmanager
    def counted(cls) -> Iterator[Rendered]:
        counts, line, lines = cls(), RowList.render_line, Widget.render_lines

        def counted_line(self: RowList, y: int) -> Strip:
            counts["lines"] += 1
            return line(self, y)

        def counted_widget(self: Widget, crop: Region) -> list[Strip]:
            counts["widgets"] += 1
            return lines(self, crop)

        with (
            mock.patch.object(RowList, "render_line", counted_line),
            mock.patch.object(Widget, "render_lines", counted_widget),
        ):
            yield counts


async def test_a_key_draws_the_lines_that_it_changes_and_what_does_not_change_is_not_asked(tmp_path):
    async with drawing(tmp_path, "archive/scans") as drawn:
        await drawn.by("down", "down")
        with Rendered.counted() as within:
            await drawn.run.press("down")
        assert within["lines"] == 2
        for _ in range(SIZE[1]):
            await drawn.by("down")
        with Rendered.counted() as scrolled:
            await drawn.run.press("down")
        assert scrolled["lines"] <= 4
        assert max(within["widgets"], scrolled["widgets"]) <= 12


async def test_what_is_remembered_of_lines_is_what_would_be_drawn_now(tmp_path):
    async with drawing(tmp_path, "archive/scans") as drawn:
        keys = (*["down"] * 40, "space", "space", "up", "pageup", "end", "home", "shift+down", "asterisk", "asterisk")
        for key in (*keys, "tab", "tab", "i", "i", "slash", "1", "escape", "colon", "down", "escape", "V", "escape"):
            await drawn.by(key)
            drawn.assert_all_stands()
        app = drawn.run.app
        drawn.run.files.remote.lines.set_stale(True)
        await drawn.by("down")
        drawn.assert_all_stands()
        drawn.run.files.remote.lines.set_stale(False)
        for theme in [name for name in theme_names() if name != app.theme][:2]:
            app.use_theme(theme)
            await drawn.by("down")
            drawn.assert_all_stands()
