"""What is typed into the filter of the log: ``user:ada file:/finance/plan.pdf act:store since:yesterday`` and free words.

Rules. All that is said must be so. A word with a colon that is none of ours is refused, for it would find nothing; the last
word may still be being typed. What a server can be asked for it is asked for; free words are looked for in what a line shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from sft.errors import UsageError
from sft.ledger.acts import ACTS
from sft.model.names import fold
from sft.model.text import moment

_TOKEN: Final = re.compile(r'(?:(?P<key>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<plain>\S*))\s*')
_DAYS: Final = {"today": 0, "yesterday": 1}
_DATES: Final = "2026-05-03, today, yesterday, or 12h, 3d, 2w ago"
_KEYS: Final = ("user", "file", "act", "since", "until")


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What a filter says.

    Args:
        user: a name; empty for everybody.
        file: a path; empty for everything.
        kinds: numbers of leaves; any where there is none.
        since, until: Unix seconds; until leaves out that moment.
        words: folded.
    """

    user: str = ""
    file: str = ""
    kinds: tuple[int, ...] = ()
    since: int | None = None
    until: int | None = None
    words: tuple[str, ...] = ()


def parse(text: str, now: float, zone: tzinfo | None = None) -> LogFilter:
    """Read a filter; UsageError in words where something of it means nothing."""
    said: dict[str, str] = {}
    words: list[str] = []
    position = 0
    text = text.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or found.end() == position:
            break
        position = found.end()
        key = (found["key"] or "").lower()
        value = found["quoted"] if found["quoted"] is not None else found["plain"]
        if not key:
            words.append(fold(value))
        elif key not in _KEYS:
            raise UsageError(problem=f"{key}: is no part of a filter", remedy="user: file: act: since: until: are")
        elif key in said:
            raise UsageError(problem=f"{key}: is said twice", remedy="Say it once")
        elif not value:
            raise UsageError(problem=f"{key}: says nothing", remedy=_EXAMPLES[key])
        else:
            said[key] = value
    return LogFilter(
        user=said.get("user", ""),
        file=said.get("file", "").lstrip("/"),
        kinds=_kinds(said["act"]) if "act" in said else (),
        since=_moment("since", said, now, zone) if "since" in said else None,
        until=_moment("until", said, now, zone) if "until" in said else None,
        words=tuple(words),
    )


def _kinds(act: str) -> tuple[int, ...]:
    found = [each for each in ACTS if each.startswith(act.lower())]
    if act.lower() in ACTS:
        found = [act.lower()]
    if not found:
        raise UsageError(problem="That is no act of the log", remedy=f"One of {', '.join(ACTS)}")
    return tuple(int(kind) for each in found for kind in ACTS[each])


def _moment(key: str, said: Mapping[str, str], now: float, zone: tzinfo | None) -> int:
    text = said[key]
    day = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
    if text in _DAYS:
        text = (day - timedelta(days=_DAYS[text])).isoformat()
    try:
        return max(moment(text, now, zone), 0)
    except UsageError as error:
        raise UsageError(problem=f"{key}: takes no such date", remedy=_DATES) from error


_EXAMPLES: Final = {
    "user": "user:ada is what ada did, and what was done to ada",
    "file": "file:/finance/plan.pdf, whatever it was called before",
    "act": f"One of {', '.join(ACTS)}",
    "since": _DATES,
    "until": _DATES,
}
