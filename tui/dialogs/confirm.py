"""Asks before something is destroyed: what will happen, the safe answer first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui.dialogs.dialog import Dialog, DialogButton


class Confirm(Dialog[bool]):
    """Gives True, or None for the safe answer.

    Args:
        lines: what will happen, harmless texts.
        safe: what the safe button says.
        act: what the other one says.
    """

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        *,
        act: str,
        safe: str = "Keep",
        key: str = "y",
        destroys: bool = True,
    ) -> None:
        super().__init__()
        self.title_text = title
        self._lines = lines
        self._safe = safe
        self._act = act
        self._key = key
        self._destroys = destroys

    def content(self) -> ComposeResult:
        """Say what will happen."""
        for line in self._lines:
            yield Static(Content(line), markup=False)

    def buttons(self) -> Sequence[DialogButton]:
        """Offer both ways."""
        act = DialogButton(self._act, "act", key=self._key, destroys=self._destroys)
        return [DialogButton(self._safe, "safe"), act]

    def answer(self, name: str) -> None:
        """Give the answer."""
        self.dismiss(True if name == "act" else None)
