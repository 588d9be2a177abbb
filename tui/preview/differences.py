"""What changed from one text to another, line by line, at a cost that no text can drive up.

Rules. What both begin and end with is taken off first. Of what is left ``_MOST_LINES`` a side are compared, where a line that
stands there very often ties nothing (difflib's own rule): hostile texts would take quadratic time otherwise. Above that the old
lines are shown as gone and the new ones as come. Lines are compared as they are, and harmless where they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import takewhile
from typing import Final

from msgspec import Struct

from tui.preview.lines import SHOWN_CHARACTERS, shown_line

DIFFERENCES_SHOWN: Final = 400
_MOST_LINES: Final = 1000
_CONTEXT: Final = 3


class DiffSide(StrEnum):
    """Where a line stands."""

    BOTH = " "
    OLD = "-"
    NEW = "+"
    LEFT_OUT = "~"


class Difference(Struct, frozen=True):
    """A line that is shown.

    Args:
        line: harmless; of what is left out, empty.
        number: of the line on its side, from 1; of what is left out, of the line after it.
    """

    side: DiffSide
    line: str
    number: int


class Compared(Struct, frozen=True):
    """Two texts beside one another.

    Args:
        gone, come: how many lines.
        is_rough: they were too long to be compared line by line.
        is_cut: there is more than is shown.
    """

    shown: tuple[Difference, ...]
    gone: int
    come: int
    is_rough: bool = False
    is_cut: bool = False


def compared(old: Sequence[str], new: Sequence[str]) -> Compared:
    """Compare two texts, given as lines."""
    head = _same(old, new)
    tail = _same(old[head:][::-1], new[head:][::-1])
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    is_rough = max(len(left), len(right)) > _MOST_LINES
    changes = [(0, len(left), 0, len(right))] if is_rough else _changes(left, right)
    changes = [(a + head, b + head, c + head, d + head) for a, b, c, d in changes if a != b or c != d]
    shown: list[Difference] = []
    room = SHOWN_CHARACTERS
    for each in _drawn(old, new, changes):
        room -= len(each.line)
        if len(shown) == DIFFERENCES_SHOWN or room < 0:
            break
        shown.append(each)
    gone, come = sum(b - a for a, b, _, _ in changes), sum(d - c for _, _, c, d in changes)
    is_cut = gone + come > sum(each.side in {DiffSide.OLD, DiffSide.NEW} for each in shown)
    return Compared(tuple(shown), gone, come, is_rough, is_cut)


def _same(old: Sequence[str], new: Sequence[str]) -> int:
    """Count the lines that both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _changes(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    found = SequenceMatcher(None, old, new).get_opcodes()
    return [(a, b, c, d) for tag, a, b, c, d in found if tag != "equal"]


def _drawn(
    old: Sequence[str], new: Sequence[str], changes: Sequence[tuple[int, int, int, int]]
) -> Iterator[Difference]:
    """Give the changes with some lines around each, and a mark where lines are left out."""
    at = 0  # of the new text, the next that was not shown
    for place, (a, b, c, d) in enumerate(changes):
        begin = max(c - _CONTEXT, at)
        if begin > at:
            yield Difference(DiffSide.LEFT_OUT, "", begin + 1)
        yield from (Difference(DiffSide.BOTH, shown_line(new[n]), n + 1) for n in range(begin, c))
        yield from (Difference(DiffSide.OLD, shown_line(old[n]), n + 1) for n in range(a, b))
        yield from (Difference(DiffSide.NEW, shown_line(new[n]), n + 1) for n in range(c, d))
        following = changes[place + 1][2] if place + 1 < len(changes) else len(new)
        at = min(d + _CONTEXT, following)
        yield from (Difference(DiffSide.BOTH, shown_line(new[n]), n + 1) for n in range(d, at))
    if changes and at < len(new):
        yield Difference(DiffSide.LEFT_OUT, "", at + 1)
