from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import ensureDeferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import Logger, LogLevel

from sft.limits import GIB, LOW_ROOM_BYTES, MIB, ROOM_SECONDS
from sft.server.counts import Counts
from sft.server.event_log import EventLog
from sft.server.room_watch import RoomWatch


class Watched:
    """A server of which only the room is there."""

    def __init__(self, free: int) -> None:
        self.clock = Clock()
        self.free = free
        self.told: list[tuple[bool, str]] = []
        log = EventLog(Logger(namespace="test", observer=self._observe))
        pool = SimpleNamespace(run=maybeDeferred)
        vault = SimpleNamespace(free_bytes=lambda: self.free)
        context: Any = SimpleNamespace(event_log=log, pool=pool, storage=SimpleNamespace(vault=vault), counts=Counts(0))
        self.watch = RoomWatch(context, reactor=self.clock)
        ensureDeferred(self.watch.start())

    def _observe(self, event: Any) -> None:
        self.told.append((event["log_level"] is LogLevel.warn, event["line"]))

    def later(self, free: int) -> list[tuple[bool, str]]:
        """Have so much, and give what is said a minute later."""
        self.free = free
        before = len(self.told)
        self.clock.advance(ROOM_SECONDS)
        return self.told[before:]


def test_the_room_is_said_at_the_start_and_then_only_when_it_gets_low():
    watched = Watched(200 * GIB)
    assert watched.told == [(False, f'room free="200 GiB" free_bytes={200 * GIB}')]
    assert watched.later(LOW_ROOM_BYTES) == []
    assert watched.later(LOW_ROOM_BYTES - 1) == [(True, f'room-low free="4.0 GiB" free_bytes={LOW_ROOM_BYTES - 1}')]
    assert watched.later(3 * GIB) == [], "said already"
    assert watched.later(GIB)[0][0]
    assert watched.later(2 * GIB) == []
    assert watched.later(900 * MIB) == []
    assert watched.later(0) == [(True, 'room-low free="0 B" free_bytes=0')]
    assert watched.later(0) == []
    assert watched.later(8 * GIB) == [(False, f'room free="8.0 GiB" free_bytes={8 * GIB}')]
    assert len(watched.later(GIB)) == 1, "low once more"
    watched.watch.stop()
    watched.watch.stop()
    assert not watched.clock.getDelayedCalls()


def test_a_start_without_room_begins_with_the_warning():
    assert [warning for warning, _ in Watched(0).told] == [True]
