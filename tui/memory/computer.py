"""One computer in memory: its accounts, its line to the world, what it has read and what it keeps."""

from __future__ import annotations

import dataclasses

from sft.client.transfers.batch import GetResult
from sft.client.trust import SignatureState
from sft.errors import SftError
from sft.model.records import User
from tui.gateway import Listed
from tui.memory.book import Book
from tui.memory.line import Line
from tui.memory.moving import Brake
from tui.memory.world import World


class Computer:
    """What the parts of the gateway share.

    Args:
        demo: whether a demo is offered.
    """

    def __init__(self, world: World, *, demo: bool) -> None:
        self.world = world
        self.demo = demo
        self.brake = Brake()
        self.faults: list[str] = []
        self.saved: dict[str, bytes] = {}
        self.held: set[str] = set()
        self.fail_next: dict[str, SftError] = {}
        self.book = Book(world)
        self.line = Line(world, self.book, self.fail_next)
        self.checked: dict[str, SignatureState] = {}
        self.receipts = 212
        self.drawn = 0  # passphrases

    @property
    def me(self) -> User:
        """Who is connected."""
        return self.world.user(self.line.connection.user)

    async def turn(self, what: str, *, online: bool = True) -> None:
        """Take one turn of the loop, and fail where that was asked for: see ``Line.turn``."""
        await self.line.turn(what, online=online)

    def known(self, listed: Listed) -> Listed:
        """Put what reading has shown in the place of what the server states."""
        states = tuple(
            self.checked.get(file.path, state)
            for file, state in zip(listed.files, listed.states, strict=True)
        )
        return dataclasses.replace(listed, states=states)

    def noted(self, results: list[GetResult]) -> list[GetResult]:
        """Keep in mind which files were read here, and whether they held."""
        for result in results:
            if result.error is None:
                self.checked[result.item.path] = SignatureState.VERIFIED
            elif result.error.code == "SIGNATURE_BAD":
                self.checked[result.item.path] = SignatureState.BAD
        return results
