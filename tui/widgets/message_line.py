"""The line above the footer: what was said last, else what the screen says of itself; a lost connection comes first."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

from tui.glyphs import Glyphs
from tui.messages import Notification, Severity
from tui.text import cut

_SECONDS: Final = {Severity.INFO: 6.0, Severity.SUCCESS: 6.0, Severity.WARNING: 8.0, Severity.ERROR: 15.0}


class MessageLine(Widget):
    """One or two sentences; two lines where the next step does not fit."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "message-line--success",
        "message-line--warning",
        "message-line--error",
        "message-line--step",
    }

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

    def watch_alarm(self, before: Notification | None, alarm: Notification | None) -> None:
        """Let nothing older stand before what has just gone wrong."""
        if before is None and alarm is not None:
            self.hush()

    def render(self) -> Text:
        said = self.said or self.alarm
        if said is None:
            said = Notification(*self.standing)
        width = self.size.width - 2
        glyph = self._glyphs.severity(said.severity)
        style = self._style(said.severity)
        head = f"{glyph} {said.text}" if glyph else said.text
        text = Text(no_wrap=True, overflow="ellipsis", end="")
        if not said.next_step:
            text.append(cut(head, width), style)
            return text
        both = cell_len(head) + 2 + cell_len(said.next_step)
        text.append(cut(head, width), style)
        step = self.get_component_rich_style("message-line--step", partial=True)
        indent = "  " if glyph else ""
        text.append("  " if both <= width else f"\n{indent}", step)
        text.append(cut(said.next_step, width - len(indent)), step)
        return text

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        del container, viewport
        said = self.said or self.alarm
        if said is None or not said.next_step:
            return 1
        glyph = 2 if self._glyphs.severity(said.severity) else 0
        return 1 if glyph + cell_len(said.text) + 2 + cell_len(said.next_step) <= width - 2 else 2

    def _style(self, severity: Severity) -> Style:
        if severity is Severity.INFO:
            return Style.null()
        return self.get_component_rich_style(f"message-line--{severity.value}", partial=True)
