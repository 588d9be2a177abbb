"""Work in turn by session: however many one session asks for, another's waits for one of each at most.

Rules. The pool's threads get a few pieces of work at a time, so that none stands idle; what waits is kept here, by session.
Of one session the order is that of asking. Where many wait, a piece is of several: a hop to a thread costs as much as one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, ParamSpec, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

P = ParamSpec("P")
R = TypeVar("R")

TOGETHER: Final = 8  # the first of them waits for the last


class Runs(Protocol):
    """A pool of threads."""

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        """Call a function on one of them."""


class Turns:
    """Hands work to a pool.

    Args:
        at_once: pieces of work that the pool has.
        together: most that make one piece.
    """

    def __init__(self, pool: Runs, *, at_once: int, together: int = TOGETHER) -> None:
        self._pool = pool
        self._at_once = at_once
        self._together = together
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
            together = min(self._together, -(-len(self._waiting) // self._at_once))
            piece = [self._next() for _ in range(together)]
            self._at_work += 1
            done = self._pool.run(_do_all, [work for work, _ in piece])
            done.addBoth(self._done, [answered for _, answered in piece])

    def _next(self) -> tuple[Callable[[], Any], Deferred[Any]]:
        session_id = next(iter(self._waiting))
        queue = self._waiting.pop(session_id)
        first = queue.popleft()
        if queue:
            self._waiting[session_id] = queue
        return first

    def _done(self, outcomes: list[Any] | Failure, answered: Sequence[Deferred[Any]]) -> None:
        self._at_work -= 1
        self._go_on()
        each_outcome = [outcomes] * len(answered) if isinstance(outcomes, Failure) else outcomes
        for outcome, each in zip(each_outcome, answered, strict=True):
            each.callback(outcome)  # a Failure goes the way of errors


def _do_all(piece: Sequence[Callable[[], Any]]) -> list[Any]:
    outcomes: list[Any] = []
    for work in piece:
        try:
            outcomes.append(work())
        except Exception:  # noqa: BLE001 - it is its own asker's, whatever it was
            outcomes.append(Failure())
    return outcomes
