"""The line in which a person types what the lines of a list must hold; it is there only while it is used.

Rules. It narrows nothing by itself: it tells what was typed. Up and down move the list meanwhile; enter goes back to it and
keeps the filter, escape drops it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class FilterField(Input):
    """What is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
        Binding("escape", "leave", show=False),
    ]

    def action_step(self, lines: int) -> None:
        self.post_message(FilterLine.Stepped(lines))

    def action_leave(self) -> None:
        self.post_message(FilterLine.Left())


class FilterLine(Horizontal):
    """The line.

    Args:
        placeholder: says what is looked for.
    """

    @dataclass
    class Typed(Message):
        """The filter is another one now."""

        text: str

    @dataclass
    class Stepped(Message):
        """The list's cursor is to move."""

        lines: int

    @dataclass
    class Left(Message):
        """The filter is to go, and the list to have the focus."""

    @dataclass
    class Kept(Message):
        """The filter stays, and the list is to have the focus."""

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self._placeholder = placeholder
        self.text = ""

    def compose(self) -> ComposeResult:
        yield Static("/ ", markup=False)
        yield FilterField(placeholder=self._placeholder, compact=True)

    def on_mount(self) -> None:
        self.display = False

    @property
    def used(self) -> bool:
        return bool(self.display)

    def open(self) -> None:
        self.display = True
        self.screen.set_focus(self.query_one(FilterField))  # at once: what is typed ahead is for it

    def drop(self) -> None:
        """Forget what was typed, without telling."""
        self.text = ""
        self.query_one(FilterField).value = ""
        self.display = False

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self.text:
            self.text = event.value
            self.post_message(self.Typed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Kept() if event.value else self.Left())
