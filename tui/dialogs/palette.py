"""Every act by its name: what is typed narrows the list, enter does it; what cannot be done now says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.glyphs import Glyphs
from tui.keys import Action
from tui.text import cut
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows


@dataclass(frozen=True, slots=True)
class Offer:
    """An act, where it acts, and why it cannot be done now."""

    act: Action
    where: str
    reason: str

    @property
    def words(self) -> str:
        return f"{self.act.label} {self.act.description} {self.where}".casefold()


class Palette(ModalScreen[str | None]):
    """Gives the id of the chosen act."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up", "step(-1)", show=False, priority=True),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("pageup", "step(-8)", show=False, priority=True),
        Binding("pagedown", "step(8)", show=False, priority=True),
    ]

    def __init__(self, offers: Sequence[Offer], glyphs: Glyphs) -> None:
        super().__init__()
        self._offers = offers
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        with Vertical(id="palette") as frame:
            frame.border_title = Content("Every act")
            yield Input(placeholder="what do you want to do?", id="palette-field", compact=True)
            columns = [Column("key", width=7, right=True), Column("says"), Column("where", width=10, from_width=64)]
            rows = RowList(columns, header=False, leads=True, glyphs=self._glyphs, id="palette-list")
            rows.can_focus = False
            rows.empty = "Nothing is called so."
            yield rows

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
        """Show under the list why not, where there is a reason."""
        row = self._list.current
        reason = row.value.reason if row is not None else ""
        room = self.query_one("#palette").size.width - 4
        message = cut(reason, room, self._glyphs.ellipsis) if reason else "enter does it"
        self.query_one("#palette").border_subtitle = Content(message if row is not None else "")

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

    def _choose(self, row: ListRow[Offer] | None) -> None:
        if row is not None:
            self.dismiss(row.value.act.id)

    def _narrow(self, text: str) -> None:
        wanted = text.casefold().split()
        fitting = [o for o in self._offers if all(word in o.words for word in wanted)]
        # What can be done stands above what cannot.
        fitting.sort(key=lambda offer: bool(offer.reason))
        self._list.show(ListRows([self._row(offer) for offer in fitting]))
        self._list.move_to(0)

    def _row(self, offer: Offer) -> ListRow[Offer]:
        act, reason = offer.act, offer.reason
        says = f"{act.description} {self._glyphs.dash} {reason}" if reason else act.description
        tones = dict.fromkeys(("key", "says", "where"), "muted") if reason else {"key": "key", "where": "muted"}
        return ListRow(act.id, offer, {"key": act.key_shown, "says": says, "where": offer.where}, tones)
