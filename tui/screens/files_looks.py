"""The acts of Files that look into a file of the server: why it can be believed."""

from __future__ import annotations

from tui.dialogs.trust import Trust
from tui.messages import Severity
from tui.panes.entry import EntryKind
from tui.screens.files_context import FilesContext


class LookActs:
    """What is looked at, and changes nothing."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_why(self) -> None:
        """Show what makes the file under the cursor believed."""
        entry = self._files.pane.current
        if entry is None or entry.kind is not EntryKind.FILE:
            self._files.report("Only a file is signed.", Severity.WARNING)
        else:
            self._files.app.push_screen(Trust(entry.path))
