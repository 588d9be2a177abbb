"""The line in which a person types what the lines of a list must hold; it is there only while it is used.

Rules. It narrows nothing by itself: it reports what was typed. Up and down move the list meanwhile; enter goes back to it and
keeps the filter, escape drops it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui.widgets.row_list import RowList


class _Field(Input):
    """Gives the focus back at once: what is typed right after enter is for the list."""

    def __init__(self, placeholder: str, done: Callable[[], None]) -> None:
        super().__init__(placeholder=placeholder, compact=True)
        self._done = done

    async def action_submit(self) -> None:
        self._done()


class FilterLine(Horizontal):
    """The line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
        Binding("escape", "leave", show=False),
    ]

    @dataclass
    class Typed(Message):
        """The filter is another one now."""

        text: str

    @dataclass
    class Left(Message):
        """The filter is to go."""

    @dataclass
    class Submitted(Message):
        """The filter is kept, and keys are for the list again."""

    def __init__(self, placeholder: str, rows: Callable[[], RowList]) -> None:
        super().__init__()
        self._field = _Field(placeholder, self._submitted)
        self._rows = rows
        self.text = ""

    def compose(self) -> ComposeResult:
        yield Static("/ ", markup=False)
        yield self._field

    def on_mount(self) -> None:
        self.display = False

    @property
    def used(self) -> bool:
        return bool(self.display)

    def open(self) -> None:
        self.display = True
        self.screen.set_focus(self._field)  # at once: what is typed ahead is for it

    def drop(self) -> None:
        """Forget what was typed, without reporting."""
        self.text = ""
        self._field.value = ""
        self.display = False

    def action_step(self, lines: int) -> None:
        """Move the cursor of the list."""
        rows = self._rows()
        rows.move_to(rows.cursor + lines)

    def action_leave(self) -> None:
        self.post_message(self.Left())
        self.screen.set_focus(self._rows())

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self.text:
            self.text = event.value
            self.post_message(self.Typed(event.value))

    def _submitted(self) -> None:
        if self._field.value:
            self.screen.set_focus(self._rows())
            self.post_message(self.Submitted())
        else:
            self.action_leave()
