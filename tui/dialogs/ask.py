"""Asks for one line of text: a name, a path, an address."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sft.errors import SftError
from tui.dialogs.dialog import Dialog, DialogButton
from tui.text import error_text


class Ask(Dialog[str]):
    """Gives what was typed, or None.

    Args:
        lines: harmless texts above the field.
        value: what stands there at first.
        select_to: so many characters of it are marked, so that typing replaces them.
        check: makes of the text what is given; an error of the tree is said and the question stays.
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
        super().__init__()
        self.title_text = title
        self._lines = lines
        self._label = label
        self._value = value
        self._act = act
        self._select_to = select_to
        self._check = check

    def content(self) -> ComposeResult:
        """Show what is asked, and the field."""
        for line in self._lines:
            yield Static(Content(line), markup=False)
        if self._label:
            yield Static(Content(self._label), classes="dialog-label", markup=False)
        yield Input(self._value, id="asked", compact=True, select_on_focus=False)

    def buttons(self) -> Sequence[DialogButton]:
        """Offer both ways."""
        return [DialogButton("Cancel", "cancel"), DialogButton(self._act, "act")]

    def first_focus(self) -> Widget | None:
        """The field."""
        field = self.query_one("#asked", Input)
        if self._value:
            from textual.widgets.input import Selection

            end = len(self._value) if self._select_to is None else self._select_to
            field.selection = Selection(0, end)
        return field

    @on(Input.Submitted, "#asked")
    def _submitted(self) -> None:
        self._give()

    def answer(self, name: str) -> None:
        """Give the text, or nothing."""
        if name == "act":
            self._give()
        else:
            self.dismiss(None)

    def _give(self) -> None:
        value = self.query_one("#asked", Input).value
        if self._check is not None:
            try:
                value = self._check(value)
            except SftError as error:
                said, step = error_text(error, self.sft.now())
                self.complain(f"{said} {step}")
                return
        self.dismiss(value)
