"""The accounts of this computer in memory: as profiles and key files are on a disk."""

from __future__ import annotations

import dataclasses

from sft.crypto.keys import PublicKey, ServerPublic
from sft.errors import ProfileUnknownError
from sft.model.links import InvitationLink, Link
from sft.model.records import User
from tui.gateway import Account
from tui.memory.world import World, key_of


class Book:
    """Accounts, the passphrases of their keys, and joins that were begun."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._begun: dict[bytes, str] = {}  # seed of an invitation: the account made for it
        self.accounts: list[Account] = []
        self.passphrases: dict[str, str] = {}

    def find(self, name: str) -> Account:
        """Find an account.

        Raises:
            ProfileUnknownError: there is none of that name.
        """
        for account in self.accounts:
            if account.name == name:
                return account
        raise ProfileUnknownError(name=name)

    def change(self, name: str, **fields: object) -> Account:
        """Give an account other values."""
        new = dataclasses.replace(self.find(name), **fields)  # type: ignore[arg-type]  # named by our own callers
        self.accounts = [new if one.name == name else one for one in self.accounts]
        return new

    def forget(self, name: str) -> None:
        """Drop an account."""
        self.accounts = [one for one in self.accounts if one.name != name]

    def set_first(self, name: str) -> None:
        """Use this one when none is named."""
        self.accounts = [
            dataclasses.replace(one, in_use_first=one.name == name) for one in self.accounts
        ]

    def pending(self, link: Link) -> Account | None:
        """Find what an earlier join by this link left."""
        name = self._begun.get(link.seed, "") if isinstance(link, InvitationLink) else ""
        return next((one for one in self.accounts if one.name == name), None)

    def begin(self, link: InvitationLink, device: str, passphrase: str) -> Account:
        """Keep key and account of a join before it is known whether it succeeds."""
        account = self.keep(self._world.users[0], link.address, passphrase)
        self._begun[link.seed] = account.name
        return self.change(
            account.name, user="", role="", device=device, joined=False,
            server_words=ServerPublic(link.server_key).words(), pinned_at=int(self._world.now),
            key_words=key_of(account.name).words(), joined_at=0,
        )  # fmt: skip

    def joined(self, name: str, user: User, device: str) -> Account:
        """Note that the server has acknowledged somebody."""
        key = key_of(user.name)
        return self.change(
            name, user=user.name, role=user.role.value, device=device, joined=True,
            key_words=key.words(), minisign_key=key.text(), joined_at=int(self._world.now),
        )  # fmt: skip

    def keep(self, user: User, address: str, passphrase: str) -> Account:
        """Keep an account of somebody, under a name of its own."""
        key = PublicKey.decode(user.keys[0].public_key)
        taken = {account.name for account in self.accounts}
        name, count = self._world.name, 1
        while name in taken:
            count += 1
            name = f"{self._world.name}-{count}"
        account = Account(
            name=name, server=self._world.name, address=address, user=user.name,
            role=user.role.value, device=user.keys[0].device, joined=True,
            protected=bool(passphrase), in_use_first=not self.accounts, key_words=key.words(),
            minisign_key=key.text(), server_words=self._world.key.public.words(),
            pinned_at=user.created_at, joined_at=user.created_at,
        )  # fmt: skip
        self.accounts.append(account)
        self.passphrases[name] = passphrase
        return account
