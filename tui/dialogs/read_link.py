"""The server link as it is read out over a phone: a group of characters at a time, spelled, so that nobody loses the place.

Rules. It is no secret. What was typed wrong is told at the other end: a link ends with characters that check it, and blanks
between the groups are dropped there.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget

from sft.model.spelling import link_groups, spelled
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.dialogs.reading_out import ReadingOut
from tui.text import shown


class ReadLink(Dialog[None]):
    """Gives nothing; space goes on to the next group.

    Args:
        address: of the server.
        words: of its key.
        link: both, as one text.
    """

    wide = True

    def __init__(self, address: str, words: str, link: str) -> None:
        super().__init__("The server link, to read out", safe="Close")
        self._address = address
        self._words = words
        self._link = link
        self._reading = ReadingOut(list(map(shown, link_groups(link))), str, spelled)
        self._buttons += [DialogButton("Copy", "copy", key="y"), *self._reading.buttons]

    def content(self) -> ComposeResult:
        yield static(f"{shown(self._address)}   key {shown(self._words)}")
        yield from self._reading.lines()
        yield static(
            "Who has joined already types it at p in Servers (sft servers link NAME). Then compare the words of the key.",
            "dialog-space",
        )

    def first_focus(self) -> Widget:
        return self._buttons[-1]

    def on_mount(self) -> None:
        super().on_mount()
        self._reading.step(0)

    def answer(self, name: str) -> None:
        if name == "safe":
            self.dismiss(None)
        elif name == "copy":
            self.app.copy_to_clipboard(self._link)
            self.show_progress("Sent to the terminal's clipboard: the server link.")
        else:
            self._reading.step(1 if name == "next" else -1)
