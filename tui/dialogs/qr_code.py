"""An invitation as a QR code, alone on the screen: what a phone is held against, how long it holds, who has joined with it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from sft.model.records import Invitation
from tui.dialogs.dialog import static
from tui.messages import NoticeArrived
from tui.widgets.invitation_countdown import InvitationCountdown
from tui.widgets.qr_code import code_text, lines_of, matrix_of

_WORDS_LINES = 2  # under the code


class QrCode(ModalScreen[None]):
    """Any of its keys leads back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,space", "leave", show=False)]

    def __init__(self, link: str, invitation: Invitation) -> None:
        super().__init__()
        self._lines = lines_of(matrix_of(link))
        self._invitation = invitation

    @property
    def needed(self) -> tuple[int, int]:
        """How many columns and lines it takes."""
        return len(self._lines[0]), len(self._lines) + _WORDS_LINES

    def compose(self) -> ComposeResult:
        with Vertical(id="qr"):
            yield Static(code_text(self._lines), id="qr-code", markup=False)
            yield InvitationCountdown(self._invitation, id="qr-state")
            yield static("esc leads back to the link", "dialog-muted", id="qr-back")

    @on(NoticeArrived)
    def _notice_arrived(self, event: NoticeArrived) -> None:
        event.stop()
        self.query_one(InvitationCountdown).hear(event)

    def action_leave(self) -> None:
        self.dismiss(None)
