"""How far transfers are: the steps that each item reports, and the rate at which bytes move."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from msgspec import Struct

RATE_SECONDS: Final = 5.0
STALLED_SECONDS: Final = 5.0  # as OpenSSH says it
SPEEDS_KEPT: Final = 8
TICK_SECONDS: Final = 0.1  # nobody sees more than ten steps a second


class TransferStage(StrEnum):
    """Where a file is on its way."""

    WAITING = "waiting"
    PROVING = "proving"  # what was left is read again here
    RESUMED = "resumed"
    RESTARTED = "restarted"
    SENDING = "sending"
    STORING = "storing"
    STORED = "stored"
    UNCHANGED = "unchanged"
    RECEIVING = "receiving"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    FAILED = "failed"

    __hash__ = str.__hash__  # every report asks in which sets it is

    @property
    def ended(self) -> bool:
        """Whether the item takes no further step."""
        return self in _ENDED


_ENDED: Final = frozenset({TransferStage.STORED, TransferStage.UNCHANGED, TransferStage.VERIFIED, TransferStage.FAILED})


class Progress(Struct, frozen=True):
    """One step of one item.

    Args:
        index: of the item, in the order in which it was given.
        name: as the person named it.
        total_bytes: None while nobody knows (a pipe).
        why: it was begun again from its first byte.
    """

    index: int
    name: str
    stage: TransferStage
    done_bytes: int
    total_bytes: int | None
    why: str = ""


Report = Callable[[Progress], None]


class Resumption(Struct, frozen=True):
    """How much going on has saved, and what an interruption has cost.

    Args:
        resumed_bytes: were there already and did not move.
        sent_again_bytes: moved more than once, as far as this computer knows.
    """

    resumed_bytes: int = 0
    sent_again_bytes: int = 0


NO_RESUMPTION: Final = Resumption()


class Reporter:
    """Reports on one item, with what does not change filled in."""

    def __init__(self, report: Report | None, index: int, name: str, total_bytes: int | None) -> None:
        self._report = report
        self._index = index
        self._name = name
        self.total_bytes = total_bytes
        self.done_bytes = 0
        self.resumption = NO_RESUMPTION

    def __call__(self, stage: TransferStage, done_bytes: int | None = None, why: str = "") -> None:
        """Report where the item is; the bytes done stay unless given."""
        if done_bytes is not None:
            self.done_bytes = done_bytes
        if self._report is not None:
            self._report(Progress(self._index, self._name, stage, self.done_bytes, self.total_bytes, why))

    def resumed(self, done_bytes: int, again_bytes: int) -> None:
        """Report that it goes on after what is there and proved, and how much more had moved."""
        self.resumption = Resumption(done_bytes, self.resumption.sent_again_bytes + again_bytes)
        self(TransferStage.RESUMED, done_bytes)

    def restarted(self, why: str, lost_bytes: int) -> None:
        """Report that it begins again, and how much of it had moved."""
        self.resumption = Resumption(0, self.resumption.sent_again_bytes + lost_bytes)
        self(TransferStage.RESTARTED, 0, why)


class Rate:
    """Bytes a second over the last seconds, from samples of how many have moved; the moments are arguments."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()
        self._moved_at = 0.0
        self._speeds: deque[float] = deque(maxlen=SPEEDS_KEPT)
        self._counted: tuple[float, int] | None = None  # up to where they are

    def sample(self, now: float, moved_bytes: int) -> None:
        if not self._samples or moved_bytes != self._samples[-1][1]:
            self._moved_at = now
        self._samples.append((now, moved_bytes))
        while len(self._samples) > 1 and now - self._samples[1][0] >= RATE_SECONDS:
            self._samples.popleft()
        since, before = self._counted or (now, moved_bytes)
        if now - since >= 1:
            self._speeds.append(max(moved_bytes - before, 0) / (now - since))
        if now - since >= 1 or self._counted is None:
            self._counted = (now, moved_bytes)

    @property
    def speeds(self) -> tuple[float, ...]:
        """Bytes a second in each of the last seconds, the newest last."""
        return tuple(self._speeds)

    @property
    def bytes_per_second(self) -> float:
        """The mean over the window; 0 before the second sample."""
        if not self._samples:
            return 0.0
        (since, before), (now, moved) = self._samples[0], self._samples[-1]
        return max(moved - before, 0) / (now - since) if now > since else 0.0

    @property
    def stalled(self) -> bool:
        """Whether nothing has moved for a while."""
        return bool(self._samples) and self._samples[-1][0] - self._moved_at >= STALLED_SECONDS

    def seconds_for(self, left_bytes: int) -> float | None:
        """Estimate how long the rest will take; None while nothing moves."""
        rate = self.bytes_per_second
        return max(left_bytes, 0) / rate if rate > 0 else None
