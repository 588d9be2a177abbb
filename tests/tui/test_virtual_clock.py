"""The clock that the tests of the screens run on."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.loop import PATIENCE_SECONDS, reactor
from tests.tui.virtual_clock import stillness

pytestmark = pytest.mark.every_run  # no app runs in any of them


async def test_what_waits_happens_in_its_order_and_at_its_moment():
    happened = []

    async def later(seconds: float) -> None:
        await asyncio.sleep(seconds)
        happened.append((seconds, loop.time()))

    loop = asyncio.get_running_loop()
    async with stillness():
        begun = loop.time()
        await asyncio.gather(*(later(seconds) for seconds in (30.0, 0.1, 900.0, 7.0)))
        assert [seconds for seconds, _ in happened] == [0.1, 7.0, 30.0, 900.0]
        assert [at - begun for _, at in happened] == pytest.approx([0.1, 7.0, 30.0, 900.0])


async def test_the_clock_stands_while_something_is_ready():
    loop = asyncio.get_running_loop()
    async with stillness():
        begun = loop.time()
        waiting = asyncio.create_task(asyncio.sleep(0.001))
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not waiting.done()
        assert loop.time() == begun
        await waiting
        assert loop.time() > begun


async def test_the_clock_stands_while_a_thread_works():
    loop = asyncio.get_running_loop()
    go = threading.Event()
    async with stillness():
        begun = loop.time()
        threading.Timer(0.05, go.set).start()
        await asyncio.gather(asyncio.to_thread(go.wait), asyncio.sleep(0))
        assert loop.time() == begun


async def test_who_waits_for_what_never_comes_is_told():
    with pytest.raises(TimeoutError):
        async with stillness():
            await asyncio.Event().wait()


async def test_what_was_to_happen_by_this_clock_happens_by_no_other():
    loop = asyncio.get_running_loop()
    happened = []
    timer = loop.call_later(3600, happened.append, "kept")
    async with stillness():
        loop.call_later(5, happened.append, "left")
    async with stillness():
        await asyncio.sleep(10)
    assert happened == []
    assert not timer.cancelled()
    timer.cancel()


async def test_afterwards_time_is_real_again():
    loop = asyncio.get_running_loop()
    before = loop.time()
    async with stillness():
        await asyncio.sleep(1800)
    assert before <= loop.time() < before + 600


async def test_a_timer_of_the_reactor_that_began_by_this_clock_keeps_no_later_one_from_going_off():
    async with stillness():
        begun = reactor.callLater(3600, lambda: None)
    fired = asyncio.Event()
    reactor.callLater(0, fired.set)
    await asyncio.wait_for(fired.wait(), PATIENCE_SECONDS)
    begun.cancel()
