"""The acts of Files that look into a file of the server: what stands in it, and why it can be believed."""

from __future__ import annotations

from functools import partial

from sft.client.transfers.look import LOOK_BYTES
from sft.client.transfers.queue.run import Judged
from tui.dialogs.preview import LookInto, too_large
from tui.dialogs.trust import Trust
from tui.messages import FilesJudged, Severity
from tui.panes.entry import Entry, EntryKind
from tui.screens.files_context import FilesContext


class LookActs:
    """What is looked at, and changes nothing."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_why(self) -> None:
        """Show what makes the file under the cursor believed."""
        entry = self._file()
        if entry is not None:
            self._files.app.push_screen(Trust(entry.path))

    def act_look(self) -> None:
        """Show what stands in the file under the cursor, once it was verified."""
        entry = self._file()
        if entry is None:
            return
        if entry.size > LOOK_BYTES:
            self._files.report(too_large(entry.name, entry.size), Severity.INFO, "c gets it, v checks it")
        else:
            self._files.start(partial(self._look, entry))

    async def _look(self, entry: Entry) -> None:
        dialog = LookInto(entry.path)
        wanted = await self._files.app.push_screen_wait(dialog)
        if dialog.found_to_be is not None:
            self._files.post_message(FilesJudged((Judged(entry.file_id, entry.version, dialog.found_to_be),)))
        if wanted == "get":
            self._files.sft.queue.get([entry.path], str(self._files.local_side.path), entry.name)
        elif wanted == "why":
            self._files.app.push_screen(Trust(entry.path))

    def _file(self) -> Entry | None:
        entry = self._files.pane.current
        if entry is None or entry.kind is not EntryKind.FILE:
            self._files.report("Only a file is signed, and has something in it.", Severity.WARNING)
            return None
        return entry
