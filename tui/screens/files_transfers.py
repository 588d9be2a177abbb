"""The acts of Files by which bytes come and go: put, get and verify."""

from __future__ import annotations

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
