from __future__ import annotations

from functools import partial

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock

from sft.client.concurrency import finish_even_if_cancelled, gather_limited, ticking
from sft.client.loop.poll import CancelledError as LoopCancelledError
from sft.client.loop.poll import PollLoop


class Jobs:
    """Acts that end when a test says so, and clean up after themselves."""

    def __init__(self):
        self.running = {}
        self.cleaned = []
        self.cleaning = {}

    async def act(self, item):
        self.running[item] = Deferred()
        try:
            return await self.running[item]
        except BaseException:
            self.cleaning[item] = Deferred()
            await self.cleaning[item]
            self.cleaned.append(item)
            raise
        finally:
            del self.running[item]


def start(at_once, items, act):
    ended = []
    deferred = Deferred.fromCoroutine(gather_limited(at_once, items, act))
    deferred.addBoth(ended.append)
    return deferred, ended


def test_results_are_in_the_order_of_the_items_and_never_more_run_than_allowed():
    jobs = Jobs()
    _, ended = start(2, "abc", jobs.act)
    assert set(jobs.running) == {"a", "b"}
    jobs.running["b"].callback(2)
    assert set(jobs.running) == {"a", "c"}
    jobs.running["c"].callback(3)
    jobs.running["a"].callback(1)
    assert ended == [[1, 2, 3]]


def test_nothing_to_do_is_done():
    assert start(5, [], lambda _: succeed(1))[1] == [[]]


def test_the_first_fault_is_raised_after_the_others_cleaned_up():
    jobs = Jobs()
    _, ended = start(2, "abc", jobs.act)
    jobs.running["a"].errback(ValueError("first"))
    assert ended == []
    jobs.cleaning["a"].callback(None)
    assert ended == []
    jobs.cleaning["b"].callback(None)
    assert ended[0].check(ValueError)
    assert sorted(jobs.cleaned) == ["a", "b"]
    assert "c" not in jobs.cleaning


def test_cancelling_cancels_all_and_waits_for_their_cleaning():
    jobs = Jobs()
    deferred, ended = start(2, "abc", jobs.act)
    deferred.cancel()
    assert ended == []
    for item in ("a", "b"):
        jobs.cleaning[item].callback(None)
    assert ended[0].check(CancelledError)
    assert sorted(jobs.cleaned) == ["a", "b"]


@pytest.mark.parametrize("at_once", [1, 3])
def test_acts_that_end_at_once_end_in_order(at_once):
    assert start(at_once, range(100), succeed)[1] == [list(range(100))]
    assert start(at_once, range(100), lambda _: fail(ValueError()))[1][0].check(ValueError)


def test_work_that_cannot_be_stopped_is_waited_for_also_when_cancelled():
    work, hurried, ended = Deferred(), [], []
    waiting = Deferred.fromCoroutine(finish_even_if_cancelled(work, lambda: hurried.append(1)))
    waiting.addBoth(ended.append)
    waiting.cancel()
    assert (hurried, ended) == ([1], [])
    work.callback("late")
    assert ended[0].check(CancelledError)


def test_work_that_ends_gives_its_result_or_its_fault():
    for work, check in ((succeed(5), lambda r: r == 5), (fail(ValueError()), lambda r: r.check(ValueError))):
        ended = []
        Deferred.fromCoroutine(finish_even_if_cancelled(work)).addBoth(ended.append)
        assert check(ended[0])


def test_work_that_ends_while_it_is_hurried_is_over():
    work, ended = Deferred(), []
    waiting = Deferred.fromCoroutine(finish_even_if_cancelled(work, lambda: work.callback(1)))
    waiting.addBoth(ended.append)
    waiting.cancel()
    assert ended[0].check(CancelledError)


def test_ticking_calls_at_its_beginning_and_ten_times_a_second_until_its_end():
    clock, calls = Clock(), []
    with ticking(clock, 0.1, lambda: calls.append(clock.seconds())):
        clock.pump([0.1, 0.1])
    clock.pump([0.1])
    assert calls == [0.0, 0.1, 0.2]


@pytest.mark.parametrize("makes_it_end", [False, True], ids=["later", "hurried"])
def test_on_the_small_loop_work_that_cannot_be_stopped_is_waited_for_too(makes_it_end):
    order, cancels = [], []
    with PollLoop() as loop:
        work = loop.waiting()

        def end():
            order.append("ended")
            work.callback(None)

        def hurry():
            order.append("hurried")
            if makes_it_end:
                end()
            else:
                loop.callLater(0, end)

        def stop():
            cancels[0]()

        loop.callLater(0, stop)
        with pytest.raises(LoopCancelledError):
            loop.run(finish_even_if_cancelled(work, hurry), cancels.append)
    assert order == ["hurried", "ended"]


@pytest.mark.parametrize("fault", [None, ZeroDivisionError("odd")], ids=["result", "fault"])
def test_on_the_small_loop_work_that_ends_gives_its_result_or_its_fault(fault):
    def work():
        if fault is not None:
            raise fault
        return 5

    with PollLoop() as loop:
        running = partial(loop.run, finish_even_if_cancelled(loop.new_pool().run(work)))
        if fault is None:
            assert running() == 5
        else:
            with pytest.raises(ZeroDivisionError):
                running()


def test_ticking_that_fails_at_its_beginning_ticks_no_more():
    clock = Clock()
    with pytest.raises(ZeroDivisionError), ticking(clock, 0.1, lambda: 1 // 0):
        pass
    assert clock.getDelayedCalls() == []
