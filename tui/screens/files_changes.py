"""The acts of Files that change what stands on the server: folders made, things renamed, deleted and brought back.

Rules. What destroys asks first. Each is a worker, and the list is read anew whatever came of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sft.model.names import join_path, parse_path, safe, split_path
from sft.model.text import shown_name
from tui.dialogs.ask import TextPrompt
from tui.dialogs.confirm import Confirm
from tui.messages import Severity
from tui.panes.entry import Entry, EntryKind
from tui.screens import files_rules as rules
from tui.screens.files_context import FilesContext
from tui.screens.typed_paths import checked_name
from tui.text import shown


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
            made = await self._files.gateway.files.make_folder(join_path(self._files.remote_side.path, name))
            message = f"{shown_name(name)} is {'made' if made else 'there already'}."
            self._files.report(message, Severity.SUCCESS)
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
        await self._files.gateway.files.move(entry.path, target)
        to, new_name = split_path(target)
        message = f"{shown_name(name)} is {shown_name(new_name)} now"
        self._files.report(f"{message}, in /{shown(to)}." if to != folder else f"{message}.", Severity.SUCCESS)
        self._files.remote.read(anew=True)

    def act_delete(self) -> None:
        self._files.start(partial(self._delete, self._files.pane.chosen))

    async def _delete(self, paths: Sequence[str]) -> None:
        found = self._files.pane.found(paths)
        chosen = [(split_path(path)[1], found.get(path)) for path in paths]
        size, user_id = self._files.pane.weight.size, self._files.connection.user_id
        deletion = rules.deletion(chosen, size, user_id, self._files.now)
        question = Confirm(deletion.title, deletion.lines, act="Delete")
        if not await self._files.app.push_screen_wait(question):
            return
        try:
            for path in paths:
                is_folder = path in found and found[path].kind is EntryKind.FOLDER
                await self._files.gateway.files.delete(path, recursive=is_folder)
            self._files.report(deletion.done, Severity.SUCCESS)
        finally:
            self._files.pane.lines.select_keys(set())
            self._files.remote.read(anew=True)

    def act_restore(self) -> None:
        self._files.start(partial(self._restore, self._files.pane.chosen))

    async def _restore(self, paths: Sequence[str]) -> None:
        try:
            for path in paths:
                self._files.report(rules.restored(await self._files.gateway.files.restore(path)), Severity.SUCCESS)
        finally:
            self._files.pane.lines.select_keys(set())
            self._files.remote.read(anew=True)
