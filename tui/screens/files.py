"""Files: two panes with one list and the same keys, this computer and the server, and details of what is under the cursor.

Rules. Nothing on this computer is deleted or renamed. The pane with the focus decides what an act is about. What destroys asks
first; what asks the server is a worker. From 110 columns on details stand beside the panes, below they take the place of the
other pane; below 80 columns one pane is shown.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Coroutine, Sequence
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
from sft.errors import LocalFileError, SftError
from sft.model.names import join_path, parse_component, parse_path, safe, split_path
from sft.model.text import count_text, shown_name
from tui.dialogs.ask import TextPrompt
from tui.dialogs.confirm import Confirm
from tui.dialogs.versions import Versions
from tui.keys import Action, bindings_of
from tui.messages import ActsChanged, ConnectionChanged, FilesJudged, LocalFolderChanged, ServerChanged, Severity
from tui.panes.details import DetailsPane
from tui.panes.drawing import drawer
from tui.panes.entry import Entry, EntryKind
from tui.panes.local import LocalSide
from tui.panes.pane import Pane
from tui.panes.remote import RemoteSide
from tui.screens import files_rules as rules
from tui.text import shown
from tui.view import View
from tui.widgets.row_list import RowList
from tui.workers import start_worker

_DETAILS_SECONDS: Final = 0.08
_ABOUT_SELECTED: Final = {f"files.{name}" for name in ("transfer", "verify", "delete", "restore", "copy")}


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
        self._details_asked: bool | None = None  # None: shown where there is room
        self._details_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        glyphs = self.sft.glyphs
        draw = drawer(glyphs, self.sft.now)
        self.local_side = LocalSide(self._folder, draw)
        self.remote_side = RemoteSide(self.gateway, draw)
        self.local = Pane(self.local_side, glyphs, id="local")
        self.remote = Pane(self.remote_side, glyphs, id="remote")
        with Horizontal(id="panes"):
            yield self.local
            yield self.remote
            yield DetailsPane(glyphs, id="details")

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._refresh_details())
        self.local.read()
        self.remote.read()
        self._lay_out()

    # -- the two sides ----------------------------------------------------------------------------------------

    @property
    def pane(self) -> Pane:
        """The pane that acts are about."""
        return self.local if self.local.has_focus_within else self.remote

    @property
    def _other_pane(self) -> Pane:
        return self.remote if self.pane is self.local else self.local

    @property
    def _is_local(self) -> bool:
        return self.pane is self.local

    def home(self) -> Widget | None:
        return self.remote.lines

    def shown(self) -> None:
        if self.is_attached:
            self.local.read_anew()
            if self.connection.online:
                self.remote.read_anew()

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        entry: Entry = event.row.value
        if entry.kind in {EntryKind.UP, EntryKind.FOLDER}:
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
        """Act on the pane that has the focus now."""
        self._lay_out()
        for pane in (self.local, self.remote):
            pane.lines.set_class(pane is self.pane, "-active")
        self._stands_otherwise()

    def on_resize(self) -> None:
        self._lay_out()

    def _toggle_details(self, *, show: bool | None = None) -> None:
        shown_now = self.query_one(DetailsPane).display
        self._details_asked = not shown_now if show is None else show
        self._lay_out()
        self._refresh_details()

    def _lay_out(self) -> None:
        width, height = self.app.size
        wide = width >= 110  # noqa: PLR2004 - as experience has it: panes and details
        single = width < 80 or height < 20  # noqa: PLR2004
        details = self._details_asked if self._details_asked is not None else wide
        active, other = self.pane, self._other_pane
        active.display = not (single and details)
        other.display = wide or not (details or single)
        self.query_one(DetailsPane).display = details
        self.set_class(wide, "-wide")
        self.set_class(width >= 150, "-vast")  # noqa: PLR2004

    def _refresh_details(self) -> None:
        """Describe what is under the cursor, once it rests there."""
        if self.query_one(DetailsPane).display:
            if self._details_timer is not None:
                self._details_timer.stop()
            self._details_timer = self.set_timer(_DETAILS_SECONDS, self._describe)

    def _describe(self) -> None:
        pane, now = self.query_one(DetailsPane), self.now
        entry = self.pane.current
        if entry is None:
            pane.show([])
        elif self._is_local:
            pane.show(pane.of_local(entry, now, self.remote_side.folder_text))
        elif entry.kind is not EntryKind.FILE:
            pane.show(pane.of_folder(entry, now))
        elif self.remote_side.in_trash:
            pane.show(pane.of_trashed(entry, now))
        else:
            job = partial(self._describe_file, entry.path)
            start_worker(self, job, group="details", exclusive=True)

    async def _describe_file(self, path: str) -> None:
        pane = self.query_one(DetailsPane)
        try:
            details = await self.gateway.files.details(path)
        except SftError:
            return  # gone meanwhile, or the connection is: the message line says so
        current = self.pane.current
        if current is not None and current.path == path:
            pane.show(pane.of_file(details, self.now))

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
            chosen_bytes=pane.chosen_bytes,
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
        return rules.reason_of_side(now, act) or super().reason_against(act) or rules.reason(now, act)

    def status_line(self) -> tuple[str, Severity]:
        message = rules.status(self._snapshot, self.sft.glyphs.ellipsis) if self.query(Pane) else ""
        return message, Severity.INFO

    async def action_act(self, act_id: str) -> None:
        """Do an act, or report why not; one about a selection that is still being read waits for that."""
        if act_id in _ABOUT_SELECTED and self.pane.is_selecting:
            self._start(partial(self._once_selected, act_id, self.pane))
        else:
            await super().action_act(act_id)

    async def _once_selected(self, act_id: str, pane: Pane) -> None:
        if await pane.selected() and pane is self.pane:
            await super().action_act(act_id)

    def _start(self, job: Callable[[], Coroutine[None, None, None]]) -> None:
        start_worker(self, job, group="acting")

    # -- acts: moving files ----------------------------------------------------------------------------------------

    def act_transfer(self) -> None:
        """Put what is chosen here, or get what is chosen there."""
        paths, queue = self.pane.chosen, self.sft.queue
        title = self._title(paths)
        if self._is_local:
            queue.put(paths, self.remote_side.path, title)
            self.report(f"{title} goes to {self.remote_side.folder_text}")
        else:
            queue.get(paths, str(self.local_side.path), title)
            self.report(f"{title} comes to {self.local_side.folder_text}")
        self.pane.lines.select_keys(set())

    def act_verify(self) -> None:
        paths = self.pane.chosen
        self.sft.queue.verify(paths, self._title(paths))
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
                value=safe(name), select_to=len(stem or name), act="Rename", check=_checked,
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
        size, user_id = self.pane.chosen_bytes, self.connection.user_id
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
                version = (await self.gateway.files.restore(path)).version.number
                name = shown_name(split_path(path)[1])
                message = f"{name} is back: version {version}, signature unchanged."
                self.report(message, Severity.SUCCESS)
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
        if not self.pane.clear() and self._details_asked and not self.has_class("-wide"):
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
        check = _checked_local if is_local else partial(parse_path, root=True)
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
        other = self._other_pane
        other.display = True
        other.lines.focus()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _found(self, paths: Sequence[str]) -> dict[str, Entry]:
        rows = self.pane.rows
        return {} if rows is None else rows.find(frozenset(paths))

    def _title(self, paths: Sequence[str]) -> str:
        if len(paths) > 1:
            return f"{count_text(len(paths))} items"
        name, entry = shown(paths[0].rpartition("/")[2]), self._found(paths).get(paths[0])
        return f"{name}/" if entry is not None and entry.kind is EntryKind.FOLDER else name


def _checked(text: str) -> str:
    return "/" + parse_path(text) if text.startswith("/") else parse_component(text)


def _checked_local(text: str) -> str:
    try:
        path = Path(text).expanduser().resolve()
        is_folder = path.is_dir()
    except (OSError, RuntimeError, ValueError):  # a home of nobody, too long, closed to us, a loop
        is_folder = False
    if not is_folder:
        raise LocalFileError(path=text, problem="is no folder", remedy="Name one that is there")
    return str(path)
