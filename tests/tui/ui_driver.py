"""The app driven by keys over a server in memory, and what can be read off its screen.

Rules. Nothing here looks at the real clock or guesses how long something takes: see ``virtual_clock``. After each key
everything that it began has ended, or waits for a person.
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
from tests.fakes.acme import acme, with_visitors
from tests.fakes.gateway import FakeGateway
from tests.fakes.memory_service import MemoryService
from tests.tui.local_files import furnish
from tests.tui.seldom_drawn import SeldomDrawn
from tests.tui.virtual_clock import garbage_left, known_styles, stillness
from tui.app import SftApp
from tui.glyphs import FINE, Glyphs
from tui.preferences import Preferences
from tui.screens.files import FilesView
from tui.widgets.footer import Footer
from tui.widgets.message_line import MessageLine

_QUIET_SECONDS = 0.2  # longer than anything that follows a key by itself: a filter, details
_TYPED_SECONDS = 0.001


class Hands(Pilot[int]):
    """The toolkit's pilot, without its guesses."""

    def __init__(self, app: SftApp, drawn: SeldomDrawn) -> None:
        super().__init__(app)
        self.drawn = drawn

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


class UiDriver:
    """A running app."""

    def __init__(self, app: SftApp, pilot: Hands, gateway: FakeGateway) -> None:
        self.app = app
        self.pilot = pilot
        self.gateway = gateway
        self.service = gateway.service

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

    async def resize(self, size: tuple[int, int]) -> None:
        """Make the terminal as large."""
        await self.pilot.resize_terminal(*size)
        await self.quiet()

    async def noticed(self) -> None:
        """Wait until the gateway has noticed that its line is gone, and tried again once."""
        await self.quiet()
        self.gateway.again()
        await self.quiet()

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

    async def leave_for_later(self) -> None:
        """Leave a conflict that is asked about over the list."""
        assert self.dialog == "DecideHere"
        await self.later(1)
        await self.press("escape")

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

    def message_line(self) -> str:
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

    async def written(self) -> None:
        """Wait until a file that is being written stands there, or was refused."""
        for worker in list(self.app.workers):
            if worker.group == "WriteFile":
                await worker.wait()
        await self.quiet()

    def text(self, within: str = "") -> str:
        """Give what stands on the screen, or in a part of it, blanks joined, so that a wrapped sentence is found."""
        lines = self.lines()
        if within:
            x, y, width, height = self.app.screen.query_one(within).region
            lines = [line[x : x + width] for line in lines[y : y + height]]
        return " ".join(" ".join(line.strip(" │╭╰─╮╯") for line in lines).split())

    def said(self) -> str:
        """Give what the message line was told last."""
        said = self.app.frame.query_one(MessageLine).said
        return "" if said is None else f"{said.text} {said.next_step}".strip()

    def standing(self) -> str:
        """Give what the message line says when nothing else is to be said."""
        return self.app.frame.query_one(MessageLine).standing[0]

    def offered(self) -> set[str]:
        """Give what the footer offers."""
        return {hint.act for hint in self.app.frame.query_one(Footer).hints}

    def reasons(self) -> dict[str, str]:
        """Give every act of this screen with the reason why it cannot be done, as help and palette show it."""
        return {offer.act.id: offer.reason for offer in self.app.frame.offers()[0][1]}

    @property
    def dialog(self) -> str:
        """Name the dialog that is open; empty without one."""
        return "" if self.app.screen is self.app.frame else type(self.app.screen).__name__


@asynccontextmanager
async def playing(app: SftApp, size: tuple[int, int]) -> AsyncIterator[Hands]:
    """Run an app whose time passes only while it has nothing to do."""
    drawn = SeldomDrawn()
    with garbage_left(), known_styles(), drawn.drawing():
        async with stillness(), app.run_test(size=size):
            hands = Hands(app, drawn)
            await hands.pause()
            yield hands
            if app.is_running and app.screen_stack:
                app.screen._compositor.render_strips()


RAW = ("\u202e", "\u200b", "\x1b", "\u0300" * 6)  # never to reach a terminal as they are


@asynccontextmanager
async def driven(
    here: Path,
    user: str = "max",
    *,
    size: tuple[int, int] = (120, 36),
    service: MemoryService | None = None,
    passphrase: str = "",
    demo: bool = False,
    prepare: Callable[[FakeGateway], None] | None = None,
    preferences: Preferences | None = None,
    glyphs: Glyphs = FINE,
    bare: bool = False,
) -> AsyncIterator[UiDriver]:
    """Run the app as somebody.

    Args:
        prepare: changes computer and server before the app begins.
        bare: nothing lies in the folder of this computer.
    """
    gateway = FakeGateway(service or acme(), user, passphrase=passphrase, demo=demo)
    if prepare is not None:
        prepare(gateway)
    app = SftApp(
        gateway,
        now=lambda: gateway.service.now,
        local_folder=here if bare else furnish(here),
        preferences=preferences,
        glyphs=glyphs,
    )
    try:
        async with playing(app, size) as hands:
            yield UiDriver(app, hands, gateway)
            assert not gateway.service.fatal
    finally:
        gateway.service.close()


@asynccontextmanager
async def running(
    here: Path, user: str = "ada", *, size: tuple[int, int] = (100, 30), visitors: bool = True, **how
) -> AsyncIterator[UiDriver]:
    """Run the app as somebody who is not alone at the server, in a folder that holds nothing."""
    prepare = (lambda gateway: with_visitors(gateway.service)) if visitors else None
    async with driven(here, user, size=size, bare=True, prepare=prepare, **how) as run:
        if how.get("passphrase"):
            await run.type(how["passphrase"])
            await run.press("enter")
        yield run
        assert not run.gateway.faults
