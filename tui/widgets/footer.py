"""The last line: what acts here and fits, All and Help always among it. Every part can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.widget import Widget

from tui.keys import ACTS, ALWAYS_IN_FOOTER
from tui.messages import ActChosen
from tui.themes.styles import styles_of

_LEAVING_WEIGHT: Final = 60  # where there is room


@dataclass(frozen=True, slots=True)
class Hint:
    """One part of the footer."""

    act: str
    key: str
    label: str
    weight: int

    @property
    def cells(self) -> int:
        return cell_len(self.key) + 1 + cell_len(self.label)


class Footer(Widget):
    """Keys and what they do."""

    hints: reactive[tuple[Hint, ...]] = reactive(())

    def show(self, hints: Sequence[Hint]) -> None:
        self.hints = tuple(hints)

    def fitting(self, width: int) -> list[tuple[int, Hint]]:
        """Return what fits, and at which column each begins."""
        always = [hint for hint in self.hints if hint.act in ALWAYS_IN_FOOTER]
        room = width - sum(hint.cells + 2 for hint in always)
        chosen: set[str] = set()
        for hint in sorted(self.hints, key=lambda hint: hint.weight):
            if hint in always or hint.cells + 2 > room:
                continue
            room -= hint.cells + 2
            chosen.add(hint.act)
        placed: list[tuple[int, Hint]] = []
        column = 1
        for hint in [h for h in self.hints if h.act in chosen] + always:
            placed.append((column, hint))
            column += hint.cells + 2
        return placed

    def render(self) -> Text:
        styles = styles_of(self.app.theme)
        text = Text(no_wrap=True, end="", overflow="crop")
        for _, hint in self.fitting(self.size.width):
            text.append(" " if not text else "  ")
            text.append(hint.key, styles["key"])
            text.append(f" {hint.label}", styles["plain"])
        return text

    def on_click(self, event: events.Click) -> None:
        for column, hint in self.fitting(self.size.width):
            if column <= event.x < column + hint.cells:
                self.post_message(ActChosen(hint.act))


def always(*, typing: bool) -> list[Hint]:
    """Return what stands there always; while a field has the focus by the keys that are no text, and the way out with them."""
    hints = [
        Hint(act.id, act.key_while_typing if typing else act.key_shown, act.label, act.weight)
        for act in (ACTS[name] for name in ALWAYS_IN_FOOTER)
    ]
    if typing:
        leaving = ACTS["app.quit"]
        hints.append(Hint(leaving.id, leaving.key_while_typing, leaving.description, _LEAVING_WEIGHT))
    return hints
