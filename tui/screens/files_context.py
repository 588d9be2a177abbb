"""What the acts of Files find around them, so that none of them has to know the screen."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Protocol

from textual.message import Message
from textual.timer import Timer

from tui.panes.layout import Wishes
from tui.panes.local import LocalSide
from tui.panes.pane import Pane
from tui.panes.remote import RemoteSide
from tui.view_context import ViewContext


class FilesContext(ViewContext, Protocol):
    """The Files screen, as far as it concerns what is done there."""

    local: Pane
    remote: Pane
    local_side: LocalSide
    remote_side: RemoteSide
    wishes: Wishes

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

    def post_message(self, message: Message) -> bool:
        """Tell what stands around."""
