"""Which files of a transfer have another name than the one that their authors signed."""

from __future__ import annotations

from textual.app import ComposeResult

from sft.client.transfers.queue.job import Job
from sft.model.text import count_text, shown_name
from tui.dialogs.dialog import Dialog, static


class MovedDialog(Dialog[None]):
    """Names every one, with the name that was signed."""

    wide = True

    def __init__(self, job: Job) -> None:
        self._job = job
        super().__init__(f"{count_text(job.moved_files)} signed under another name", safe="Close")

    def content(self) -> ComposeResult:
        yield static("The bytes are their authors'. They were moved since, as the log proves.", "dialog-muted")
        yield static("")
        named = [f"{shown_name(each.path)}: signed as {shown_name(each.signed_as)}" for each in self._job.moved]
        yield static("\n".join(named))
        rest = self._job.moved_files - len(named)
        if rest:
            yield static(f"and {count_text(rest)} more")

    def answer(self, name: str) -> None:
        del name
        self.dismiss(None)
