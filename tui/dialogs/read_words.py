"""The words of a key one at a time, spelled wide: two people compare them by voice and do not lose their place."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget

from tui.dialogs.dialog import Dialog, static
from tui.dialogs.reading_out import ReadingOut


class ReadWords(Dialog[None]):
    """Gives nothing; space goes on to the next word.

    Args:
        whose: key it is, harmless.
        words: as keys are written: by hyphens and blanks.
    """

    def __init__(self, whose: str, words: str) -> None:
        super().__init__(f"Words of {whose}", safe="Close")
        self._reading = ReadingOut(words.replace("-", " ").split(), lambda word: "  ".join(word.upper()))
        self._buttons += self._reading.buttons

    def content(self) -> ComposeResult:
        yield from self._reading.lines()
        yield static(
            "Read each to the other by phone or in person. All alike: it is that key. One differs: it is another.",
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
        else:
            self._reading.step(1 if name == "next" else -1)
