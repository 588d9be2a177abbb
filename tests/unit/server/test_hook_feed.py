"""One hook's way through the log, on a clock of its own: order, pauses, what is kept, and what a stop does."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import Logger

from sft.errors import StoreError
from sft.ledger.records import LeafRecord, RecordPart
from sft.limits import HOOK_PAUSE_SECONDS
from sft.model.hooks import Hook
from sft.server.event_log import EventLog
from sft.server.hook_feed import HookFeed, pause_after
from sft.service.maintenance.hooks import HookLeaf, HookPage

RECORD = LeafRecord(RecordPart(bytes(16), b"{}"))
HOOK = Hook(name="chat", events=("all",), run=("/bin/true",))


class Way:
    """A feed over a log of so many leaves, of which every second is the hook's, two to a page."""

    def __init__(self, size: int = 0, position: int = 0) -> None:
        self.clock = Clock()
        self.size = size
        self.tried: list[int] = []
        self.kept: list[int] = []
        self.problems: list[str] = []
        self.under_way: Deferred[str] | None = None
        self.holds = False
        self.reads = 0
        self.full = False
        self.broken = 0
        self.lines: list[str] = []
        self.feed = HookFeed(
            self.clock,
            HOOK,
            position,
            read=self._read,
            deliver=self._deliver,
            cut=self._cut,
            keep=self._keep,
            event_log=EventLog(Logger(observer=lambda event: self.lines.append(event["line"]))),
            now=lambda: 1000 + int(self.clock.seconds()),
            chance=lambda: 1.0,
        )

    async def _read(self, start: int) -> HookPage:
        self.reads += 1
        if self.broken:
            self.broken -= 1
            raise StoreError(problem="broken")
        found = [number for number in range(start, self.size) if number % 2][:2]
        leaves = [HookLeaf(number, b"", RECORD, None) for number in found]
        return HookPage(leaves, found[-1] + 1 if len(found) == 2 else self.size)

    def _deliver(self, leaf: HookLeaf) -> Deferred[str]:
        self.tried.append(leaf.number)
        done: Deferred[str] = Deferred()
        if self.holds:
            self.under_way = done
        else:
            done.callback(self.problems.pop(0) if self.problems else "")
        return done

    def _cut(self) -> None:
        if self.under_way is not None:
            done, self.under_way = self.under_way, None
            done.callback("cut")

    async def _keep(self, position: int) -> None:
        if self.full:
            raise StoreError(problem="full")
        self.kept.append(position)

    def grow(self, leaves: int) -> None:
        self.size += leaves
        self.feed.wake()


def test_a_hook_gets_its_leaves_in_order_and_then_waits():
    way = Way(size=7)
    way.feed.wake()
    assert (way.tried, way.feed.position) == ([1, 3, 5], 7)
    way.grow(4)
    assert (way.tried, way.feed.status.delivered) == ([1, 3, 5, 7, 9], 5)


def test_its_position_is_kept_once_it_was_told_and_not_for_leaves_of_others():
    way = Way(size=2)
    way.feed.wake()
    assert way.kept == [2]
    way.grow(1)
    assert (way.kept, way.feed.position) == ([2], 3)
    for _ in range(3):
        way.grow(1)
    assert way.kept == [2, 4, 6]


def test_on_a_long_way_it_is_kept_once_a_second():
    way = Way(size=400)
    way.holds = True
    way.feed.wake()
    for _ in range(200):
        way.clock.advance(0.25)
        done, way.under_way = way.under_way, None
        assert done is not None
        done.callback("")
    assert len(way.tried) == 200
    assert len(way.kept) == 50
    assert way.kept[-1] == 400


def test_what_fails_is_tried_again_after_its_pause_and_what_is_behind_waits():
    way = Way(size=4)
    way.problems = ["a", "b", "c"]
    way.feed.wake()
    way.grow(2)  # nothing is hurried by what happens
    assert way.tried == [1]
    for pause in (1, 2, 4):
        way.clock.advance(pause - 0.01)
        before = len(way.tried)
        way.clock.advance(0.01)
        assert len(way.tried) > before
    assert way.tried == [1, 1, 1, 1, 3, 5]
    assert [line.split()[0] for line in way.lines] == ["hook-failed", "hook-delivers"]
    assert way.lines[0] == "hook-failed hook=chat leaf=0 problem=a"
    assert way.lines[1] == "hook-delivers hook=chat after=3"


def test_its_status_says_since_when_and_why():
    way = Way(size=2)
    way.problems = ["first", "x" * 999]
    way.feed.wake()
    way.clock.advance(1)
    status = way.feed.status
    assert (status.failures, status.failing_since, status.problem, status.delivered) == (2, 1000, "x" * 255, 0)
    way.clock.advance(2)
    assert (way.feed.status.failures, way.feed.status.failing_since, way.feed.status.problem) == (0, None, "")


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (5, 16), (10, 512), (11, 600), (9999, 600)])
def test_pauses_double_up_to_ten_minutes_and_a_half_is_left_to_chance(failures: int, seconds: int):
    assert (pause_after(failures, 1.0), pause_after(failures, 0.0)) == (seconds, seconds / 2)
    assert seconds <= HOOK_PAUSE_SECONDS


def test_one_that_was_mended_is_tried_at_once():
    way = Way(size=2)
    way.problems = ["a"] * 8
    way.feed.wake()
    for _ in range(7):
        way.feed.try_now()
    assert len(way.tried) == 8
    way.feed.try_now()
    assert (way.feed.position, way.clock.getDelayedCalls()) == (2, [])
    way.feed.try_now()
    assert len(way.tried) == 9


def test_what_happens_while_a_position_is_kept_is_not_missed():
    way = Way(size=2)
    keeping: Deferred[None] = Deferred()
    way.feed._keep = lambda _: keeping
    way.feed.wake()
    way.grow(2)
    assert way.tried == [1]
    keeping.callback(None)
    assert way.tried == [1, 3]


def test_one_that_is_tried_while_a_position_is_kept_has_one_delivery_at_a_time():
    way = Way(size=6)
    keeping: Deferred[None] = Deferred()
    way.feed._keep = lambda _position: keeping
    way.problems = ["", "no answer"]
    way.feed.wake()
    assert way.tried == [1, 3]
    way.feed.try_now()
    way.clock.advance(HOOK_PAUSE_SECONDS)
    assert way.tried == [1, 3], "the position comes first"
    way.holds = True
    keeping.callback(None)
    assert way.tried == [1, 3, 3]
    way.grow(2)
    assert way.tried == [1, 3, 3]


def test_a_position_that_cannot_be_kept_is_tried_with_the_next():
    way = Way(size=2)
    way.full = True
    way.feed.wake()
    assert (way.kept, way.feed.position) == ([], 2)
    way.full = False
    way.grow(2)
    assert way.kept == [4]


def test_a_fault_of_ours_is_said_and_tried_again():
    way = Way(size=2)
    way.broken = 1
    way.feed.wake()
    assert way.feed.status.problem.startswith("a fault of this server, ref ")
    assert way.lines[0].startswith("hook-fault ")
    way.clock.advance(1)
    assert way.tried == [1]


def test_a_stop_cuts_what_is_under_way_keeps_where_it_is_and_begins_nothing():
    way = Way(size=8)
    way.feed.wake()
    way.grow(0)
    way.holds = True
    way.grow(4)
    assert way.tried[-1] == 9
    ended: list[Any] = []
    Deferred.fromCoroutine(way.feed.stop()).addBoth(ended.append)
    assert ended == [None]
    assert (way.kept[-1], way.feed.status.failures, way.clock.getDelayedCalls()) == (8, 0, [])
    way.grow(4)
    way.feed.try_now()
    assert way.tried[-1] == 9
    Deferred.fromCoroutine(way.feed.stop()).addBoth(ended.append)
    assert ended == [None, None]


def test_a_stop_ends_a_pause():
    way = Way(size=2)
    way.problems = ["a"]
    way.feed.wake()
    Deferred.fromCoroutine(way.feed.stop())
    assert way.clock.getDelayedCalls() == []
