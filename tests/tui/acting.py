"""What scenes are played with: keys, pastes, and waiting until all that was begun is done and drawn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from textual import events
from textual.pilot import Pilot

from tui.app import SftApp
from tui.glyphs import FINE, Glyphs
from tui.memory import MemoryGateway

Stage = Callable[[Pilot[int], SftApp], Awaitable[None]]


@dataclass(frozen=True)
class Cast:
    """Who plays, and on what.

    Args:
        user: whose computer it is; empty for one that has joined nothing.
        passphrase: of the key.
        prepare: the world is changed by it before the app begins.
    """

    user: str = "max"
    passphrase: str = ""
    demo: bool = False
    hostile: bool = False
    glyphs: Glyphs = FINE
    prepare: Callable[[MemoryGateway], None] | None = None


async def settle(pilot: Pilot[int]) -> None:
    """Wait until what was begun is done and drawn."""
    await pilot.pause()


def after(scene: Stage, *keys: str) -> Stage:
    """Press keys after another scene, each when the one before it has done its work."""

    async def stage(pilot: Pilot[int], app: SftApp) -> None:
        await scene(pilot, app)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
            await pilot.pause()

    return stage


def typing(scene: Stage, *texts: str) -> Stage:
    """Fill in fields after another scene, enter after each but the last."""

    async def stage(pilot: Pilot[int], app: SftApp) -> None:
        await scene(pilot, app)
        for number, text in enumerate(texts):
            if number:
                await pilot.press("enter")
                await pilot.pause()
            await pilot.press(*("space" if c == " " else c for c in text))
            await pilot.pause()

    return stage


async def paste(pilot: Pilot[int], app: SftApp, text: str) -> None:
    """Paste as a terminal does."""
    app.post_message(events.Paste(text))
    await pilot.pause()
    await pilot.pause()


async def root(pilot: Pilot[int], app: SftApp) -> None:
    """The app as it begins."""
