"""Everything by its name: acts of all screens, folders that were visited, people, servers; enter does it or goes there.

Rules. What is typed narrows the list, and what it fits best stands above; what cannot be done now stands below, and its reason
whole under the list. What needs an answer of the server comes later, while one types already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.glyphs import Glyphs
from tui.keys import Action
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows

_BEGINS, _WORD_BEGINS, _HOLDS, _LETTERS = 0, 1, 2, 4  # the better, the less
_LEAST_LETTERS: Final = 3  # that are looked for apart from one another
_CANNOT: Final = 8


@dataclass(frozen=True, slots=True)
class Offer:
    """An act, where it acts, and why it cannot be done now."""

    act: Action
    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaletteTarget:
    """Something that can be chosen.

    Args:
        key: tells it from all others.
        says: harmless.
        where: on which screen, or what it is.
        do: does it, or goes there.
        pressed: its key, as people write it.
        reason: why it cannot be done now.
        also: what it is found by besides.
    """

    key: str
    says: str
    where: str
    do: Callable[[], Awaitable[None]]
    pressed: str = ""
    reason: str = ""
    also: str = ""


def score(target: PaletteTarget, text: str) -> int | None:
    """Return how well something fits what was typed, 0 best; None where it does not."""
    says, found_by = target.says.casefold(), f"{target.says} {target.also} {target.where}".casefold()
    total = _CANNOT if target.reason else 0
    for word in text.casefold().split():
        if says.startswith(word):
            total += _BEGINS
        elif any(each.startswith(word) for each in found_by.replace("/", " ").split()):
            total += _WORD_BEGINS
        elif word in found_by:
            total += _HOLDS
        elif len(word) >= _LEAST_LETTERS and _in_order(word, says):
            total += _LETTERS
        else:
            return None
    return total


def _in_order(word: str, text: str) -> bool:
    """Return whether each word of a text gives some letters of it, from its beginning on: ``nf`` is in ``new folder``."""
    left = word
    for each in text.replace("/", " ").split():
        taken = 0
        while taken < min(len(left), len(each)) and left[taken] == each[taken]:
            taken += 1
        left = left[taken:]
    return not left


def narrowed(targets: Sequence[PaletteTarget], text: str) -> list[PaletteTarget]:
    """Return what fits, the best first; what fits alike stands as it was given."""
    scored = [(score(each, text), each) for each in targets]
    return [each for fits, each in sorted(((s, t) for s, t in scored if s is not None), key=lambda pair: pair[0])]


class Palette(ModalScreen[PaletteTarget | None]):
    """Gives what was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up", "step(-1)", show=False, priority=True),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("pageup", "step(-8)", show=False, priority=True),
        Binding("pagedown", "step(8)", show=False, priority=True),
    ]

    def __init__(self, targets: Sequence[PaletteTarget], glyphs: Glyphs) -> None:
        super().__init__()
        self._targets = list(targets)
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        with Vertical(id="palette") as frame:
            frame.border_title = Content("Everything by its name")
            yield Input(placeholder="what do you want to do, or where to go?", id="palette-field", compact=True)
            columns = [Column("key", width=7, right=True), Column("says"), Column("where", width=12, from_width=64)]
            rows = RowList(columns, header=False, leads=True, glyphs=self._glyphs, id="palette-list")
            rows.can_focus = False
            rows.empty = "Nothing is called so."
            yield rows
            yield Static("", id="palette-reason", markup=False)

    def on_mount(self) -> None:
        self._narrow("")
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._choose(self._list.current)

    @on(RowList.Highlighted)
    def _moved(self) -> None:
        """Show under the list why not, whole, where there is a reason."""
        row = self._list.current
        reason = row.value.reason if row is not None else ""
        words = self.query_one("#palette-reason", Static)
        words.update(Content(reason))
        words.display = bool(reason)
        self.query_one("#palette").border_subtitle = Content("" if row is None or reason else "enter does it")

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self._choose(event.row)

    def on_click(self, event: events.Click) -> None:
        """A click beside it closes it; one on a line does the act."""
        frame = self.query_one("#palette")
        if not frame.region.contains(event.screen_x, event.screen_y):
            self.dismiss(None)
        elif self._list.region.contains(event.screen_x, event.screen_y):
            self.call_after_refresh(lambda: self._choose(self._list.current))

    def action_step(self, lines: int) -> None:
        """Move the cursor of the list while the field keeps the focus."""
        self._list.move_to(self._list.cursor + lines)

    def action_leave(self) -> None:
        self.dismiss(None)

    @property
    def _list(self) -> RowList:
        return self.query_one(RowList)

    def add(self, targets: Sequence[PaletteTarget]) -> None:
        """Offer what has come later; the cursor stays where it is."""
        known = {each.key for each in self._targets}
        self._targets += [each for each in targets if each.key not in known]
        self._narrow(self.query_one(Input).value, at=None)

    def _choose(self, row: ListRow[PaletteTarget] | None) -> None:
        if row is not None:
            self.dismiss(row.value)

    def _narrow(self, text: str, at: str | None = "") -> None:
        self._list.show(ListRows([self._row(each) for each in narrowed(self._targets, text)]), at=at)

    def _row(self, target: PaletteTarget) -> ListRow[PaletteTarget]:
        tones = {"key": "key", "where": "muted"}
        if target.reason:
            tones = dict.fromkeys(("key", "says", "where"), "muted")
        mark = f"{self._glyphs.dash} {target.where}" if target.reason else target.where
        return ListRow(target.key, target, {"key": target.pressed, "says": target.says, "where": mark}, tones)
