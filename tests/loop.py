"""The one event loop of a test run, with the Twisted reactor on it: coroutines and Deferreds run side by side.

Import it before anything imports ``twisted.internet.reactor``. The reactor is started and never run: whoever waits runs the
loop, pytest-asyncio for tests that are coroutines, ``run`` for all others. A Deferred is awaited as
``await deferred.asFuture(loop)``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from twisted.internet import asyncioreactor

LOOP = asyncio.new_event_loop()
asyncioreactor.install(LOOP)

from twisted.internet import reactor  # noqa: E402  # the reactor exists from here on
from twisted.internet.defer import Deferred  # noqa: E402
from twisted.internet.task import Clock  # noqa: E402

PATIENCE_SECONDS = 60  # of a machine that has much else to do; nothing takes it


async def _start_reactor() -> None:
    reactor.startRunning(installSignalHandlers=False)


LOOP.run_until_complete(_start_reactor())


def run(coroutine: Coroutine[Any, Any, Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Run Twisted's coroutine to its end, while the loop does not run."""
    return LOOP.run_until_complete(bridged(coroutine, seconds))


class Timed:
    """The reactor, by a clock that a test moves."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.seconds, self.callLater = self.clock.seconds, self.clock.callLater

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


async def bridged(coroutine: Coroutine[Any, Any, Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Await Twisted's coroutine in a task of asyncio."""
    deferred = Deferred.fromCoroutine(coroutine)
    deferred.addTimeout(seconds, reactor)
    return await deferred.asFuture(LOOP)
