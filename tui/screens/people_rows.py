"""Lines of the People screen, and the pane beside them with what is known of one: from records to texts.

Rules. Every text of a peer is harmless here. A key that this computer saw first is told apart from one that came later:
the server's word alone makes nobody's key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from sft.client.pins import Pin
from sft.model.access import OPERATOR, Role
from sft.model.names import split_path
from sft.model.quotas import NEAR_PERCENT, Quota, Usage
from sft.model.records import DeviceKey, Invitation, InvitationState, SessionInfo, User, UserState
from sft.model.text import ROLE_WORDS, age_text, count_text, day_text, local_time, owned_text, shown_name, size_text
from tui.glyphs import Glyphs
from tui.text import cut_name, key_words, name_text, shown
from tui.widgets.rows import Column, ListRow, Placed, layout

About = User | Invitation | SessionInfo | None

_COMPACT: Final = 50  # cells from which few wide lines say what many short ones do
_NAME_CELLS: Final = 30
_ADMINS_NAMED: Final = 3  # on one line
_PEOPLE_COLUMNS: Final = (
    Column("mark", "", 1),
    Column("name", "name", 18, is_name=True),
    Column("role", "role", 10),
    Column("state", "state", gap=2),
    Column("acted", "last act", 8, right=True, from_width=70),
    Column("files", "files", 7, right=True),
    Column("size", "size", 9, right=True),
    Column("quota", "quota", 6, right=True),
    Column("gap", "", 1, from_width=124),
    Column("key", "key in words", 71, from_width=124),
)
_WHERE_KNOWN: Final = frozenset({"acted", "quota"})
INVITATION_COLUMNS: Final = (
    Column("mark", "", 1),
    Column("name", "for", 22, is_name=True),
    Column("role", "as", 10),
    Column("state", "state", gap=2),
    Column("when", "ends", 16, gap=2),
    Column("maker", "made by", 16, from_width=90, is_name=True),
)
SESSION_COLUMNS: Final = (
    Column("mark", "", 1),
    Column("name", "name", 15, is_name=True),
    Column("role", "role", 10),
    Column("state", "doing", gap=2),
    Column("address", "from", 21, from_width=100),
    Column("since", "since", 12, gap=2),
)


def place_people(width: int, rows: Sequence[ListRow[User]]) -> Placed:
    """Place the columns of people: when they acted last, and how much of a quota is taken, only where somebody's is known."""
    known = {key for key in ("acted", "quota") if any(row.cells[key] for row in rows)}
    return layout(
        [column for column in _PEOPLE_COLUMNS if column.key in known or column.key not in _WHERE_KNOWN], width
    )


def quota_percent(user: User) -> int | None:
    """Return how much of their quota somebody owns, of bytes or files what is nearer to it; None where there is none."""
    quota = Quota(user.quota_files, user.quota_bytes)
    return quota.percent(Usage(user.files, user.bytes_stored)) if quota.limits else None


def live_keys(user: User) -> list[DeviceKey]:
    """Return the keys that hold, or those of somebody who has none any more."""
    return [key for key in user.keys if key.ended_at is None] or list(user.keys)


def _came_later(user: User, pin: Pin | None) -> list[DeviceKey]:
    """Find the keys that are not those which this computer saw first."""
    return [] if pin is None else [key for key in live_keys(user) if key.public_key not in pin.keys]


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is connected, and what they do, as far as this person may know.

    Args:
        known: only admins see sessions.
        doing: by name; empty for whoever is there and transfers nothing.
    """

    known: bool = False
    doing: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, sessions: Sequence[SessionInfo]) -> Presence:
        """Read it off the sessions; the operator is nobody's name."""
        doing: dict[str, str] = {}
        for one in sessions:
            if one.role != OPERATOR:
                doing[one.user] = doing.get(one.user, "") or one.doing
        return cls(known=True, doing=doing)

    def mark(self, user: User, glyphs: Glyphs) -> str:
        if not self.known:
            return ""
        return glyphs.online if user.name in self.doing else glyphs.away


def person_row(
    user: User, pin: Pin | None, glyphs: Glyphs, *, is_me: bool, presence: Presence, acted: int | None, now: float
) -> ListRow[User]:
    """Describe a person; ``acted`` is when they did something last, in Unix seconds, if that is known."""
    odd = bool(_came_later(user, pin))
    active = user.state is UserState.ACTIVE
    here = user.name in presence.doing
    states = ["another key"] if odd else []
    if not active:
        states.append(user.state.value)
    if here:
        states.append("here")
    if is_me:
        states.append("you")
    if here and presence.doing[user.name]:
        verb, _, path = presence.doing[user.name].partition(" ")
        states.append(shown(f"{verb} {split_path(path)[1]}".rstrip()))
    percent = quota_percent(user)
    is_near = percent is not None and percent >= min(NEAR_PERCENT)
    mark = glyphs.doubt if odd else presence.mark(user, glyphs) if active else glyphs.disabled
    cells = {
        "mark": mark,
        "name": shown(user.name),
        "role": user.role.value,
        "state": ", ".join(states),
        "acted": "" if acted is None else age_text(acted, now),
        "files": count_text(user.files),
        "size": size_text(user.bytes_stored) if user.bytes_stored else glyphs.dash,
        "quota": "" if percent is None else f"{count_text(percent)} %",
        "key": ", ".join(key_words(key.public_key) for key in live_keys(user)),
    }
    if user.state is UserState.REMOVED:
        tones = dict.fromkeys(cells, "muted")
    else:
        tones = {
            "mark": "doubt" if odd else "good" if here else "muted",
            "role": {Role.ADMIN: "strong", Role.GUEST: "muted"}.get(user.role, ""),
            "state": "doubt" if odd or not active else "muted",
            "key": "muted",
            "size": "muted",
            "acted": "muted",
            "quota": "doubt" if is_near else "muted",
        }
    return ListRow(str(user.id), user, cells, {key: tone for key, tone in tones.items() if tone})


def invitation_row(made: Invitation, glyphs: Glyphs, now: float) -> ListRow[Invitation]:
    is_open = made.state is InvitationState.OPEN
    used = made.state is InvitationState.USED
    mark = glyphs.online if is_open else glyphs.verified if used else glyphs.disabled
    when = made.expires_at if not used or made.used_at is None else made.used_at
    cells = {
        "mark": mark,
        "name": "anybody" if made.name is None else shown(made.name),
        "role": made.role.value,
        "state": _became(made),
        "when": local_time(when, now=now),
        "maker": shown(made.maker),
    }
    if is_open:
        tones = {"mark": "good", "maker": "muted"}
        if made.name is None:
            tones["name"] = "second"
    else:
        tones = dict.fromkeys(cells, "muted")
    return ListRow(str(made.id), made, cells, tones)


def session_row(one: SessionInfo, glyphs: Glyphs, now: float, *, is_mine: bool) -> ListRow[SessionInfo]:
    states = ["you"] if is_mine else []
    if one.doing:
        states.append(shown(one.doing))
    cells = {
        "mark": glyphs.online,
        "name": shown(one.user),
        "role": shown(one.role),
        "state": ", ".join(states),
        "address": shown(one.address),
        "since": local_time(one.since_at, now=now),
    }
    tones = {"mark": "good", "address": "muted", "since": "muted"}
    if one.role == OPERATOR:
        tones["name"] = "second"
    return ListRow(str(one.id), one, cells, tones)


def people_summary(users: Sequence[User], *, name_admins: bool) -> str:
    """Count everybody who may be here; name those who can help somebody who is no admin."""
    here = [user for user in users if user.state is UserState.ACTIVE]
    roles = Counter(user.role for user in here)
    parts = [
        f"{roles[role]:,} {role.value}{'' if roles[role] == 1 else 's'}"
        for role in (Role.ADMIN, Role.MAINTAINER, Role.GUEST)
        if roles[role]
    ]
    disabled = sum(user.state is UserState.DISABLED for user in users)
    if disabled:
        parts.append(f"{disabled:,} disabled")
    message = ", ".join(parts)
    if name_admins:
        message += f". Who can help: {admin_names(users)}"
    return message


def admin_names(users: Sequence[User]) -> str:
    """Name those who can help somebody who is no admin: the first of them, and how many more there are."""
    admins = [user.name for user in users if user.state is UserState.ACTIVE and user.role is Role.ADMIN]
    names = ", ".join(shown(shown_name(name)) for name in admins[:_ADMINS_NAMED])
    more = len(admins) - _ADMINS_NAMED
    return f"{names} and {count_text(more)} more" if more > 0 else names


def _became(made: Invitation) -> str:
    """Return what became of an invitation, in a word or two."""
    if made.state is InvitationState.USED and made.used_by is not None:
        return f"used by {shown(made.used_by)}"
    return made.state.value


# -- beside the lists


class AboutPane(VerticalScroll, can_focus=False):
    """One person, one invitation, one session, or nothing."""

    def __init__(self, now: Callable[[], float], *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._now = now
        self._about: About = None
        self._pin: Pin | None = None
        self._acted: int | None = None

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)

    def on_mount(self) -> None:
        self.border_title = Content("details")

    def show(self, about: About, pin: Pin | None, acted: int | None) -> None:
        self._about, self._pin, self._acted = about, pin, acted
        self._write()

    def on_resize(self) -> None:
        self._write()

    def _write(self) -> None:
        width = max(self.content_size.width, 20)
        lines: list[Content] = []
        about = self._about
        if isinstance(about, User):
            lines = _about_person(about, self._pin, self._acted, self._now(), width)
        elif isinstance(about, Invitation):
            lines = _about_invitation(about, self._now(), width)
        elif about is not None:
            lines = _about_session(about, self._now(), width)
        self.query_one(Static).update(Content("\n").join(lines))
        self.scroll_home(animate=False)


def _about_person(user: User, pin: Pin | None, acted: int | None, now: float, width: int) -> list[Content]:
    name, files = _name(user.name, width), "1 file"
    if user.files != 1:
        files = f"{count_text(user.files)} files"
    size = f", {size_text(user.bytes_stored)}" if user.bytes_stored else ""
    owns = f"owns {files}{size}" if user.files else "owns no file"
    if quota_percent(user) is not None:
        owns = f"owns {owned_text(user.files, user.bytes_stored, user.quota_files, user.quota_bytes)}"
    joined = f"joined {day_text(user.created_at, now)}"
    if acted is not None:
        joined += f", last act {local_time(acted, now=now)}"
    role = f"{user.role.value}: {ROLE_WORDS[user.role]}"
    if width >= _COMPACT:
        lines = [Content.assemble(name, "  ", role), _quiet(f"{joined}, {owns}")]
    else:
        lines = [name, Content(role), Content(), _quiet(joined), _quiet(owns)]
    if user.state is UserState.DISABLED:
        lines.insert(-1, _doubt("Disabled: cannot sign in. Files and account stay."))
    elif user.state is UserState.REMOVED:
        lines.insert(-1, _doubt("Removed for good. What they signed stays signed."))
    later = _came_later(user, pin)
    for key in live_keys(user):
        lines += _about_key(user, key, pin, now, width, odd=key in later)
    return lines


def _about_invitation(made: Invitation, now: float, width: int) -> list[Content]:
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
        lines.append(Content(f"{_became(made)}{at}: nobody joins with it any more"))
    return lines


def _about_session(one: SessionInfo, now: float, width: int) -> list[Content]:
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


def _about_key(user: User, key: DeviceKey, pin: Pin | None, now: float, width: int, *, odd: bool) -> list[Content]:
    seen = None if pin is None else pin.keys.get(key.public_key)
    note = Content()
    if key.ended_at is not None:
        note = _doubt(f"ended {day_text(key.ended_at, now)}")
    elif odd:
        name = cut_name(shown(shown_name(user.name)), _NAME_CELLS)
        note = _doubt(f"not the key that this computer saw first: let {name} confirm its words")
    elif seen is not None:
        note = _quiet(f"known since {day_text(seen, now)}")
    device = Content.from_rich_text(name_text(cut_name(shown(key.device), _NAME_CELLS)))
    words = key_words(key.public_key)
    if width >= _COMPACT:
        message = Content.assemble(("key of ", "$quiet"), device, ", " if note.plain else "", note)
        whole = words if cell_len(words) <= width else words.replace(" ", "\n")
        return [message, Content(whole)]
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
