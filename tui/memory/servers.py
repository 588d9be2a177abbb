"""The accounts of a computer in memory, as the real gateway has them."""

from __future__ import annotations

from sft.client.connection_info import ConnectionInfo
from sft.crypto.keys import ServerPublic
from sft.errors import PassphraseWrongError, UnreachableError, UsageError
from sft.model.links import InvitationLink, Link, format_address, parse_address, parse_server_link
from tui.gateway import Account
from tui.memory import registry
from tui.memory.computer import Computer


class Accounts:
    """Accounts and connection."""

    def __init__(self, computer: Computer) -> None:
        self._computer = computer

    async def all(self) -> list[Account]:
        """List the accounts of this computer."""
        await self._computer.turn("accounts", online=False)
        return list(self._computer.book.accounts)

    async def pending(self, link: Link) -> Account | None:
        """Find the account that an earlier attempt made."""
        await self._computer.turn("pending", online=False)
        return self._computer.book.pending(link)

    async def join(
        self, link: Link, *, user_name: str, device: str, passphrase: str | None
    ) -> Account:
        """Join the world; the key is kept before it hears of it."""
        if not isinstance(link, InvitationLink):
            raise UsageError(problem="This is a server link", remedy="Ask for an invitation")
        earlier = await self.pending(link)
        if earlier is None:
            earlier = self._computer.book.begin(link, device, passphrase or "")
        elif self._computer.book.passphrases[earlier.name] != (passphrase or ""):
            raise PassphraseWrongError
        await self._computer.turn("join", online=False)
        if self._computer.line.cut:
            raise UnreachableError(
                address=link.address, reason="connection refused", profile=earlier.name
            )
        user = registry.join(self._computer.world, link, user_name, device)
        return self._computer.book.joined(earlier.name, user, device)

    @property
    def offers_demo(self) -> bool:
        """Say whether a demo can be explored."""
        return self._computer.demo

    async def explore_demo(self) -> str:
        """Become somebody of this world."""
        await self._computer.turn("explore_demo", online=False)
        return self._computer.book.keep(
            self._computer.world.user("ada"), self._computer.world.address, ""
        ).name

    async def set_first(self, account: str) -> None:
        """Use this account when none is named."""
        await self._computer.turn("set_first", online=False)
        self._computer.book.set_first(account)

    async def set_address(self, account: str, address: str) -> Account:
        """Look for a server elsewhere."""
        await self._computer.turn("set_address", online=False)
        host, port = parse_address(address)
        return self._computer.book.change(account, address=format_address(host, port))

    async def accept_link(self, account: str, link: str) -> Account:
        """Take key and address from a server link."""
        await self._computer.turn("accept_link", online=False)
        parsed, old = parse_server_link(link), self._computer.book.find(account)
        if parsed.server_name != old.server:
            raise UsageError(
                problem=f"This link is of {parsed.server_name}", remedy="Join that one: sft join"
            )
        words = ServerPublic(parsed.server_key).words()
        pinned = old.pinned_at if words == old.server_words else int(self._computer.world.now)
        return self._computer.book.change(
            account, address=parsed.address, server_words=words, pinned_at=pinned
        )

    async def forget(self, account: str) -> None:
        """Drop an account."""
        await self._computer.turn("forget", online=False)
        self._computer.book.forget(account)
        if self._computer.line.connection.account == account:
            self._computer.line.become(ConnectionInfo(since=self._computer.world.now))
