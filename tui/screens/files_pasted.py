"""A path that is pasted into Files, as terminals do with a file that is dropped on them: it is offered to be stored.

Rules. Nothing is stored unasked. What is no path of this computer, or is not there, or may not be stored, says so.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Final

from sft.model.text import count_text
from tui.dialogs.confirm import Confirm
from tui.messages import Severity
from tui.pasted_paths import pasted_paths
from tui.screens import files_rules as rules
from tui.screens.files_context import FilesContext
from tui.text import shown

_NAMED: Final = 5


class PastedFiles:
    """What was pasted."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def take(self, text: str, reason: str) -> None:
        """Offer to store what was pasted; ``reason`` is why nothing can be stored now."""
        self._files.start(partial(self._offer, text, reason))

    async def _offer(self, text: str, reason: str) -> None:
        files = self._files
        pasted = await asyncio.to_thread(pasted_paths, text, os.path.lexists)
        if problem := pasted.problem or reason:
            files.report(problem, Severity.WARNING)
            return
        paths, folder = list(pasted.paths), files.remote_side.path
        title = rules.title(paths, {})
        more = len(paths) - _NAMED
        lines = [*map(shown, paths[:_NAMED]), *([f"and {count_text(more)} more"] if more > 0 else [])]
        question = Confirm(f"Store {title} in {files.remote_side.folder_text}?", lines, act="Store")
        if await files.app.push_screen_wait(question):
            files.sft.ordered_in_files(files.sft.queue.put(paths, folder, title))
            files.report(f"{title} {'go' if len(paths) > 1 else 'goes'} to {files.remote_side.folder_text}")
