"""Parts of a text as they are read out over a phone, one at a time: which it is, how it is written, and all of them below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from textual.content import Content
from textual.widget import Widget

from tui.dialogs.dialog import DialogButton, static


class ReadingOut:
    """The lines of one dialog, which composes them, and its buttons: space goes on to the next part.

    Args:
        parts: harmless.
        written: how the one that is read stands there.
        spelled: how its characters are called, in a line of its own; None without.
    """

    def __init__(
        self, parts: Sequence[str], written: Callable[[str], str], spelled: Callable[[str], str] | None = None
    ) -> None:
        self._parts = parts
        self._written = written
        self._spelled = spelled
        self._at = 0
        self._part = static("", "" if spelled is None else "dialog-space", id="read-word")
        self._spelling = static("", id="read-spelled")
        self._all = static("", "dialog-muted dialog-space", id="read-all")
        self.buttons = [DialogButton("Before", "before", key="b"), DialogButton("Next", "next", key="space")]

    def lines(self) -> Iterator[Widget]:
        """Compose them."""
        yield self._part
        if self._spelled is not None:
            yield self._spelling
        yield self._all

    def step(self, by: int) -> None:
        """Go on by so many parts, as far as there are any."""
        self._at = min(max(self._at + by, 0), len(self._parts) - 1)
        part = self._parts[self._at]
        place = f"{self._at + 1} of {len(self._parts)}   "
        self._part.update(Content.assemble((place, "$quiet"), (self._written(part), "bold $foreground")))
        if self._spelled is not None:
            self._spelling.update(Content(self._spelled(part)))
        styled = [
            (f"{each} ", "bold $foreground" if at == self._at else "$quiet") for at, each in enumerate(self._parts)
        ]
        self._all.update(Content.assemble(*styled))
