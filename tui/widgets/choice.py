"""One of a few: lines with a round mark, moved by arrows or a first letter, chosen with enter.

Rules. Texts are harmless already. The mark follows the cursor; nothing happens before enter, or before a button
of the dialog around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui.glyphs import Glyphs
from tui.text import cut_name
from tui.themes.styles import styles_of


@dataclass(frozen=True, slots=True)
class Option:
    """One line: what it gives, what it is called, what it means."""

    value: str
    label: str
    description: str = ""


class Choice(Widget, can_focus=True):
    """The lines; more than ``most`` of them scroll.

    Args:
        value: of the line that is marked at first.
        label_cells: how wide the names stand.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("home", "move(-999999)", show=False),
        Binding("end", "move(999999)", show=False),
        Binding("enter", "choose", show=False),
    ]
    marked: reactive[int] = reactive(0)

    @dataclass
    class Moved(Message):
        """Another line is marked."""

        choice: Choice

        @property
        def control(self) -> Choice:
            return self.choice

    @dataclass
    class Chosen(Message):
        """Enter was pressed."""

        choice: Choice

        @property
        def control(self) -> Choice:
            return self.choice

    def __init__(
        self,
        options: Sequence[Option],
        glyphs: Glyphs,
        *,
        value: str = "",
        most: int = 5,
        label_cells: int = 12,
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        super().__init__(id=id)
        self._options = list(options)
        self._glyphs = glyphs
        self._most = most
        self._label_cells = label_cells
        first = next((i for i, one in enumerate(self._options) if one.value == value), 0)
        self.set_reactive(Choice.marked, first)

    @property
    def value(self) -> str:
        """What the marked line gives; empty where there is no line."""
        return self._options[self.marked].value if self._options else ""

    def render(self) -> Text:
        styles = styles_of(self.app.theme)
        marked = styles["cursor" if self.has_focus else "strong"]
        top = self._top()
        lines: list[Text] = []
        for index, option in enumerate(self._options[top : top + self._most], top):
            is_marked = index == self.marked
            style = marked if is_marked else ""
            line = Text(no_wrap=True, overflow="ellipsis", end="")
            line.append(f"({self._mark(is_marked=is_marked)}) ", style)
            label = cut_name(option.label, self._label_cells, self._glyphs.ellipsis)
            line.append(label, style)
            line.append(" " * (self._label_cells - cell_len(label) + 1))
            line.append(option.description, styles["muted"])
            lines.append(line)
        return Text("\n", no_wrap=True, overflow="ellipsis", end="").join(lines)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        del container, viewport, width
        return max(min(len(self._options), self._most), 1)

    def action_move(self, lines: int) -> None:
        self._mark_line(self.marked + lines)

    def action_choose(self) -> None:
        self.post_message(self.Chosen(self))

    def on_key(self, event: events.Key) -> None:
        """Go to the next line that begins with a letter."""
        if event.character is None or not event.character.isalnum():
            return
        wanted = event.character.casefold()
        count = len(self._options)
        for step in range(1, count + 1):
            index = (self.marked + step) % count
            if self._options[index].label.casefold().startswith(wanted):
                event.stop()
                self._mark_line(index)
                return

    def on_click(self, event: events.Click) -> None:
        self._mark_line(self._top() + event.y)

    def _mark_line(self, index: int) -> None:
        self.marked = max(0, min(index, len(self._options) - 1))
        self.post_message(self.Moved(self))

    def _top(self) -> int:
        last = max(len(self._options) - self._most, 0)
        return min(max(self.marked - self._most // 2, 0), last)

    def _mark(self, *, is_marked: bool) -> str:
        if not is_marked:
            return " "
        return "*" if self._glyphs.plain else "•"
