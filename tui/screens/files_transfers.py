"""The acts of Files by which bytes come and go: put, get, verify, and the versions of a file, one of which can be got."""

from __future__ import annotations

from functools import partial

from tui.dialogs.versions import Versions
from tui.messages import Severity
from tui.panes.entry import Entry, EntryKind
from tui.screens import files_rules as rules
from tui.screens.files_context import FilesContext


class TransferActs:
    """What is put into the queue."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_transfer(self) -> None:
        """Put what is chosen here, or get what is chosen there."""
        files = self._files
        paths, queue = files.pane.chosen, files.sft.queue
        title = rules.title(paths, files.pane.found(paths))
        if files.is_local:
            job = queue.put(paths, files.remote_side.path, title)
            files.report(f"{title} {'go' if len(paths) > 1 else 'goes'} to {files.remote_side.folder_text}")
        else:
            job = queue.get(paths, str(files.local_side.path), title)
            files.report(f"{title} {'come' if len(paths) > 1 else 'comes'} to {files.local_side.folder_text}")
        files.sft.ordered_in_files(job)
        files.pane.lines.select_keys(set())

    def act_verify(self) -> None:
        pane = self._files.pane
        paths = pane.chosen
        self._files.sft.queue.verify(paths, rules.title(paths, pane.found(paths)))
        pane.lines.select_keys(set())

    def act_versions(self) -> None:
        """List the versions of a file; one of them can be got."""
        entry = self._files.pane.current
        if entry is None or entry.kind is not EntryKind.FILE:
            self._files.report("Only a file has versions.", Severity.WARNING)
        else:
            self._files.start(partial(self._versions, entry))

    async def _versions(self, entry: Entry) -> None:
        version = await self._files.app.push_screen_wait(Versions(entry.path, entry.version))
        if version is not None:
            folder, title = str(self._files.local_side.path), f"{entry.name} v{version}"
            self._files.sft.queue.get([entry.path], folder, title, version=version)
