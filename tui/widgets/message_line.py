"""The line above the footer: what was said last, else what the screen says of itself; a lost connection comes first."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

from tui.glyphs import Glyphs
from tui.messages import Notification, Severity
from tui.text import cut
from tui.themes.styles import styles_of

_SECONDS: Final = {Severity.INFO: 6.0, Severity.SUCCESS: 6.0, Severity.WARNING: 8.0, Severity.ERROR: 15.0}
_TONES: Final = {Severity.SUCCESS: "good", Severity.WARNING: "doubt", Severity.ERROR: "bad"}


class MessageLine(Widget):
    """One or two sentences, on two or three lines where one has no room for them."""

    said: reactive[Notification | None] = reactive(None, layout=True)
    standing: reactive[tuple[str, Severity]] = reactive(("", Severity.INFO))
    alarm: reactive[Notification | None] = reactive(None, layout=True)

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._glyphs = glyphs
        self._timer: Timer | None = None

    def show(self, said: Notification) -> None:
        self.said = said
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_SECONDS[said.severity], self.hush)

    def hush(self) -> None:
        """Let what the screen says stand again."""
        self.said = None

    def leave(self) -> None:
        """Hush what the screen said that is left now."""
        if self.said is not None and self.said.of_view:
            self.hush()

    def watch_alarm(self, before: Notification | None, alarm: Notification | None) -> None:
        """Let nothing older stand before what has just gone wrong."""
        if before is None and alarm is not None:
            self.hush()

    def watch_standing(self, before: tuple[str, Severity], standing: tuple[str, Severity]) -> None:
        """Take another line, or give it back; to lay out the screen is dear."""
        width = self.size.width - 2
        if width > 0 and len(broken(before[0], width)) != len(broken(standing[0], width)):
            self.refresh(layout=True)

    def render(self) -> Text:
        said = self._shown
        head, joined, steps = self._lines(said, self.size.width - 2)
        step = styles_of(self.app.theme)["muted"]
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        text.append("\n".join(head), self._style(said.severity))
        text.append(f"  {joined}" if joined else "", step)
        text.append("".join(f"\n{line}" for line in steps), step)
        return text

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        del container, viewport
        head, _, steps = self._lines(self._shown, width - 2)
        return len(head) + len(steps)

    @property
    def _shown(self) -> Notification:
        return self.said or self.alarm or Notification(*self.standing)

    def _lines(self, said: Notification, width: int) -> tuple[list[str], str, list[str]]:
        """Return the lines of a sentence, and its next step beside the last of them or on lines of its own."""
        glyph = self._glyphs.severity(said.severity)
        head = broken(f"{glyph} {said.text}" if glyph else said.text, width)
        step, indent = said.next_step, "  " if glyph else ""
        if not step or cell_len(head[-1]) + 2 + cell_len(step) <= width:
            return head, step, []
        lines = broken(step, width - len(indent)) if len(head) == 1 else [cut(step, width - len(indent))]
        return head, "", [f"{indent}{line}" for line in lines]

    def _style(self, severity: Severity) -> Style:
        tone = _TONES.get(severity)
        return Style.null() if tone is None else styles_of(self.app.theme)[tone]


def broken(text: str, width: int) -> list[str]:
    """Break a sentence in two where one line has no room for it; a name is broken where it must."""
    if cell_len(text) <= width:
        return [text]
    first = set_cell_size(text, width)
    blank = first.rfind(" ")
    if blank > len(first) // 2:
        first = first[:blank]
    return [first.rstrip(), cut(text[len(first) :].lstrip(), width)]
