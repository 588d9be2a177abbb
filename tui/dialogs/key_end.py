"""How a key ends, as dialogs ask it: it was lost, or it was stolen, since a number of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from sft.model.records import KeyEnd
from tui.dialogs.dialog import static
from tui.glyphs import Glyphs
from tui.widgets.choice import Choice, Option

NO_NUMBER: Final = "That is no number of the log: Activity (4) says them."


@dataclass(frozen=True, slots=True)
class Revocation:
    """Why a key ends, and of a stolen one from which leaf on nothing counts that it signed; 0 of another."""

    reason: KeyEnd
    cut_off: int = 0


class KeyEndFields:
    """The fields of one dialog, which composes them.

    Args:
        lost: what a lost key means; empty where it can only have been stolen.
        says: what no number means.
    """

    def __init__(self, *, lost: str, says: str) -> None:
        self._lost = lost
        self._says = says
        self.since = Input(id="key-end-since", compact=True, max_length=30)
        self.row = Horizontal(classes="form-row dialog-space")
        self._choice: Choice | None = None

    def parts(self, glyphs: Glyphs) -> ComposeResult:
        """Compose them."""
        stolen = Option(KeyEnd.COMPROMISED.value, "Stolen", "nothing of it counts from a number of the log on")
        options = [Option(KeyEnd.RETIRED.value, "Lost", self._lost), stolen] if self._lost else [stolen]
        self._choice = Choice(options, glyphs, label_cells=8, id="key-end")
        yield self._choice
        with self.row:
            yield static("from number", "form-name")
            yield self.since
            yield static(self._says, "form-says")

    @property
    def is_stolen(self) -> bool:
        return self._choice is not None and self._choice.value == KeyEnd.COMPROMISED.value

    def show_row(self) -> None:
        """Ask since when of a stolen key alone."""
        self.row.display = self.is_stolen

    def revocation(self, first: int = 0) -> Revocation | None:
        """Return what was chosen; None for what is no number.

        Args:
            first: from which on a stolen key counts no more where none is typed.
        """
        if not self.is_stolen:
            return Revocation(KeyEnd.RETIRED)
        typed = self.since.value.strip().replace(",", "")
        if typed and not (typed.isascii() and typed.isdigit()):
            return None
        return Revocation(KeyEnd.COMPROMISED, int(typed) if typed else first)
