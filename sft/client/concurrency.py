"""Several asynchronous jobs at once, a bounded number of them, results in order; one at a time; pauses; threads.

Rules. It runs over Twisted's reactor and over the loop of a command (``sft.client.loop``), and loads nothing of Twisted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from sft.client.loop import Waiting, loop_of, running_tasks

if TYPE_CHECKING:
    from sft.transport.threads import Pool as Pool  # noqa: PLC0414 - for whoever may not import what lies below

T = TypeVar("T")
R = TypeVar("R")


async def gather_limited(at_once: int, items: Sequence[T], act: Callable[[T], Awaitable[R]]) -> list[R]:
    """Call ``act`` with each item, at most so many at a time.

    Returns:
        One result per item, in their order.

    Raises:
        The first exception of an act, after every other one that was begun was cancelled and has ended. So does cancelling.
    """
    if not items:
        return []
    tasks = running_tasks()
    results: dict[int, R] = {}
    waiting = iter(enumerate(items))
    faults: list[BaseException] = []
    cancels: list[Callable[[], object]] = []
    left = min(at_once, len(items))
    done = tasks.waiting()

    async def work() -> None:
        for index, item in waiting:
            if faults:
                return
            results[index] = await act(item)

    def stop(fault: BaseException) -> None:
        # Once each: a second cancelling would strike what is cleaning up after the first.
        faults.append(fault)
        if len(faults) == 1:
            for cancel in cancels:
                cancel()

    def ended(fault: BaseException | None) -> None:
        nonlocal left
        left -= 1
        if fault is not None:
            stop(fault)
        if not left and not done.called:
            done.callback(None)

    for _ in range(left):
        cancels.append(tasks.spawn(work(), ended))  # noqa: PERF401 - one that fails at once cancels those before it
    try:
        await done
    except tasks.cancelled as cancelled:
        done = tasks.waiting()
        stop(cancelled)
        if left:
            await done
        raise
    if faults:
        raise faults[0]
    return [results[index] for index in range(len(items))]


class Lock:
    """Lets one coroutine at a time into its block, in the order in which they came."""

    def __init__(self) -> None:
        self._held = False
        self._queue: deque[Waiting[None]] = deque()

    async def __aenter__(self) -> None:
        if self._held:
            turn = running_tasks().waiting()
            self._queue.append(turn)
            try:
                await turn
            except BaseException:
                self._queue.remove(turn)
                raise
        self._held = True

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._queue:
            self._queue.popleft().callback(None)
        else:
            self._held = False


async def pause(reactor: Any, seconds: float) -> None:
    """Wait so long."""
    over = loop_of(reactor).waiting()
    timer = reactor.callLater(seconds, over.callback, None)
    try:
        await over
    finally:
        if timer.active():
            timer.cancel()


async def finish_even_if_cancelled(running: Awaitable[R], hurry: Callable[[], None] | None = None) -> R:
    """Wait for work on the pool, also when cancelled: what it holds open must not be taken away under it.

    Args:
        hurry: called when cancelled, to make the work end soon.

    Raises:
        CancelledError: the loop's; cancelled, and the work has ended.
    """
    tasks = running_tasks()
    results: list[R] = []
    outcome: list[BaseException | None] = []
    waits = [tasks.waiting()]

    async def work() -> None:
        results.append(await running)

    def ended(fault: BaseException | None) -> None:
        outcome.append(fault)
        waits[-1].callback(None)

    tasks.spawn(work(), ended)
    try:
        await waits[-1]
    except tasks.cancelled:
        if hurry is not None:
            hurry()
        if not outcome:
            waits.append(tasks.waiting())
            await waits[-1]
        raise
    if outcome[0] is not None:
        raise outcome[0]
    return results[0]


@contextmanager
def running_pool(reactor: Any) -> Iterator[Pool]:
    """Run a pool of threads while the block runs: for what blocks outside a session."""
    pool = loop_of(reactor).new_pool()
    pool.start()
    try:
        yield pool
    finally:
        pool.stop()


@contextmanager
def ticking(reactor: Any, seconds: float, call: Callable[[], None], *, now: bool = True) -> Iterator[None]:
    """Call every so many seconds while the block runs, with ``now`` also at its beginning."""
    timer: Any = None

    def tick() -> None:
        nonlocal timer
        timer = reactor.callLater(seconds, tick)
        call()

    timer = reactor.callLater(seconds, tick)
    try:
        if now:
            call()
        yield
    finally:
        timer.cancel()
