"""The field for a pasted link, and what such a link says, in the words of every dialog that takes one; texts are harmless.

Rules. Blanks, line breaks and box borders fall away, and so does what stands before and after a link. Letters are text here, as
in every field: what belongs to the screen has a function key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from sft.crypto.keys import ServerPublic
from sft.errors import LinkIncompleteError, SftError
from sft.model.access import Role
from sft.model.links import InvitationLink, Link, checked_beginnings, parse_link
from sft.model.text import ROLE_WORDS, local_time
from tui.glyphs import Glyphs
from tui.text import error_line, shown

_BEGINNING: Final = "sft://"
_BOX: Final = range(0x2500, 0x2580)
_AROUND: Final = "|<>\"'`"


class LinkInput(Input):
    """A text field for one link, which may come in many lines."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, compact=True, placeholder="sft://", select_on_focus=False)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = cleaned(event.text)
        if _BEGINNING in text.lower():
            self.value = link_in(text)
        else:  # the rest of a link that came in two parts
            self.insert_text_at_cursor(text)
            self.value = link_in(self.value)
        self.cursor_position = len(self.value)


def link_in(text: str) -> str:
    """Return the link that a text holds, without what stands around it; else what may become one."""
    begins = text.lower().rfind(_BEGINNING)
    if begins < 0:
        return text
    text = text[begins:]
    return next(filter(is_whole, checked_beginnings(text)), text)


def is_whole(text: str) -> bool:
    """Return whether the last characters of a link fit: nothing is missing and nothing is too much."""
    try:
        parse_link(text)
    except LinkIncompleteError:
        return False
    except SftError:  # whole, and of no use: its own words say why
        return True
    return True


def cleaned(text: str) -> str:
    """Drop what mail programs and terminals put between the characters of a link, and what no screen should get."""
    return "".join(
        character
        for character in text
        if character.isprintable()
        and not character.isspace()
        and ord(character) not in _BOX
        and character not in _AROUND
    )


class LinkField(Vertical):
    """Field and line."""

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
        yield LinkInput(id="invitation")
        yield Static("", id="invitation-says", markup=False)

    def on_mount(self) -> None:
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
            self._show("Copy the whole line from the message that the admin sent, and paste it.", "")

    def _judge(self, text: str) -> None:
        self._link = None
        if not text:
            self._show("One line or many: blanks, line breaks and borders do no harm.", "")
            return
        try:
            self._link = parse_link(link_in(text))
        except LinkIncompleteError:
            message = "Not a whole invitation yet: copy it from sft:// to its end."
            self._show(f"{self._glyphs.doubt} {message}", "-doubt")
        except SftError as error:
            self._show(f"{self._glyphs.doubt} {error_line(error, self._now)}", "-doubt")
        else:
            where = f"{shown(self._link.server_name)} at {shown(self._link.address)}"
            self._show(f"{self._glyphs.verified} {where}. Enter goes on.", "-good")

    def _show(self, text: str, tone: str) -> None:
        says = self.query_one("#invitation-says", Static)
        says.update(Content(text))
        says.set_classes(tone)


LinkLine = tuple[str, str]
"""A name, empty where the line goes on, and what it says."""


def key_lines(name: str, words: str) -> list[LinkLine]:
    """Break the eight words of a key where people breathe."""
    first, _, rest = words.partition(" ")
    return [(name, first), ("", rest)] if rest else [(name, first)]


def link_lines(link: Link, now: float) -> list[LinkLine]:
    """Return where a link leads, and as what."""
    lines = [
        ("server", f"{shown(link.server_name)} at {shown(link.address)}"),
        *key_lines("its key", ServerPublic(link.server_key).words()),
    ]
    if not isinstance(link, InvitationLink):
        return [
            *lines,
            ("", "Compare these words with what the operator says."),
            ("you will be", f"{Role.GUEST.value}: {ROLE_WORDS[Role.GUEST]}"),
        ]
    ends = local_time(link.expires_at, now=now, weekday=True)
    over = link.expires_at <= now
    return [
        *lines,
        ("", "It came with the invitation: nothing to compare."),
        ("you will be", f"{link.role.value}: {ROLE_WORDS[link.role]}"),
        ("it works", f"once; by this clock it ended {ends}" if over else f"once, until {ends}"),
    ]


def rows(lines: list[LinkLine]) -> ComposeResult:
    """Show such lines, the names in a column of their own."""
    for name, text in lines:
        with Horizontal(classes="says-row"):
            yield Static(Content(name), classes="form-name", markup=False)
            yield Static(Content(text), classes="says-text", markup=False)
