"""Why a transfer stopped: every item that did not work, what was wrong with it, and what would mend it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from sft.client.transfers.queue.job import Decision, Job
from sft.model.names import split_path
from sft.model.text import count_text
from tui.dialogs.dialog import Dialog, DialogButton
from tui.text import error_text, name_text, shown

_MOST = 200
_MENDED_HERE = "NAME_NOT_ALLOWED"  # by a button


class FailuresDialog(Dialog[dict[str, Decision]]):
    """Gives decisions, where a name that cannot be stored can be mended."""

    wide = True

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        done = count_text(job.done_files)
        self.title_text = (
            f"{shown(job.title)}: {done} of {count_text(job.files)} done"
            if job.is_folder
            else f"Why {shown(job.title)} stopped"
        )

    def content(self) -> ComposeResult:
        """List them, whole."""
        now = self.sft.now()
        for trouble in self._job.troubles[:_MOST]:
            said, step = error_text(trouble.error, now)
            if self._job.is_folder or len(self._job.troubles) > 1:
                yield Static(name_text(split_path(trouble.name)[1], "bold"), markup=False)
            yield Static(Content(said), markup=False)
            if trouble.code != _MENDED_HERE:
                yield Static(Content(step), classes="dialog-muted", markup=False)
            yield Static(Content(""), markup=False)
        if len(self._job.troubles) > _MOST:
            yield Static(
                Content(f"and {count_text(len(self._job.troubles) - _MOST)} more"), markup=False
            )

    def buttons(self) -> Sequence[DialogButton]:
        """Offer what would mend it."""
        offered = [DialogButton("Close", "close")]
        odd = [t for t in self._job.troubles if t.code == _MENDED_HERE]
        if odd:
            safer = shown(str(odd[0].values.get("safer", "")))
            words = (
                f"Store as {safer}"
                if len(odd) == 1
                else f"Store {count_text(len(odd))} under safe names"
            )
            offered.append(DialogButton(words, "safe-names"))
        offered.append(DialogButton("Retry", "retry", key="R"))
        return offered

    def answer(self, name: str) -> None:
        """Give what was decided."""
        if name == "safe-names":
            odd = [t for t in self._job.troubles if t.code == _MENDED_HERE]
            self.dismiss({trouble.name: Decision.SAFE_NAME for trouble in odd})
            return
        if name == "retry":
            self.sft.queue.retry(self._job.id)
        self.dismiss(None)
