"""Asks for an invitation, where there are servers already."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui.dialogs.dialog import Dialog, DialogButton
from tui.gateway import Link
from tui.widgets.link_field import LinkField
from tui.widgets.link_input import LinkInput
from tui.workers import begin


class PasteInvitation(Dialog[Link]):
    """Gives a whole link, or None.

    Args:
        lines: harmless texts above the field.
    """

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self.title_text = title
        self._lines = lines

    def content(self) -> ComposeResult:
        """Show what is wanted, and the field."""
        for line in self._lines:
            yield Static(Content(line), markup=False)
        yield LinkField(self.sft.glyphs, self.sft.now())

    def buttons(self) -> Sequence[DialogButton]:
        """Enter in the field goes on; this is the way back."""
        return [DialogButton("Cancel", "cancel"), DialogButton("Go on", "act")]

    def first_focus(self) -> Widget | None:
        """The field."""
        return self.query_one(LinkInput)

    @on(LinkField.Given)
    def _given(self, event: LinkField.Given) -> None:
        event.stop()
        self.dismiss(event.link)

    async def _submit(self) -> None:
        await self.query_one(LinkInput).action_submit()

    def answer(self, name: str) -> None:
        """Go on as enter does, or leave it."""
        if name == "act":
            self.query_one(LinkInput).focus()
            begin(self, self._submit, group="submitting")
        else:
            self.dismiss(None)
