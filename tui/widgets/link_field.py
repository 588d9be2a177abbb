"""The field for an invitation, with one line under it that says what stands in it."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from sft.errors import LinkIncompleteError, SftError
from sft.model.links import parse_link
from tui.gateway import Link
from tui.glyphs import Glyphs
from tui.text import shown
from tui.widgets.link_input import LinkInput
from tui.widgets.link_says import one_line


class LinkField(Vertical):
    """Field and line.

    Args:
        now: Unix seconds, for times in what is said.
    """

    @dataclass
    class Given(Message):
        """Enter was pressed on a whole link."""

        link: Link

    def __init__(self, glyphs: Glyphs, now: float) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._now = now
        self._link: Link | None = None

    def compose(self) -> ComposeResult:
        """Put field and line together."""
        yield LinkInput(id="invitation")
        yield Static("", id="invitation-says", markup=False)

    def on_mount(self) -> None:
        """Say what is wanted."""
        self._judge("")

    def clear(self) -> None:
        """Empty the field: its link was used."""
        self.query_one(LinkInput).value = ""

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._judge(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._link is not None:
            self.post_message(self.Given(self._link))
        elif not event.value:
            self._say("Copy the whole line from the message that the admin sent, and paste it.", "")

    def _judge(self, text: str) -> None:
        self._link = None
        if not text:
            self._say("One line or many: blanks, line breaks and borders do no harm.", "")
            return
        try:
            self._link = parse_link(text)
        except LinkIncompleteError:
            said = "Not a whole invitation yet: copy it from sft:// to its end."
            self._say(f"{self._glyphs.doubt} {said}", "-doubt")
        except SftError as error:
            self._say(f"{self._glyphs.doubt} {one_line(error, self._now)}", "-doubt")
        else:
            where = f"{shown(self._link.server_name)} at {shown(self._link.address)}"
            self._say(f"{self._glyphs.verified} {where}. Enter goes on.", "-good")

    def _say(self, text: str, tone: str) -> None:
        says = self.query_one("#invitation-says", Static)
        says.update(Content(text))
        says.set_classes(tone)
