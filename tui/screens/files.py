"""Files: two panes with one list and the same keys, this computer and the server, and details of what is under the cursor.

Rules. Nothing on this computer is deleted or renamed. The pane with the focus decides what an act is about. What destroys asks
first; what asks the server is a worker. Who gets how much of the window says ``tui.panes.layout``. What is done stands with
what it changes (transfers, the server's tree, what the lists show), each a class of acts among the ``doers``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from sft.errors import NotFoundError
from sft.model.access import Permission
from tui.keys import ACTS, Action, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, FilesJudged, LocalFolderChanged, ServerChanged, Severity
from tui.panes.comparison import Comparisons, marking
from tui.panes.describing import describe, describe_file
from tui.panes.details import DetailsPane
from tui.panes.details_strip import DetailsStrip
from tui.panes.drawing import drawer
from tui.panes.entry import Entry, EntryKind, FoundEntry
from tui.panes.layout import PaneShare, Place, Wishes, share
from tui.panes.local import LocalSide
from tui.panes.pane import Pane
from tui.panes.remote import RemoteSide
from tui.screens import files_rules as rules
from tui.screens.files_changes import ChangeActs
from tui.screens.files_expiry import ExpiryActs
from tui.screens.files_lists import ListActs
from tui.screens.files_looks import LookActs
from tui.screens.files_memory import FilesMemory
from tui.screens.files_owner import OwnerActs
from tui.screens.files_pasted import PastedFiles
from tui.screens.files_proof import ProofActs
from tui.screens.files_rights import RightActs
from tui.screens.files_search import SearchActs
from tui.screens.files_transfers import TransferActs
from tui.screens.files_versions import VersionActs
from tui.text import error_text
from tui.view import View
from tui.widgets.row_list import RowList
from tui.workers import start_worker

_DETAILS_SECONDS: Final = 0.08
_CHOSEN: Final = (
    "transfer", "verify", "why", "look", "versions", "expiry", "rights", "proof", "rename", "owner", "delete", "restore",
    "copy",
)  # fmt: skip
_ABOUT_CHOSEN: Final = {f"files.{name}" for name in _CHOSEN}


class FilesView(View):
    """Both sides.

    Args:
        folder: of this computer, shown at first.
    """

    screen_id = "files"
    lists_select = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("files")]

    def __init__(self, folder: Path, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._folder = folder
        self.wishes = Wishes()
        self.memory = FilesMemory(self, folder)
        self._pasted = PastedFiles(self)
        self._searching = SearchActs(self)
        changes = (
            ChangeActs(self),
            OwnerActs(self),
            VersionActs(self),
            ExpiryActs(self),
            RightActs(self),
            ProofActs(self),
        )
        self.doers = (TransferActs(self), *changes, ListActs(self), LookActs(self), self._searching)
        self._details_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        glyphs = self.sft.glyphs
        draw = drawer(glyphs, self.sft.now)
        self.remote_side = RemoteSide(self.gateway, draw, self.sft.now, self._admins)
        self._marks = Comparisons(self.gateway, self.sft.queue, self.remote_side.opposite, wanted=self._marks_wanted)
        self.local_side = LocalSide(self._folder, marking(draw, self._marks, glyphs))
        self.local = Pane(self.local_side, glyphs, id="local")
        self.remote = Pane(self.remote_side, glyphs, id="remote")
        self._active = self.remote
        with Horizontal(id="panes"):
            yield self.local
            yield self.remote
            yield DetailsPane(glyphs, id="details")
        yield DetailsStrip(glyphs, id="details-strip")

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._refresh_details())
        self.local.read()
        self.remote.read()
        self._lay_out()

    async def _admins(self) -> str:
        return await self.sft.frame.read_admins()

    def _marks_wanted(self) -> None:
        self.call_later(start_worker, self, self._mark, group="marks")

    async def _mark(self) -> None:
        if await self._marks.look():
            self.local.lines.refresh()
            self.post_message(ActsChanged())

    # -- the two sides ----------------------------------------------------------------------------------------

    @property
    def pane(self) -> Pane:
        """The pane that acts are about: the one that had the focus last."""
        return self._active

    @property
    def _other_pane(self) -> Pane:
        return self.remote if self.pane is self.local else self.local

    @property
    def is_local(self) -> bool:
        """Whether that is this computer's."""
        return self.pane is self.local

    def home(self) -> Widget | None:
        return self.query_one(DetailsPane) if self._share.details is Place.WHOLE else self.remote.lines

    def shown(self) -> None:
        if self.is_attached:
            self.local.read_anew()
            if self.connection.online:
                self.remote.read_anew()

    @on(RowList.Opened)
    async def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        entry: Entry = event.row.value
        if isinstance(entry, FoundEntry):
            self._searching.go_to(entry)
        elif entry.kind is EntryKind.UP or (entry.kind is EntryKind.FOLDER and entry.until is None):
            self.pane.open(entry)
        elif entry.kind is EntryKind.FILE and entry.until is None and not self.is_local:
            await self.action_act("files.look")
        else:
            self._toggle_details(show=True)

    @on(RowList.WentBack)
    def _went_back(self, event: RowList.WentBack) -> None:
        event.stop()
        self.pane.go_up()

    @on(Pane.Failed)
    def _failed(self, event: Pane.Failed) -> None:
        event.stop()
        event.pane.say_failed(error_text(event.error, self.now)[0])
        if not (event.pane is self.remote and self.memory.is_going_back and isinstance(event.error, NotFoundError)):
            self.report_error(event.error)

    @on(ServerChanged)
    def _server_changed(self, event: ServerChanged) -> None:
        event.stop()
        self._marks.forget()
        if self.remote_side.shows_change_in(event.folder):
            self.remote.read(anew=True)

    @on(LocalFolderChanged)
    def _local_changed(self, event: LocalFolderChanged) -> None:
        event.stop()
        self._marks.forget()
        changed = Path(event.folder)
        if self.local_side.path in {changed, *changed.parents}:
            self.local.read(anew=True)

    @on(FilesJudged)
    def _files_judged(self, event: FilesJudged) -> None:
        event.stop()
        rows = self.remote.rows
        if rows is not None:
            for judged in event.judged:
                rows.mark(judged.file_id, judged.version, judged.state)
            self.remote.lines.changed()

    @on(ConnectionChanged)
    async def _connection_changed(self, event: ConnectionChanged) -> None:
        event.stop()
        if self.remote_side.has_other_account():
            self.remote.rows = None
            await self.memory.recall()
        self.remote.lines.set_stale(not event.connection.online)
        self.remote.read(anew=self.remote.rows is not None)
        self.post_message(ActsChanged())

    def show_folder(self, folder: str, *, is_local: bool) -> None:
        """Show a folder of one side, with the focus there."""
        pane = self.local if is_local else self.remote
        if is_local:
            self.local_side.path = Path(folder)
        else:
            self.remote_side.stand_in(folder)
        pane.read()
        pane.display = True
        pane.lines.focus()

    # -- details -------------------------------------------------------------------------------------------------

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        event.stop()
        if event.rows is self.pane.lines:
            self._stands_otherwise()

    @on(Pane.Read)
    def _read(self, event: Pane.Read) -> None:
        event.stop()
        if event.pane is self.remote:
            self.memory.is_going_back = False
            self.local.lines.refresh()  # what was listed is what its files are compared with
        self.memory.visit(is_local=event.pane is self.local)
        self.memory.note()
        self._stands_otherwise()

    @on(RowList.SelectionChanged)
    def _stands_otherwise(self) -> None:
        self._refresh_details()
        self.post_message(ActsChanged())

    def on_descendant_focus(self) -> None:
        """Act on the pane that has the focus now; details are about the one before them."""
        for pane in (self.local, self.remote):
            if pane.has_focus_within:
                self._active = pane
        self._lay_out()
        self._stands_otherwise()

    def on_resize(self) -> None:
        self._lay_out()
        self._refresh_details()

    def _toggle_details(self, *, show: bool | None = None) -> None:
        shown_now = self._share.details is not Place.NOWHERE
        self.wish(replace(self.wishes, details=not shown_now if show is None else show))

    def wish(self, wishes: Wishes) -> None:
        """Share the window out otherwise."""
        self.wishes = wishes
        self.memory.note()
        self._lay_out()
        details = self.query_one(DetailsPane)
        if self._share.details is Place.WHOLE:
            details.focus()
        elif details.has_focus and not details.can_focus:
            self.pane.lines.focus()
        self._refresh_details()

    @property
    def _share(self) -> PaneShare:
        return share(*self.app.size, self.wishes)

    def _lay_out(self) -> None:
        """Show what is to be seen; what stands right already is not touched, for each touch draws the screen anew."""
        now, pane, details = self._share, self._active, self.query_one(DetailsPane)
        pane.display = now.details is not Place.WHOLE
        self._other_pane.display = now.both
        details.stand(now.details, now.details_width)
        before = self.local if now.details is Place.OTHER_PANE and pane is self.remote else None
        container = self.query_one("#panes")
        if (container.children[0] is details) != (before is not None):
            container.move_child(details, before=before) if before else container.move_child(details, after=self.remote)
        self.query_one(DetailsStrip).display = now.details is Place.STRIP
        for each in (self.local, self.remote):
            each.lines.set_class(each is pane, "-active")
            each.show_within(now.later_width)

    def _refresh_details(self) -> None:
        """Describe what is under the cursor, once it rests there."""
        if self._share.details is not Place.NOWHERE:
            if self._details_timer is not None:
                self._details_timer.stop()
            self._details_timer = self.set_timer(_DETAILS_SECONDS, self._describe)

    def _describe(self) -> None:
        entry = self.pane.current
        shelf = self.local_side.shelf if self.is_local else self.remote_side.shelf
        to = self.remote_side.folder_text
        if not describe(self._descriptions, entry, shelf, self.now, to) and entry is not None:
            job = partial(self._describe_file, entry.path)
            start_worker(self, job, group="details", exclusive=True)

    @property
    def _descriptions(self) -> DetailsPane | DetailsStrip:
        is_strip = self._share.details is Place.STRIP
        return self.query_one(DetailsStrip) if is_strip else self.query_one(DetailsPane)

    async def _describe_file(self, path: str) -> None:
        def still() -> bool:
            return self.pane.current is not None and self.pane.current.path == path

        await describe_file(self.gateway, path, self._descriptions, self.now, still)

    # -- what can be done ------------------------------------------------------------------------------------------

    @property
    def _snapshot(self) -> rules.Snapshot:
        pane, connection = self.pane, self.connection
        return rules.Snapshot(
            is_local=self.is_local,
            in_trash=self.remote_side.in_trash,
            role=connection.role,
            user_id=connection.user_id,
            current=pane.current,
            selected=len(pane.lines.selected),
            weight=pane.weight,
            local_text=self.local_side.folder_text,
            remote_text=self.remote_side.folder_text,
            mark=self._marks.of(pane.current) if self.is_local and pane.current is not None else None,
        )

    def acts_here(self) -> list[Action]:
        return rules.acts(self._snapshot)

    def label_of(self, act: Action) -> str:
        return rules.label(self._snapshot, act, self.sft.glyphs)

    def offered(self) -> list[tuple[Action, str]]:
        now, glyphs = self._snapshot, self.sft.glyphs
        return [
            (act, rules.label(now, act, glyphs))
            for act in rules.acts(now)
            if act.weight and not self._reason_against(now, act)
        ]

    def reason_against(self, act: Action) -> str:
        return self._reason_against(self._snapshot, act)

    def _reason_against(self, now: rules.Snapshot, act: Action) -> str:
        if act.scope != self.screen_id:
            return ""
        needed = replace(act, permission=rules.needed(now, act))
        return rules.reason_of_side(now, act) or super().reason_against(needed) or rules.reason(now, act)

    def status_line(self) -> tuple[str, Severity]:
        if not self.query(Pane):
            return "", Severity.INFO
        return rules.status(self._snapshot, self.sft.glyphs.ellipsis, self.size.width - 2), Severity.INFO

    async def action_act(self, act_id: str) -> None:
        """Do an act, or report why not; one about what is chosen waits for a list that is still being read."""
        if act_id == "files.restore" and (self.is_local or not self.remote_side.in_trash):
            self._undo()
        elif act_id in _ABOUT_CHOSEN and self.pane.is_settling:
            self.start(partial(self._once_settled, act_id, self.pane))
        else:
            await super().action_act(act_id)

    def _undo(self) -> None:
        """Take the last act back: elsewhere than in the trash its key is that."""
        reason = self.sft.reason_against(ACTS["app.undo"])
        if reason:
            self.report(reason, Severity.WARNING)
        else:
            self.sft.perform(ACTS["app.undo"])

    async def _once_settled(self, act_id: str, pane: Pane) -> None:
        if await pane.settled() and pane is self.pane:
            await super().action_act(act_id)

    def on_paste(self, event: events.Paste) -> None:
        """Offer to store files that were dropped on the terminal; a field that has the focus took the text before."""
        event.stop()
        storing = replace(ACTS["files.transfer"], permission=Permission.FILE_WRITE)
        self._pasted.take(event.text, super().reason_against(storing))

    def start(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run what asks a person or the server; what it raises stands in the message line."""
        start_worker(self, job, group="acting", keys_wait=True)

    def after(self, seconds: float, job: Callable[[], Coroutine[None, None, None]], group: str) -> Timer:
        """Run what nobody waits for, in a while, if the screen is there then."""
        # A timer of the app would go off when the app ends, too, and has no screen to work for any more.
        return self.set_timer(seconds, partial(start_worker, self, job, group=group))

    # -- acts: who gets how much of the window ---------------------------------------------------------------------

    def act_details(self) -> None:
        self._toggle_details()

    def act_clear(self) -> None:
        if self.pane.clear() or self._searching.leave():
            return
        if self._share.details in {Place.OTHER_PANE, Place.WHOLE}:
            self._toggle_details(show=False)
        else:
            self.sft.end_tour()

    def act_other_pane(self) -> None:
        """Go to what stands beside this pane: the other one, or details in its place."""
        details = self.query_one(DetailsPane)
        if self._share.details is Place.WHOLE:
            self._toggle_details(show=False)
        elif self._share.details is Place.OTHER_PANE and not details.has_focus:
            details.focus()
        elif details.has_focus:
            self.pane.lines.focus()
        else:
            other = self._other_pane
            other.display = True
            other.lines.focus()

    def act_zoom(self) -> None:
        """Give the active pane the whole width, or the other one its half back."""
        self.wish(replace(self.wishes, zoomed=not self.wishes.zoomed))
