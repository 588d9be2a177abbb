"""Asks for one line of text: a name, a path, an address."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input
from textual.widgets.input import Selection

from sft.errors import SftError
from tui.dialogs.dialog import Dialog, static


class TextPrompt(Dialog[str]):
    """Gives what was typed, or None.

    Args:
        lines: harmless texts above the field.
        value: what stands there at first.
        select_to: so many characters of it are marked, so that typing replaces them.
        check: makes of the text what is given; an error of the tree is shown and the question stays.
    """

    def __init__(
        self,
        title: str,
        *,
        lines: Sequence[str] = (),
        label: str = "",
        value: str = "",
        act: str = "Do it",
        select_to: int | None = None,
        check: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(title, act=act)
        self._lines = lines
        self._label = label
        self._field = Input(value, id="asked", compact=True, select_on_focus=False)
        self._select_to = len(value) if select_to is None else select_to
        self._check = check

    def content(self) -> ComposeResult:
        for line in self._lines:
            yield static(line)
        if self._label:
            yield static(self._label, "dialog-label")
        yield self._field

    def first_focus(self) -> Widget:
        if self._field.value:
            self._field.selection = Selection(0, self._select_to)
        return self._field

    @on(Input.Submitted, "#asked")
    def act(self) -> None:
        value = self._field.value
        if self._check is not None:
            try:
                value = self._check(value)
            except SftError as error:
                self.complain(error)
                return
        self.dismiss(value)
