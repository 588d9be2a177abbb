"""Several asynchronous jobs at once, a bounded number of them, results in order; work that cannot be stopped; threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.python.failure import Failure

from sft.transport.threads import Pool

__all__ = ["Pool", "finish_even_if_cancelled", "gather_limited", "running_pool", "ticking"]

T = TypeVar("T")
R = TypeVar("R")


async def gather_limited(at_once: int, items: Sequence[T], act: Callable[[T], Awaitable[R]]) -> list[R]:
    """Call ``act`` with each item, at most so many at a time.

    Returns:
        One result per item, in their order.

    Raises:
        The first exception of an act, after every other one that was begun was cancelled and has ended. So does cancelling.
    """
    results: dict[int, R] = {}
    waiting = iter(enumerate(items))
    faults: list[Failure] = []
    done: Deferred[None] = Deferred()

    async def work() -> None:
        for index, item in waiting:
            if faults:
                return
            results[index] = await act(item)

    workers = [Deferred.fromCoroutine(work()) for _ in range(min(at_once, len(items)))]

    def stop(failure: Failure) -> None:
        # Once each: a second cancelling would strike what is cleaning up after the first.
        faults.append(failure)
        if len(faults) == 1:
            for worker in workers:
                worker.cancel()

    for worker in workers:
        worker.addErrback(stop)
    ended = DeferredList(workers)
    ended.addCallback(lambda _: None if done.called else done.callback(None))
    try:
        await done
    except CancelledError:
        stop(Failure())
        await ended
        raise
    if faults:
        faults[0].raiseException()
    return [results[index] for index in range(len(items))]


async def finish_even_if_cancelled(running: Deferred[R], hurry: Callable[[], None] | None = None) -> R:
    """Wait for work on the pool, also when cancelled: what it holds open must not be taken away under it.

    Args:
        hurry: called when cancelled, to make the work end soon.

    Raises:
        CancelledError: cancelled, and the work has ended.
    """
    outcome: list[R | Failure] = []
    waits = [Deferred[None]()]

    def note(result: R | Failure) -> None:
        outcome.append(result)
        waits[-1].callback(None)

    running.addBoth(note)
    try:
        await waits[-1]
    except CancelledError:
        if hurry is not None:
            hurry()
        if not outcome:
            waits.append(Deferred())
            await waits[-1]
        raise
    result = outcome[0]
    if isinstance(result, Failure):
        result.raiseException()
    return result


@contextmanager
def running_pool(reactor: Any) -> Iterator[Pool]:
    """Run a pool of threads while the block runs: for what blocks outside a session."""
    pool = Pool(reactor)
    pool.start()
    try:
        yield pool
    finally:
        pool.stop()


@contextmanager
def ticking(reactor: Any, seconds: float, call: Callable[[], None], *, now: bool = True) -> Iterator[None]:
    """Call every so many seconds while the block runs, with ``now`` also at its beginning."""
    # Here, so that a command that waits for nothing starts without it.
    from twisted.internet.task import LoopingCall

    loop = LoopingCall(call)
    loop.clock = reactor
    loop.start(seconds, now=now)
    try:
        yield
    finally:
        if loop.running:
            loop.stop()
