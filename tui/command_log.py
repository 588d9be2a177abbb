"""The log of commands: what was done here since the start, each act as the command that does the same, the newest first.

Rules. It stands before the gateway and listens to the queue: no screen writes it, and an act that another screen comes to offer
is in it. An act stands there when it has worked, a transfer when it was ordered. Every method of the gateway is an act with a
command, or a question without one: a test compares. It holds so many and no more, and is gone when the app ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sft.client.transfers.queue.job import Decision, Failure, Job
from tui import commands
from tui.commands import CommandLine
from tui.gateway import Gateway

_MOST: Final = 500

Words = Callable[..., CommandLine]

ACTS: Final[Mapping[str, Mapping[str, Words]]] = {
    "accounts": {
        "join": commands.join,
        "set_first": commands.set_first,
        "set_address": commands.set_address,
        "set_policy": commands.set_policy,
        "accept_link": commands.accept_link,
        "forget": commands.forget,
    },
    "files": {
        "write_proof": commands.write_proof,
        "make_folder": commands.make_folder,
        "move": commands.move,
        "change_owner": commands.change_owner,
        "delete": commands.delete,
        "restore": commands.restore,
        "set_expiry": commands.set_expiry,
        "restore_version": commands.restore_version,
        "destroy_version": commands.destroy_version,
        "destroy_trashed": commands.destroy_trashed,
    },
    "people": {
        "change_role": commands.change_role,
        "disable": commands.disable,
        "enable": commands.enable,
        "remove": commands.remove,
        "change_quota": commands.change_quota,
        "invite": commands.invite,
        "offer_reset": commands.offer_reset,
        "withdraw": commands.withdraw,
        "kick": commands.kick,
    },
    "keys": {
        "device_link": commands.device_link,
        "add": commands.add,
        "revoke": commands.revoke,
        "rotate": commands.rotate,
    },
    "local": {"change_passphrase": commands.change_passphrase, "unlock": commands.unlock, "lock": commands.lock},
}
"""By the part of the gateway and its method."""


@dataclass(frozen=True, slots=True)
class DoneAct:
    """Something that was done: when, in Unix seconds, and the command, as a shell reads it."""

    at: float
    text: str


class CommandLog:
    """What was done, the newest first.

    Args:
        now: Unix seconds.
    """

    def __init__(self, gateway: Gateway, now: Callable[[], float]) -> None:
        self._gateway = gateway
        self._now = now
        self._done: deque[DoneAct] = deque(maxlen=_MOST)
        self._first = ""  # the account that a command uses where none is named

    def __iter__(self) -> Any:
        return iter(self._done)

    def note(self, command: CommandLine, account: str | None = None) -> None:
        """Note an act on an account's server: the one in use, unless another is named."""
        account = self._gateway.connection.account if account is None else account
        self._done.appendleft(DoneAct(self._now(), command.text("" if account == self._first else account)))

    def ordered(self, job: Job, decisions: Sequence[tuple[Failure, Decision]] | None) -> None:
        """Note a transfer that was ordered, or what was decided of one."""
        if decisions is None:
            self.note(commands.transfer(job), job.account)
            return
        for command in commands.decided(job, decisions, self._gateway.connection.user, self._now()):
            self.note(command, job.account)

    def noting(self) -> Gateway:
        """Return the gateway as screens are given it: what they do with it is noted here."""
        return cast("Gateway", _NotingGateway(self._gateway, self))

    def accounts_are(self, accounts: Sequence[Any]) -> None:
        """Note which of them is used where none is named."""
        self._first = next((one.name for one in accounts if one.in_use_first), "")


class _NotingGateway:
    """The gateway, whose acts are noted."""

    def __init__(self, gateway: Gateway, log: CommandLog) -> None:
        self._whole = gateway
        self._parts = {name: _NotingPart(gateway, name, words, log) for name, words in ACTS.items()}

    def __getattr__(self, name: str) -> Any:
        return self._parts.get(name) or getattr(self._whole, name)


class _NotingPart:
    """A part of it. Its acts are asked for by name each time: what stands in for one in a test is noted too."""

    def __init__(self, gateway: Gateway, name: str, words: Mapping[str, Words], log: CommandLog) -> None:
        self._part = getattr(gateway, name)
        self._words = words
        self._log = log

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        words = self._words.get(name)
        if name == "all" and self._words is ACTS["accounts"]:
            return self._all_accounts
        if words is None:
            return found

        async def noted(*args: Any, **kwargs: Any) -> Any:
            result = await found(*args, **kwargs)
            self._log.note(words(*args, **kwargs))
            return result

        return noted

    async def _all_accounts(self) -> Any:
        accounts = await self._part.all()
        self._log.accounts_are(accounts)
        return accounts
