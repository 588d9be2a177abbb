"""Lines of the People screen: pure, from records to what is listed.

Rules. Every text of a peer is harmless here already. A key that this computer saw first is told apart from one that came later:
the server's word alone makes nobody's key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sft.client.pins import Pin
from sft.crypto.keys import PublicKey
from sft.errors import KeyFormatError
from sft.model.access import OPERATOR, Role
from sft.model.names import split_path
from sft.model.records import (
    DeviceKey,
    Invitation,
    InvitationState,
    SessionInfo,
    User,
    UserState,
)
from sft.model.text import count_text, local_time, shown_name, size_text
from tui.glyphs import Glyphs
from tui.text import shown
from tui.widgets.rows import Column, ListRow

PEOPLE_COLUMNS: Final = (
    Column("mark", "", 1),
    Column("name", "name", 18, is_name=True),
    Column("role", "role", 10),
    Column("state", "state", gap=2),
    Column("files", "files", 7, right=True),
    Column("size", "size", 9, right=True),
    Column("gap", "", 1, from_width=124),
    Column("key", "key in words", 71, from_width=124),
)
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


def words_of(key: DeviceKey) -> str:
    """Give the eight words of a key."""
    try:
        return PublicKey.decode(key.public_key).words()
    except KeyFormatError:
        return "no key that this sft can read"


def live_keys(user: User) -> list[DeviceKey]:
    """Give the keys that hold, or those of somebody who has none any more."""
    return [key for key in user.keys if key.ended_at is None] or list(user.keys)


def came_later(user: User, pin: Pin | None) -> list[DeviceKey]:
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
        """Give the sign of somebody who may sign in."""
        if not self.known:
            return ""
        return glyphs.here if user.name in self.doing else glyphs.away


def person_row(
    user: User, pin: Pin | None, glyphs: Glyphs, *, is_me: bool, presence: Presence
) -> ListRow[User]:
    """Make the line of a person."""
    odd = bool(came_later(user, pin))
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
    mark = glyphs.doubt if odd else presence.mark(user, glyphs) if active else glyphs.disabled
    cells = {
        "mark": mark,
        "name": shown(user.name),
        "role": user.role.value,
        "state": ", ".join(states),
        "files": count_text(user.files),
        "size": size_text(user.bytes_stored) if user.bytes_stored else glyphs.dash,
        "key": ", ".join(words_of(key) for key in live_keys(user)),
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
        }
    return ListRow(str(user.id), user, cells, {key: tone for key, tone in tones.items() if tone})


def invitation_row(made: Invitation, glyphs: Glyphs, now: float) -> ListRow[Invitation]:
    """Make the line of an invitation."""
    is_open = made.state is InvitationState.OPEN
    used = made.state is InvitationState.USED
    mark = glyphs.here if is_open else glyphs.verified if used else glyphs.disabled
    when = made.expires_at if not used or made.used_at is None else made.used_at
    cells = {
        "mark": mark,
        "name": "anybody" if made.name is None else shown(made.name),
        "role": made.role.value,
        "state": became(made),
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


def session_row(
    one: SessionInfo, glyphs: Glyphs, now: float, *, is_mine: bool
) -> ListRow[SessionInfo]:
    """Make the line of a session."""
    states = ["you"] if is_mine else []
    if one.doing:
        states.append(shown(one.doing))
    cells = {
        "mark": glyphs.here,
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


def in_order(users: Sequence[User]) -> list[User]:
    """Put the removed ones last; else the order stays: that of joining."""
    return sorted(users, key=lambda user: user.state is UserState.REMOVED)


def open_first(invitations: Sequence[Invitation]) -> list[Invitation]:
    """Put those that somebody can join with first; else the order stays."""
    return sorted(invitations, key=lambda made: made.state is not InvitationState.OPEN)


def people_summary(users: Sequence[User], *, name_admins: bool) -> str:
    """Count everybody who may be here; name those who can help somebody who is no admin."""
    here = [user for user in users if user.state is UserState.ACTIVE]
    roles = Counter(user.role for user in here)
    parts = [
        f"{roles[role]:,} {role.value}{'' if roles[role] == 1 else 's'}"
        for role in Role
        if roles[role]
    ]
    disabled = sum(user.state is UserState.DISABLED for user in users)
    if disabled:
        parts.append(f"{disabled:,} disabled")
    said = ", ".join(parts)
    if name_admins:
        admins = [shown(shown_name(user.name)) for user in here if user.role is Role.ADMIN]
        more = " and others" if len(admins) > 3 else ""  # noqa: PLR2004 - one line
        said += f". Who can help: {', '.join(admins[:3])}{more}"
    return said


def became(made: Invitation) -> str:
    """Say in a word or two what became of an invitation."""
    if made.state is InvitationState.USED and made.used_by is not None:
        return f"used by {shown(made.used_by)}"
    return made.state.value
