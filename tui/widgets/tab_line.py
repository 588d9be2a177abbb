"""The lists of one screen by name, with how many lines each has; the shown one stands out. Every name can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.themes.styles import styles_of


@dataclass(frozen=True, slots=True)
class Tab:
    """One list.

    Args:
        count: how many lines; None while unknown.
        off: it cannot be shown.
    """

    key: str
    title: str
    count: int | None = None
    off: bool = False

    @property
    def text(self) -> str:
        return self.title if self.count is None else f"{self.title} {self.count:,}"


class TabLine(Widget):
    """The line."""

    tabs: reactive[tuple[Tab, ...]] = reactive(())
    active: reactive[str] = reactive("")

    @dataclass
    class Picked(Message):
        """A list was clicked."""

        line: TabLine
        key: str

        @property
        def control(self) -> TabLine:
            return self.line

    def show(self, tabs: Sequence[Tab], active: str) -> None:
        self.tabs = tuple(tabs)
        self.active = active

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="crop", end="")
        styles = styles_of(self.app.theme)
        for tab in self.tabs:
            style = "tab" if tab.key == self.active else "muted" if tab.off else "plain"
            text.append(f" {tab.text} ", styles[style])
            text.append(" ")
        hint = "] next"
        gap = self.size.width - text.cell_len - cell_len(hint) - 1
        usable = sum(not tab.off for tab in self.tabs) > 1
        if gap > 0 and usable:
            text.append(" " * gap)
            text.append(hint, styles["muted"])
        return text

    def on_click(self, event: events.Click) -> None:
        column = 0
        for tab in self.tabs:
            width = cell_len(tab.text) + 2
            if column <= event.x < column + width:
                self.post_message(self.Picked(self, tab.key))
            column += width + 1
