"""What scenes are made of: who plays, keys, pastes, and waiting until all that was begun is done and drawn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from textual import events
from textual.pilot import Pilot

from tests.fakes.gateway import FakeGateway
from tui.app import SftApp
from tui.glyphs import FINE, Glyphs

Stage = Callable[[Pilot[int], SftApp], Awaitable[None]]


@dataclass(frozen=True)
class Cast:
    """Who plays, and on what.

    Args:
        user: whose computer it is; empty for one that has joined nothing.
        passphrase: of the key.
        many: files in the folder of scans.
        prepare: computer and server are changed by it before the app begins.
    """

    user: str = "max"
    passphrase: str = ""
    demo: bool = False
    many: int = 0
    glyphs: Glyphs = FINE
    prepare: Callable[[FakeGateway], None] | None = None


async def settle(pilot: Pilot[int]) -> None:
    """Wait until what was begun is done and drawn."""
    await pilot.pause()


@dataclass(frozen=True)
class Scene:
    """A few keys after another scene.

    Args:
        begin: the other one; several scenes that share it are shown by one app.
        back: keys that lead back to where it stood; None where none do.
    """

    begin: Stage
    keys: tuple[str, ...] = ()
    back: tuple[str, ...] | None = None

    async def __call__(self, pilot: Pilot[int], app: SftApp) -> None:
        await self.begin(pilot, app)
        await pressed(pilot, self.keys)


def after(scene: Stage, *keys: str, back: tuple[str, ...] | None = None) -> Scene:
    """Press keys after another scene."""
    return Scene(scene, keys, back)


async def pressed(pilot: Pilot[int], keys: tuple[str, ...]) -> None:
    """Press keys, each when the one before it has done its work."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


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
