"""How much goes to the terminal, counted where it is written, and that it stands there afterwards: no clock can tell either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest import mock

import pytest
from rich.color import ColorSystem
from textual.drivers import headless_driver
from textual.drivers.headless_driver import HeadlessDriver

from tests.campaigns.screen import Screen
from tests.tui.ui_driver import UiDriver, driven

SIZE = (120, 36)


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


@asynccontextmanager
async def drawing(here) -> AsyncIterator[Drawn]:
    with mock.patch.object(headless_driver, "HeadlessDriver", DrawingDriver):
        async with driven(here, "ada", size=SIZE) as run:
            run.app.console._color_system = ColorSystem.TRUECOLOR  # what takes the most
            await run.go("finance/2026")
            yield Drawn(run)


@pytest.mark.every_run
async def test_what_has_changed_is_all_that_is_drawn(tmp_path):
    async with drawing(tmp_path) as drawn:
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
