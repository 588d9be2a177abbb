"""What the small loop has of Twisted's forms: functions that are called with what comes, and few threads."""

from __future__ import annotations

import threading

import pytest

from sft.client.loop import poll_threads
from sft.client.loop.poll import PollLoop


@pytest.fixture
def loop():
    with PollLoop() as made:
        yield made


def fails(_):
    raise ZeroDivisionError("odd")


@pytest.mark.parametrize("early", [False, True], ids=["before", "after"])
def test_each_function_gets_what_the_one_before_gave_or_raised(loop, early):
    seen = []
    waiting = loop.waiting()
    if early:
        waiting.callback(1)
    waiting.addErrback(seen.append).addCallback(lambda result: result + 1).addCallback(seen.append)
    waiting.addCallback(fails).addCallback(seen.append)
    waiting.addErrback(lambda fault: seen.append(str(fault)) or "mended").addCallbacks(seen.append, fails)
    if not early:
        waiting.callback(1)
    assert seen == [2, "odd", "mended"]


def test_a_fault_passes_by_what_asks_for_results(loop):
    seen = []
    waiting = loop.waiting().addCallback(seen.append)
    waiting.errback(ZeroDivisionError("odd"))
    waiting.addCallbacks(seen.append, lambda fault: seen.append(str(fault)))
    assert seen == ["odd"]


@pytest.mark.parametrize("fault", [False, True], ids=["callback", "errback"])
def test_what_would_have_to_be_waited_for_is_no_result(loop, fault):
    seen = []
    waiting = loop.waiting().addCallbacks(lambda _: loop.waiting(), lambda _: loop.waiting())
    waiting.addCallbacks(seen.append, lambda error: seen.append(type(error)))
    if fault:
        waiting.errback(ZeroDivisionError())
    else:
        waiting.callback(1)
    assert seen == [TypeError]


def test_nothing_is_called_with_what_nobody_waits_for(loop):
    seen = []
    waiting = loop.waiting().addCallbacks(seen.append, seen.append)
    waiting.give_up()
    waiting.callback(1)
    assert seen == []


def test_calls_that_cause_calls_leave_the_timers_their_turn(loop):
    calls = []

    def again():
        calls.append(1)
        if len(calls) < 100:
            loop.callFromThread(again)

    async def act():
        over = loop.waiting()
        loop.callLater(0, over.callback, None)
        loop.callFromThread(again)
        await over
        return len(calls)

    assert loop.run(act()) == 1


class Crowd:
    """Work that waits until so much of it goes on at once."""

    def __init__(self, at_once):
        self._full = threading.Barrier(at_once)
        self._guard = threading.Lock()
        self._going_on = 0
        self.most = 0
        self.threads = set()

    def work(self, number):
        with self._guard:
            self._going_on += 1
            self.most = max(self.most, self._going_on)
            self.threads.add(threading.current_thread())
        self._full.wait(30)
        with self._guard:
            self._going_on -= 1
        if number == 1:
            raise ZeroDivisionError
        return number


async def ended(each):
    try:
        return await each
    except ZeroDivisionError:
        return "fault"


@pytest.mark.parametrize(
    ("way", "cores", "at_once"),
    [("compute", 1, 1), ("compute", 2, 1), ("compute", 4, 3), ("run", 1, 4), ("run", 12, 6), ("run", 64, 8)],
)
def test_no_more_goes_on_at_once_than_there_are_threads_and_they_stay(loop, monkeypatch, way, cores, at_once):
    monkeypatch.setattr(poll_threads, "usable_cores", lambda: cores)
    crowd = Crowd(at_once)
    pool = loop.new_pool()
    assert pool.crypto_in_pool is (cores > 2)

    async def act():
        begun = [getattr(pool, way)(crowd.work, number) for number in range(2 * at_once)]
        assert loop.working == 2 * at_once
        return [await ended(each) for each in begun]

    assert loop.run(act()) == [0, "fault", *range(2, 2 * at_once)]
    assert crowd.most == at_once
    assert len(crowd.threads) == at_once
    pool.stop()
    for thread in crowd.threads:
        thread.join(30)
        assert not thread.is_alive()


def test_what_was_given_is_done_though_the_pool_is_stopped(loop):
    async def act():
        pool = loop.new_pool()
        crowd = Crowd(2)
        begun = [pool.run(crowd.work, 0)]
        pool.stop()
        begun.append(pool.run(crowd.work, 2))
        return [await ended(each) for each in begun]

    assert loop.run(act()) == [0, 2]


def test_what_no_thread_can_be_had_for_is_told_and_not_waited_for(loop, monkeypatch):
    def none_left(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)

    async def act():
        await loop.new_pool().run(list)

    with pytest.raises(RuntimeError, match="thread"):
        loop.run(act())
