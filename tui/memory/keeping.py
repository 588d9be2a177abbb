"""What a computer in memory keeps: keys, pins, small files, faults."""

from __future__ import annotations

from typing import Final

from sft.errors import PassphraseWrongError
from tui.gateway import IdentityInfo
from tui.memory.computer import Computer
from tui.memory.world import key_of

_WORDS: Final = ("walnut", "violin", "yellow", "river", "lemon", "ocean", "quick", "zebra")


class LocalState:
    """Keys and memory of this computer."""

    def __init__(self, computer: Computer) -> None:
        self._computer = computer

    async def keyring(self) -> IdentityInfo:
        """Show what is kept for the account in use."""
        await self._computer.turn("keyring", online=False)
        account = self._computer.book.find(self._computer.line.connection.account)
        return IdentityInfo(account, self._computer.world.pins(), self._computer.receipts)

    async def public_key_file(self) -> str:
        """Give minisign's public key file."""
        return key_of(
            self._computer.book.find(self._computer.line.connection.account).user
        ).pub_file()

    async def change_passphrase(self, old: str | None, new: str | None) -> None:
        """Protect the key by another passphrase, or by none."""
        await self._computer.turn("change_passphrase", online=False)
        name = self._computer.line.connection.account
        if self._computer.book.passphrases.get(name, "") != (old or ""):
            raise PassphraseWrongError
        self._computer.book.passphrases[name] = new or ""
        self._computer.book.change(name, protected=bool(new))

    async def load(self, name: str) -> bytes | None:
        """Read what was saved."""
        return self._computer.saved.get(name)

    async def save(self, name: str, data: bytes) -> None:
        """Keep it."""
        self._computer.saved[name] = data

    async def hold(self, name: str) -> bool:
        """Own a name."""
        if name in self._computer.held:
            return False
        self._computer.held.add(name)
        return True

    async def let_go(self, name: str) -> None:
        """Own it no longer."""
        self._computer.held.discard(name)

    def keep_fault(self, text: str) -> str:
        """Keep the details of a fault."""
        self._computer.faults.append(text)
        return "7F3K-29QD"

    def suggested_names(self) -> tuple[str, str]:
        """Offer names."""
        return "ivo2", "ivo-laptop"

    def suggested_passphrase(self) -> str:
        """Give words from a list that comes round: nothing is random here."""
        self._computer.drawn += 1
        place = self._computer.drawn - 1
        return "-".join(_WORDS[(place + n) % len(_WORDS)] for n in range(5))
