"""Lines of the Identity screen: pure, from what this computer keeps to what is shown and copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sft.client.pins import Pin
from sft.crypto.keys import PublicKey
from sft.errors import KeyFormatError
from sft.model.access import Role
from sft.model.text import ROLE_WORDS, count_text, day_text, shown_name
from tui.gateway import Account, Keyring
from tui.glyphs import Glyphs
from tui.text import shown
from tui.widgets.rows import Column, ListRow

OWN_COLUMNS: Final = (
    Column("title", "", 10),
    Column("gap", "", 1, from_width=90),
    Column("says"),
)
PINNED_COLUMNS: Final = (
    Column("mark", "", 1),
    Column("name", "name", 20, is_name=True),
    Column("seen", "first seen here", 15, from_width=66),
    Column("words", "key in words", gap=2),
    Column("keys", "", 6, right=True, from_width=110),
)
_SHORT: Final = {"key in words": "your key", "minisign key": "minisign"}
_BESIDE_WORDS: Final = 13  # cells that a line has besides eight words
_WHOLE_WORDS: Final = 116  # cells in which eight words stand between the other columns


@dataclass(frozen=True, slots=True)
class IdentityLine:
    """One line of what is kept: what ``y`` copies, and what that is called."""

    copied: str
    called: str


def own_rows(
    keyring: Keyring, glyphs: Glyphs, now: float, width: int
) -> list[ListRow[IdentityLine]]:
    """Make the lines about this device and its key.

    Args:
        width: of the list; the words of a key take two lines where one has no room.
    """
    account = keyring.account
    who = f"{shown(shown_name(account.user))} on {shown(account.server)}"
    rows = [_row("you", who, IdentityLine(account.user, "Your name"))]
    if account.role in list(Role):
        role = Role(account.role)
        says = f"{role.value}: {ROLE_WORDS[role]}"
        rows.append(_row("role", says, IdentityLine(role.value, "Your role")))
    since = f", joined {day_text(account.joined_at, now)}" if account.joined_at else ""
    device = f"{shown(account.device)}{since}"
    rows.append(_row("device", device, IdentityLine(account.device, "The name of this device")))
    rows += _words_rows("key in words", account.key_words, "Your key in words", width)
    rows.append(
        _row(
            "minisign key",
            account.minisign_key,
            IdentityLine(account.minisign_key, "Your minisign key"),
        )
    )
    rows.append(_passphrase_row(account, glyphs))
    address = shown(account.address)
    rows.append(_row("server", address, IdentityLine(account.address, "The server's address")))
    called = "The server's key in words"
    rows += _words_rows("its key", account.server_words, called, width)
    pinned = f"{day_text(account.pinned_at, now)}; sft stops if the server ever shows another key"
    rows.append(_row("pinned", pinned, IdentityLine(account.server_words, called)))
    receipts = f"{count_text(keyring.receipts)} kept: what the server said it stored, signed by it"
    rows.append(
        _row("receipts", receipts, IdentityLine(str(keyring.receipts), "How many receipts"))
    )
    return rows


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
    """Give the words of a person's pinned keys, the first seen first."""
    return [_words(key) for key, _ in sorted(pin.keys.items(), key=lambda item: item[1])]


def about_pin(pin: Pin, now: float) -> tuple[str, bool]:
    """Say what is pinned of a person, and whether it is in doubt."""
    name = shown(shown_name(pin.name))
    words = pin_words(pin)
    if pin.shown_later:
        at = day_text(min(pin.shown_later.values()), now)
        said = f"The server shows another key for {name} since {at}: let {name} confirm its words."
        return said, True
    return (
        f"{name}: {' and '.join(words)}" if words else f"{name} has no key pinned here.",
        not words,
    )


def _row(
    title: str, says: str, line: IdentityLine, *, tone: str = "", key: str = ""
) -> ListRow[IdentityLine]:
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


def _passphrase_row(account: Account, glyphs: Glyphs) -> ListRow[IdentityLine]:
    if account.protected:
        says = "set: the key on this computer opens with it alone"
        return _row("passphrase", says, IdentityLine("set", "What the line says"))
    name = shown(shown_name(account.user))
    says = f"{glyphs.doubt} none: whoever reads this computer's files can act as {name}"
    return _row("passphrase", says, IdentityLine("none", "What the line says"), tone="doubt")


def _words(key: bytes) -> str:
    try:
        return PublicKey.decode(key).words()
    except KeyFormatError:
        return "no key that this sft can read"
