"""What the network carries, in bytes a second: of all connections over the last minutes, and of each session just now.

Rules. Every two seconds what connections have moved is looked at, whoever asks, so that who looks because it is slow sees how
that began. A span that took longer counts as long as it took. What is kept is bounded: the spans of some minutes, and a few
numbers a session, of which rates are made when somebody asks for them.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.internet.task import LoopingCall

from sft.model.status import SAMPLES_MOST

SAMPLE_SECONDS: Final = 2

Moved = tuple[int, int]
"""Bytes: received, and sent."""

_NOTHING: Final = (0, 0)


class Throughput:
    """Looks at what one server moves.

    Args:
        reactor: whose clock and timer it takes.
        moved: gives what was moved since the start in all, and by each live session, by its number.
        failed: takes a fault of a look; no further one follows.
    """

    def __init__(
        self, reactor: Any, moved: Callable[[], tuple[Moved, Mapping[int, Moved]]], failed: Callable[[Any], object]
    ) -> None:
        self._reactor = reactor
        self._moved = moved
        self._failed = failed
        self._spans: deque[Moved] = deque(maxlen=SAMPLES_MOST)
        self._seconds = 0.0  # of the last span
        self._at = reactor.seconds()
        self._total: Moved = _NOTHING
        self._of_sessions: Mapping[int, Moved] = {}
        self._before: Mapping[int, Moved] = {}  # at the beginning of the last span
        self._looking = LoopingCall(self.look)
        self._looking.clock = reactor

    def start(self) -> None:
        self._looking.start(SAMPLE_SECONDS, now=False).addErrback(self._failed)

    def stop(self) -> None:
        """Look no more; idempotent."""
        if self._looking.running:
            self._looking.stop()

    def look(self) -> None:
        """End a span, and begin the next."""
        now = self._reactor.seconds()
        seconds = now - self._at
        if seconds <= 0:
            return
        total, sessions = self._moved()
        self._spans.append(_rate(self._total, total, seconds))
        self._before, self._seconds = self._of_sessions, seconds
        self._at, self._total, self._of_sessions = now, total, sessions

    @property
    def spans(self) -> tuple[Moved, ...]:
        """Bytes a second, received and sent, of the last minutes; the newest last."""
        return tuple(self._spans)

    def rate(self, session_id: int) -> Moved:
        """Return what a session moves in a second: received, and sent."""
        moved = self._of_sessions.get(session_id)
        return _NOTHING if moved is None else _rate(self._before.get(session_id, _NOTHING), moved, self._seconds)

    def busiest(self, most: int) -> list[int]:
        """Return the numbers of the sessions that move most, the fastest first; only of those that move anything."""
        before = self._before
        moved = {
            number: sum(now) - sum(before.get(number, _NOTHING))
            for number, now in self._of_sessions.items()
            if now != before.get(number, _NOTHING)
        }
        return heapq.nlargest(most, moved, key=lambda number: (moved[number], -number))


def _rate(before: Moved, now: Moved, seconds: float) -> Moved:
    received, sent = (max(round((late - early) / seconds), 0) for early, late in zip(before, now, strict=True))
    return received, sent
