"""The gateway of a world in memory: the sum of its parts, and what a test makes happen.

Rules. What a test wants to happen it asks of ``lose``, ``come_back``, ``change_key``, ``revoke`` and ``fail_next``;
everything else behaves as the real gateway does. Each answer takes one turn of the loop at least, so that nothing rests
on answers at once.
"""

from __future__ import annotations

from tui.gateway import ServerNotice
from tui.memory.computer import Computer
from tui.memory.files import Files
from tui.memory.keeping import Keeping
from tui.memory.people import People
from tui.memory.servers import Servers
from tui.memory.transfers import Transfers
from tui.memory.world import World


class MemoryGateway(Servers, Files, Transfers, People, Keeping):
    """A gateway without a network.

    Args:
        user: who this computer's first account is; empty for a computer that has joined nothing.
        passphrase: of that account's key; empty for none.
        demo: whether a demo is offered: it is another account of this very world.
    """

    def __init__(
        self, world: World, user: str = "max", *, passphrase: str = "", demo: bool = False
    ) -> None:
        computer = self._computer = Computer(world, demo=demo)
        self.world = world
        self.brake = computer.brake
        self.faults = computer.faults
        self.saved = computer.saved
        self.fail_next = computer.fail_next
        self.book = computer.book
        self.line = computer.line
        if user:
            self.book.keep(world.user(user), world.address, passphrase)

    def lose(self) -> None:
        """Cut the line."""
        self.line.lose()

    def come_back(self) -> None:
        """Mend the line; it is noticed at the next try."""
        self.line.cut = False

    def change_key(self) -> None:
        """Put another server in the place of this one."""
        self.line.change_key()

    def revoke(self) -> None:
        """Have the server let this key in no more."""
        self.line.revoke()

    def tell(self, kind: str, **values: str | int) -> None:
        """Have the server say something unasked."""
        self.line.emit(ServerNotice(kind, dict(values)))
