"""What blocks or computes beside the small loop: a few threads that stay, as ``sft.transport.threads`` has them for Twisted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from sft.transport.cores import CORES_FOR_POOL_CRYPTO, blocking_threads, computing_threads, usable_cores

T = TypeVar("T")
_Queue = SimpleQueue[Callable[[], None] | None]


class _Loop(Protocol):
    """The loop, as far as its threads know it."""

    working: int

    def waiting(self) -> Any: ...

    def errand(self, work: Callable[[], Any], returned: Callable[[], object]) -> tuple[Any, Callable[[], None]]: ...


class Threads:
    """A pool of threads. Its methods are called on the loop's thread."""

    def __init__(self, loop: _Loop) -> None:
        cores = usable_cores()
        self.crypto_in_pool = cores >= CORES_FOR_POOL_CRYPTO
        self._loop = loop
        self._blocking = _Workers(loop, blocking_threads(cores))
        self._computing = _Workers(loop, computing_threads(cores))

    def start(self) -> None:
        """There is nothing to start: threads begin when there is work for them."""

    def stop(self) -> None:
        """End the threads when they have done what they were given; the loop's end waits for that."""
        self._blocking.stop()
        self._computing.stop()

    def run(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Any:
        """Call a function in a thread; its result or exception comes back on the loop."""
        return self._blocking.do(partial(function, *args, **kwargs))

    def compute(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Any:
        """Call a function as ``run`` does, in turn: no more of them at once than cores beside the loop's."""
        return self._computing.do(partial(function, *args, **kwargs))

    def deferred(self) -> Any:
        return self._loop.waiting()


class _Workers:
    """At most so many threads that take work in order."""

    def __init__(self, loop: _Loop, most: int) -> None:
        self._loop = loop
        self._most = most
        self._threads = 0
        self._undone = 0
        self._work: _Queue = SimpleQueue()

    def do(self, work: Callable[[], Any]) -> Any:
        if self._undone >= self._threads < self._most:
            threading.Thread(target=_serve, args=(self._work,), daemon=True).start()
            self._threads += 1
        waiting, run = self._loop.errand(work, self._returned)
        self._undone += 1
        self._loop.working += 1
        self._work.put(run)
        return waiting

    def stop(self) -> None:
        for _ in range(self._threads):
            self._work.put(None)
        self._threads, self._work = 0, SimpleQueue()

    def _returned(self) -> None:
        self._undone -= 1
        self._loop.working -= 1


def _serve(work: _Queue) -> None:
    while (run := work.get()) is not None:
        run()
