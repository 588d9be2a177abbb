"""What the acts of Files find around them, so that none of them has to know the screen."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from textual.app import App
from textual.message import Message
from textual.timer import Timer

from sft.client.connection_info import ConnectionInfo
from tui.context import AppContext
from tui.gateway import Gateway
from tui.messages import Severity
from tui.panes.layout import Wishes
from tui.panes.local import LocalSide
from tui.panes.pane import Pane
from tui.panes.remote import RemoteSide


class FilesContext(Protocol):
    """The Files screen, as far as it concerns what is done there."""

    local: Pane
    remote: Pane
    local_side: LocalSide
    remote_side: RemoteSide
    wishes: Wishes

    @property
    def app(self) -> App[Any]:
        """What shows dialogs."""

    @property
    def sft(self) -> AppContext:
        """Queue, signs and clock."""

    @property
    def gateway(self) -> Gateway: ...

    @property
    def connection(self) -> ConnectionInfo: ...

    @property
    def now(self) -> float: ...

    @property
    def pane(self) -> Pane:
        """The pane that acts are about."""

    @property
    def is_local(self) -> bool:
        """Whether that is this computer's."""

    def wish(self, wishes: Wishes) -> None:
        """Share the window out otherwise."""

    def start(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run what asks a person or the server; what it raises stands in the message line."""

    def after(self, seconds: float, job: Callable[[], Coroutine[None, None, None]], group: str) -> Timer:
        """Run what nobody waits for, in a while, if the screen is there then."""

    def report(self, text: str, severity: Severity = Severity.INFO, next_step: str = "") -> None:
        """Show a harmless sentence in the message line."""

    def post_message(self, message: Message) -> bool:
        """Tell what stands around."""
