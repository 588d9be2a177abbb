"""Destroys for good what nothing brings back: says what goes, and wants a name typed."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input

from tui.dialogs.dialog import Dialog, static
from tui.text import cut_name, shown


class Destroy(Dialog[bool]):
    """Gives True once the name stands there, else None.

    Args:
        what: is destroyed, in the title.
        lines: what that means.
        typed: what has to be typed; a name that nobody can type is typed as it is shown.
    """

    def __init__(self, what: str, lines: Sequence[str], *, typed: str) -> None:
        self._lines = lines
        self._typed = typed
        super().__init__(f"Destroy {cut_name(what, 40)} for good?", act="Destroy", safe="Keep", destroys=True)
        self.allow_act(allowed=False)  # before the name stands there
        self._field = Input(id="destroy-name", compact=True)

    def content(self) -> ComposeResult:
        for line in self._lines:
            yield static(line)
        yield static(f"There is no way back. Type {shown(self._typed)}:", "dialog-space")
        yield self._field

    def first_focus(self) -> Widget:
        return self._field

    @on(Input.Changed, "#destroy-name")
    def _typing(self) -> None:
        self.complain("")
        self.allow_act(allowed=self._fits())

    @on(Input.Submitted, "#destroy-name")
    def act(self) -> None:
        if not self._fits():
            self.complain(f"That is not {shown(self._typed)}.")
        else:
            self.dismiss(True)

    def _fits(self) -> bool:
        return self._field.value.strip() in {self._typed, shown(self._typed)}
