"""The acts of Identity that have an agent hold the key of this computer for a time, and forget it.

Rules. The passphrase is asked for by the dialog and stays there. What the agent holds is said with its end.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Protocol

from sft.model.text import local_time
from tui.dialogs.hold_key import HoldKey
from tui.gateway import IdentityInfo
from tui.messages import Severity
from tui.view_context import ViewContext


class IdentityContext(ViewContext, Protocol):
    """The screen, as these acts find it."""

    keyring: IdentityInfo | None

    def start(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        """Begin an act, one at a time."""

    async def read(self) -> None:
        """Read all that is shown anew."""


class HeldKeyActs:
    """Unlocking and locking."""

    def __init__(self, identity: IdentityContext) -> None:
        self._identity = identity

    def reason_against(self, name: str) -> str:
        """Return why the key is not unlocked, or locked; empty if it can be."""
        keyring = self._identity.keyring
        if keyring is None or keyring.account.protected:
            is_held = keyring is not None and keyring.held_until is not None
            return "" if name == "unlock" or is_held else "No agent holds your key: it asks for its passphrase anyway."
        return "Your key has no passphrase, so it is open as it is: P sets one."

    def act_unlock(self) -> None:
        if self._identity.keyring is not None:
            self._identity.start(partial(self._unlock, self._identity.keyring.account.user))

    def act_lock(self) -> None:
        self._identity.start(self._lock)

    async def _unlock(self, user: str) -> None:
        async def unlocked(passphrase: str, seconds: int) -> int | None:
            return await self._identity.unless_fault(self._identity.gateway.local.unlock(passphrase, seconds))

        until = await self._identity.app.push_screen_wait(HoldKey(user, unlocked))
        if until is not None:
            when = local_time(until, now=self._identity.now, weekday=True)
            message = f"Your key is unlocked until {when}: no command here asks for its passphrase."
            self._identity.report(message, Severity.SUCCESS, "L ends that")
            await self._identity.read()

    async def _lock(self) -> None:
        if await self._identity.attempt(self._identity.gateway.local.lock()):
            message = "Locked: commands ask for the passphrase of your key again."
            self._identity.report(message, Severity.SUCCESS)
        await self._identity.read()
