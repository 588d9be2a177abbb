"""What the network carries in a second."""

from __future__ import annotations

from twisted.internet.task import Clock

from sft.model.status import SAMPLES_MOST
from sft.server.throughput import SAMPLE_SECONDS, Throughput


class Moving:
    """Connections that move what the test says."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.gone = (0, 0)
        self.live: dict[int, tuple[int, int]] = {}
        self.faults: list[object] = []
        self.throughput = Throughput(self.clock, self.moved, self.faults.append)
        self.throughput.start()

    def moved(self) -> tuple[tuple[int, int], dict[int, tuple[int, int]]]:
        received, sent = ([pair[way] for pair in (self.gone, *self.live.values())] for way in (0, 1))
        return (sum(received), sum(sent)), dict(self.live)

    def later(self, seconds: float = SAMPLE_SECONDS) -> None:
        self.clock.advance(seconds)


def test_rates_are_those_of_the_last_span_of_all_and_of_each_session():
    moving = Moving()
    moving.live = {1: (4000, 0), 2: (0, 1000)}
    moving.later()
    assert moving.throughput.spans == ((2000, 500),)
    assert (moving.throughput.rate(1), moving.throughput.rate(2)) == ((2000, 0), (0, 500))
    moving.live = {1: (4000, 200), 2: (0, 1000)}
    moving.later()
    assert moving.throughput.spans[-1] == (0, 100)
    assert (moving.throughput.rate(1), moving.throughput.rate(2)) == ((0, 100), (0, 0))


def test_a_session_that_ends_takes_nothing_back_and_has_no_rate():
    moving = Moving()
    moving.live = {1: (4000, 0)}
    moving.later()
    moving.gone, moving.live = (4100, 0), {}
    moving.later()
    assert moving.throughput.spans[-1] == (50, 0)
    assert moving.throughput.rate(1) == (0, 0)
    assert moving.throughput.busiest(5) == []


def test_a_span_that_took_longer_counts_as_long_as_it_took():
    moving = Moving()
    moving.live = {1: (10_000, 0)}
    moving.later(10 * SAMPLE_SECONDS)
    assert moving.throughput.spans == ((500, 0),)


def test_the_fastest_come_first_and_no_more_than_are_asked_for():
    moving = Moving()
    moving.live = {number: (number * 100, number) for number in range(1, 8)} | {9: (0, 0)}
    moving.later()
    assert moving.throughput.busiest(3) == [7, 6, 5]
    assert moving.throughput.busiest(50) == [7, 6, 5, 4, 3, 2, 1]


def test_what_is_kept_is_of_the_last_minutes_and_nothing_is_looked_at_once_it_stops():
    moving = Moving()
    for _ in range(SAMPLES_MOST + 3):
        moving.later()
    moving.gone = (200, 0)
    moving.later()
    assert (len(moving.throughput.spans), moving.throughput.spans[-1]) == (SAMPLES_MOST, (100, 0))
    moving.throughput.stop()
    moving.throughput.stop()
    moving.gone = (400, 0)
    moving.later()
    assert (moving.throughput.spans[-1], moving.faults) == ((100, 0), [])


def test_a_fault_is_told_and_ends_the_looking_alone():
    moving = Moving()
    moving.moved = lambda: 1 // 0  # type: ignore[method-assign]
    moving.throughput._moved = moving.moved
    moving.later()
    moving.later()
    assert len(moving.faults) == 1
