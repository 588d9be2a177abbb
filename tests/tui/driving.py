"""The app driven by keys over the world in memory, and what can be read off its screen.

Rules. Nothing here looks at the real clock or guesses how long something takes: see ``stillness``. After each key everything
that it began has ended, or waits for a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from sft.client.transfers.queue.job import JobState
from tests.tui.furniture import furnish
from tests.tui.stillness import garbage_left, known_styles, stillness
from tui.app import SftApp
from tui.glyphs import FINE, Glyphs
from tui.memory import MemoryGateway, World
from tui.memory.scene import acme
from tui.preferences import Preferences
from tui.screens.files import FilesView
from tui.widgets.footer import Footer
from tui.widgets.message_line import MessageLine

_QUIET_SECONDS = 0.2  # longer than anything that follows a key by itself: a filter, details
_TYPED_SECONDS = 0.001


class Hands(Pilot[int]):
    """The toolkit's pilot, without its guesses."""

    async def press(self, *keys: str) -> None:
        """Press keys, each after what the one before it did."""
        for key in keys:
            await self.strike(key, _QUIET_SECONDS)

    async def type(self, text: str) -> None:
        """Type as fast as nobody does."""
        for character in text:
            await self.strike(character, _TYPED_SECONDS)
        await self.pause()

    async def paste(self, text: str) -> None:
        """Paste as a terminal does."""
        self.app.post_message(events.Paste(text))
        await self.pause()

    async def strike(self, key: str, seconds: float) -> None:
        """Press a key and let some time pass."""
        name = _character_to_key(key) if len(key) == 1 else key
        event = events.Key(name, key if len(key) == 1 else " " if key == "space" else None)
        event.set_sender(self.app)
        driver = self.app._driver
        assert driver is not None
        driver.send_message(event)
        await asyncio.sleep(seconds)

    async def pause(self, delay: float | None = None) -> None:
        """Wait until everything that was begun has ended, or waits for a person."""
        await asyncio.sleep(_QUIET_SECONDS if delay is None else delay)


class Driven:
    """A running app."""

    def __init__(self, app: SftApp, pilot: Hands, gateway: MemoryGateway) -> None:
        self.app = app
        self.pilot = pilot
        self.gateway = gateway
        self.world = gateway.world

    # -- doing --------------------------------------------------------------------------------------------

    async def quiet(self) -> None:
        """Wait until everything that was begun has ended, or waits for a person."""
        await self.pilot.pause()

    async def later(self, seconds: float) -> None:
        """Let time pass."""
        await self.pilot.pause(seconds)

    async def press(self, *keys: str) -> None:
        """Press keys, each after what the one before it did."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Type a text into the field that has the focus."""
        await self.pilot.type(text)

    async def paste(self, text: str) -> None:
        """Paste as a terminal does."""
        await self.pilot.paste(text)

    async def go(self, folder: str) -> None:
        """Show a folder of the server."""
        self.files.remote_side.path = folder
        self.files.remote.read()
        await self.quiet()

    async def moved(self) -> None:
        """Wait until no transfer runs."""
        while any(job.state is JobState.RUNNING for job in self.app.queue.jobs):
            await asyncio.gather(*self.app.queue._tasks.values(), return_exceptions=True)
            await self.pilot.pause()
        await self.quiet()

    def put_cursor_on(self, name: str) -> None:
        """Move the cursor of the pane that has the focus."""
        pane = self.files.pane
        names = self._names(pane)
        pane.lines.move_to(names.index(name))

    # -- seeing -------------------------------------------------------------------------------------------

    @property
    def files(self) -> FilesView:
        """The view that the tests of files look at."""
        view = self.app.frame.view_of("files")
        assert isinstance(view, FilesView)
        return view

    def names(self) -> list[str]:
        """What the list of the server shows."""
        return self._names(self.files.remote)

    def names_here(self) -> list[str]:
        """What the list of this computer shows."""
        return self._names(self.files.local)

    def _names(self, pane) -> list[str]:
        rows = (pane.lines.source.row(n) for n in range(len(pane.lines.source)))
        return [row.cells["name"] if row else "…" for row in rows]

    def said(self) -> str:
        """What is drawn in the message line."""
        return self.app.frame.query_one(MessageLine).render().plain

    def footer(self) -> str:
        """What is drawn in the footer."""
        return self.app.frame.query_one(Footer).render().plain

    def lines(self) -> list[str]:
        """What stands on the screen, line by line."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def screen(self) -> str:
        """Everything that is drawn, as text."""
        return "\n".join(self.lines())

    @property
    def dialog(self) -> str:
        """Name the dialog that is open; empty without one."""
        return "" if self.app.screen is self.app.frame else type(self.app.screen).__name__


@asynccontextmanager
async def playing(app: SftApp, size: tuple[int, int]) -> AsyncIterator[Hands]:
    """Run an app whose time passes only while it has nothing to do."""
    with garbage_left(), known_styles():
        async with stillness(), app.run_test(size=size):
            hands = Hands(app)
            await hands.pause()
            yield hands


@asynccontextmanager
async def driven(
    tmp_path: Path,
    user: str = "max",
    *,
    size: tuple[int, int] = (120, 36),
    world: World | None = None,
    passphrase: str = "",
    prepare: Callable[[MemoryGateway], None] | None = None,
    preferences: Preferences | None = None,
    glyphs: Glyphs = FINE,
) -> AsyncIterator[Driven]:
    """Run the app as somebody."""
    gateway = MemoryGateway(world or acme(many=3000), user, passphrase=passphrase)
    if prepare is not None:
        prepare(gateway)
    app = SftApp(
        gateway,
        now=lambda: gateway.world.now,
        local_folder=furnish(tmp_path),
        preferences=preferences,
        glyphs=glyphs,
    )
    async with playing(app, size) as hands:
        yield Driven(app, hands, gateway)
