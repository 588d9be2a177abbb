"""The one way into other threads and back: a pool of our own, and futures of the writer as Deferreds.

Rules. What crosses is plain values in and out; a function that runs here touches nothing of Twisted. The default pool of the
reactor is left to name resolution: it has ten threads and an unbounded queue.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from sft.transport.cores import CORES_FOR_POOL_CRYPTO, blocking_threads, computing_threads, usable_cores

P = ParamSpec("P")
R = TypeVar("R")


class Pool:
    """A bounded thread pool bound to one reactor.

    Args:
        reactor: where results come back.
        cores: cores to count with; decides ``crypto_in_pool`` and the number of threads.
    """

    def __init__(
        self, reactor: IReactorFromThreads, *, cores: int | None = None, threads: int | None = None, name: str = "sft"
    ) -> None:
        cores = usable_cores() if cores is None else cores
        self.crypto_in_pool = cores >= CORES_FOR_POOL_CRYPTO
        self.threads = threads or blocking_threads(cores)
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=0, maxthreads=self.threads, name=name)
        computing = min(self.threads, computing_threads(cores))
        self._computing = ThreadPool(minthreads=0, maxthreads=computing, name=f"{name}-computing")
        self._running = False
        self.busy = 0  # pieces of work that have not come back yet

    def start(self) -> None:
        self._pool.start()
        self._computing.start()
        self._running = True

    def stop(self) -> None:
        """Wait for what is running and end the threads."""
        if self._running:
            self._running = False
            self._pool.stop()
            self._computing.stop()

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        """Call a function in the pool; its result or exception comes back on the reactor."""
        return self._call(self._pool, partial(function, *args, **kwargs))

    def compute(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        """Call a function as ``run`` does, in turn: no more of them at once than cores beside the reactor's.

        For what needs the interpreter or a core, and waits little.
        """
        return self._call(self._computing, partial(function, *args, **kwargs))

    def _call(self, threads: ThreadPool, work: Callable[[], R]) -> Deferred[R]:
        self.busy += 1
        return deferToThreadPool(self._reactor, threads, work).addBoth(self._returned)

    @staticmethod
    def deferred() -> Deferred[Any]:
        return Deferred()

    def _returned(self, outcome: R) -> R:
        self.busy -= 1
        return outcome


def fire(deferred: Deferred[R], future: Future[R]) -> None:
    """Fire a Deferred, on this thread, as a future has ended."""
    error = future.exception()
    if error is None:
        deferred.callback(future.result())
    else:
        deferred.errback(error)
