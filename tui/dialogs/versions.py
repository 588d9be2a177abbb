"""The versions of one file, newest first: one can be got, brought back, destroyed or asked about, two compared."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, cast

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


class VersionAct(Enum):
    """What is to be done with a version."""

    GET = "get"
    BRING_BACK = "bring back"
    DESTROY = "destroy"


class VersionChosen(NamedTuple):
    """A version, and what is to be done with it."""

    act: VersionAct
    number: int


class Versions(Dialog[VersionChosen]):
    """Gives the version that was chosen, and what for."""

    wide = True

    def __init__(self, path: str, newest: int) -> None:
        super().__init__(f"Versions of {shown_name(split_path(path)[1])}", safe="Close")
        self._buttons += [DialogButton("Get it", "get", key="c"), DialogButton("Why", "why", key="w")]
        if newest > 1:
            self._buttons.append(DialogButton("Bring back", "bring back", key="u"))
            self._buttons.append(DialogButton("Destroy", "destroy", key="d", destroys=True))
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
                continue  # another file has the name since
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
            "size": size_text(version.size) if version.destroyed_at is None else "destroyed",
            "dated": local_time(version.dated_at, now=now),
        }
        styles = {"version": "strong", "dated": "muted"}
        if version.destroyed_at is not None:
            styles = dict.fromkeys(cells, "muted")
        return ListRow(str(version.number), version.number, cells, styles)

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        marked = sorted(map(int, event.rows.selected)) if isinstance(event.rows, RowList) else []
        if len(marked) == _TWO:
            self.app.push_screen(Compare(self._path, *marked))
        elif marked:
            self.complain("Two are compared: mark one more, or one less.")
        else:
            self.dismiss(VersionChosen(VersionAct.GET, cast("int", event.row.value)))

    def answer(self, name: str) -> None:
        row = self.query_one(RowList).current
        if row is None or name == "safe":
            self.dismiss(None)
            return
        number = cast("int", row.value)
        if name == "why":
            self.app.push_screen(Trust(self._path, number))
        elif name != VersionAct.GET.value and number == self._newest:
            self.complain("That is the newest: older ones are brought back, or destroyed.")
        else:
            self.dismiss(VersionChosen(VersionAct(name), number))
