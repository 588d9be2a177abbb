"""What the server does by itself: once a day it destroys what has been in the trash for its time."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from sft.model.access import operator_caller
from sft.server.context import ServerContext
from sft.server.jobs import RunningJob
from sft.service.maintenance import purging

DAY_SECONDS: Final = 24 * 3600


class Periodic:
    """Runs the daily work of one server."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context
        self._daily = LoopingCall(self._begin)
        self._daily.clock = context.reactor

    def start(self) -> None:
        """Begin a day from now: a start has enough to do, and a server that restarts often has one trash a day."""
        self._daily.start(DAY_SECONDS, now=False).addErrback(self._context.event_log.failed, "periodic-fault")

    def stop(self) -> None:
        """Begin nothing more; idempotent."""
        if self._daily.running:
            self._daily.stop()

    def _begin(self) -> Deferred[None]:
        done = Deferred.fromCoroutine(self._collect())
        return done.addErrback(self._context.event_log.failed, "collect-fault")

    async def _collect(self) -> None:
        context, caller = self._context, operator_caller()
        running = RunningJob(context, purging.collect.__name__, caller.name)
        await running.run(await context.read(purging.collect, caller, context=running.job_context))
