"""Quotas: how many files and bytes one person may own, or all together, and whether something more fits.

Rules. What counts is what the figures count: every version of every file that a person owns, older ones and those in the trash
too, until they are destroyed. A quota that is lowered below that destroys nothing: what fits no more is stored no more. An act
that adds no bytes is not judged by bytes, and one that adds no file not by files, so whoever is over a quota can still replace
and tidy up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

NO_LIMIT: Final = -1  # of one person's quota: none, whatever everybody's is
NEAR_PERCENT: Final = (95, 80)  # of a quota: who owns so much is told, the highest first

LIMIT_MOST: Final = 1 << 62  # what a column holds, with room to add to it

_NONE: Final = "none"
_DEFAULT: Final = "default"
LIMIT_WORDS: Final = (_NONE, _DEFAULT)
_WHOLE: Final = 100


class Usage(Struct, frozen=True):
    """So many files, and the bytes of all their versions; or so much more."""

    files: int = 0
    size_bytes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.files + other.files, self.size_bytes + other.size_bytes)

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.files - other.files, self.size_bytes - other.size_bytes)


class Quota(Struct, frozen=True):
    """What may be owned at most; None is no limit."""

    files: int | None = None
    size_bytes: int | None = None

    @property
    def limits(self) -> bool:
        """Whether there is anything to judge by."""
        return self.files is not None or self.size_bytes is not None

    def refuses_bytes(self, used: Usage, more: Usage) -> bool:
        """Return whether so many bytes more do not fit."""
        return more.size_bytes > 0 and not _fits(used.size_bytes + more.size_bytes, self.size_bytes)

    def refuses_files(self, used: Usage, more: Usage) -> bool:
        """Return whether so many files more do not fit."""
        return more.files > 0 and not _fits(used.files + more.files, self.files)

    def percent(self, used: Usage) -> int:
        """Return how much of it is owned, by bytes or files, of which more; rounded down, and 0 without a limit."""
        return max(_percent(used.size_bytes, self.size_bytes), _percent(used.files, self.files))

    def reached(self, before: Usage, after: Usage) -> int:
        """Return the highest percentage of ``NEAR_PERCENT`` that was reached just now, by bytes or files; 0 for none."""
        return max(
            _reached(before.size_bytes, after.size_bytes, self.size_bytes),
            _reached(before.files, after.files, self.files),
        )


def _fits(wanted: int, limit: int | None) -> bool:
    return limit is None or wanted <= limit


def _percent(used: int, limit: int | None) -> int:
    if limit is None:
        return 0
    return used * _WHOLE // limit if limit else _WHOLE


def _reached(before: int, after: int, limit: int | None) -> int:
    if limit is None:
        return 0
    return next((step for step in NEAR_PERCENT if before * _WHOLE < step * limit <= after * _WHOLE), 0)


def limit_of(own: int | None, everybodys: int | None) -> int | None:
    """Return what rules one person: what was set for them, or what is everybody's; None is no limit."""
    if own is None:
        return everybodys
    return None if own == NO_LIMIT else own


def limit_text(own: int | None) -> str:
    """Write what was set for one person, as statements and leaves have it: a number, ``none`` or ``default``."""
    return _DEFAULT if own is None else _NONE if own == NO_LIMIT else str(own)


def typed_limit(text: str, parse: Callable[[str], int]) -> int | None:
    """Read a limit as a person types it: a number, ``none``, or ``default`` for what everybody has, which is None.

    Args:
        parse: reads a number; ValueError where it is none.

    Raises:
        ValueError: it is no limit.
    """
    word = text.strip().lower()
    if word in LIMIT_WORDS:
        return None if word == _DEFAULT else NO_LIMIT
    number = parse(word.replace(",", ""))
    if not 0 <= number <= LIMIT_MOST:
        raise ValueError("not a limit")
    return number


def parse_limit(text: str) -> int | None:
    """Read what ``limit_text`` writes and nothing else; ValueError for any other text."""
    own = {_DEFAULT: None, _NONE: NO_LIMIT}.get(text, text)
    if isinstance(own, str):
        own = int(own)
    if limit_text(own) != text or (own is not None and own < NO_LIMIT):
        raise ValueError("not a limit")
    return own
