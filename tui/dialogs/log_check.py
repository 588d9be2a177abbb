"""Checks the whole log: every leaf is read and replayed, and what comes of it said in words.

Rules. It can be closed at any time, which ends it. What does not hold is named leaf by leaf, and whom to show it.
"""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from sft.client.log_verify import VerifiedLog
from sft.errors import SftError
from sft.model.text import count_text, shown_name
from tui.dialogs.dialog import Dialog
from tui.glyphs import Glyphs
from tui.text import shown

_STEP_LEAVES: Final = 1000  # between two reports: each lays the dialog out anew, which holds up keys


class LogCheck(Dialog[None]):
    """Shows how far it is, then what came of it."""

    wide = True

    def __init__(self, account: str) -> None:
        super().__init__("Check the whole log", safe="Stop")
        self._account = account

    def content(self) -> ComposeResult:
        yield Static(Content("Every leaf is read again: its place, its record, the state after it."), markup=False)
        yield Static(Content("Asking the server."), id="log-check", classes="dialog-space", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.work(self._check)

    async def _check(self) -> None:
        says = self.query_one("#log-check", Static)

        said = 0

        def report(done: int, total: int) -> None:
            nonlocal said
            if not said or done - said >= _STEP_LEAVES:
                said = done
                says.update(Content(f"{count_text(done)} of {count_text(total)} leaves"))

        try:
            verified = await self.sft.gateway.activity.check(report)
        except SftError as error:
            self.complain(error)
            says.update(Content("It was not checked."))
        else:
            says.update(verdict(self._account, verified, self.sft.glyphs))
        self._buttons[0].label = Content("Close")
        self.call_after_refresh(self._fit)


def verdict(account: str, verified: VerifiedLog, glyphs: Glyphs) -> Content:
    """Say what became of checking a log."""
    done, name = verified.replayed, shown(shown_name(account))
    faults = len(done.findings) + done.more_findings
    lines: list[tuple[str, str]] = []
    if faults:
        lines.append((f"{glyphs.bad} The log of {name} does not hold: {count_text(faults)} faults", "$bad bold"))
        lines += [
            (f"{'' if each.leaf is None else f'{count_text(each.leaf)}: '}{shown(each.problem)}", "$bad")
            for each in done.findings
        ]
        lines.append(("Stop using it, and show the operator what stands here: sft log verify writes the same.", ""))
    else:
        lines.append(
            (f"{glyphs.verified} The log of {name} holds, from its first leaf to {count_text(done.size)}.", "$good")
        )
    lines.append(("", ""))
    lines.append((f"{count_text(done.users)} people, {count_text(done.files)} files and folders in its state", ""))
    lines.append((f"{count_text(done.records)} records and {count_text(done.statements)} statements checked", ""))
    if done.records < done.size:
        lines.append(
            (
                f"{count_text(done.size - done.records)} records are not yours to see: of those the leaves alone",
                "$quiet",
            )
        )
    if done.erased:
        lines.append((f"of {count_text(done.erased)} the names were erased, or are not yours to see", "$quiet"))
    if verified.heads and not faults:
        lines.append((f"it goes on every head that this computer keeps ({count_text(verified.heads)})", ""))
    if done.steps_back:
        lines.append((f"the server's clock went back {count_text(done.steps_back)} times, which is no fault", "$quiet"))
    return Content("\n").join([Content.styled(text, style) if style else Content(text) for text, style in lines])
