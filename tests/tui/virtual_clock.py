"""Time that passes only while nothing is left to do: what waits for a clock happens in its order, at once and always alike.

Rules. While it lasts the loop's clock stands still. Once nothing is ready and no thread works, it jumps to the next moment that
somebody waits for. So ``await asyncio.sleep(0.2)`` comes back when everything that had to happen within 0.2 s has
happened: drawn, read, answered; no guess from how busy the processor is. Sockets do not hold the clock back: this is for
worlds without a network.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any, Final
from unittest import mock

from textual import _time, _wait, widget
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from tests.loop import LOOP, reactor

# A test that waits for what never comes ends by this, within the second.
_LONGEST_SECONDS: Final = 3600
_BEGINS_AT: Final = 1000.0  # the same in each test, down to how differences are rounded


class _Clock:
    """The clock of one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Any = loop
        self._now = _BEGINS_AT
        self._in_threads = 0
        self._select = self._loop._selector.select
        self._run_in_executor = self._loop.run_in_executor

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None = None) -> list[Any]:
        """Wait as the loop asks; the time of that passes only if nothing happens in the meantime."""
        if self._in_threads:
            found: list[Any] = self._select(0 if timeout == 0 else None)
            return found
        found = self._select(0)
        if timeout and not found:
            self._now += timeout
        return found

    def run_in_executor(self, executor: Any, job: Any, *args: Any) -> asyncio.Future[Any]:
        """Let a thread work, and the clock stand meanwhile."""
        future: asyncio.Future[Any] = self._run_in_executor(executor, job, *args)
        self._in_threads += 1
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, _: object) -> None:
        self._in_threads -= 1


@asynccontextmanager
async def stillness() -> AsyncIterator[None]:
    """Put the running loop, and the toolkit on it, on such a clock, for an hour of it at most."""
    with standing_clock(asyncio.get_running_loop()):
        async with asyncio.timeout(_LONGEST_SECONDS):
            yield


@contextmanager
def standing_clock(loop: Any) -> Iterator[None]:
    """Put a loop, and the toolkit, on such a clock."""
    clock = _Clock(loop)
    with ExitStack() as stack:
        for owner, name, new in (
            (loop, "time", clock.time),
            (loop, "run_in_executor", clock.run_in_executor),
            (loop._selector, "select", clock.select),
            (_time, "get_time", clock.time),
            (widget, "monotonic", clock.time),
            (_wait, "monotonic", clock.time),
            (_wait, "process_time", lambda: 0.0),  # its pauses are pauses of this clock
        ):
            stack.enter_context(mock.patch.object(owner, name, new))
        before = list(loop._scheduled)
        try:
            yield
        finally:
            _forget_timers(loop, {id(timer) for timer in before})
    if loop is LOOP:
        # A timer that it began by that clock would never go off by its own, and nothing of the reactor any more.
        reactor._scheduledAt = None
        reactor._reschedule()


def _forget_timers(loop: Any, kept: set[int]) -> None:
    """Let no timer of this clock go off by another one; it would keep the app alive whose context it has."""
    for timer in loop._scheduled:
        if id(timer) not in kept:
            timer.cancel()
            timer._scheduled = False
    loop._scheduled = [timer for timer in loop._scheduled if id(timer) in kept]
    heapq.heapify(loop._scheduled)
    loop._timer_cancelled_count = sum(timer.cancelled() for timer in loop._scheduled)


@contextmanager
def garbage_left() -> Iterator[None]:
    """Leave garbage lying, and at the end look for what was left since alone: a third of the time, otherwise.

    A coroutine that nobody awaited is found by this in the test that made it.
    """
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()


_parse_rules = Stylesheet._parse_rules
_rules_of: dict[tuple[object, ...], list[RuleSet]] = {}


def _known_rules(sheet: Stylesheet, *of: Any, **named: Any) -> list[RuleSet]:
    key = (*of, *sorted(named.items()), *sorted(sheet._variables.items()))
    if key not in _rules_of:
        _rules_of[key] = _parse_rules(sheet, *of, **named)
    return _rules_of[key]


@contextmanager
def known_styles() -> Iterator[None]:
    """Parse each style sheet once for all apps: they begin with the same ones."""
    with mock.patch.object(Stylesheet, "_parse_rules", _known_rules):
        yield
