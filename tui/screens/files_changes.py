"""The acts of Files that change what stands on the server: folders made, things renamed, deleted and brought back.

Rules. What destroys asks first. Each is a worker, and the list is read anew whatever came of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sft.errors import SftError
from sft.model.names import join_path, parse_path, safe, split_path
from sft.model.records import File, FileSeen
from sft.model.text import shown_name
from tui.dialogs.ask import TextPrompt
from tui.dialogs.confirm import Confirm
from tui.messages import Severity
from tui.panes.entry import Entry, EntryKind, TrashedEntry, TrashedFolderEntry
from tui.screens import files_rules as rules
from tui.screens.files_context import FilesContext
from tui.screens.files_versions import VersionActs
from tui.screens.typed_paths import checked_name
from tui.text import shown
from tui.undo import DeletedStep, MadeStep, MovedStep, RestoredStep, UndoStep, folder_at, missing_above


class ChangeActs:
    """What is changed there."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_new_folder(self) -> None:
        self._files.start(self._new_folder)

    async def _new_folder(self) -> None:
        label = f"Name, in {self._files.remote_side.folder_text}"
        name = await self._files.app.push_screen_wait(
            TextPrompt("New folder", label=label, act="Make it", check=parse_path)
        )
        if name is not None:
            files, path = self._files.gateway.files, join_path(self._files.remote_side.path, name)
            missing = await missing_above(files, path, self._files.remote_side.path)
            made = await files.make_folder(path)
            found = [await folder_at(files, each) for each in (*missing, path)] if made else []
            message = f"{shown_name(name)} is {'made' if made else 'there already'}."
            steps = [MadeStep(folder.path, folder.created_at) for folder in found if folder is not None]
            self._report(message, "new folder", steps)
            self._files.remote.read(anew=True)

    def act_rename(self) -> None:
        entry = self._files.pane.current
        if entry is None or entry.kind is EntryKind.UP:
            self._files.report("The cursor stands on no file or folder.", Severity.WARNING)
        else:
            self._files.start(partial(self._rename, entry))

    async def _rename(self, entry: Entry) -> None:
        folder, name = split_path(entry.path)
        is_file = entry.kind is EntryKind.FILE
        stem = name.rpartition(".")[0] if is_file else name
        moved = "Its signature stays as it is: who reads it sees that it was moved."
        new = await self._files.app.push_screen_wait(
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
        file = await self._files.gateway.files.move(entry.path, target)
        seen = None if file is None else FileSeen(file.id, file.version.number)
        to, new_name = split_path(target)
        message = f"{shown_name(name)} is {shown_name(new_name)} now"
        message += f", in /{shown(to)}." if to != folder else "."
        self._report(message, "move", [MovedStep(entry.path, target, seen, entry.at)])
        self._files.remote.read(anew=True)

    def act_delete(self) -> None:
        """Delete what is chosen; in the trash it is destroyed."""
        if self._files.remote_side.in_trash:
            destroy = VersionActs(self._files).destroy_trashed
            self._files.start(partial(destroy, _in_trash(self._files.pane.chosen_lines)))
        else:
            self._files.start(partial(self._delete, self._files.pane.chosen))

    async def _delete(self, paths: Sequence[str]) -> None:
        found = self._files.pane.found(paths)
        chosen = [(split_path(path)[1], found.get(path)) for path in paths]
        size, user_id = self._files.pane.weight.size, self._files.connection.user_id
        deletion = rules.deletion(chosen, size, user_id)
        question = Confirm(deletion.title, deletion.lines, names=deletion.names, act="Delete")
        if not await self._files.app.push_screen_wait(question):
            return
        steps: list[UndoStep] = []
        ends: list[int] = []
        try:
            for path in paths:
                is_folder = path in found and found[path].kind is EntryKind.FOLDER
                deleted = await self._files.gateway.files.delete(path, recursive=is_folder)
                steps.append(DeletedStep(path, deleted.trash_ends_at))
                ends.append(deleted.trash_ends_at)
            self._report(deletion.done(min(ends), self._files.now), "deletion", steps)
        except SftError:  # what went before can be taken back all the same
            self._files.sft.undo.note(self._files.connection.account, "deletion", steps)
            raise
        finally:
            self._files.pane.lines.select_keys(set())
            self._files.remote.read(anew=True)

    def act_restore(self) -> None:
        self._files.start(partial(self._restore, _in_trash(self._files.pane.chosen_lines)))

    async def _restore(self, entries: Sequence[TrashedEntry | TrashedFolderEntry]) -> None:
        steps: list[UndoStep] = []
        try:
            for entry in entries:
                back = await self._files.gateway.files.restore(entry.path, entry.seen)
                # What others put meanwhile into a folder would go again with it.
                if isinstance(back, File):
                    steps.append(RestoredStep(back.path, FileSeen(back.id, back.version.number)))
                self._report(rules.restored(back), "restoring", steps)
        finally:
            self._files.pane.lines.select_keys(set())
            self._files.remote.read(anew=True)

    def _report(self, message: str, what: str, steps: Sequence[UndoStep]) -> None:
        """Say what was done, and how it is taken back."""
        step = self._files.sft.undo.note(self._files.connection.account, what, steps)
        self._files.report(message, Severity.SUCCESS, step)


def _in_trash(entries: Sequence[Entry]) -> list[TrashedEntry | TrashedFolderEntry]:
    return [entry for entry in entries if isinstance(entry, TrashedEntry | TrashedFolderEntry)]
