"""What the acts of a screen find around them, so that none has to know the screen; each screen's context adds its own."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

from textual.app import App

from sft.client.connection_info import ConnectionInfo
from sft.errors import SftError
from tui.context import AppContext
from tui.gateway import Gateway
from tui.messages import Severity

T = TypeVar("T")


class ViewContext(Protocol):
    """A screen (``tui.view``), as far as it concerns what is done there."""

    @property
    def app(self) -> App[Any]:
        """What shows dialogs."""

    @property
    def sft(self) -> AppContext:
        """Screens, queue, signs and clock."""

    @property
    def gateway(self) -> Gateway: ...

    @property
    def connection(self) -> ConnectionInfo: ...

    @property
    def now(self) -> float: ...

    def report(self, text: str, severity: Severity = Severity.INFO, next_step: str = "") -> None:
        """Show a harmless sentence in the message line."""

    def report_error(self, error: SftError) -> None: ...

    async def attempt(self, asked: Awaitable[object]) -> bool:
        """Wait for something and report its refusal or fault; return whether it worked."""

    async def unless_fault(self, asked: Awaitable[T]) -> T | None:
        """Wait for what a dialog asks: refusals are the dialog's to show, a fault is reported here."""
