"""Asks before something is destroyed: what will happen, the safe answer first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from tui.dialogs.dialog import Dialog, static


class Confirm(Dialog[bool]):
    """Gives True, or None for the safe answer.

    Args:
        lines: what will happen, harmless texts.
    """

    def __init__(
        self, title: str, lines: Sequence[str], *, act: str, safe: str = "Keep", key: str = "y", destroys: bool = True
    ) -> None:
        super().__init__(title, act=act, safe=safe, key=key, destroys=destroys)
        self._lines = lines

    def content(self) -> ComposeResult:
        for line in self._lines:
            yield static(line)

    def act(self) -> None:
        self.dismiss(True)
