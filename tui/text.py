"""The only way from a text of a peer, a disk or an error to the screen.

Rules. Every such text goes through ``sft.model.names.safe`` here and becomes a ``Content`` or ``Text`` without markup:
the toolkit would run ``[@click=…]`` in a plain string. What is odd in a name stands reversed, so that it cannot be
taken for part of it. Cut texts end in ``…``; a name keeps its ending.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from sft.errors import SftError
from sft.limits import KIB
from sft.model.names import safe
from sft.model.wording import local_time, next_step, sentence, size_text

_ESCAPED: Final = re.compile(r"\\u\{[0-9a-f]+\}")
_HEAD_OF_ESCAPE: Final = re.compile(r"\\(u(\{[0-9a-f]*)?)?$")
_TAIL_OF_ESCAPE: Final = re.compile(r"^(u\{|\{)?[0-9a-f]*\}")
_ENDING_CELLS: Final = 8
_LEAST_CELLS: Final = 8
_SIZE_CELLS: Final = 7
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_DAYS_IN_WORDS: Final = 30
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
# Where the command line names a command, a key does it here. Values of the error stand in braces, as in its own texts.
_STEPS_HERE: Final = {
    "CONNECTION_LOST": "It is tried again by itself",
    "INVITE_USED": "You? Then it is in Servers (5). Not you? Tell the admin who sent it now",
    "KEY_FORMAT": "Put back a copy of its file, or ask an admin to let you in with a new key",
    "KEY_LOCKED": "5, then enter, asks for its passphrase",
    "EXISTS": "2, then enter, decides",
    "FILE_EXISTS": "2, then enter, decides",
    "NAME_CLASH": "2, then enter, decides",
    "CHANGED_SINCE": "Read the newer version, then decide",
    "DISK_FULL": "Make room, then R on it in Transfers (2)",
    "INTERRUPTED": "R on it in Transfers (2) begins it again",
    "KEY_TAKEN": "Ask an admin for another invitation: its key is made anew",
    "LAST_ADMIN": "Make somebody else an admin first",
    "LOCKED_OUT": "Ask why; an admin can let you in again, and R connects then",
    "LOGIN_REFUSED": "Removed, disabled or reset? An admin knows. R tries again",
    "PIN_CHANGED": "Ask {author} for the words of their key: their Identity screen (4) shows them",
    "PROTOCOL": "Right address? 5 shows it, and a changes it",
    "RECEIPT_BAD": "Look at it in Files (1), and tell the operator",
    "RIGHTS_CHANGED": "An admin can change that again; then R on it in Transfers (2)",
    "ROLE_FORBIDS": "An admin can change your role: {admins}",
    "SIGNATURE_REFUSED": "R on it in Transfers (2) sends it again",
    "SIGNER_UNKNOWN": "Ask {author} for the words of their key: their Identity screen (4) shows them",
    "SOURCE_CHANGED": "R on it in Transfers (2) sends it again, when nobody writes it",
    "NAME_IN_USE": "Choose another name",
    "NAME_NOT_ALLOWED": "2, then enter, offers a name that will do",
    "NOT_EMPTY": "d deletes a folder with all in it",
    "NOT_FOUND": "Somebody may have moved or deleted it: R reads the list anew",
    "NAME_RESERVED": "Join under that name",
    "NOT_JOINED": "5 takes an invitation from an admin",
    "PROFILE_UNKNOWN": "5 shows those it knows",
    "REGISTRATION_CLOSED": "Ask an admin for an invitation",
    "SERVER_KEY_CHANGED": "5, then enter, shows both keys and says what to do",
    "SESSION_ENDED": "Ask why; R connects again",
    "UNREACHABLE": "Moved? 5, then a, gives it another address",
}
ODD_STYLE: Final = "reverse"


@lru_cache(maxsize=8192)
def shown(text: str) -> str:
    """Make a text of a peer fit for one line; combining marks cannot climb onto the lines above it."""
    return _without_towers(safe(text))


def name_text(name: str, style: str = "") -> Text:
    """Write a name, what is odd in it reversed."""
    text = Text(shown(name), style=style, no_wrap=True, end="")
    text.highlight_regex(_ESCAPED, ODD_STYLE)
    return text


@lru_cache(maxsize=8192)
def cut(text: str, cells: int, ellipsis: str = "…") -> str:
    """Cut a harmless text to so many columns, from its end."""
    if cell_len(text) <= cells:
        return text
    if cells <= cell_len(ellipsis):
        return ellipsis[:cells]
    return set_cell_size(text, cells - cell_len(ellipsis)).rstrip() + ellipsis


@lru_cache(maxsize=8192)
def cut_name(text: str, cells: int, ellipsis: str = "…") -> str:
    """Cut a harmless name in its middle: its ending, and what numbers stand before it, stay in sight."""
    if cell_len(text) <= cells:
        return text
    dot = text.rfind(".")
    ending = text[dot:] if dot > 0 and cell_len(text[dot:]) <= _ENDING_CELLS else ""
    if cells < _LEAST_CELLS + cell_len(ending):
        return cut(text, cells, ellipsis)
    tail_cells = cell_len(ending) + max(cells // 8, 2)
    tail = text
    while cell_len(tail) > tail_cells:
        tail = tail[1:]
    head = set_cell_size(text, cells - cell_len(tail) - cell_len(ellipsis)).rstrip()
    # What stands for an odd character is shown whole or not at all.
    return _HEAD_OF_ESCAPE.sub("", head) + ellipsis + _TAIL_OF_ESCAPE.sub("", tail)


@lru_cache(maxsize=1024)
def cut_path(text: str, cells: int, ellipsis: str = "…") -> str:
    """Cut a harmless path from its beginning: where it leads stays in sight."""
    if cell_len(text) <= cells:
        return text
    room = cells - cell_len(ellipsis)
    if room <= 0:
        return ellipsis[: max(cells, 0)]
    while text and cell_len(text) > room:
        text = text[1:]
    # A whole component reads better than a part of one, if that costs little.
    slash = text.find("/")
    return ellipsis + (text[slash:] if 0 < slash < len(text) // 2 else text)


def error_text(error: SftError, now: float) -> tuple[str, str]:
    """Give an error's sentence and its next step, both harmless."""
    said = sentence(error, now=now)
    step = _step_here(error) or next_step(error, now=now)
    reference = f" ({safe(error.ref)})" if error.ref else ""
    return said, step + reference


def _step_here(error: SftError) -> str:
    template = _STEPS_HERE.get(error.code, "")
    values = {name: shown(str(value)) for name, value in error.values.items()}
    try:
        return template.format_map(values)
    except KeyError:  # a server that leaves out who can help
        return ""


def age_text(then: float, now: float, zone: tzinfo | None = None) -> str:
    """Say how long ago, in the width of a column: ``3 h``, ``2 d``, ``28 Apr``, ``Mar 2025``."""
    seconds = now - then
    if -_DAY < seconds < _MINUTE:
        return "now"
    if 0 < seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min"
    if 0 < seconds < _DAY:
        return f"{int(seconds // _HOUR)} h"
    if 0 < seconds < _DAYS_IN_WORDS * _DAY:
        return f"{int(seconds // _DAY)} d"
    day = day_text(then, now, zone)
    return day if len(day.split()) < 3 else day.split(" ", 1)[1]  # noqa: PLR2004 - day, month, year


def day_text(then: float, now: float, zone: tzinfo | None = None) -> str:
    """Write a day: ``28 Apr``, with the year if it is another one."""
    return local_time(then, now=now, zone=zone).rpartition(" ")[0] or "–"


def clock_text(then: float, zone: tzinfo | None = None) -> str:
    """Write a time of today: ``14:02:11``."""
    return f"{datetime.fromtimestamp(then, UTC).astimezone(zone):%H:%M:%S}"


def _without_towers(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= 4:  # noqa: PLR2004 - more than any script stacks
            kept.append(character)
        elif marks == 5:  # noqa: PLR2004
            kept.append(f"\\u{{{ord(character):x}}}")
    return "".join(kept)


def size_cell(size_bytes: int) -> str:
    """Write a size in at most seven columns: 1,023 KiB is 1.0 MiB here."""
    said = size_text(size_bytes)
    if len(said) <= _SIZE_CELLS:
        return said
    amount, _, unit = said.replace(",", "").rpartition(" ")
    return f"{float(amount) / KIB:.1f} {_UNITS[min(_UNITS.index(unit) + 1, len(_UNITS) - 1)]}"


def folder_text(path: str, home: str) -> str:
    """Write a folder of this computer, the person's own as ``~``, harmless."""
    return shown(f"~{path[len(home) :]}" if path == home or path.startswith(f"{home}/") else path)


def part_text(done_bytes: int, total_bytes: int) -> str:
    """Write a part of a size in the unit of the whole: ``1.2/2.0 GiB``."""
    amount, _, unit = size_text(total_bytes).rpartition(" ")
    if unit == "B":
        return f"{done_bytes}/{amount} B"
    done = done_bytes / KIB ** _UNITS.index(unit)
    return f"{done:,.1f}/{amount} {unit}" if "." in amount else f"{done:,.0f}/{amount} {unit}"
