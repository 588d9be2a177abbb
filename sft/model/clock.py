"""Is a server's wall clock to be believed? What destroys by age waits while it is not.

    sound ── it moved otherwise than time can have passed ──▶ doubted
    doubted ── set right, agreed with by somebody else's clock, served with for a week, or the operator's word ──▶ sound

Rules. Two things are kept from look to look, also over restarts: when the server ran last by its clock, and of one that is
doubted what it would say at least if it had gone right. While a process lives, the machine's own seconds tell how much passed,
and only a day is forgiven. Over a time in which it did not run nobody knows: it may have been off for months, or its clock be
wrong by as much; beyond a week it is doubted. No doubt is for ever, and none needs hands: the first person who signs something
on a computer whose clock says the same ends it. A pure decision: moments are Unix seconds, and nothing here asks a clock.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.limits import DAY_SECONDS

DRIFT_SECONDS: Final = DAY_SECONDS  # more than a clock that is set right moves
STOOD_STILL_SECONDS: Final = 7 * DAY_SECONDS  # nobody asks of a server that was off for so long
SERVED_SECONDS: Final = 7 * DAY_SECONDS  # with one clock, while its operator is told every day that it is doubted


class ClockState(Struct, frozen=True):
    """What is kept of a clock.

    Attributes:
        seen_at: when the server ran last, by this clock.
        sound_at: of a clock that is doubted, what it would say at least if it had gone right; None while it is believed.
        ahead: by how much it may be beyond that and be believed again.
        served: seconds for which the server ran with it since it was doubted.
    """

    seen_at: int
    sound_at: int | None = None
    ahead: int = 0
    served: int = 0

    @property
    def is_doubted(self) -> bool:
        return self.sound_at is not None

    def encode(self) -> bytes:
        """Write it as a setting holds it."""
        numbers = (self.seen_at,) if self.sound_at is None else (self.seen_at, self.sound_at, self.ahead, self.served)
        return b" ".join(b"%d" % each for each in numbers)

    @classmethod
    def decode(cls, text: bytes) -> ClockState:
        """Read what ``encode`` wrote; ValueError or TypeError for anything else."""
        return cls(*map(int, text.split()))


def looked_at(state: ClockState, now: int, passed: int | None) -> ClockState:
    """Judge a clock anew.

    Args:
        now: what it says.
        passed: seconds since ``seen_at`` by a clock that nobody sets; None at a start.
    """
    expected = state.seen_at + (passed or 0)
    ahead = STOOD_STILL_SECONDS if passed is None else DRIFT_SECONDS
    fits = -DRIFT_SECONDS <= now - expected <= ahead
    if state.sound_at is None:
        return ClockState(now) if fits else ClockState(now, expected, ahead)
    served = state.served + max(passed or 0, 0) if fits else 0
    doubted = replace(state, seen_at=now, sound_at=state.sound_at + max(passed or 0, 0), served=served)
    if passed is None and not fits:
        doubted = replace(doubted, ahead=STOOD_STILL_SECONDS)
    is_right_again = -DRIFT_SECONDS <= now - (doubted.sound_at or 0) <= doubted.ahead
    return ClockState(now) if is_right_again or served >= SERVED_SECONDS else doubted


def agrees(now: int, moment: int) -> bool:
    """Return whether a moment that somebody signed by their own clock says that this one is right."""
    return abs(now - moment) <= DRIFT_SECONDS
