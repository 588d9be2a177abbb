"""The act of Files that writes a file with its signature and its proof, for somebody who has no account."""

from __future__ import annotations

from functools import partial

from tui.dialogs.proof import WriteProof
from tui.messages import LocalFolderChanged, Severity
from tui.panes.entry import Entry, EntryKind
from tui.screens.files_context import FilesContext
from tui.text import shown


class ProofActs:
    """What is given to others."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_proof(self) -> None:
        entry = self._files.pane.current
        if entry is None or entry.kind is not EntryKind.FILE:
            self._files.report("Only a file is signed and in the log.", Severity.WARNING)
        else:
            self._files.start(partial(self._write, entry))

    async def _write(self, entry: Entry) -> None:
        folder, text = self._files.local_side.path, self._files.local_side.folder_text
        written = await self._files.app.push_screen_wait(WriteProof(entry.path, folder, text))
        if written is not None:
            self._files.report(f"{shown(entry.name)} is in {text} with its signature and its proof.", Severity.SUCCESS)
            self._files.post_message(LocalFolderChanged(str(folder)))
