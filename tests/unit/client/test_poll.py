"""What the small loop has of Twisted's forms: functions that are called with what comes, and a lane for what computes."""

from __future__ import annotations

import threading

import pytest

from sft.client.loop import poll
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


def test_nothing_is_called_with_what_nobody_waits_for(loop):
    seen = []
    waiting = loop.waiting().addCallbacks(seen.append, seen.append)
    waiting.give_up()
    waiting.callback(1)
    assert seen == []


@pytest.mark.parametrize(("cores", "at_once"), [(1, 1), (2, 1), (4, 3)])
def test_no_more_is_computed_at_once_than_cores_beside_the_loop_s(loop, monkeypatch, cores, at_once):
    monkeypatch.setattr(poll, "usable_cores", lambda: cores)
    all_run = threading.Barrier(at_once)

    def compute(number):
        all_run.wait(30)
        if number == 1:
            raise ZeroDivisionError
        return number

    async def act():
        pool = loop.new_pool()
        assert pool.crypto_in_pool is (cores > 2)
        computing = [pool.compute(compute, number) for number in range(2 * at_once)]
        assert loop.working == at_once
        results = []
        for each in computing:
            try:
                results.append(await each)
            except ZeroDivisionError:
                results.append("fault")
        return results

    assert loop.run(act()) == [0, "fault", *range(2, 2 * at_once)]
