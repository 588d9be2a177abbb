"""An invitation as a QR code, alone on the screen: what a phone is held against, how long it holds, who has joined with it."""

from __future__ import annotations

from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sft.model.records import Invitation
from sft.model.text import count_text, left_text, shown_name
from tui.context import AppContext
from tui.dialogs.dialog import static
from tui.messages import NoticeArrived
from tui.text import cut_name, shown
from tui.widgets.qr_code import code_text, lines_of, matrix_of

_DAY_SECONDS = 86_400
_DAYS_FROM = 3 * _DAY_SECONDS  # below it the seconds are seen to pass
_NAME_CELLS = 40
_WORDS_LINES = 2  # under the code


class QrCode(ModalScreen[None]):
    """Any of its keys leads back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,space", "leave", show=False)]

    def __init__(self, link: str, invitation: Invitation) -> None:
        super().__init__()
        self._lines = lines_of(matrix_of(link))
        self._invitation = invitation
        self._joined: str | None = None

    @property
    def needed(self) -> tuple[int, int]:
        """How many columns and lines it takes."""
        return len(self._lines[0]), len(self._lines) + _WORDS_LINES

    def compose(self) -> ComposeResult:
        with Vertical(id="qr"):
            yield Static(code_text(self._lines), id="qr-code", markup=False)
            yield static(self._standing(), id="qr-standing")
            yield static("esc leads back to the link", "dialog-muted", id="qr-back")

    def on_mount(self) -> None:
        self.set_interval(1, self._stand)

    def _standing(self) -> str:
        sft = cast("AppContext", self.app)
        if self._joined is not None:
            return f"{sft.glyphs.verified} {self._joined} has joined."
        return standing_of(self._invitation, sft.now())

    def _stand(self) -> None:
        line = self.query_one("#qr-standing", Static)
        line.update(Content(self._standing()))
        line.set_class(self._joined is not None, "-joined")

    @on(NoticeArrived)
    def _notice_arrived(self, event: NoticeArrived) -> None:
        event.stop()
        self._joined = joined_with(self._invitation, event) or self._joined
        self._stand()

    def action_leave(self) -> None:
        self.dismiss(None)


def standing_of(invitation: Invitation, now: float) -> str:
    """Say how long an invitation holds yet."""
    left = invitation.expires_at - now
    if left <= 0:
        return "It has ended: nobody joins with it any more."
    if left >= _DAYS_FROM:
        days, rest = divmod(int(left), _DAY_SECONDS)
        return f"It holds for {count_text(days)} days and {rest // 3600} h yet, and works once."
    return f"It holds for {left_text(left)} yet, and works once."


def joined_with(invitation: Invitation, event: NoticeArrived) -> str | None:
    """Return the harmless name of who has joined with this very invitation, if the server tells of that."""
    notice = event.notice
    if notice.kind != "joined" or notice.values.get("invitation") != invitation.id:
        return None
    return cut_name(shown(shown_name(str(notice.values.get("name", "")))), _NAME_CELLS)
