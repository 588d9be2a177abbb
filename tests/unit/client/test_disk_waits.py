from __future__ import annotations

import threading

import pytest

from sft.client.transfers.disk_waits import side_by_side


class Disk:
    """One on which each wait takes so many seconds of its own clock."""

    def __init__(self, seconds):
        self.now = 0.0
        self.step = seconds
        self.threads = []

    def wait(self, item):
        self.now += self.step
        self.threads.append(threading.current_thread())
        return item * 10


@pytest.mark.parametrize("count", [0, 1, 2, 3, 30])
@pytest.mark.parametrize("seconds", [0.00001, 0.005])
def test_what_the_waits_return_comes_in_order(count, seconds):
    disk = Disk(seconds)
    assert side_by_side(disk.wait, range(count), lambda: disk.now) == [10 * n for n in range(count)]


def test_a_disk_that_takes_its_time_is_waited_for_in_other_threads_and_memory_in_this_one():
    slow, quick, here = Disk(0.005), Disk(0.00001), threading.current_thread()
    side_by_side(slow.wait, range(9), lambda: slow.now)
    assert [thread is here for thread in slow.threads] == [True] + [False] * 8
    side_by_side(quick.wait, range(9), lambda: quick.now)
    assert {thread is here for thread in quick.threads} == {True}


def test_waits_for_a_disk_meet_one_another():
    disk, met = Disk(0.005), threading.Barrier(8)

    def wait(item):
        if item:
            met.wait(timeout=60)
        return disk.wait(item)

    assert side_by_side(wait, range(9), lambda: disk.now) == [10 * n for n in range(9)]
