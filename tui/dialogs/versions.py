"""The versions of one file, newest first: one of them can be got or asked about, two of them compared."""

from __future__ import annotations

from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from sft.errors import NotFoundError, SftError
from sft.model.names import split_path
from sft.model.records import File
from sft.model.text import local_time, shown_name, size_text
from tui.dialogs.compare import Compare
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.dialogs.trust import Trust
from tui.text import shown
from tui.widgets.row_list import RowList
from tui.widgets.rows import Column, ListRow, ListRows

_TWO = 2
_MOST = 50  # asked for one by one: a person looks at the newest


class Versions(Dialog[int]):
    """Gives the number of the version to get."""

    wide = True

    def __init__(self, path: str, newest: int) -> None:
        super().__init__(f"Versions of {shown_name(split_path(path)[1])}", safe="Close")
        self._buttons += [DialogButton("Get it", "get", key="c"), DialogButton("Why", "why", key="w")]
        self._path = path
        self._newest = newest

    def content(self) -> ComposeResult:
        columns = [
            Column("mark", width=1),
            Column("version", "v", 4, right=True),
            Column("stored", "stored", 18, gap=2),
            Column("author", "by"),
            Column("size", "size", 9, right=True),
            Column("dated", "dated", 18, right=True, from_width=66),
        ]
        rows = RowList(columns, glyphs=self.sft.glyphs, id="versions-list", selecting=True)
        rows.styles.height = min(self._newest, 12) + 1
        rows.empty = "Asking…"
        yield rows
        if self._newest > 1:
            yield static("space marks two, enter shows what changed between them", "dialog-muted dialog-space")

    def first_focus(self) -> Widget:
        return self.query_one(RowList)

    def on_mount(self) -> None:
        super().on_mount()
        self.work(self._read)

    async def _read(self) -> None:
        files: list[File] = []
        for number in range(self._newest, max(self._newest - _MOST, 0), -1):
            try:
                files.append((await self.sft.gateway.files.details(self._path, number)).file)
            except NotFoundError:
                continue  # its content was destroyed
            except SftError as error:
                self.complain(error)
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
        return ListRow(str(version.number), version.number, cells, {"version": "strong", "dated": "muted"})

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        marked = sorted(map(int, event.rows.selected)) if isinstance(event.rows, RowList) else []
        if len(marked) == _TWO:
            self.app.push_screen(Compare(self._path, *marked))
        elif marked:
            self.complain("Two are compared: mark one more, or one less.")
        else:
            self.dismiss(cast("int", event.row.value))

    def answer(self, name: str) -> None:
        row = self.query_one(RowList).current
        if name == "why" and row is not None:
            self.app.push_screen(Trust(self._path, cast("int", row.value)))
        else:
            self.dismiss(cast("int", row.value) if name == "get" and row is not None else None)
