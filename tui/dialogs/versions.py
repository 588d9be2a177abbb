"""The versions of one file, newest first; one of them can be got."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from sft.errors import NotFoundError, SftError
from sft.model.names import split_path
from sft.model.records import File
from sft.model.text import local_time, shown_name, size_text
from tui.dialogs.dialog import Dialog, DialogButton
from tui.text import error_text, shown
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows
from tui.workers import begin

_MOST = 50  # asked for one by one: a person looks at the newest


class Versions(Dialog[int]):
    """Gives the number of the version to get."""

    wide = True

    def __init__(self, path: str, newest: int) -> None:
        super().__init__()
        self.title_text = f"Versions of {shown_name(split_path(path)[1])}"
        self._path = path
        self._newest = newest

    def content(self) -> ComposeResult:
        """Show the list."""
        columns = [
            Column("version", "v", 4, right=True),
            Column("stored", "stored", 18, gap=2),
            Column("author", "by"),
            Column("size", "size", 9, right=True),
            Column("dated", "dated", 18, right=True, from_width=66),
        ]
        rows = RowList(columns, glyphs=self.sft.glyphs, id="versions-list")
        rows.styles.height = min(self._newest, 12) + 1
        rows.empty = "Asking…"
        yield rows

    def buttons(self) -> Sequence[DialogButton]:
        """Offer both ways."""
        return [DialogButton("Close", "close"), DialogButton("Get it", "get", key="c")]

    def first_focus(self) -> Widget | None:
        """The list."""
        return self.query_one(RowList)

    def on_mount(self) -> None:
        """Ask for them."""
        super().on_mount()
        begin(self, self._read, group="versions", exclusive=True)

    async def _read(self) -> None:
        files: list[File] = []
        for number in range(self._newest, max(self._newest - _MOST, 0), -1):
            try:
                files.append((await self.sft.gateway.files.details(self._path, number)).file)
            except NotFoundError:
                continue  # its content was destroyed
            except SftError as error:
                self.complain(" ".join(error_text(error, self.sft.now())))
                break
            self.query_one(RowList).show(ListRows([self._row(file) for file in files]))

    def _row(self, file: File) -> ListRow[int]:
        version, now = file.version, self.sft.now()
        cells = {
            "version": str(version.number),
            "stored": local_time(version.stored_at, now=now),
            "author": shown(version.author),
            "size": size_text(version.size),
            "dated": local_time(version.dated_at, now=now),
        }
        return ListRow(
            str(version.number), version.number, cells, {"version": "strong", "dated": "muted"}
        )

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.dismiss(cast("int", event.row.value))

    def answer(self, name: str) -> None:
        """Give the version under the cursor."""
        row = self.query_one(RowList).current
        self.dismiss(cast("int", row.value) if name == "get" and row is not None else None)
