"""The pane beside the lists of People: what is known of the person, invitation or session under the cursor.

Rules. Every text of a peer is harmless here. A key that is not the one first seen here is said with what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sft.client.pins import Pin
from sft.model.access import OPERATOR, Role
from sft.model.records import (
    DeviceKey,
    Invitation,
    InvitationState,
    SessionInfo,
    User,
    UserState,
)
from sft.model.text import ROLE_WORDS, count_text, day_text, local_time, shown_name, size_text
from tui.screens.people_rows import became, came_later, live_keys, words_of
from tui.text import cut_name, name_text, shown

About = User | Invitation | SessionInfo | None

_COMPACT: Final = 50  # cells from which few wide lines say what many short ones do
_NAME_CELLS: Final = 30


class AboutPane(VerticalScroll, can_focus=False):
    """One person, one invitation, one session, or nothing.

    Args:
        now: Unix seconds.
    """

    def __init__(self, now: Callable[[], float], *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._now = now
        self._about: About = None
        self._pin: Pin | None = None

    def compose(self) -> ComposeResult:
        """Leave room for the text."""
        yield Static("", markup=False)

    def on_mount(self) -> None:
        """Say what this is."""
        self.border_title = Content("details")

    def show(self, about: About, pin: Pin | None) -> None:
        """Show what is known of one of them."""
        self._about, self._pin = about, pin
        self._write()

    def on_resize(self) -> None:
        """Say it in as many lines as the room asks for."""
        self._write()

    def _write(self) -> None:
        width = max(self.content_size.width, 20)
        lines: list[Content] = []
        about = self._about
        if isinstance(about, User):
            lines = about_person(about, self._pin, self._now(), width)
        elif isinstance(about, Invitation):
            lines = about_invitation(about, self._now(), width)
        elif about is not None:
            lines = about_session(about, self._now(), width)
        self.query_one(Static).update(Content("\n").join(lines))
        self.scroll_home(animate=False)


def about_person(user: User, pin: Pin | None, now: float, width: int) -> list[Content]:
    """Say what is known of somebody."""
    name, files = _name(user.name, width), "1 file"
    if user.files != 1:
        files = f"{count_text(user.files)} files"
    size = f", {size_text(user.bytes_stored)}" if user.bytes_stored else ""
    owns = f"owns {files}{size}" if user.files else "owns no file"
    joined = f"joined {day_text(user.created_at, now)}"
    role = f"{user.role.value}: {ROLE_WORDS[user.role]}"
    if width >= _COMPACT:
        lines = [Content.assemble(name, "  ", role), _quiet(f"{joined}, {owns}")]
    else:
        lines = [name, Content(role), Content(), _quiet(joined), _quiet(owns)]
    if user.state is UserState.DISABLED:
        lines.insert(-1, _doubt("Disabled: cannot sign in. Files and account stay."))
    elif user.state is UserState.REMOVED:
        lines.insert(-1, _doubt("Removed for good. What they signed stays signed."))
    later = came_later(user, pin)
    for key in live_keys(user):
        lines += _about_key(user, key, pin, now, width, odd=key in later)
    return lines


def about_invitation(made: Invitation, now: float, width: int) -> list[Content]:
    """Say what is known of an invitation."""
    whom = Content.styled("anybody", "bold") if made.name is None else _name(made.name, width)
    role = f"{made.role.value}: {ROLE_WORDS[made.role]}"
    at = local_time(made.created_at, now=now)
    by = _quiet(f"made {at} by {shown(shown_name(made.maker))}")
    if width >= _COMPACT:
        lines = [Content.assemble("for ", whom, "  ", role), by]
    else:
        lines = [Content.assemble("for ", whom), Content(role), Content(), by]
    if made.state is InvitationState.OPEN:
        ends = local_time(made.expires_at, now=now, weekday=True)
        lines += [
            _quiet(f"works once, until {ends}"),
            *([] if width >= _COMPACT else [Content()]),
            Content("Its link was shown once and is kept nowhere. Lost? Make another one."),
        ]
    else:
        at = "" if made.used_at is None else f" {local_time(made.used_at, now=now)}"
        lines.append(Content(f"{became(made)}{at}: nobody joins with it any more"))
    return lines


def about_session(one: SessionInfo, now: float, width: int) -> list[Content]:
    """Say what is known of a session."""
    name = _name(one.user, width)
    since = f"here since {local_time(one.since_at, now=now)}"
    place = f"from {shown(one.address)}" if one.address else "at the server itself"
    doing = Content(shown(one.doing) if one.doing else "nothing under way")
    if one.role == OPERATOR:
        role = "at the server itself; only the operator ends this"
    else:
        role = f"{one.role}: {ROLE_WORDS[Role(one.role)]}" if one.role in list(Role) else one.role
    if width >= _COMPACT:
        return [Content.assemble(name, "  ", shown(role)), _quiet(f"{since}, {place}"), doing]
    return [name, Content(shown(role)), Content(), _quiet(since), _quiet(place), Content(), doing]


def _about_key(
    user: User, key: DeviceKey, pin: Pin | None, now: float, width: int, *, odd: bool
) -> list[Content]:
    seen = None if pin is None else pin.keys.get(key.public_key)
    note = Content()
    if key.ended_at is not None:
        note = _doubt(f"ended {day_text(key.ended_at, now)}")
    elif odd:
        name = cut_name(shown(shown_name(user.name)), _NAME_CELLS)
        note = _doubt(f"not the key that this computer saw first: let {name} confirm its words")
    elif seen is not None:
        note = _quiet(f"first seen here {day_text(seen, now)}")
    device = Content.from_rich_text(name_text(cut_name(shown(key.device), _NAME_CELLS)))
    words = words_of(key)
    if width >= _COMPACT:
        said = Content.assemble(("key of ", "$quiet"), device, ", " if note.plain else "", note)
        whole = words if cell_len(words) <= width else words.replace(" ", "\n")
        return [said, Content(whole)]
    head = Content.assemble(("KEY", "bold $quiet"), (" of ", "$quiet"), device)
    lines = [Content(), head, Content(words.replace(" ", "\n"))]
    return [*lines, note] if note.plain else lines


def _name(name: str, width: int) -> Content:
    cut = cut_name(shown(name), min(width - 4, _NAME_CELLS))
    return Content.from_rich_text(name_text(cut)).stylize("bold")


def _quiet(text: str) -> Content:
    return Content.styled(text, "$quiet")


def _doubt(text: str) -> Content:
    return Content.styled(text, "$doubt")
