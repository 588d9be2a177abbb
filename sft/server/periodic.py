"""What the server does by itself: each day it destroys what has been in the trash for its time, and gives back free space.

Rules. When that was last done stands in the database, and is looked at soon after a start and each hour: a server may restart
each night. A wall clock that ran otherwise than the machine's own destroys nothing: then it is refused, and said.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from sft.limits import COLLECT_SECONDS
from sft.model.access import operator_caller
from sft.server.context import ServerContext
from sft.server.jobs import RunningJob
from sft.service.maintenance import daily, purging

FIRST_LOOK_SECONDS: Final = 600  # a start has enough to do
LOOK_SECONDS: Final = 3600
DRIFT_SECONDS: Final = COLLECT_SECONDS  # more than a clock that is set right moves


def uptime() -> float:
    """Tell seconds by a clock that nobody sets, and that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Periodic:
    """Runs the daily work of one server.

    Args:
        reactor: whose timers it takes; the server's own where none is given.
        uptime: seconds by a clock that nobody sets.
    """

    def __init__(self, context: ServerContext, *, reactor: Any = None, uptime: Callable[[], float] = uptime) -> None:
        self._context = context
        self._reactor = reactor or context.reactor
        self._uptime = uptime
        self._started = (context.clock(), uptime())
        self._hourly = LoopingCall(self._begin)
        self._hourly.clock = self._reactor
        self._first: Any = None

    def start(self) -> None:
        self._first = self._reactor.callLater(FIRST_LOOK_SECONDS, self._start_looking)

    def _start_looking(self) -> None:
        self._hourly.start(LOOK_SECONDS).addErrback(self._context.event_log.failed, "periodic-fault")

    def stop(self) -> None:
        """Begin nothing more; idempotent."""
        if self._first is not None and self._first.active():
            self._first.cancel()
        if self._hourly.running:
            self._hourly.stop()

    def _begin(self) -> Deferred[None]:
        done = Deferred.fromCoroutine(self._look())
        return done.addErrback(self._context.event_log.failed, "collect-fault")

    async def _look(self) -> None:
        context = self._context
        drift = self._drift()
        if abs(drift) > DRIFT_SECONDS:
            context.event_log.warn(
                "clock-jumped", seconds=int(drift), says="the trash is not collected before a restart"
            )
            return
        if await context.read(daily.is_collection_due, operator_caller()):
            caller = operator_caller()
            running = RunningJob(context, purging.collect.__name__, caller.name)
            await running.run(await context.read(purging.collect, caller, context=running.job_context))
            await context.maintenance_pool.run(daily.give_back_all, context.job_context)

    def _drift(self) -> float:
        """Return how much more the wall clock went since the start than the one that nobody sets."""
        wall, up = self._started
        return (self._context.clock() - wall) - (self._uptime() - up)
