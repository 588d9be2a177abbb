"""Reading at a pace, on a clock that moves only when something waits."""

from __future__ import annotations

import pytest

from sft.errors import TransferEndedError
from sft.server.reading_pace import STEP_SECONDS, ReadingPace


class _Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def nothing() -> None:
    pass


def test_so_many_bytes_a_second_and_no_haste_after_a_rest() -> None:
    time = _Time()
    pace = ReadingPace(1000, nothing, clock=time.clock, pause=time.pause)
    for _ in range(10):
        pace(500)
    assert time.now == pytest.approx(105.0)
    time.now += 3600
    for _ in range(10):
        pace(500)
    assert time.now == pytest.approx(105 + 3600 + 4), "a second at most is caught up with"
    assert max(time.pauses) <= STEP_SECONDS


def test_without_a_limit_nothing_waits() -> None:
    time = _Time()
    pace = ReadingPace(0, nothing, clock=time.clock, pause=time.pause)
    pace(1 << 40)
    assert time.pauses == []


def test_a_wait_ends_when_the_work_is_to() -> None:
    time = _Time()
    left = 3

    def require() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise TransferEndedError(problem="the server stops")

    pace = ReadingPace(1, require, clock=time.clock, pause=time.pause)
    with pytest.raises(TransferEndedError):
        pace(3600)
    assert time.pauses == [STEP_SECONDS] * 2


def test_it_waits_while_others_need_the_disk_and_not_for_ever() -> None:
    time = _Time()
    busy_until = 101.0
    pace = ReadingPace(
        0, nothing, is_busy=lambda: time.now < busy_until, patience=2.0, clock=time.clock, pause=time.pause
    )
    pace(1)
    assert time.now == pytest.approx(101.0)
    busy_until = 1000.0
    pace(1)
    assert time.now == pytest.approx(103.0)
