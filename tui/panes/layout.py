"""How the Files screen shares a window out: panes, and where details stand. Pure, by columns and lines.

Rules. Two panes are 1:1. Details stand beside them from 160 columns, in a strip below them from 110, else in the other pane's
place; what they do not take is the lists'. A wider window never takes from the lists, but for the step from one pane to two and
for what comes to stand beside them: how wide a list will be then is said before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

_TWO_PANES: Final = (80, 20)  # columns and lines from which on there are two
_STRIP_WIDTH: Final = 110
_STRIP_HEIGHT: Final = 30  # from here on it is there unasked
_BESIDE_WIDTH: Final = 160
_LEAST_DETAILS, _MOST_DETAILS = 34, 44
_FRAME: Final = 4  # two edges, and a blank at either side
_SCROLL_BAR: Final = 1


class Place(Enum):
    """Where details stand."""

    NOWHERE = "nowhere"
    BESIDE = "beside"
    STRIP = "strip"
    OTHER_PANE = "other pane"
    WHOLE = "whole"  # in the place of the only pane


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person asked for.

    Args:
        details: None: where there is room.
        zoomed: the active pane takes the whole width.
    """

    details: bool | None = None
    zoomed: bool = False


@dataclass(frozen=True, slots=True)
class PaneShare:
    """Who gets what.

    Args:
        both: two panes stand there.
        list_width: of one list, inside its frame.
        details_width: of details that stand beside.
        later_width: of one list in a wider window, where something comes to stand beside it; it may have a bar to scroll by.
    """

    both: bool
    details: Place
    list_width: int
    details_width: int = 0
    later_width: int | None = None


def share(width: int, height: int, wishes: Wishes) -> PaneShare:
    """PaneShare a window out."""
    two_fit = width >= _TWO_PANES[0] and height >= _TWO_PANES[1]
    details = _place(width, height, wishes, two_fit=two_fit)
    beside = min(_LEAST_DETAILS + (width - _BESIDE_WIDTH) // 4, _MOST_DETAILS) if details is Place.BESIDE else 0
    both = two_fit and not wishes.zoomed and details is not Place.OTHER_PANE
    halves = 2 if both or details is Place.OTHER_PANE else 1
    list_width = (width - beside) // halves - _FRAME
    will_move = width < _BESIDE_WIDTH and wishes.details is not False and not wishes.zoomed
    later = share(_BESIDE_WIDTH, height, wishes).list_width - _SCROLL_BAR if will_move else None
    return PaneShare(both, details, list_width, beside, later if two_fit or height < _TWO_PANES[1] else None)


def _place(width: int, height: int, wishes: Wishes, *, two_fit: bool) -> Place:
    asked = wishes.details
    if asked is False:
        return Place.NOWHERE
    if width >= _BESIDE_WIDTH and not wishes.zoomed:
        return Place.BESIDE
    if width >= _STRIP_WIDTH and two_fit and (asked or height >= _STRIP_HEIGHT):
        return Place.STRIP
    if not asked:
        return Place.NOWHERE
    return Place.OTHER_PANE if two_fit else Place.WHOLE
