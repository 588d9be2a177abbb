"""What was done here, as commands of `sft`, the newest first: to learn them, and to make a script of them."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from sft.model.text import clock_text
from tui.command_log import DoneAct
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.text import shown
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows

_LEAST_LINES, _LINES = 2, 12


class ShowCommandLog(Dialog[None]):
    """Gives nothing; ``y`` copies the command under the cursor."""

    wide = True

    def __init__(self, done: Iterable[DoneAct]) -> None:
        super().__init__("What you did, as commands", safe="Close")
        self._done = list(done)
        self._buttons.append(DialogButton("Copy", "copy", key="y"))

    def content(self) -> ComposeResult:
        columns = [Column("at", width=8), Column("says", gap=2)]
        rows = RowList(columns, header=False, glyphs=self.sft.glyphs, id="commands-list")
        rows.styles.height = min(max(len(self._done), _LEAST_LINES), _LINES)
        rows.empty = "Nothing yet. Each act here becomes the command that does it."
        yield rows
        yield static("", "dialog-space", id="commands-whole")
        yield static("What destroys asks once, as here; in a script --yes answers it.", "dialog-muted dialog-space")

    def first_focus(self) -> Widget:
        return self.query_one(RowList)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(RowList).show(ListRows([self._row(number, done) for number, done in enumerate(self._done)]))

    @staticmethod
    def _row(number: int, done: DoneAct) -> ListRow[DoneAct]:
        tone = "muted" if done.text.startswith("#") else ""
        cells = {"at": clock_text(done.at), "says": shown(done.text)}
        return ListRow(str(number), done, cells, {"at": "muted", **({"says": tone} if tone else {})})

    @on(RowList.Highlighted)
    def _moved(self, event: RowList.Highlighted) -> None:
        """Show the whole of it: a line may have cut it."""
        event.stop()
        text = "" if event.row is None else shown(event.row.value.text)
        self.query_one("#commands-whole", Static).update(Content(text))

    def answer(self, name: str) -> None:
        row = self.query_one(RowList).current
        if name != "copy" or row is None:
            self.dismiss(None)
            return
        self.app.copy_to_clipboard(row.value.text)
        self.show_progress("The terminal was asked to copy it.")
