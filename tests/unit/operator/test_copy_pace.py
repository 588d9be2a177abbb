"""A backup is no faster than it may be, and ends when it is asked to."""

from __future__ import annotations

import pytest

from sft.errors import TransferEndedError
from sft.operator.backups.copy_pace import CopyPace


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.ended = False

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.ended


def test_so_many_bytes_take_at_least_so_long_and_idle_time_is_not_saved():
    time = Time()
    pace = CopyPace(1000, lambda: time.now, time.wait)
    for _ in range(10):
        pace.each(500)
    assert time.now == pytest.approx(105.0)
    time.now += 60
    pace.each(1000)
    assert time.now == pytest.approx(166.0)


def test_without_a_rate_nothing_waits_and_the_end_is_heard():
    time = Time()
    pace = CopyPace(None, lambda: time.now, time.wait)
    pace.each(1 << 40)
    assert time.now == 100.0
    time.ended = True
    with pytest.raises(TransferEndedError):
        pace.each(1)
