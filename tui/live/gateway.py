"""The gateway over the client library: the sum of its parts, which share one way to the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sft.client.state import StateFolder
from tui.live.demo import BeginDemo, Demonstration
from tui.live.files import Files
from tui.live.local_state import LocalState
from tui.live.people import People
from tui.live.session_access import SessionAccess
from tui.live.transfers import Transfers


class LiveGateway(Demonstration, Files, Transfers, People, LocalState):
    """Servers, over the network.

    Args:
        reactor: runs on the app's loop.
        environ: SFT_PASSPHRASE_FILE opens keys without a question.
        begin_demo: what is offered to whoever has joined nothing.
        until_quit: the state goes when the app ends.
    """

    def __init__(
        self,
        reactor: Any,
        state: StateFolder,
        environ: Mapping[str, str],
        *,
        begin_demo: BeginDemo | None = None,
        until_quit: bool = False,
    ) -> None:
        self._reach = SessionAccess(reactor, state, environ)
        self._begin_demo = begin_demo
        self._until_quit = until_quit
