"""The scrub of a server: each minute what is due is read, on maintenance's thread, and never in anybody's way.

Rules. While a session has work the reading goes on at the rate that all of it needs and no faster; else at its own. Where
maintenance is at something else, or the server stops, nothing is begun. What does not hold is a warning by its own event.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from sft.errors import TransferEndedError
from sft.limits import CHUNK_BYTES
from sft.model.access import operator_caller
from sft.model.records import VaultReport
from sft.server.context import ServerContext
from sft.server.reading_pace import ReadingPace
from sft.service.maintenance import scrub

LOOK_SECONDS: Final = 60
BUSY_SECONDS: Final = 0.5  # how often it is looked whether others need the disk
_PATIENCE_MOST: Final = 30.0


class Scrubbing:
    """The scrub of one server.

    Args:
        reactor: whose timers it takes; the server's own where none is given.
    """

    def __init__(self, context: ServerContext, *, reactor: Any = None) -> None:
        self._context = context
        self._busy = False
        self._looking = LoopingCall(self._look)
        self._watching = LoopingCall(self._watch)
        self._looking.clock = self._watching.clock = reactor or context.reactor

    def start(self) -> None:
        """Look in a minute for the first time: a start has enough to do."""
        self._looking.start(LOOK_SECONDS, now=False).addErrback(self._context.event_log.failed, "scrub-fault")

    def stop(self) -> None:
        """Begin nothing more; idempotent."""
        for looping in (self._looking, self._watching):
            if looping.running:
                looping.stop()

    def _watch(self) -> None:
        self._busy = any(session.has_work() for session in self._context.sessions.all())

    def _look(self) -> Deferred[None]:
        done = Deferred.fromCoroutine(self._slice())
        return done.addErrback(self._context.event_log.failed, "scrub-fault")

    async def _slice(self) -> None:
        context = self._context
        if not self._may_read():
            return
        due = await context.read_apart(scrub.scrub_due, operator_caller())
        if not (due.size_bytes and self._may_read()):
            return
        pace = ReadingPace(
            due.rate,
            self._require_wanted,
            is_busy=lambda: self._busy,
            patience=min(_PATIENCE_MOST, CHUNK_BYTES / due.needed_rate),
        )
        parts = replace(context.job_context, progress=lambda _versions, _bytes: self._require_wanted(), pace=pace)
        self._watching.start(BUSY_SECONDS)
        try:
            report: VaultReport = await context.maintenance_pool.run(scrub.scrub, parts, due)
        except TransferEndedError:
            return  # the server stops; the next start goes on
        finally:
            self._watching.stop()
        for fault in report.faults:
            context.event_log.warn("scrub-found", what=fault.what, problem=fault.problem)

    def _may_read(self) -> bool:
        return not (self._context.stopping or self._context.maintenance_pool.busy)

    def _require_wanted(self) -> None:
        if self._context.stopping:
            raise TransferEndedError(problem="the server stops")
