"""Lines of the Identity screen, from what this computer and the log keep to what is shown and copied.

Rules. Every text of a peer is harmless here. Of the person's other keys each has its words; one that ended says what of it
counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sft.client.pins import Pin
from sft.model.access import Role
from sft.model.quotas import NEAR_PERCENT, Quota, Usage
from sft.model.records import DeviceKey, QuotaReport
from sft.model.text import ROLE_WORDS, count_text, day_text, local_time, owned_text, shown_name, size_text
from tui.gateway import IdentityInfo
from tui.glyphs import Glyphs
from tui.text import key_words, shown
from tui.widgets.rows import Column, ListRow

OWN_COLUMNS: Final = (Column("title", "", 10), Column("gap", "", 1, from_width=90), Column("says"))
PINNED_COLUMNS: Final = (
    Column("mark", "", 1),
    Column("name", "name", 20, is_name=True),
    Column("seen", "known since", 15, from_width=66),
    Column("words", "key in words", gap=2),
    Column("keys", "", 6, right=True, from_width=110),
)
_SHORT: Final = {"key in words": "your key", "minisign key": "minisign"}
_BESIDE_SAYS: Final = 12  # cells that a line has besides what it says
_BESIDE_WORDS: Final = 13  # cells that a line has besides eight words
_WHOLE_WORDS: Final = 116  # cells in which eight words stand between the other columns


@dataclass(frozen=True, slots=True)
class IdentityLine:
    """One line of what is kept: what ``y`` copies, what that is called, and which other key of the person's it is about."""

    copied: str
    called: str
    key: DeviceKey | None = None


def own_rows(
    keyring: IdentityInfo, keys: Sequence[DeviceKey], quota: QuotaReport | None, glyphs: Glyphs, now: float, width: int
) -> list[ListRow[IdentityLine]]:
    """Make the lines about this device, its key and the person's other ones; words take two lines where one has no room.

    Args:
        keys: all of the person's, in order of coming; empty before they were read.
        quota: the person's; None before it was read.
    """
    account = keyring.account
    who = f"{shown(shown_name(account.user))} on {shown(account.server)}"
    rows = [_row("you", who, IdentityLine(account.user, "Your name"))]
    if account.role in list(Role):
        role = Role(account.role)
        says = f"{role.value}: {ROLE_WORDS[role]}"
        rows.append(_row("role", says, IdentityLine(role.value, "Your role")))
    rows += [] if quota is None else _quota_rows(quota, glyphs, width)
    since = f", joined {day_text(account.joined_at, now)}" if account.joined_at else ""
    device = f"{shown(account.device)}{since}"
    rows.append(_row("device", device, IdentityLine(account.device, "The name of this device")))
    rows += _words_rows("key in words", account.key_words, "Your key in words", width)
    rows.append(_row("minisign key", account.minisign_key, IdentityLine(account.minisign_key, "Your minisign key")))
    rows.append(_passphrase_row(keyring, glyphs, now))
    others = [(key, key is keys[0]) for key in keys if key_words(key.public_key) != account.key_words]
    for key, is_first in sorted(others, key=lambda one: one[0].ended_at is not None):
        rows += _key_rows(key, now, width, is_first=is_first)
    address = shown(account.address)
    rows.append(_row("server", address, IdentityLine(account.address, "The server's address")))
    called = "The server's key in words"
    rows += _words_rows("its key", account.server_words, called, width)
    pinned = f"{day_text(account.pinned_at, now)}; sft stops if the server ever shows another key"
    rows.append(_row("pinned", pinned, IdentityLine(account.server_words, called)))
    receipts = f"{count_text(keyring.receipts)} kept: what the server said it stored, signed by it"
    rows.append(_row("receipts", receipts, IdentityLine(str(keyring.receipts), "How many receipts")))
    return rows


def _key_rows(key: DeviceKey, now: float, width: int, *, is_first: bool) -> list[ListRow[IdentityLine]]:
    """Make the lines of another key of the person's; one that ended has one."""
    words, device = key_words(key.public_key), shown(key.device)
    line = IdentityLine(words, f"The words of {device}'s key", key)
    if key.ended_at is not None:
        ended = f"{device}, ended {day_text(key.ended_at, now)}"
        if key.cut_off_leaf is None:
            return [_row("former key", f"{ended}: what it signed stays good", line, tone="muted", key=f"key {key.id}")]
        stolen = f"{ended}: stolen, nothing of it counts from {count_text(key.cut_off_leaf)} of the log on"
        return [_row("former key", stolen, line, tone="doubt", key=f"key {key.id}")]
    since = f"{device}, since {day_text(key.added_at, now)}"
    given = not key.endorsement and not is_first
    by = ", vouched for by another of yours" if key.endorsement else ""
    by = ", given by an admin or the operator" if given else by
    rows = [_row("other key", f"{since}{by}", line, tone="doubt" if given else "", key=f"key {key.id}")]
    halves = [words] if width >= len(words) + _BESIDE_WORDS or " " not in words else words.split(" ", 1)
    return rows + [_row("", half, line, key=f"key {key.id} words {n}") for n, half in enumerate(halves)]


def pinned_row(pin: Pin, glyphs: Glyphs, now: float, width: int) -> ListRow[Pin]:
    """Make the line of a person as this computer saw them first."""
    words = pin_words(pin)
    first = words[0] if words else "no key that this computer would take"
    seen = min(pin.keys.values(), default=None)
    later = len(pin.shown_later)
    cells = {
        "mark": glyphs.doubt if later else "",
        "name": shown(pin.name),
        "words": first if width >= _WHOLE_WORDS else first.partition(" ")[0],
        "seen": glyphs.dash if seen is None else day_text(seen, now),
        "keys": f"{len(words)} keys" if len(words) > 1 else "",
    }
    if later:
        cells["seen"] = "another since"
    tones = {"mark": "doubt", "seen": "doubt" if later else "muted"}
    return ListRow(str(pin.user_id), pin, cells, tones)


def pin_words(pin: Pin) -> list[str]:
    """Return the words of a person's pinned keys, the first seen first."""
    return [key_words(key) for key, _ in sorted(pin.keys.items(), key=lambda item: item[1])]


def about_pin(pin: Pin, now: float) -> tuple[str, bool]:
    """Return what is pinned of a person, and whether it is in doubt."""
    name = shown(shown_name(pin.name))
    words = pin_words(pin)
    if pin.shown_later:
        at = day_text(min(pin.shown_later.values()), now)
        message = f"The server shows another key for {name} since {at}: let {name} confirm its words."
        return message, True
    return (f"{name}: {' and '.join(words)}" if words else f"{name} has no key pinned here.", not words)


def _row(title: str, says: str, line: IdentityLine, *, tone: str = "", key: str = "") -> ListRow[IdentityLine]:
    tones = {"title": "muted"}
    key = key or title
    title = _SHORT.get(title, title)
    if tone:
        tones["says"] = tone
    return ListRow(key, line, {"title": title, "says": says}, tones)


def _words_rows(title: str, words: str, called: str, width: int) -> list[ListRow[IdentityLine]]:
    line = IdentityLine(words, called)
    if width >= len(words) + _BESIDE_WORDS or " " not in words:
        return [_row(title, words, line)]
    first, _, second = words.partition(" ")
    return [_row(title, first, line), _row("", second, line, key=f"{title} 2")]


def _quota_rows(report: QuotaReport, glyphs: Glyphs, width: int) -> list[ListRow[IdentityLine]]:
    """Say what is owned of what may be: on two lines where one has no room for it."""
    owned = report.owned
    quota = Quota(owned.quota_files, owned.quota_bytes)
    percent = quota.percent(Usage(owned.files, owned.bytes_stored))
    text = owned_text(owned.files, owned.bytes_stored, owned.quota_files, owned.quota_bytes)
    tone = "doubt" if percent >= min(NEAR_PERCENT) else ""
    says = f"{glyphs.doubt} {text}" if tone else text
    more = "older versions and the trash count" if quota.limits else "no quota is set"
    if report.reserved_bytes:
        more += f"; {size_text(report.reserved_bytes)} reserved for uploads"
    line = IdentityLine(text, "What you own")
    if len(says) + len(more) + 2 + _BESIDE_SAYS <= width:
        return [_row("quota", f"{says}; {more}", line, tone=tone)]
    return [_row("quota", says, line, tone=tone), _row("", more, line, key="quota 2")]


def _passphrase_row(keyring: IdentityInfo, glyphs: Glyphs, now: float) -> ListRow[IdentityLine]:
    account, until = keyring.account, keyring.held_until
    if account.protected:
        says = "set: the key on this computer opens with it alone"
        if until is not None and until > now:
            says = f"set; an agent holds the key until {local_time(until, now=now, weekday=True)}: L ends that"
        return _row("passphrase", says, IdentityLine("set", "What the line says"))
    name = shown(shown_name(account.user))
    says = f"{glyphs.doubt} none: whoever reads this computer's files can act as {name}"
    return _row("passphrase", says, IdentityLine("none", "What the line says"), tone="doubt")
