"""Asks for an invitation, where there are servers already."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from sft.model.links import Link
from tui.dialogs.dialog import Dialog, static
from tui.widgets.link_input import LinkField, LinkInput


class PasteInvitation(Dialog[Link]):
    """Gives a whole link, or None.

    Args:
        lines: harmless texts above the field.
    """

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__(title, act="Go on")
        self._lines = lines

    def content(self) -> ComposeResult:
        for line in self._lines:
            yield static(line)
        yield LinkField(self.sft.glyphs, self.sft.now())

    def first_focus(self) -> Widget:
        return self.query_one(LinkInput)

    @on(LinkField.Given)
    def _given(self, event: LinkField.Given) -> None:
        event.stop()
        self.dismiss(event.link)

    def act(self) -> None:
        self.first_focus().focus()
        self.work(self.query_one(LinkInput).action_submit)
