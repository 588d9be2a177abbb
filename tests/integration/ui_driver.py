"""A person at the full-screen UI, over the network: keys go in, and what stands on the screen is waited for.

Rules. A test never waits for time: ``sees`` and ``until`` look again whenever the loop has had its turn, and say what stood
there if it never came. What a person cannot do with keys (or a paste) the ui cannot do either.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual import events
from textual.pilot import Pilot

from sft.client.reconnect import Timing
from sft.client.transfers.queue.job import Job, JobState
from sft.wire import messages as m
from tests.integration.raw import PATIENCE_SECONDS, bridged
from tests.integration.server_fixture import ServerFixture
from tui.app import SftApp
from tui.live import LiveGateway
from tui.screens.files import FilesView
from tui.widgets.link_input import LinkInput
from tui.widgets.message_line import MessageLine

_EDGES = " │┃╭╮╰╯┏┓┗┛─━┌┐└┘|"
_NO_WORDS = ("Traceback", "Error(", "Exception", "errno", "[Errno", "Deferred", "NoneType")
_STILL_TURNS = 6  # a worker that begins, and a dialog that is put up, take some of the loop's turns
# A lost server is tried again at once: tests wait for what happens, not for seconds.
SOON = Timing(look_seconds=0.02, close_seconds=0.02, pauses=(0.02,))
_CODE = re.compile(r"\b[A-Z]+_[A-Z_]+\b")


class UiDriver:
    """One running UI."""

    def __init__(self, app: SftApp, pilot: Pilot[int], gateway: LiveGateway) -> None:
        self.app = app
        self.pilot = pilot
        self.gateway = gateway
        self.faults: list[str] = []

    # -- hands

    async def press(self, *keys: str) -> None:
        """Press keys, each after everything that the one before it did at once."""
        for key in keys:
            character = key if len(key) == 1 else None
            name = _NAMED.get(key, key)
            event = events.Key(name, " " if key == "space" else character)
            event.set_sender(self.app)
            self.app._driver.send_message(event)
            await self.settle()

    async def type(self, text: str) -> None:
        """Type into the field that has the focus."""
        await self.press(*text)

    async def paste(self, text: str) -> None:
        """Paste as a terminal does."""
        self.app.post_message(events.Paste(text))
        await self.settle()

    async def settle(self) -> None:
        """Let every message that is on its way be handled, and what follows from it."""
        still = 0
        while still < _STILL_TURNS:
            await asyncio.sleep(0)
            still = 0 if self._stirs() else still + 1

    def _stirs(self) -> bool:
        pumps = [self.app, *self.app.screen_stack, *self.app._registry]
        return any(not pump._message_queue.empty() or pump._next_callbacks for pump in pumps if pump.is_running)

    # -- eyes

    def screen(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def text(self) -> str:
        """What stands on the screen, blanks and edges joined, so that a wrapped sentence is found."""
        words = (line.strip(_EDGES) for line in self.screen().splitlines())
        return " ".join(" ".join(words).split())

    def said(self) -> str:
        """What the message line says, whole."""
        line = self.app.frame.query_one(MessageLine)
        said = line.said or line.alarm
        return "" if said is None else f"{said.text} {said.next_step}".strip()

    def alarm(self) -> str:
        """What it says of the connection."""
        alarm = self.app.frame.query_one(MessageLine).alarm
        return "" if alarm is None else f"{alarm.text} {alarm.next_step}".strip()

    def dialog(self) -> str:
        return "" if self.app.screen is self.app.frame else type(self.app.screen).__name__

    def hush(self) -> None:
        """Let what was said be over, so that the next words are heard."""
        self.app.frame.query_one(MessageLine).hush()

    def names(self) -> list[str]:
        """What the server's pane lists."""
        source = self.files.remote.lines.source
        rows = [source.row(n) for n in range(len(source))]
        return [row.cells["name"] if row else "…" for row in rows]

    def kill(self) -> None:
        """Let this UI end as if its process were killed: from now on it writes nothing, and its line breaks."""

        async def unwritten(name: str, data: bytes) -> None:
            del name, data

        self.gateway.local.save = unwritten  # type: ignore[method-assign]
        session = self.gateway._access.session
        if session is not None:
            session.abort()

    def offers(self) -> dict[str, str]:
        """Every act of this screen with the reason why it cannot be done."""
        return {offer.act.id: offer.reason for offer in self.app.frame.offers()[0][1]}

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        end = time.monotonic() + PATIENCE_SECONDS / 2
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"never came true: {what}\nsaid: {self.said()}\n{self.screen()}")
            await asyncio.sleep(0.004)
        await self.settle()

    async def asked(self, dialog: str) -> None:
        """Wait until this dialog asks."""
        await self.until(lambda: self.dialog() == dialog, f"{dialog} asks, not {self.dialog()}")

    async def calm(self) -> None:
        """Wait until nothing that a key began is under way."""
        await self.until(lambda: not any(w.is_running for w in self.app.workers), "calm")

    async def sees(self, *words: str) -> None:
        """Wait until these words stand on the screen."""
        await self.until(lambda: all(one in self.text() for one in words), f"{words} is shown")

    async def hears(self, *words: str) -> str:
        """Wait until the message line says these words; gives all it says."""
        await self.until(lambda: all(one in self.said() for one in words), f"{words} is said")
        said = self.said()
        assert "Traceback" not in said
        assert not _CODE.match(said), said
        return said

    # -- where

    @property
    def files(self) -> FilesView:
        view = self.app.frame.view_of("files")
        assert isinstance(view, FilesView)
        return view

    @property
    def jobs(self) -> list[Job]:
        return self.app.queue.jobs

    async def online(self) -> None:
        """Wait until the server's files are shown."""
        await self.until(lambda: self.gateway.connection.online, "connected")
        await self.until(lambda: self.files.remote.rows is not None, "the server's pane is read")
        await self.settle()

    async def landed(self, *states: JobState) -> None:
        """Wait until the newest jobs stand so."""
        wanted = list(states) or [JobState.DONE]
        await self.until(
            lambda: [job.state for job in self.jobs[-len(wanted) :]] == wanted,
            f"{wanted}, not {[(job.title, job.state, job.failures) for job in self.jobs]}",
        )

    async def walk_to(self, name: str) -> None:
        """Move the cursor of the list that has the focus down to a line with this name in it, once there is one."""
        await self.until(lambda: self._line_of(name) is not None, f"a line with {name}")
        line = self._line_of(name)
        assert line is not None
        await self.press("home", *["down"] * line)

    def _line_of(self, name: str) -> int | None:
        source = getattr(self.app.focused, "source", None)
        rows = [] if source is None else [source.row(n) for n in range(len(source))]
        names = {name, f"{name}/"}
        return next((n for n, r in enumerate(rows) if r and names & set(r.cells.values())), None)

    async def side(self, *, here: bool) -> None:
        """Go to the pane of this computer, or of the server."""
        if (self.files.pane is self.files.local) != here:
            await self.press("tab")


_NAMED = {
    "/": "slash",
    ":": "colon",
    "?": "question_mark",
    " ": "space",
    ".": "full_stop",
    "-": "minus",
    "_": "underscore",
    "]": "right_square_bracket",
    "[": "left_square_bracket",
    "+": "plus",
    "*": "asterisk",
}


@asynccontextmanager
async def opened_ui(
    server: ServerFixture,
    name: str,
    here: Path,
    *,
    port: int = 0,
    joined: bool = True,
    online: bool = True,
    size: tuple[int, int] = (120, 36),
    timing: Timing = SOON,
) -> AsyncIterator[UiDriver]:
    """Run the UI as somebody.

    Args:
        port: where the server is looked for, if not where it is.
        joined: this computer has an account.
        online: wait until that one is connected.
        timing: of the connection.
    """
    from twisted.internet import reactor

    if joined:
        server.point_at_server(name, port or server.port)
    here.mkdir(exist_ok=True, parents=True)
    gateway = LiveGateway(reactor, server.state_of(name), {}, timing=timing)
    app = SftApp(gateway, local_folder=here)
    async with app.run_test(size=size) as pilot:
        ui = UiDriver(app, pilot, gateway)
        keep_fault = gateway.local.keep_fault

        def noted(text: str) -> str:
            ui.faults.append(text)
            return keep_fault(text)

        gateway.local.keep_fault = noted  # type: ignore[method-assign]
        if not joined:
            await ui.until(lambda: isinstance(app.focused, LinkInput), "the field for a link has the focus")
        elif online:
            await ui.online()
        yield ui
        assert ui.faults == []


# -- what stories need besides ---------------------------------------------------------------------------------------


def files_in(folder: Path, files: dict[str, bytes]) -> Path:
    """Make a folder of this computer with files in it."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


async def put(ui: UiDriver, name: str) -> None:
    """Send a file that lies here, by keys."""
    await ui.side(here=True)
    await ui.walk_to(name)
    await ui.press("c")


async def ask(server: ServerFixture, kind: type[m.Request], *, by: str = "", **fields: Any) -> Any:
    """Ask the server itself, as its operator or as a person whose client keeps no rules."""

    async def asked() -> Any:
        raw = await (server.raw(by) if by else server.operator())
        answer = await raw.ask(kind, **fields)
        raw.abort()
        return answer

    return await bridged(asked())


async def stored(server: ServerFixture, path: str) -> bytes:
    """What the server gives for a path."""

    async def got() -> bytes:
        raw = await server.raw("gus")
        data = await server.get(raw, path)
        raw.abort()
        return data

    data = await bridged(got())
    assert isinstance(data, bytes)
    return data


async def nothing_of(server: ServerFixture, path: str) -> None:
    """Make sure that nothing of a file is visible, and that nothing half-done lies anywhere."""
    assert (await ask(server, m.ShowFile, path=path)).code == "NOT_FOUND"
    await bridged(server.clean())


def plain(ui: UiDriver) -> None:
    """Make sure that a person could read the screen: words, no inside of a program."""
    screen = ui.screen()
    assert not any(word in screen for word in _NO_WORDS), screen
