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
from tui.messages import Said, Tone
from tui.text import cut

_SECONDS: Final = {Tone.PLAIN: 6.0, Tone.GOOD: 6.0, Tone.DOUBT: 8.0, Tone.BAD: 15.0}


class MessageLine(Widget):
    """One or two sentences; two lines where the next step does not fit."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "message-line--good",
        "message-line--doubt",
        "message-line--bad",
        "message-line--step",
    }

    said: reactive[Said | None] = reactive(None, layout=True)
    standing: reactive[tuple[str, Tone]] = reactive(("", Tone.PLAIN))
    alarm: reactive[Said | None] = reactive(None, layout=True)

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._glyphs = glyphs
        self._timer: Timer | None = None

    def say(self, said: Said) -> None:
        """Say something for a while."""
        self.said = said
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_SECONDS[said.tone], self.hush)

    def hush(self) -> None:
        """Let what the screen says stand again."""
        self.said = None

    def watch_alarm(self, before: Said | None, alarm: Said | None) -> None:
        """Let nothing older stand before what has just gone wrong."""
        if before is None and alarm is not None:
            self.hush()

    def render(self) -> Text:
        """Draw what is said."""
        said = self.said or self.alarm
        if said is None:
            said = Said(*self.standing)
        width = self.size.width - 2
        glyph = self._glyphs.tone(said.tone)
        style = self._style(said.tone)
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
        """Take a second line only where it is needed."""
        del container, viewport
        said = self.said or self.alarm
        if said is None or not said.next_step:
            return 1
        glyph = 2 if self._glyphs.tone(said.tone) else 0
        return 1 if glyph + cell_len(said.text) + 2 + cell_len(said.next_step) <= width - 2 else 2

    def _style(self, tone: Tone) -> Style:
        if tone is Tone.PLAIN:
            return Style.null()
        return self.get_component_rich_style(f"message-line--{tone.value}", partial=True)
