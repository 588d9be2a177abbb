"""A demo on this computer: a private server that is begun from here, in place of the accounts of this computer.

Rules. The demo has a state of its own, and nothing of it gets into the person's. What is joined there is gone with it, so only
the demo's own server can be joined there: an invitation is good once, and a key would be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sft.client.profiles import Profiles
from sft.client.state import StateFolder
from sft.errors import ConnectionLostError, UsageError
from tui.gateway import Account, Link
from tui.live.servers import Servers

BeginDemo = Callable[[], Path]
"""Starts a private server; gives the state folder of its admin (blocks)."""

_OURS: Final = ("SFT_HOME", "SFT_PROFILE", "SFT_PASSPHRASE_FILE")


class Demonstration(Servers):
    """Accounts and connection, or a demo in their place."""

    _begin_demo: BeginDemo | None = None
    _beginning: asyncio.Future[Path] | None = None
    _until_quit = False

    @property
    def offers_demo(self) -> bool:
        """Say whether a demo can be explored from here."""
        return self._begin_demo is not None

    async def explore_demo(self) -> str:
        """Start a private server and turn to it; gives the account that uses it."""
        if self._begin_demo is None:
            raise ConnectionLostError
        reach = self._reach
        if self._beginning is None or self._beginning.done():
            self._beginning = asyncio.ensure_future(reach.blocking(self._begin_demo))
        # Whoever asks twice waits for the same one.
        folder = await asyncio.shield(self._beginning)
        self._begin_demo = None
        self._until_quit = True
        reach.state = StateFolder(folder, folder)
        reach.environ = {key: told for key, told in reach.environ.items() if key not in _OURS}
        return await reach.blocking(Profiles(reach.state).default_name)

    async def join(
        self, link: Link, *, user_name: str, device: str, passphrase: str | None
    ) -> Account:
        """Join a server; in a demo its own alone."""
        if self._until_quit:
            known = await self._reach.blocking(Profiles(self._reach.state).all)
            if link.server_key not in {profile.server_key for profile in known}:
                raise UsageError(
                    problem="This is a demo: what you joined here would be gone with it",
                    remedy="Quit, then join with: sft",
                )
        return await super().join(link, user_name=user_name, device=device, passphrase=passphrase)
