"""Files: two panes with one list and the same keys, this computer and the server, and details of what is under the cursor.

Rules. Nothing on this computer is deleted or renamed. The pane with the focus decides what an act is about. What destroys asks
first; what asks the server is a worker. Who gets how much of the window says ``tui.panes.layout``.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from sft.client.api.tree import matches
from sft.model.names import join_path, parse_path, safe, split_path
from sft.model.text import count_text, shown_name
from tui.dialogs.ask import TextPrompt
from tui.dialogs.confirm import Confirm
from tui.dialogs.versions import Versions
from tui.keys import Action, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, FilesJudged, LocalFolderChanged, ServerChanged, Severity
from tui.panes.describing import describe, describe_file
from tui.panes.details import DetailsPane
from tui.panes.details_strip import DetailsStrip
from tui.panes.drawing import drawer
from tui.panes.entry import Entry, EntryKind
from tui.panes.layout import PaneShare, Place, Wishes, share
from tui.panes.local import LocalSide
from tui.panes.pane import Pane
from tui.panes.remote import RemoteSide
from tui.screens import files_rules as rules
from tui.screens.typed_paths import checked_local, checked_name
from tui.text import error_text, shown
from tui.view import View
from tui.widgets.row_list import RowList
from tui.workers import start_worker

_DETAILS_SECONDS: Final = 0.08
_CHOSEN: Final = ("transfer", "verify", "versions", "rename", "delete", "restore", "copy")
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
        self._wishes = Wishes()
        self._details_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        glyphs = self.sft.glyphs
        draw = drawer(glyphs, self.sft.now)
        self.local_side = LocalSide(self._folder, draw)
        self.remote_side = RemoteSide(self.gateway, draw, self.sft.now)
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

    # -- the two sides ----------------------------------------------------------------------------------------

    @property
    def pane(self) -> Pane:
        """The pane that acts are about: the one that had the focus last."""
        return self._active

    @property
    def _other_pane(self) -> Pane:
        return self.remote if self.pane is self.local else self.local

    @property
    def _is_local(self) -> bool:
        return self.pane is self.local

    def home(self) -> Widget | None:
        return self.query_one(DetailsPane) if self._share.details is Place.WHOLE else self.remote.lines

    def shown(self) -> None:
        if self.is_attached:
            self.local.read_anew()
            if self.connection.online:
                self.remote.read_anew()

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        entry: Entry = event.row.value
        if entry.kind is EntryKind.UP or (entry.kind is EntryKind.FOLDER and entry.until is None):
            self.pane.open(entry)
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
        self.report_error(event.error)

    @on(ServerChanged)
    def _server_changed(self, event: ServerChanged) -> None:
        event.stop()
        if self.remote_side.shows_change_in(event.folder):
            self.remote.read(anew=True)

    @on(LocalFolderChanged)
    def _local_changed(self, event: LocalFolderChanged) -> None:
        event.stop()
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
    def _connection_changed(self, event: ConnectionChanged) -> None:
        event.stop()
        if self.remote_side.has_other_account():
            self.remote.rows = None
        self.remote.lines.set_stale(not event.connection.online)
        self.remote.read(anew=self.remote.rows is not None)
        self.post_message(ActsChanged())

    # -- details -------------------------------------------------------------------------------------------------

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        event.stop()
        if event.rows is self.pane.lines:
            self._stands_otherwise()

    @on(RowList.SelectionChanged)
    @on(Pane.Read)
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
        self._wish(replace(self._wishes, details=not shown_now if show is None else show))

    def _wish(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._lay_out()
        details = self.query_one(DetailsPane)
        if self._share.details is Place.WHOLE:
            details.focus()
        elif details.has_focus and not details.can_focus:
            self.pane.lines.focus()
        self._refresh_details()

    @property
    def _share(self) -> PaneShare:
        return share(*self.app.size, self._wishes)

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
        shelf = self.local_side.shelf if self._is_local else self.remote_side.shelf
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
            is_local=self._is_local,
            in_trash=self.remote_side.in_trash,
            role=connection.role,
            user_id=connection.user_id,
            current=pane.current,
            selected=len(pane.lines.selected),
            weight=pane.weight,
            local_text=self.local_side.folder_text,
            remote_text=self.remote_side.folder_text,
        )

    def acts_here(self) -> list[Action]:
        return rules.acts(self._snapshot)

    def label_of(self, act: Action) -> str:
        return rules.label(self._snapshot, act, self.sft.glyphs)

    def reason_against(self, act: Action) -> str:
        if act.scope != self.screen_id:
            return ""
        now = self._snapshot
        needed = replace(act, permission=rules.needed(now, act))
        return rules.reason_of_side(now, act) or super().reason_against(needed) or rules.reason(now, act)

    def status_line(self) -> tuple[str, Severity]:
        if not self.query(Pane):
            return "", Severity.INFO
        return rules.status(self._snapshot, self.sft.glyphs.ellipsis, self.size.width - 2), Severity.INFO

    async def action_act(self, act_id: str) -> None:
        """Do an act, or report why not; one about what is chosen waits for a list that is still being read."""
        if act_id in _ABOUT_CHOSEN and self.pane.is_settling:
            self._start(partial(self._once_settled, act_id, self.pane))
        else:
            await super().action_act(act_id)

    async def _once_settled(self, act_id: str, pane: Pane) -> None:
        if await pane.settled() and pane is self.pane:
            await super().action_act(act_id)

    def _start(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        start_worker(self, job, group="acting")

    # -- acts: moving files ----------------------------------------------------------------------------------------

    def act_transfer(self) -> None:
        """Put what is chosen here, or get what is chosen there."""
        paths, queue = self.pane.chosen, self.sft.queue
        title = rules.title(paths, self._found(paths))
        if self._is_local:
            queue.put(paths, self.remote_side.path, title)
            self.report(f"{title} {'go' if len(paths) > 1 else 'goes'} to {self.remote_side.folder_text}")
        else:
            queue.get(paths, str(self.local_side.path), title)
            self.report(f"{title} {'come' if len(paths) > 1 else 'comes'} to {self.local_side.folder_text}")
        self.pane.lines.select_keys(set())

    def act_verify(self) -> None:
        paths = self.pane.chosen
        self.sft.queue.verify(paths, rules.title(paths, self._found(paths)))
        self.pane.lines.select_keys(set())

    def act_versions(self) -> None:
        """List the versions of a file; one of them can be got."""
        entry = self.pane.current
        if entry is None or entry.kind is not EntryKind.FILE:
            self.report("Only a file has versions.", Severity.WARNING)
        else:
            self._start(partial(self._versions, entry))

    async def _versions(self, entry: Entry) -> None:
        version = await self.app.push_screen_wait(Versions(entry.path, entry.version))
        if version is not None:
            folder, title = str(self.local_side.path), f"{entry.name} v{version}"
            self.sft.queue.get([entry.path], folder, title, version=version)

    # -- acts: on the server -----------------------------------------------------------------------------------------

    def act_new_folder(self) -> None:
        self._start(self._new_folder)

    async def _new_folder(self) -> None:
        label = f"Name, in {self.remote_side.folder_text}"
        name = await self.app.push_screen_wait(TextPrompt("New folder", label=label, act="Make it", check=parse_path))
        if name is not None:
            made = await self.gateway.files.make_folder(join_path(self.remote_side.path, name))
            message = f"{shown_name(name)} is {'made' if made else 'there already'}."
            self.report(message, Severity.SUCCESS)
            self.remote.read(anew=True)

    def act_rename(self) -> None:
        entry = self.pane.current
        if entry is None or entry.kind is EntryKind.UP:
            self.report("The cursor stands on no file or folder.", Severity.WARNING)
        else:
            self._start(partial(self._rename, entry))

    async def _rename(self, entry: Entry) -> None:
        folder, name = split_path(entry.path)
        is_file = entry.kind is EntryKind.FILE
        stem = name.rpartition(".")[0] if is_file else name
        moved = "Its signature stays as it is: who reads it sees that it was moved."
        new = await self.app.push_screen_wait(
            TextPrompt(
                f"Rename {shown_name(name)}",
                lines=[moved] if is_file else [],
                label="New name; or a path such as /archive/name",
                value=safe(name), select_to=len(stem or name), act="Rename", check=checked_name,
            )
        )  # fmt: skip
        if new is None or new == name:
            return
        target = new.lstrip("/") if new.startswith("/") else join_path(folder, new)
        await self.gateway.files.move(entry.path, target)
        to, new_name = split_path(target)
        message = f"{shown_name(name)} is {shown_name(new_name)} now"
        self.report(f"{message}, in /{shown(to)}." if to != folder else f"{message}.", Severity.SUCCESS)
        self.remote.read(anew=True)

    def act_delete(self) -> None:
        self._start(partial(self._delete, self.pane.chosen))

    async def _delete(self, paths: Sequence[str]) -> None:
        found = self._found(paths)
        chosen = [(split_path(path)[1], found.get(path)) for path in paths]
        size, user_id = self.pane.weight.size, self.connection.user_id
        deletion = rules.deletion(chosen, size, user_id, self.now)
        question = Confirm(deletion.title, deletion.lines, act="Delete")
        if not await self.app.push_screen_wait(question):
            return
        try:
            for path in paths:
                is_folder = path in found and found[path].kind is EntryKind.FOLDER
                await self.gateway.files.delete(path, recursive=is_folder)
            self.report(deletion.done, Severity.SUCCESS)
        finally:
            self.pane.lines.select_keys(set())
            self.remote.read(anew=True)

    def act_restore(self) -> None:
        self._start(partial(self._restore, self.pane.chosen))

    async def _restore(self, paths: Sequence[str]) -> None:
        try:
            for path in paths:
                self.report(rules.restored(await self.gateway.files.restore(path)), Severity.SUCCESS)
        finally:
            self.pane.lines.select_keys(set())
            self.remote.read(anew=True)

    def act_trash(self) -> None:
        self.remote_side.in_trash = not self.remote_side.in_trash
        self.remote.read()
        self.remote.lines.focus()

    # -- acts: what is shown ---------------------------------------------------------------------------------------------

    def act_details(self) -> None:
        self._toggle_details()

    def act_filter(self) -> None:
        self.pane.open_filter()

    def act_clear(self) -> None:
        if not self.pane.clear() and self._share.details in {Place.OTHER_PANE, Place.WHOLE}:
            self._toggle_details(show=False)

    def act_sort(self) -> None:
        self.report(f"Sorted by {self.pane.sort_next().value}.")

    def act_hidden(self) -> None:
        side = self.local_side
        side.hidden = not side.hidden
        self.local.read(anew=True)
        self.report(f"Names that begin with a dot are {'shown' if side.hidden else 'hidden'}.")

    def act_select_pattern(self) -> None:
        self._start(self._select_pattern)

    async def _select_pattern(self) -> None:
        pane = self.pane
        pattern = await self.app.push_screen_wait(
            TextPrompt("Select by pattern", label="Such as *.pdf", value="*", act="Select")
        )
        if pattern and pane.rows is not None:
            await pane.rows.complete()
            selectable = await pane.rows.selectable()
            fitting = {path for path in selectable if matches(pattern, split_path(path)[1])}
            pane.lines.select_keys(pane.lines.selected | fitting)
            self.post_message(ActsChanged())

    def act_go_to(self) -> None:
        self._start(self._go_to)

    async def _go_to(self) -> None:
        is_local = self._is_local
        value = str(self.local_side.path) if is_local else f"/{self.remote_side.path}"
        check = checked_local if is_local else partial(parse_path, root=True)
        path = await self.app.push_screen_wait(
            TextPrompt("Go to a folder", label="Path", value=value, act="Go", check=check)
        )
        if path is None:
            return
        if is_local:
            self.local_side.path = Path(path)
            self.local.read()
        else:
            self.remote_side.path = path
            self.remote.read()

    def act_copy(self) -> None:
        """Copy the path, as a shell needs it."""
        paths = self.pane.chosen
        self.app.copy_to_clipboard(" ".join(shlex.quote(path) for path in paths))
        count = "The path was" if len(paths) == 1 else f"{count_text(len(paths))} paths were"
        self.report(f"{count} sent to the terminal's clipboard.")

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
        self._wish(replace(self._wishes, zoomed=not self._wishes.zoomed))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _found(self, paths: Sequence[str]) -> dict[str, Entry]:
        rows = self.pane.rows
        return {} if rows is None else rows.find(frozenset(paths))
