"""What a person reads and types: errors, times, durations, sizes, roles, names and references, each in one place.

A template of ``sft.errors``, or of a front end's next steps, names values; here they become words. A name that ends in
``_at`` is a time, one in ``_bytes`` a size, other numbers are grouped, and every text goes through ``names.safe``: it may
come from a peer. Names of files and people are quoted only round a blank or an odd character, and as a shell needs it in
what is typed. Nothing here looks at a clock: the moment is an argument.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from string import Formatter
from types import MappingProxyType
from typing import Final

from sft.errors import SftError, UnknownRefusalError, UsageError, Value
from sft.limits import EXPIRY_MOST_SECONDS, INVITATION_MOST_SECONDS, KIB
from sft.model.access import Role
from sft.model.names import is_user_name, safe

# What a person may do, said after "gus: guest".
ROLE_WORDS: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.ADMIN: "reads, stores and manages every file, and manages people",
        Role.MAINTAINER: "reads every file, stores files and manages their own",
        Role.GUEST: "reads every file and stores none",
    }
)
ROLE_WORDS_YOU: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.ADMIN: "you read, store and manage every file, and manage people",
        Role.MAINTAINER: "you read every file, store files, and manage your own",
        Role.GUEST: "you read every file, and store none",
    }
)
# The same, each as what it adds to the role below it.
ROLE_ADDS: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.ADMIN: "everything, also people",
        Role.MAINTAINER: "also stores; manages what is theirs",
        Role.GUEST: "reads every file",
    }
)
# The same, said to the person.
ROLE_OF_YOURS: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.ADMIN: "You are an admin: you read, store and manage every file, and manage people.",
        Role.MAINTAINER: "You are a maintainer: you read every file, store files and manage your own.",
        Role.GUEST: "You are a guest: you read every file and store none.",
    }
)
_MONTHS: Final = (*("Jan", "Feb", "Mar", "Apr", "May", "June"), *("July", "Aug", "Sep", "Oct", "Nov", "Dec"))
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SIZE_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DECIMALS_BELOW: Final = 10
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_AGE_IN_DAYS: Final = 30
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)", re.IGNORECASE)
_DAYS_AGO: Final = {"today": 0, "yesterday": 1}
_DURATION_UNITS: Final = {"m": _MINUTE, "h": _HOUR, "d": _DAY, "w": 7 * _DAY}
# Crockford's base 32: no letter is mistaken for another, read aloud or typed; 32 takes each byte without bias.
_REFERENCE_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Values that are the name of one thing; others are phrases, and are never quoted.
_NAMES: Final = frozenset(
    {
        "author",
        "existing",
        "first",
        "home",
        "maker",
        "name",
        "owner",
        "path",
        "profile",
        "remembered",
        "safer",
        "second",
        "server",
        "signed_as",
    }
)
# In a next step all else may be a peer's, and would be typed as it stands.
_OWN_WORDS: Final = frozenset({"remedy", "see"})
_ROLES: Final = frozenset(role.value for role in Role)
_MORE: Final = re.compile(r" and \d{1,9} more\Z", re.ASCII)
_PLAIN_IN_SHELL: Final = re.compile(r"[\w@%+:,./-]+")


def sentence(error: SftError, *, now: float, zone: tzinfo | None = None) -> str:
    """Return who did what, then the rule.

    Args:
        error: any error of the tree.
        now: Unix seconds; a time of another year is written with it.
        zone: where the reader is; this computer's own zone unless given.
    """
    return filled(error.sentence, error.values, now=now, zone=zone)


def code_of(error: SftError) -> str:
    """Return an error's code; that of a refusal of a newer server is the server's own."""
    if isinstance(error, UnknownRefusalError):
        return safe(str(error.values["code"]))
    return error.code


def filled(
    template: str, values: Mapping[str, Value], *, now: float, zone: tzinfo | None = None, for_shell: bool = False
) -> str:
    """Return a template with its values in words; ``for_shell`` quotes names as a shell needs it."""
    parts: list[str] = []
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(literal)
        if name:
            quoted = literal.endswith('"')
            word = _word(name, values[name], now, zone, for_shell=for_shell, quoted=quoted)
            is_first = "".join(parts) == ""
            parts.append(word[:1].upper() + word[1:] if is_first and name == "role" else word)
    return "".join(parts)


def new_reference(entropy: Callable[[int], bytes] = os.urandom) -> str:
    """Return a new reference such as ``7F3K-29QD``: it names one fault in a log to whoever is asked about it."""
    letters = [_REFERENCE_LETTERS[byte % len(_REFERENCE_LETTERS)] for byte in entropy(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def role_noun(role: Role) -> str:
    """Return ``an admin``, ``a guest``."""
    return f"{'an' if role is Role.ADMIN else 'a'} {role}"


def local_time(seconds: float, *, now: float, zone: tzinfo | None = None, weekday: bool = False) -> str:
    """Return a time as people write it: ``3 May 14:02``, with the year if it is another one."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
        this_year = datetime.fromtimestamp(now, UTC).astimezone(zone).year
    except (OverflowError, ValueError, OSError):
        return "a time out of range"
    day = f"{_DAYS[moment.weekday()]} " if weekday else ""
    year = "" if moment.year == this_year else f" {moment.year}"
    return f"{day}{moment.day} {_MONTHS[moment.month - 1]}{year} {moment:%H:%M}"


def day_text(seconds: float, now: float, zone: tzinfo | None = None) -> str:
    """Return a day: ``28 Apr``, with the year if it is another one."""
    return local_time(seconds, now=now, zone=zone).rpartition(" ")[0] or "–"


def clock_text(seconds: float, zone: tzinfo | None = None) -> str:
    """Return a time of today: ``14:02:11``."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(zone):%H:%M:%S}"


def age_text(then: float, now: float, zone: tzinfo | None = None) -> str:
    """Return how long ago it was, in the width of a column: ``3 h``, ``2 d``, ``28 Apr``, ``Mar 2025``."""
    seconds = now - then
    if -_DAY < seconds < _MINUTE:
        return "now"
    if 0 < seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min"
    if 0 < seconds < _DAY:
        return f"{int(seconds // _HOUR)} h"
    if 0 < seconds < _AGE_IN_DAYS * _DAY:
        return f"{int(seconds // _DAY)} d"
    day = day_text(then, now, zone)
    return day if len(day.split()) < 3 else day.split(" ", 1)[1]  # noqa: PLR2004 - day, month, year


def utc_time(seconds: float) -> str:
    """Return a time for programs: ``2026-05-03T14:02:11Z``."""
    try:
        moment = datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, ValueError, OSError):
        return "0001-01-01T00:00:00Z" if seconds < 0 else "9999-12-31T23:59:59Z"
    return moment.replace(tzinfo=None).isoformat() + "Z"


def size_text(size_bytes: float) -> str:
    """Return a size: ``2.0 GiB``, ``890 KiB``, ``12 B``."""
    if size_bytes < KIB:
        return f"{int(size_bytes)} B"
    amount = float(size_bytes)
    for unit in SIZE_UNITS[1:]:
        amount /= KIB
        # 1,023.9 KiB is told as 1.0 MiB, never as 1,024 KiB.
        if round(amount) < KIB or unit == SIZE_UNITS[-1]:
            break
    whole = round(amount, 1) >= _DECIMALS_BELOW
    return f"{amount:,.0f} {unit}" if whole else f"{amount:.1f} {unit}"


def part_text(done_bytes: int, total_bytes: int) -> str:
    """Return a part of a size in the unit of the whole: ``1.2/2.0 GiB``."""
    amount, _, unit = size_text(total_bytes).rpartition(" ")
    if unit == "B":
        return f"{done_bytes}/{amount} B"
    done = done_bytes / KIB ** SIZE_UNITS.index(unit)
    return f"{done:,.1f}/{amount} {unit}" if "." in amount else f"{done:,.0f}/{amount} {unit}"


def over_quota_text(name: str, files: int, size_bytes: int, quota_files: int | None, quota_bytes: int | None) -> str:
    """Say that somebody owns more than they may, as after a removal, which nothing refuses for that; "" where not."""
    over = (quota_bytes is not None and size_bytes > quota_bytes) or (quota_files is not None and files > quota_files)
    owned = owned_text(files, size_bytes, quota_files, quota_bytes)
    return f"{name} owns more than their quota now ({owned}), and can store no more" if over else ""


def owned_text(files: int, size_bytes: int, quota_files: int | None, quota_bytes: int | None) -> str:
    """Return what somebody owns of what they may: ``41 GiB of 50 GiB (82 %), 1,200 files``; a quota of None is no limit."""
    parts = [
        (size_text(size_bytes), None if quota_bytes is None else size_text(quota_bytes), size_bytes, quota_bytes),
        (counted(files, "file"), None if quota_files is None else count_text(quota_files), files, quota_files),
    ]
    return ", ".join(_of_limit(*part) for part in parts)


def _of_limit(used: str, limit: str | None, number: int, most: int | None) -> str:
    if limit is None or most is None:
        return used
    percent = number * 100 // most if most else 100
    return f"{used} of {limit} ({count_text(percent)} %)"


def quota_text(quota_files: int | None, quota_bytes: int | None) -> str:
    """Return what somebody may own: ``50 GiB and 100,000 files``; None is no limit."""
    if quota_bytes is None:
        return "as much as there is room for" if quota_files is None else f"{counted(quota_files, 'file')} of any size"
    size = size_text(quota_bytes)
    return f"{size}, in any number of files" if quota_files is None else f"{size} and {counted(quota_files, 'file')}"


def rate_text(size_bytes: float, seconds: float) -> str:
    """Return a rate: ``208 MiB/s``."""
    return f"{size_text(size_bytes / seconds if seconds > 0 else 0)}/s"


def duration_text(seconds: float) -> str:
    """Return how long something took: ``9.8 s``, ``35 s``, ``2 min 5 s``, ``1 h 5 min``."""
    if round(seconds, 1) < _DECIMALS_BELOW:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{count_text(whole // _HOUR)} h {whole % _HOUR // _MINUTE} min"


def left_text(seconds: float) -> str:
    """Return how long something will take yet: ``0:04``, ``1:02:09``."""
    minutes, rest = divmod(max(round(seconds), 0), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def invitation_seconds(text: str) -> int:
    """Read how long an invitation shall last, as people write it: ``12h``, ``2 days``, ``1 week``.

    Raises:
        UsageError: it is no time span, or over 30 days.
    """
    return _span_seconds(text, "An invitation ends after 30 days at the latest")


def held_seconds(text: str) -> int:
    """Read for how long an agent shall hold a key, likewise; UsageError likewise."""
    return _span_seconds(text, "An agent holds a key for 30 days at most")


def _span_seconds(text: str, too_long: str) -> int:
    typed = text.strip()
    how = "Write 12h, 2d or 1w"
    match = _DURATION.fullmatch(typed)
    if match is None:
        problem = f'"{typed[:30]}" is no time span' if typed else "A time is missing"
        raise UsageError(problem=problem, remedy=how)
    seconds = int(match[1]) * _DURATION_UNITS[match[2][0].lower()]
    if seconds > INVITATION_MOST_SECONDS:
        raise UsageError(problem=too_long, remedy=how)
    return seconds


def expiry_seconds(text: str) -> int:
    """Read in how long a file is to go to the trash by itself: ``12h``, ``7d``, ``2 weeks``; UsageError for anything else."""
    typed = text.strip()
    match = _DURATION.fullmatch(typed)
    if match is None or int(match[1]) * _DURATION_UNITS[match[2][0].lower()] > EXPIRY_MOST_SECONDS:
        problem = f'"{typed[:30]}" is no time span, of 100 years at most' if typed else "A time is missing"
        raise UsageError(problem=problem, remedy="Write 12h, 7d or 2w")
    return int(match[1]) * _DURATION_UNITS[match[2][0].lower()]


def moment(text: str, now: float, zone: tzinfo | None = None) -> int:
    """Read a moment as a person types it: ``2d`` ago, ``today``, a date of theirs, or a time as it is printed for programs.

    Returns:
        Unix seconds.

    Raises:
        UsageError: anything else.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is not None:
        return int(now) - int(found[1]) * _DURATION_UNITS[found[2][0].lower()]
    try:
        days = _DAYS_AGO.get(text.strip().lower())
        typed = text.strip() if days is None else str(datetime.fromtimestamp(now, zone).date() - timedelta(days))
        read = datetime.fromisoformat(typed)
        return int((read if read.tzinfo is not None else read.replace(tzinfo=zone or _here(read))).timestamp())
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            problem=f"{safe(text)} is no moment", remedy="Such as 2d, yesterday, 2026-05-03 or 2026-05-03T14:02:11Z"
        ) from None


def _here(moment: datetime) -> tzinfo | None:
    return moment.astimezone().tzinfo


def count_text(number: int) -> str:
    """Return a number of things: ``1,203``."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """Return a number of things with their noun: ``1 file``, ``1,203 files``; the noun makes its plural by an s."""
    return f"{count_text(number)} {noun}{'' if number == 1 else 's'}"


def shown_name(text: str) -> str:
    """Return a name for a sentence: in quotation marks only round a blank or an odd character."""
    shown = safe(text)
    odd = shown != text or not shown or any(c.isspace() or c == '"' for c in shown)
    return f'"{shown}"' if odd else shown


def shell_name(text: str) -> str:
    """Return a name for a command that may be typed as it stands."""
    # A leading slash of a path on the server is dropped; of an option, it is none.
    return shell_word(f"/{text}" if text.startswith("-") else text)


def shell_path(text: str) -> str:
    """Return a path of this computer for a command that may be typed as it stands: never one of its options."""
    return shell_word(f"./{text}" if text.startswith("-") else text)


def shell_line(words: Iterable[str]) -> str:
    """Return words as one line of a shell, which reads them back byte for byte."""
    return " ".join(map(shell_word, words))


def shell_word(text: str) -> str:
    r"""Return a text as one word of a shell, which reads it back byte for byte.

    What is odd in it stands as bytes that a shell reads (``$'\xe2\x80\xae'``): the word is printable, whatever it holds.
    """
    if safe(text) != text:
        return "$'" + "".join(_escaped(character) for character in text) + "'"
    return text if _PLAIN_IN_SHELL.fullmatch(text) else shlex.quote(text)


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if safe(character) == character:
        return character
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # noqa: PLR2004 - a byte that is no text, as os.fsdecode writes it
        return f"\\x{number - 0xDC00:02x}"
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


def _admin_names(text: str) -> str:
    """Keep what is a name, and the number of those whom the server did not name."""
    more = _MORE.search(text)
    known = ", ".join(filter(is_user_name, _MORE.sub("", text).split(", ")))
    return known + (more[0] if more else "") if known else "their names are unknown"


def _word(name: str, value: Value, now: float, zone: tzinfo | None, *, for_shell: bool, quoted: bool) -> str:
    if name.endswith("_at") and isinstance(value, int):
        return local_time(value, now=now, zone=zone)
    if name.endswith("_bytes") and isinstance(value, int):
        return size_text(value)
    if isinstance(value, int):
        return count_text(value)
    if for_shell and name == "needed":
        return value if value in _ROLES else "ROLE"
    if name == "admins":
        return _admin_names(value)
    if for_shell and name not in _OWN_WORDS:
        return shell_name(value)
    return shown_name(value) if name in _NAMES and not quoted else safe(value)
