"""What the server does by itself: once a day it destroys what has been in the trash for its time."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from sft.server.dispatch import ground_of
from sft.server.installation import Installation
from sft.service import upkeep
from sft.service.caller import operator_caller

DAY_SECONDS: Final = 24 * 3600


class Chores:
    """Runs the daily work of one server."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._daily = LoopingCall(self._begin)
        self._daily.clock = installation.reactor

    def start(self) -> None:
        """Begin a day from now: a start has enough to do, and a server that restarts often has one trash a day."""
        self._daily.start(DAY_SECONDS, now=False).addErrback(
            self._installation.journal.failed, "chores-fault"
        )

    def stop(self) -> None:
        """Begin nothing more; harmless twice."""
        if self._daily.running:
            self._daily.stop()

    def _begin(self) -> Deferred[None]:
        done = Deferred.fromCoroutine(self._collect())
        return done.addErrback(self._installation.journal.failed, "collect-fault")

    async def _collect(self) -> None:
        here = self._installation
        job = await here.read(upkeep.collect, operator_caller(), **ground_of(here))
        report = await here.upkeep_pool.run(job)
        if report.files:
            here.journal.note("collected", files=report.files, bytes=report.bytes_checked)
