"""The act of Files that shows what may be done with what the cursor is on, by whom, and why."""

from __future__ import annotations

from functools import partial

from sft.model.access import Permission, allows
from tui.dialogs.rights import OF_FILE, OF_FOLDER, OF_TRASHED, Rights
from tui.messages import Severity
from tui.panes.entry import Entry, EntryKind
from tui.screens.files_context import FilesContext


class RightActs:
    """What is asked about rights."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_rights(self) -> None:
        entry = self._files.pane.current
        if entry is None or not entry.can_be_chosen:
            self._files.report("The cursor stands on no file or folder.", Severity.WARNING)
        else:
            self._files.start(partial(self._show, entry))

    async def _show(self, entry: Entry) -> None:
        connection = self._files.connection
        acts = OF_TRASHED if entry.until is not None else OF_FOLDER if entry.kind is EntryKind.FOLDER else OF_FILE
        role = connection.role
        asks_of_others = role is not None and allows(role, Permission.USER_MANAGE)
        dialog = Rights(entry.path, acts, connection.user, asks_of_others=asks_of_others)
        await self._files.app.push_screen_wait(dialog)
