"""The pool: what computes has no more threads than cores, and what waits for the disk does not wait for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from sft.transport.threads import Pool


class Reactor:
    """One whose turns a test takes."""

    def __init__(self):
        self.calls = SimpleQueue()

    def callFromThread(self, call, *args):
        self.calls.put((call, args))

    def turn(self):
        call, args = self.calls.get()
        call(*args)


@contextmanager
def pool_of(cores: int) -> Iterator[tuple[Pool, Reactor]]:
    reactor = Reactor()
    pool = Pool(reactor, cores=cores)
    pool.start()
    try:
        yield pool, reactor
    finally:
        pool.stop()


def test_what_computes_goes_one_after_another_where_one_core_is_spare():
    came, gate = [], threading.Event()

    def compute(number):
        gate.wait()
        return number, threading.get_ident()

    with pool_of(2) as (pool, reactor):
        for number in range(5):
            pool.compute(compute, number).addCallback(came.append)
        gate.set()
        for _ in range(5):
            reactor.turn()
    assert [number for number, _ in came] == [0, 1, 2, 3, 4]
    assert len({thread for _, thread in came}) == 1


def test_as_many_compute_at_once_as_cores_are_spare():
    came, both = [], threading.Barrier(2)
    with pool_of(3) as (pool, reactor):
        for _ in range(2):
            pool.compute(both.wait).addCallback(came.append)
        reactor.turn()
        reactor.turn()
    assert sorted(came) == [0, 1]


def test_what_waits_for_the_disk_goes_on_beside_what_computes_and_both_count_as_busy():
    came, gate = [], threading.Event()
    with pool_of(1) as (pool, reactor):
        pool.compute(gate.wait).addCallback(came.append)
        pool.run(str, "read").addCallback(came.append)
        assert pool.busy == 2
        reactor.turn()
        assert (came, pool.busy) == (["read"], 1)
        gate.set()
        reactor.turn()
        assert (came, pool.busy) == (["read", True], 0)


def test_what_computes_and_fails_says_why():
    faults = []
    with pool_of(1) as (pool, reactor):
        pool.compute(int, "no number").addErrback(lambda failure: faults.append(failure.type))
        reactor.turn()
    assert faults == [ValueError]
