"""How the servers of this computer are said: lines of the list, and what stands beside it about one of them."""

from __future__ import annotations

from typing import Final

from textual.content import Content

from sft.client.connection_info import ConnectionInfo, Status
from sft.model.access import Role
from sft.model.text import clock_text, day_text, shown_name
from tui.gateway import Account
from tui.glyphs import Glyphs
from tui.text import error_text, shown
from tui.widgets.rows import Column, ListRow

COLUMNS: Final = (
    Column("mark", width=1),
    Column("name", "server", is_name=True),
    Column("who", "you there", width=22),
    Column("state", "state", width=22),
    Column("address", "address", width=36, from_width=126),
)
_WORDS: Final = {
    Status.NONE: ("", ""),
    Status.CONNECTING: ("connecting", "muted"),
    Status.LOCKED: ("locked", "doubt"),
    Status.ONLINE: ("connected", "good"),
    Status.AWAY: ("no answer", "doubt"),
    Status.REFUSED: ("lets you in no more", "bad"),
    Status.STOPPED: ("STOP: another key", "bad"),
}
_COLORS: Final = {"good": "$good", "doubt": "$doubt", "bad": "$bad bold", "muted": "$quiet", "": ""}
YOU: Final = {
    Role.GUEST: "You are a guest: you read every file and store none.",
    Role.MAINTAINER: "You are a maintainer: you read every file, store files and manage your own.",
    Role.ADMIN: "You are an admin: you read, store and manage every file, and manage people.",
}


def status_of(account: Account, connection: ConnectionInfo) -> Status:
    """Say how an account stands; one that is not in use has no status."""
    return connection.status if connection.account == account.name else Status.NONE


def server_row(
    account: Account, connection: ConnectionInfo, glyphs: Glyphs, *, alone: bool
) -> ListRow[Account]:
    """Make the line of an account.

    Args:
        alone: there is no other one, so nothing is first.
    """
    status = status_of(account, connection)
    word, tone = _WORDS[status]
    if not account.joined:
        word, tone = "not joined yet", "doubt"
    first = "used first" if account.in_use_first and not alone else ""
    # What is wrong is said whole; which one is first is said where there is room for it.
    states = [word, first] if len(word) + len(first) <= 20 else [word]  # noqa: PLR2004 - of 22
    role = connection.role.value if status is Status.ONLINE and connection.role else account.role
    who = ", ".join(part for part in (shown(account.user), role) if part)
    return ListRow(
        account.name,
        account,
        {
            "mark": _mark(status, glyphs, joined=account.joined),
            "name": shown(account.name),
            "who": who,
            "state": ", ".join(filter(None, states)),
            "address": shown(account.address),
        },
        {"mark": tone or "muted", "state": tone or "muted", "who": "", "address": "muted"},
    )


def about(
    account: Account, connection: ConnectionInfo, glyphs: Glyphs, now: float, *, broad: bool
) -> Content:
    """Say what this computer knows of a server, and how it stands now.

    Args:
        broad: eight words stand on one line.
    """
    status = status_of(account, connection)
    parts: list[tuple[str, str]] = []

    def line(text: str = "", style: str = "") -> None:
        parts.append((f"{text}\n", style))

    def key(words: str) -> None:
        for part in [words] if broad else words.split(" "):
            line(part)

    def section(title: str) -> None:
        line()
        line(title, "$quiet bold")

    if account.server != account.name:
        line(f"It calls itself {shown(shown_name(account.server))}.")
    line(shown(account.address))
    line()
    said, tone = _now(account, connection, status, now)
    sign = _mark(status, glyphs, joined=account.joined)
    line(f"{sign} {said}" if sign else said, _COLORS[tone])
    if status is Status.ONLINE and connection.role is not None:
        line(YOU[connection.role], "$quiet")
    section("SERVER KEY")
    key(account.server_words)
    line(f"pinned {day_text(account.pinned_at, now)}; proved at each connection", "$quiet")
    section("YOUR KEY")
    key(account.key_words)
    kept = "a passphrase protects it" if account.protected else "no passphrase protects it"
    line(f"on {shown(account.device)}; {kept}", "$quiet" if account.protected else "$doubt")
    return Content.assemble(*parts).rstrip()


def _now(
    account: Account, connection: ConnectionInfo, status: Status, now: float
) -> tuple[str, str]:
    """Say how it stands now, and in which tone."""
    if not account.joined:
        return (
            "Joining was not finished. Paste the same invitation again: it goes on with this key.",
            "doubt",
        )
    name = shown(shown_name(account.user))
    if status is Status.ONLINE:
        return f"Connected as {name} since {clock_text(connection.since)[:5]}.", "good"
    if status is Status.AWAY:
        reason = error_text(connection.error, now)[0] if connection.error else "No answer."
        return f"{reason} It is tried again by itself; R tries now.", "doubt"
    if status is Status.REFUSED:
        said, step = error_text(connection.error, now) if connection.error else ("", "")
        return f"{said} {step}.".strip(), "bad"
    return {
        Status.CONNECTING: ("Connecting.", "muted"),
        Status.LOCKED: ("Your key is locked: enter asks for its passphrase.", "doubt"),
        Status.STOPPED: (
            "STOP: it shows another key than the pinned one. Nothing was sent. Enter says more.",
            "bad",
        ),
    }.get(status, (f"Not in use. Enter connects you as {name}.", "muted"))


def _mark(status: Status, glyphs: Glyphs, *, joined: bool) -> str:
    if not joined:
        return glyphs.doubt
    return {
        Status.ONLINE: glyphs.here,
        Status.REFUSED: glyphs.bad,
        Status.STOPPED: glyphs.bad,
        Status.LOCKED: glyphs.doubt,
        Status.AWAY: glyphs.away,
        Status.CONNECTING: glyphs.away,
    }.get(status, "")
