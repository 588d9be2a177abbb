"""Asks where what is shown of the log goes, and writes it there: one JSON object a line, as ``sft log --json`` has it.

Rules. A new file for its owner alone, never over another. Whoever closes the dialog before the end leaves no file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sft.client.api.log import LogQuery
from sft.client.logged import LogLine
from sft.model.text import count_text
from tui.dialogs.write import WriteFile


class LogExport(WriteFile):
    """Gives the file that was written, or None.

    Args:
        fits: what of the lines is meant; all where it is None.
    """

    def __init__(self, query: LogQuery, fits: Callable[[LogLine], bool] | None, folder: Path, name: str) -> None:
        what = "The whole log, as far as it is yours to see." if fits is None else "What the filter leaves of the log."
        super().__init__(
            "Export the log", lines=[what, "One JSON object a line, the oldest first."], folder=folder, name=name
        )
        self._query = query
        self._fits = fits

    async def put(self, path: Path) -> None:
        def report(done: int) -> None:
            self.show_progress(f"{count_text(done)} lines written; esc stops and leaves no file.")

        await self.sft.gateway.activity.export(self._query, path, fits=self._fits, report=report)
