"""What a person reads: errors, times, sizes and names, filled in at one place.

A template of ``sft.errors`` names values; here they become words. A name that ends in ``_at`` is a time, one in
``_bytes`` a size, other numbers are grouped, and every text goes through ``names.safe``: it may come from a peer. Names of
files and people are quoted only round a blank or an odd character, and as a shell needs it in a next step, which is typed.
Nothing here looks at a clock: the moment is an argument.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from string import Formatter
from types import MappingProxyType
from typing import Final, TypedDict

from sft.errors import SftError, UnknownRefusalError, Value
from sft.limits import KIB
from sft.model.access import Role
from sft.model.names import safe

# What a person may do, said after "gus: guest".
ROLE_WORDS: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.ADMIN: "reads, stores and manages every file, and manages people",
        Role.MAINTAINER: "reads every file, stores files and manages their own",
        Role.GUEST: "reads every file and stores none",
    }
)
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "June"),
    *("July", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNITS: Final = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_DECIMALS_BELOW: Final = 10
_MINUTE: Final = 60
_HOUR: Final = 3600
# Values that are the name of one thing; others are phrases, and are never quoted.
_NAMES: Final = frozenset(
    {"author", "existing", "home", "maker", "name", "owner", "path", "profile", "safer", "server"}
)
_PLAIN_IN_SHELL: Final = re.compile(r"[\w@%+:,./-]+")


class ErrorJson(TypedDict):
    """An error in the document that ``--json`` prints."""

    code: str
    exit: int
    message: str
    next: str
    ref: str | None


def sentence(error: SftError, *, now: float, zone: tzinfo | None = None) -> str:
    """Say who did what, then the rule.

    Args:
        error: any error of the tree.
        now: Unix seconds; a time of another year is written with it.
        zone: where the reader is; this computer's own zone unless given.
    """
    return _filled(error.sentence, error.values, now, zone, for_shell=False)


def next_step(error: SftError, *, now: float, zone: tzinfo | None = None) -> str:
    """Say the one thing that can be typed or done."""
    return _filled(error.next_step, error.values, now, zone, for_shell=True)


def error_json(error: SftError, *, now: float, zone: tzinfo | None = None) -> ErrorJson:
    """Describe an error to a program."""
    return {
        "code": _code(error),
        "exit": error.exit_status,
        "message": sentence(error, now=now, zone=zone),
        "next": next_step(error, now=now, zone=zone),
        "ref": safe(error.ref) or None,
    }


def error_lines(error: SftError, *, now: float, zone: tzinfo | None = None) -> list[str]:
    """Write an error as the command line shows it: sentence and code, then the next step and the reference."""
    said = sentence(error, now=now, zone=zone).removesuffix(".")
    step = next_step(error, now=now, zone=zone)
    reference = f" (ref {safe(error.ref)})" if error.ref else ""
    return [f"sft: {said} [{_code(error)}]", f"     {step}{reference}"]


def local_time(
    seconds: float, *, now: float, zone: tzinfo | None = None, weekday: bool = False
) -> str:
    """Write a time as people do: ``3 May 14:02``, with the year if it is another one."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
        this_year = datetime.fromtimestamp(now, UTC).astimezone(zone).year
    except (OverflowError, ValueError, OSError):
        return "a time out of range"
    day = f"{_DAYS[moment.weekday()]} " if weekday else ""
    year = "" if moment.year == this_year else f" {moment.year}"
    return f"{day}{moment.day} {_MONTHS[moment.month - 1]}{year} {moment:%H:%M}"


def utc_time(seconds: float) -> str:
    """Write a time for programs: ``2026-05-03T14:02:11Z``."""
    try:
        moment = datetime.fromtimestamp(int(seconds), UTC)
    except (OverflowError, ValueError, OSError):
        return "0001-01-01T00:00:00Z" if seconds < 0 else "9999-12-31T23:59:59Z"
    return moment.replace(tzinfo=None).isoformat() + "Z"


def size_text(size_bytes: float) -> str:
    """Write a size: ``2.0 GiB``, ``890 KiB``, ``12 B``."""
    if size_bytes < KIB:
        return f"{int(size_bytes)} B"
    amount = float(size_bytes)
    for unit in _UNITS:
        amount /= KIB
        # 1,023.9 KiB is told as 1.0 MiB, never as 1,024 KiB.
        if round(amount) < KIB or unit == _UNITS[-1]:
            break
    whole = round(amount, 1) >= _DECIMALS_BELOW
    return f"{amount:,.0f} {unit}" if whole else f"{amount:.1f} {unit}"


def rate_text(size_bytes: float, seconds: float) -> str:
    """Write a rate: ``208 MiB/s``."""
    return f"{size_text(size_bytes / seconds if seconds > 0 else 0)}/s"


def duration_text(seconds: float) -> str:
    """Write how long something took: ``9.8 s``, ``35 s``, ``2 min 5 s``, ``1 h 5 min``."""
    if round(seconds, 1) < _DECIMALS_BELOW:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{count_text(whole // _HOUR)} h {whole % _HOUR // _MINUTE} min"


def left_text(seconds: float) -> str:
    """Write how long something will take yet: ``0:04``, ``1:02:09``."""
    minutes, rest = divmod(max(round(seconds), 0), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count_text(number: int) -> str:
    """Write a number of things: ``1,203``."""
    return f"{number:,}"


def shown_name(text: str) -> str:
    """Write a name into a sentence: in quotation marks only round a blank or an odd character."""
    shown = safe(text)
    odd = shown != text or not shown or any(c.isspace() or c == '"' for c in shown)
    return f'"{shown}"' if odd else shown


def shell_name(text: str) -> str:
    """Write a name into a command that may be typed as it stands."""
    shown = safe(text)
    if shown.startswith("-"):
        shown = f"/{shown}"  # a leading slash of a path on the server is dropped; of an option, it is none
    return shown if _PLAIN_IN_SHELL.fullmatch(shown) else shlex.quote(shown)


def _code(error: SftError) -> str:
    if isinstance(error, UnknownRefusalError):
        return safe(str(error.values["code"]))
    return error.code


def _filled(
    template: str, values: dict[str, Value], now: float, zone: tzinfo | None, *, for_shell: bool
) -> str:
    parts: list[str] = []
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(literal)
        if name:
            quoted = literal.endswith('"')
            word = _word(name, values[name], now, zone, for_shell=for_shell, quoted=quoted)
            is_first = "".join(parts) == ""
            parts.append(word[:1].upper() + word[1:] if is_first and name == "role" else word)
    return "".join(parts)


def _word(
    name: str, value: Value, now: float, zone: tzinfo | None, *, for_shell: bool, quoted: bool
) -> str:
    if name.endswith("_at") and isinstance(value, int):
        return local_time(value, now=now, zone=zone)
    if name.endswith("_bytes") and isinstance(value, int):
        return size_text(value)
    if isinstance(value, int):
        return count_text(value)
    if name not in _NAMES or quoted:
        return safe(value)
    return shell_name(value) if for_shell else shown_name(value)
