"""Whoever asks for much is served in turn with whoever asks for little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.server.turns import TOGETHER, Turns


class ByHand:
    """A pool that does a piece of work when it is told to."""

    def __init__(self) -> None:
        self.work: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.work.append((lambda: function(*args, **kwargs), done))
        return done

    def one(self) -> None:
        function, done = self.work.pop(0)
        try:
            done.callback(function())
        except ZeroDivisionError:
            done.errback(Failure())

    def all(self) -> None:
        while self.work:
            self.one()


def test_a_session_that_asks_for_much_keeps_no_other_waiting() -> None:
    pool, served = ByHand(), []
    turns = Turns(pool, at_once=2)
    for number in range(100):
        turns.run(1, served.append, f"a{number}")
    turns.run(2, served.append, "login")
    for number in range(3):
        turns.run(3, served.append, f"c{number}")
    assert len(pool.work) == 2
    pool.all()
    assert served[:8] == ["a0", "a1", "a2", "login", "c0", "a3", "c1", "a4"]
    assert served[-90:] == [f"a{number}" for number in range(10, 100)]
    assert len(served) == 104


def test_answers_and_faults_come_back_to_who_asked() -> None:
    pool = ByHand()
    turns = Turns(pool, at_once=1)
    asked = [turns.run(1, divmod, 7, divisor) for divisor in (2, 0, 3)]
    found: list[Any] = []
    for deferred in asked:
        deferred.addCallbacks(found.append, lambda failure: found.append(failure.type))
    pool.all()
    assert found == [(3, 1), ZeroDivisionError, (2, 1)]
    with pytest.raises(IndexError):
        pool.one()


def test_reads_that_wait_go_to_a_thread_together_and_each_has_its_own_outcome() -> None:
    pool = ByHand()
    turns = Turns(pool, at_once=2)
    found: dict[int, Any] = {}

    def ask(session_id: int) -> None:
        answered = turns.run(session_id, divmod, 7, session_id % 5)
        answered.addCallbacks(lambda value: value, lambda failure: failure.type).addCallback(
            lambda value: found.__setitem__(session_id, value)
        )

    for session_id in range(1, 41):
        ask(session_id)
    assert len(pool.work) == 2  # one each: nobody waited yet when these came
    pool.one()
    pool.one()
    assert sorted(found) == [1, 2]
    pool.one()
    assert sorted(found) == list(range(1, 3 + TOGETHER))
    pool.all()
    assert found == {each: divmod(7, each % 5) if each % 5 else ZeroDivisionError for each in range(1, 41)}


def test_pieces_are_no_larger_than_was_said() -> None:
    pool, served = ByHand(), []
    turns = Turns(pool, at_once=2, together=1)
    for session_id in range(6):
        turns.run(session_id, served.append, session_id)
    assert len(pool.work) == 2
    pool.one()
    assert (served, len(pool.work)) == ([0], 2)
    pool.all()
    assert served == list(range(6))
