"""Asks before something is destroyed: what will happen, the safe answer first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from tui.dialogs.dialog import Dialog, static


class Confirm(Dialog[bool]):
    """Gives True, or None for the safe answer.

    Args:
        lines: what will happen, harmless texts.
        names: of what it will happen to, likewise, above them.
    """

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        *,
        names: Sequence[str] = (),
        act: str,
        safe: str = "Keep",
        key: str = "y",
        destroys: bool = True,
    ) -> None:
        super().__init__(title, act=act, safe=safe, key=key, destroys=destroys)
        self._names = names
        self._lines = lines

    def content(self) -> ComposeResult:
        for name in self._names:
            yield static(name, "dialog-name")
        for line in self._lines:
            yield static(line)

    def act(self) -> None:
        self.dismiss(True)
