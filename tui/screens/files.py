"""Files: two panes with one list and the same keys, this computer and the server, and details of what is under the cursor.

Rules. Nothing on this computer is deleted or renamed. The pane with the focus decides what an act is about;
``files_acts`` does them. From 110 columns on details stand beside the panes, below they take the place of the other
pane; below 80 columns one pane is shown.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from sft.client.connection_info import Status
from sft.client.trust import SignatureState
from sft.errors import NotFoundError, SftError
from sft.model.names import split_path
from tui.keys import Action, bindings_of
from tui.messages import (
    ActsChanged,
    ConnectionChanged,
    FilesJudged,
    LocalFolderChanged,
    ServerChanged,
    Tone,
)
from tui.panes.details import DetailsPane
from tui.panes.drawing import HERE, THERE, TRASH, UP_KEY, drawer
from tui.panes.entry import Entry, EntryKind
from tui.panes.local import LocalFolder
from tui.panes.paging import PagedRows
from tui.panes.pane import Pane
from tui.panes.remote import folder_reader, trash_reader
from tui.screens.files_acts import FilesActs
from tui.screens.files_standing import Standing
from tui.text import folder_text, shown
from tui.view import View
from tui.widgets.row_list import RowList
from tui.workers import begin

_DETAILS_SECONDS: Final = 0.08
_ABOUT_SELECTED: Final = {
    "files.transfer",
    "files.verify",
    "files.delete",
    "files.restore",
    "files.copy",
}
_UP: Final = Entry(EntryKind.UP, "..", UP_KEY)


class FilesView(View):
    """Both sides.

    Args:
        here: folder of this computer that is shown at first.
    """

    place = "files"
    lists_select = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("files")]

    def __init__(self, here: Path, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.here_path = here
        self.there_path = ""
        self.in_trash = False
        self.hidden = False
        self.details_asked: bool | None = None  # None: shown where there is room
        self._details_timer: Timer | None = None
        self._acts = FilesActs(self)
        self._standing = Standing(self)
        self._account = ""

    def compose(self) -> ComposeResult:
        """Put both panes and the details side by side."""
        glyphs = self.sft.glyphs
        with Horizontal(id="panes"):
            yield Pane(HERE, glyphs, id="here")
            yield Pane(THERE, glyphs, id="there")
            yield DetailsPane(glyphs, id="details")

    def on_mount(self) -> None:
        """Show this computer; the server follows when it is there."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh_details())
        self.read_here()
        self.read_there()
        self._lay_out()

    @property
    def actions(self) -> object:
        """What does the acts: this module owns what is shown."""
        return self._acts

    async def action_act(self, act_id: str) -> None:
        """Do an act, or say why not; one about a selection that is still being read waits for that."""
        if act_id in _ABOUT_SELECTED and self.pane.is_selecting:
            begin(self, partial(self._once_selected, act_id, self.pane), group="acting")
        else:
            await super().action_act(act_id)

    async def _once_selected(self, act_id: str, pane: Pane) -> None:
        if await pane.selected() and pane is self.pane:
            await super().action_act(act_id)

    # -- the two sides ----------------------------------------------------------------------------------------

    @property
    def here(self) -> Pane:
        """The pane of this computer."""
        return self.query_one("#here", Pane)

    @property
    def there(self) -> Pane:
        """The pane of the server."""
        return self.query_one("#there", Pane)

    @property
    def pane(self) -> Pane:
        """The pane that acts are about."""
        return self.here if self.here.has_focus_within else self.there

    @property
    def is_here(self) -> bool:
        """Say whether that is this computer's."""
        return self.pane is self.here

    def home(self) -> Widget | None:
        """The server's list."""
        return self.there.lines

    def read_here(self, *, anew: bool = False) -> None:
        """Show the folder of this computer."""
        path = str(self.here_path)
        folder = LocalFolder(self.here_path, hidden=self.hidden)
        lead = (_UP,) if self.here_path != self.here_path.parent else ()
        rows = PagedRows(folder.read, drawer(self.sft.glyphs, self.sft.now), lead=lead)
        self.here.entitle("this computer", folder_text(path, str(Path.home())))
        self.here.show_rows(path, rows, anew=anew)

    def read_there(self, *, anew: bool = False, expected: int | None = None) -> None:
        """Show the folder of the server, or its trash."""
        connection = self.connection
        server = shown(connection.account)
        if not connection.online:
            if self.there.rows is None:
                self.there.entitle(server or "server", "")
                self.there.say_instead(self._absence(connection.status))
            return
        draw = drawer(self.sft.glyphs, self.sft.now)
        if self.in_trash:
            self.there.lines.columns = list(TRASH)
            self.there.entitle(f"trash of {server}", "")
            rows = PagedRows(trash_reader(self.gateway), draw, lead=(_UP,))
            self.there.show_rows("\0trash", rows, anew=anew)
            return
        self.there.lines.columns = list(THERE)
        self.there.entitle(server, f"/{shown(self.there_path)}")
        lead = (_UP,) if self.there_path else ()
        reader = folder_reader(self.gateway, self.there_path)
        rows = PagedRows(reader, draw, lead=lead, expected=expected)
        self.there.show_rows(self.there_path, rows, anew=anew)

    def _absence(self, status: Status) -> str:
        words = {
            Status.NONE: "No server is in use: 5 shows how to join one.",
            Status.CONNECTING: "Connecting…",
            Status.LOCKED: "Your key is locked: 5, then enter, opens it.",
            Status.AWAY: "The server does not answer.",
            Status.REFUSED: "The server does not let this key in.",
            Status.STOPPED: "The server shows another key. Nothing was sent.",
        }
        return words.get(status, "")

    # -- walking -----------------------------------------------------------------------------------------------

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        entry: Entry = event.row.value
        if entry.kind is EntryKind.UP:
            self.go_up()
        elif entry.kind is EntryKind.FOLDER:
            if self.is_here:
                self.here_path = Path(entry.path)
                self.read_here()
            else:
                self.there_path = entry.path
                self.read_there(expected=sum(entry.inside) if entry.inside else None)
        else:
            self.toggle_details(show=True)

    @on(RowList.WentBack)
    def _went_back(self, event: RowList.WentBack) -> None:
        event.stop()
        self.go_up()

    def go_up(self) -> None:
        """Show the folder above."""
        if self.is_here:
            if self.here_path != self.here_path.parent:
                self.here_path = self.here_path.parent
                self.read_here()
        elif self.in_trash:
            self.in_trash = False
            self.read_there()
        elif self.there_path:
            self.there_path = split_path(self.there_path)[0]
            self.read_there()

    @on(Pane.Failed)
    def _failed(self, event: Pane.Failed) -> None:
        event.stop()
        self.say_error(event.error)
        if event.pane is self.there:
            if self.in_trash:  # it shows nothing: its title would stand over the folder's lines
                self.in_trash = False
                self.read_there()
            elif isinstance(event.error, NotFoundError) and self.there_path:
                self.there_path = split_path(self.there_path)[0]
                self.read_there()
            return
        parent = self.here_path.parent
        if parent != self.here_path:
            self.here_path = parent
            self.read_here()

    @on(ServerChanged)
    def _server_changed(self, event: ServerChanged) -> None:
        event.stop()
        if self.in_trash or event.folder == self.there_path or self._shows_part_of(event.folder):
            self.read_there(anew=True)

    def _shows_part_of(self, folder: str) -> bool:
        return split_path(folder)[0] == self.there_path or not folder

    @on(LocalFolderChanged)
    def _here_changed(self, event: LocalFolderChanged) -> None:
        event.stop()
        changed = Path(event.folder)
        if changed == self.here_path or self.here_path in changed.parents:
            self.read_here(anew=True)

    @on(FilesJudged)
    def _files_judged(self, event: FilesJudged) -> None:
        event.stop()
        rows = self.there.rows
        if rows is not None:
            for path, holds in event.judged:
                rows.mark(path, SignatureState.VERIFIED if holds else SignatureState.BAD)
            self.there.lines.changed()

    @on(ConnectionChanged)
    def _connection_changed(self, event: ConnectionChanged) -> None:
        event.stop()
        connection = event.connection
        if connection.account != self._account:
            self._account = connection.account
            self.there_path, self.in_trash = "", False
            self.there.rows = None
        self.read_there(anew=self.there.rows is not None)
        self.post_message(ActsChanged())

    def shown(self) -> None:
        """Read what may be old."""
        if not self.is_attached:
            return
        if self.here.rows is not None:
            self.read_here(anew=True)
        if self.connection.online and self.there.rows is not None:
            self.read_there(anew=True)

    # -- details -------------------------------------------------------------------------------------------------

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        event.stop()
        if event.rows is self.pane.lines:
            self.refresh_details()
            self.post_message(ActsChanged())

    @on(RowList.SelectionChanged)
    @on(Pane.Read)
    def _stands_otherwise(self) -> None:
        self.refresh_details()
        self.post_message(ActsChanged())

    def on_descendant_focus(self) -> None:
        """Act on the pane that has the focus now."""
        self._lay_out()
        for pane in (self.here, self.there):
            pane.lines.set_class(pane is self.pane, "-active")
        self.refresh_details()
        self.post_message(ActsChanged())

    def on_resize(self) -> None:
        """Make the best of the room."""
        self._lay_out()

    def toggle_details(self, *, show: bool | None = None) -> None:
        """Show or hide the details."""
        shown_now = self.query_one(DetailsPane).display
        self.details_asked = not shown_now if show is None else show
        self._lay_out()
        self.refresh_details()

    def _lay_out(self) -> None:
        width, height = self.app.size
        wide = width >= 110  # noqa: PLR2004 - as experience has it: panes and details
        single = width < 80 or height < 20  # noqa: PLR2004
        details = self.details_asked if self.details_asked is not None else wide
        active, other = self.pane, self.there if self.is_here else self.here
        active.display = not (single and details)
        other.display = wide or not (details or single)
        self.query_one(DetailsPane).display = details
        self.set_class(wide, "-wide")
        self.set_class(width >= 150, "-vast")  # noqa: PLR2004

    def refresh_details(self) -> None:
        """Describe what is under the cursor, once it rests there."""
        if not self.query_one(DetailsPane).display:
            return
        if self._details_timer is not None:
            self._details_timer.stop()
        self._details_timer = self.set_timer(_DETAILS_SECONDS, self._describe)

    def _describe(self) -> None:
        pane = self.query_one(DetailsPane)
        entry = self.pane.current
        if entry is None:
            pane.show([])
        elif self.is_here:
            pane.show(pane.of_here(entry, self.now, f"/{self.there_path}"))
        elif entry.kind is not EntryKind.FILE:
            pane.show(pane.of_folder(entry, self.now))
        elif self.in_trash:
            pane.show(pane.of_trashed(entry, self.now))
        else:
            job = partial(self._describe_file, entry.path)
            begin(self, job, group="details", exclusive=True)

    async def _describe_file(self, path: str) -> None:
        pane = self.query_one(DetailsPane)
        try:
            details = await self.gateway.files.details(path)
        except SftError:
            return  # gone meanwhile, or the line is: the message line says so
        current = self.pane.current
        if current is not None and current.path == path:
            pane.show(pane.of_file(details, self.now))

    # -- what can be done ------------------------------------------------------------------------------------------

    def acts_here(self) -> list[Action]:
        """Give what makes sense on this side."""
        return self._standing.acts()

    def label_of(self, act: Action) -> str:
        """Say which way a transfer goes, and where T leads."""
        return self._standing.label(act)

    def reason_against(self, act: Action) -> str:
        """Say why not: which side, the connection, the role, or whose file it is."""
        if act.place != self.place:
            return ""
        return (
            self._standing.reason_of_side(act)
            or super().reason_against(act)
            or self._standing.reason(act)
        )

    def status_line(self) -> tuple[str, Tone]:
        """Say what is chosen and what that means."""
        return self._standing.status() if self.query(Pane) else ("", Tone.PLAIN)
