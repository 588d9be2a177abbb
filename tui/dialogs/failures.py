"""Why a transfer stopped: every item that did not work, what was wrong with it, and what would mend it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from sft.client.transfers.queue.job import Decision, Job
from sft.model.names import split_path
from sft.model.text import count_text
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.text import error_text, name_text, shown

_MOST = 200
_MENDED_HERE = "NAME_NOT_ALLOWED"  # by a button


class FailuresDialog(Dialog[dict[str, Decision]]):
    """Gives decisions, where a name that cannot be stored can be mended."""

    wide = True

    def __init__(self, job: Job) -> None:
        self._job = job
        done = count_text(job.done_files)
        title = (
            f"{shown(job.title)}: {done} of {count_text(job.files)} done"
            if job.is_folder
            else f"Why {shown(job.title)} stopped"
        )
        super().__init__(title, safe="Close")
        self._mendable = [t for t in job.failures if t.code == _MENDED_HERE]
        if self._mendable:
            count, safer = (len(self._mendable), shown(str(self._mendable[0].values.get("safer", ""))))
            words = f"Store {count_text(count)} under safe names" if count > 1 else f"Store as {safer}"
            self._buttons.append(DialogButton(words, "safe-names"))
        self._buttons.append(DialogButton("Retry", "retry", key="R"))

    def content(self) -> ComposeResult:
        now = self.sft.now()
        for failure in self._job.failures[:_MOST]:
            message, step = error_text(failure.error, now)
            if self._job.is_folder or len(self._job.failures) > 1:
                yield Static(name_text(split_path(failure.name)[1], "bold"), markup=False)
            yield static(message)
            if failure.code != _MENDED_HERE:
                yield static(step, "dialog-muted")
            yield static("")
        if len(self._job.failures) > _MOST:
            yield static(f"and {count_text(len(self._job.failures) - _MOST)} more")

    def answer(self, name: str) -> None:
        if name == "safe-names":
            self.dismiss({failure.name: Decision.SAFE_NAME for failure in self._mendable})
            return
        if name == "retry":
            self.sft.queue.retry(self._job.id)
        self.dismiss(None)
