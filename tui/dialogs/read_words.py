"""The words of a key one at a time, spelled wide: two people compare them by voice and do not lose their place."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui.dialogs.dialog import Dialog, DialogButton, static


class ReadWords(Dialog[None]):
    """Gives nothing; space goes on to the next word.

    Args:
        whose: key it is, harmless.
        words: as keys are written: by hyphens and blanks.
    """

    def __init__(self, whose: str, words: str) -> None:
        super().__init__(f"Words of {whose}", safe="Close")
        self._words: Sequence[str] = words.replace("-", " ").split()
        self._at = 0
        self._buttons += [DialogButton("Before", "before", key="b"), DialogButton("Next", "next", key="space")]

    def content(self) -> ComposeResult:
        yield static("", id="read-word")
        yield static("", "dialog-muted dialog-space", id="read-all")
        yield static(
            "Read each to the other by phone or in person. All alike: it is that key. One differs: it is another.",
            "dialog-space",
        )

    def first_focus(self) -> Widget:
        return self._buttons[-1]

    def on_mount(self) -> None:
        super().on_mount()
        self._show()

    def answer(self, name: str) -> None:
        if name == "safe":
            self.dismiss(None)
            return
        step = 1 if name == "next" else -1
        self._at = min(max(self._at + step, 0), len(self._words) - 1)
        self._show()

    def _show(self) -> None:
        word = self._words[self._at]
        wide = "  ".join(word.upper())
        said = Content.assemble((f"{self._at + 1} of {len(self._words)}   ", "$quiet"), (wide, "bold $foreground"))
        self.query_one("#read-word", Static).update(said)
        parts = [
            (f"{each} ", "bold $foreground" if at == self._at else "$quiet") for at, each in enumerate(self._words)
        ]
        self.query_one("#read-all", Static).update(Content.assemble(*parts))
