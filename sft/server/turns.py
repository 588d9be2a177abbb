"""Reads in turn by session: however many one session asks for, another's waits for one of each at most.

Rules. The readers' threads get a few pieces of work at a time, so that none stands idle; what waits is kept here, by session.
Of one session the order is that of asking.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from twisted.internet.defer import Deferred

P = ParamSpec("P")
R = TypeVar("R")


class Runs(Protocol):
    """A pool of threads."""

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        """Call a function on one of them."""


class Turns:
    """Hands work to a pool.

    Args:
        at_once: pieces of work that the pool has.
    """

    def __init__(self, pool: Runs, *, at_once: int) -> None:
        self._pool = pool
        self._at_once = at_once
        self._at_work = 0
        self._waiting: dict[int, deque[tuple[Callable[[], Any], Deferred[Any]]]] = {}  # whose turn is next comes first

    def run(self, session_id: int, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        answered: Deferred[R] = Deferred()
        work = partial(function, *args, **kwargs)
        self._waiting.setdefault(session_id, deque()).append((work, answered))
        self._go_on()
        return answered

    def _go_on(self) -> None:
        while self._waiting and self._at_work < self._at_once:
            session_id = next(iter(self._waiting))
            queue = self._waiting.pop(session_id)
            work, answered = queue.popleft()
            if queue:
                self._waiting[session_id] = queue
            self._at_work += 1
            self._pool.run(work).addBoth(self._done, answered)

    def _done(self, outcome: Any, answered: Deferred[Any]) -> None:
        self._at_work -= 1
        self._go_on()
        answered.callback(outcome)  # a Failure goes the way of errors
