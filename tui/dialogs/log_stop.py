"""The full stop when a server's log contradicts what it proved: what happened, where the evidence lies, whom to show it.

Rules. There is one answer, and it changes nothing: no key takes the stop away. Whoever closes the dialog stays disconnected,
and finds the same words in header, message line and list of servers.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from sft.errors import LedgerError, LogRestartedError
from tui.dialogs.dialog import Dialog, static
from tui.gateway import Account
from tui.text import cut_name, error_text, shown
from tui.widgets.link_input import rows


class LogStop(Dialog[None]):
    """Gives nothing: the server stays unused."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", show=False)]
    wide = True

    def __init__(self, account: Account, error: LedgerError) -> None:
        name = cut_name(shown(account.name), 30)
        said = "has begun a new log" if isinstance(error, LogRestartedError) else "contradicts its own log"
        super().__init__(f"STOP: {name} {said}", safe="Stay disconnected", classes="-stop")
        self._account = account
        self._error = error
        self._evidence = str(error.values.get("evidence", ""))

    def content(self) -> ComposeResult:
        message, step = error_text(self._error, self.sft.now())
        yield static(message)
        yield static(
            "sft takes nothing from this server any more and sends it nothing, on this computer. "
            "That does not pass by itself, and no key here takes it away.",
            "dialog-space",
        )
        with Vertical(classes="dialog-space"):
            evidence = shown(self._evidence) if self._evidence else "none: it could not be written"
            yield from rows([("Evidence", evidence), ("Next", step)])
        if self._evidence:
            yield static("y sends the path of the evidence to the terminal's clipboard.", "dialog-space")

    def action_copy(self) -> None:
        """Send the path of the evidence to the terminal's clipboard."""
        if self._evidence:
            self.app.copy_to_clipboard(self._evidence)
            self.show_progress("Sent to the terminal's clipboard: the path of the evidence.")
