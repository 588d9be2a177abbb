"""A pool that runs nothing until it is told to: a test decides when each batch ends."""

from __future__ import annotations

from twisted.internet.defer import Deferred, execute


class SteppingPool:
    def __init__(self, *, crypto_in_pool=False):
        self.crypto_in_pool = crypto_in_pool
        self.waiting = []
        self.read_chunks = 0

    deferred = staticmethod(Deferred)

    def run(self, function, *args, **kwargs):
        done = Deferred()
        self.waiting.append((done, function, args, kwargs))
        return done

    compute = run

    def step(self):
        done, function, args, kwargs = self.waiting.pop(0)
        execute(function, *args, **kwargs).chainDeferred(done)

    def finish(self):
        while self.waiting:
            self.step()
