"""How a new invitation stands: how long it holds yet, counted down, or who has joined with it, as the server tells it."""

from __future__ import annotations

from typing import cast

from textual.content import Content
from textual.widgets import Static

from sft.model.records import Invitation
from sft.model.text import count_text, left_text, shown_name
from tui.context import AppContext
from tui.messages import NoticeArrived
from tui.text import cut_name, shown

_DAY_SECONDS = 86_400
_DAYS_FROM = 3 * _DAY_SECONDS  # below it the seconds are seen to pass
_NAME_CELLS = 40


class InvitationCountdown(Static):
    """A line. What holds it hands on the notices that it gets.

    Args:
        over: what is said behind who has joined.

    Attributes:
        joined: the harmless name of who has joined with it; None while nobody has.
    """

    def __init__(self, invitation: Invitation, *, over: str = "", classes: str = "", id: str) -> None:  # noqa: A002
        super().__init__("", id=id, classes=classes, markup=False)
        self._invitation = invitation
        self._over = over
        self.joined: str | None = None

    def on_mount(self) -> None:
        self.stand()
        self.set_interval(1, self.stand)

    def stand(self) -> None:
        """Say how it stands now."""
        self.update(Content(self._words))
        self.set_class(self.joined is not None, "-joined")

    def hear(self, event: NoticeArrived) -> None:
        """Note who has joined with this very invitation, if the server tells of that."""
        joined = joined_with(self._invitation, event)
        if joined is not None:
            self.joined = joined
            self.stand()

    @property
    def _words(self) -> str:
        sft = cast("AppContext", self.app)
        if self.joined is not None:
            return f"{sft.glyphs.verified} {self.joined} has joined.{self._over}"
        return left_of(self._invitation, sft.now())


def left_of(invitation: Invitation, now: float) -> str:
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
