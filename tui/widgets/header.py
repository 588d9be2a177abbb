"""The first line: the numbered screens at the left, who we are where at the right, and whether the server's log is proved.

Rules. ``log`` with its sign says that the server's head goes on all that this computer keeps: it stands only while that is so,
and where there is room for it. Where a quorum of witnesses is asked for and the newest head lacks it, that stands beside, and
before the role. What does not hold is a stop, which takes the place of all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.widget import Widget

from sft.client.connection_info import ConnectionInfo, Status
from sft.model.access import Permission, allows
from tui.connection_words import words_of
from tui.glyphs import Glyphs
from tui.keys import SCREEN_IDS, TITLES
from tui.messages import ActChosen
from tui.text import cut, shown
from tui.themes.styles import styles_of

_OF_ADMINS: Final = "status"
_ALL_NAMED: Final = 80  # columns
_ADMINS_NAMED: Final = 132  # below that the state of the log would make room for it
_UNWITNESSED: Final = (" not yet witnessed", " unwitnessed")  # as there is room
_APART: Final = 100  # room for our own name
_ADMINS_SHOWN: Final = 120  # and for our role beside its number


class Header(Widget):
    """Screens and connection."""

    screen_id: reactive[str] = reactive("files")
    connection: reactive[ConnectionInfo] = reactive(ConnectionInfo())
    waiting: reactive[int] = reactive(0)  # transfers that need the person

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._glyphs = glyphs

    def _tabs(self) -> list[tuple[int, int, str]]:
        """Place the names: apart where there is room, else each blank between two is of both."""
        column, apart = (5, 1) if self.size.width >= _APART else (0, -1)
        tabs = []
        for number, screen_id in enumerate(self._screens, 1):
            width = len(f" {number}{self._title(screen_id)} ")
            tabs.append((column, column + width, screen_id))
            column += width + apart
        return tabs

    @property
    def _screens(self) -> tuple[str, ...]:
        """The screens that are named: that of admins for them alone, and only where who we are stands there whole."""
        role = self.connection.role
        is_admin = role is not None and allows(role, Permission.SESSION_MANAGE)
        is_named = self.size.width >= _ADMINS_SHOWN and is_admin
        return SCREEN_IDS if is_named or self.screen_id == _OF_ADMINS else SCREEN_IDS[:-1]

    def _title(self, screen_id: str) -> str:
        """Return what stands beside a number: on the narrowest screens who we are comes before what is elsewhere."""
        room = _ADMINS_NAMED if screen_id == _OF_ADMINS else _ALL_NAMED
        named = self.size.width >= room or screen_id == self.screen_id
        return f" {TITLES[screen_id]}" if named else ""

    def render(self) -> Text:
        width = self.size.width
        text = Text(no_wrap=True, end="", overflow="crop")
        style = styles_of(self.app.theme)
        for number, (start, _, screen_id) in enumerate(self._tabs(), 1):
            if len(text) < start:
                text.append(" sft "[: start - len(text)] if not text else " ", style["title"])
            active = screen_id == self.screen_id
            if active and len(text) > start:
                text.right_crop(len(text) - start)
            number_text = f" {number}"[len(text) - start :] if len(text) > start else f" {number}"
            text.append(number_text, style["tab"] if active else style["muted"])
            text.append(f"{self._title(screen_id)} ", style["tab"] if active else style["plain"])
        if self.screen_id != self._screens[-1]:
            text.right_crop(1)  # a blank that is nobody's
        right = self._who(width - text.cell_len - 2, style)
        gap = width - text.cell_len - right.cell_len - 1
        if gap > 0:
            text.append(" " * gap)
            text.append_text(right)
        return text

    def _who(self, room: int, style: Mapping[str, Style]) -> Text:
        connection = self.connection
        text = Text(end="")
        if connection.status is Status.NONE:
            return text
        glyphs = self._glyphs
        sign, tone = {
            Status.ONLINE: (glyphs.online, "good"),
            Status.STOPPED: (glyphs.bad, "alarm"),
            Status.REFUSED: (glyphs.bad, "alarm"),
        }.get(connection.status, (glyphs.away, "doubt"))
        word = words_of(connection).header
        role = connection.role.value if connection.role else ""
        user = shown(connection.user)
        dot = "." if glyphs.plain else "·"
        log = f"log {glyphs.verified}" if connection.online else ""
        standing = connection.standing
        who = word or f"{user} {dot} {role}"
        forms = [(who, log), (who, ""), (word or user, ""), ("", "")]
        if log and standing is not None and standing.is_unwitnessed:
            forms = [*((each, f"{log}{says}") for says in _UNWITNESSED for each in (who, word or user)), *forms]
        server = shown(connection.account)
        around = 4  # sign and blanks
        if tone == "alarm":  # what is wrong is said whole, rather than where
            forms, around = [(word, "")], 6
        for form, proof in forms:
            if cell_len(server) + around + cell_len(form) + (2 + cell_len(proof) if proof else 0) <= room:
                break
        else:
            form, proof = (word, "") if tone == "alarm" else ("", "")
            server = cut(server, max(room - around - cell_len(form), 0), glyphs.ellipsis)
        if tone == "alarm":  # all of it, so that nobody takes it for the usual
            text.append(f" {sign} {server}  {form} ", style[tone])
            return text
        text.append(f"{sign} ", style[tone])
        text.append(server, style["title"])
        if form:
            text.append(f"  {form}", style[tone if word else "plain"])
        if proof:
            text.append(f"  {log}", style["good"])
            late = standing is not None and (standing.overdue or standing.witnessed_size is None)
            text.append(proof.removeprefix(log), style["doubt" if late else "muted"])
        return text

    def on_click(self, event: events.Click) -> None:
        for start, end, screen_id in self._tabs():
            if start <= event.x < end:
                self.post_message(ActChosen(f"app.{screen_id}"))
                return
