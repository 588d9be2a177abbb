"""The gateway of a world in memory: the sum of its parts, and what a test makes happen.

Rules. What a test wants to happen it asks of ``lose``, ``come_back``, ``change_key``, ``revoke`` and ``fail_next``;
everything else behaves as the real gateway does. Each answer takes one turn of the loop at least, so that nothing rests
on answers at once.
"""

from __future__ import annotations

from sft.client.connection_info import ConnectionInfo, EventListener, ServerNotice
from sft.client.transfers.queue import run
from tui import gateway
from tui.memory.computer import Computer
from tui.memory.files import Files
from tui.memory.keeping import LocalState
from tui.memory.people import People
from tui.memory.servers import Accounts
from tui.memory.transfers import Transfers
from tui.memory.world import World


class MemoryGateway:
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
        self.accounts: gateway.Accounts = Accounts(computer)
        self.files: gateway.Files = Files(computer)
        self.transfers: run.Transfers = Transfers(computer)
        self.people: gateway.People = People(computer)
        self.local: gateway.LocalState = LocalState(computer)
        self.world = world
        self.brake = computer.brake
        self.faults = computer.faults
        self.saved = computer.saved
        self.fail_next = computer.fail_next
        self.book = computer.book
        self.line = computer.line
        if user:
            self.book.keep(world.user(user), world.address, passphrase)

    @property
    def connection(self) -> ConnectionInfo:
        """The account in use, now."""
        return self._computer.line.connection

    def listen(self, listener: EventListener) -> None:
        """Have changes told."""
        self._computer.line.listeners.append(listener)

    async def use(self, account: str, passphrase: str | None = None) -> None:
        """Connect an account."""
        await self._computer.line.use(self._computer.book.find(account), passphrase)

    def again(self) -> None:
        """Try the lost connection now."""
        self._computer.line.again()

    async def close(self) -> None:
        """Leave."""
        self._computer.line.listeners.clear()

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
