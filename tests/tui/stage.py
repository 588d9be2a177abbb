"""The app over a world in memory, driven by keys alone, for the tests of single screens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sft.model.access import Role
from sft.model.records import DeviceKey, Invitation, InvitationState, User, UserState
from tests.tui.driving import Driven, playing
from tui.app import SftApp
from tui.memory import MemoryGateway, World
from tui.memory.scene import acme
from tui.memory.world import key_of
from tui.widgets.footer import Footer
from tui.widgets.message_line import MessageLine

HOSTILE_PEOPLE = (
    "[@click=app.pwn]x[/]",
    "evil[/nope].txt",
    "gus\u202eovi",
    "z\u200bero",
    "\x1b[31mred",
    "tower" + "\u0300" * 30,
    "x" * 251 + ".bin",
    "👨‍👩‍👧統計",
)
RAW = ("\u202e", "\u200b", "\x1b", "\u0300" * 6)  # never to reach a terminal as they are


class Stage(Driven):
    """One running app."""

    async def settle(self) -> None:
        """Let everything that was begun come to where it waits for a person."""
        await self.quiet()

    async def written(self) -> None:
        """Wait until a file that is being written stands there, or was refused."""
        for worker in list(self.app.workers):
            if worker.group == "WriteFile":
                await worker.wait()
        await self.settle()

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


@asynccontextmanager
async def running(
    here: Path,
    user: str = "ada",
    *,
    world: World | None = None,
    size: tuple[int, int] = (100, 30),
    passphrase: str = "",
) -> AsyncIterator[Stage]:
    """Run the app as somebody."""
    gateway = MemoryGateway(world or acme(many=0), user, passphrase=passphrase)
    app = SftApp(gateway, now=lambda: gateway.world.now, local_folder=here)
    async with playing(app, size) as hands:
        stage = Stage(app, hands, gateway)
        if passphrase:
            await stage.type(passphrase)
            await stage.press("enter")
        yield stage
        assert not gateway.faults


def with_hostile_people() -> World:
    """Make a server that shows names which no honest one lets in."""
    world = acme(many=0)
    for name in HOSTILE_PEOPLE:
        world.users.append(
            User(
                id=len(world.users) + 1,
                name=name,
                role=Role.MAINTAINER,
                state=UserState.ACTIVE,
                created_at=int(world.now) - 100,
                keys=(DeviceKey(90, key_of(name).encode(), name, int(world.now) - 100),),
            )
        )
        world.add_file(f"{len(world.users)}.txt", world.users[-1], size=10)
        world.invitations.append(
            Invitation(
                100 + len(world.users),
                bytes(32),
                Role.GUEST,
                name,
                name,
                int(world.now) - 60,
                int(world.now) + 3600,
                InvitationState.OPEN,
            )
        )
    return world
