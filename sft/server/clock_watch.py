"""Whether the wall clock of a server is believed: looked at before what destroys by age, and with each start.

Rules. While it is doubted (``sft.model.clock``) that is said with each start and each day, until somebody's signature of the
same moment ends it, which is looked for in what acts log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from twisted.internet.defer import Deferred

from sft.limits import DAY_SECONDS
from sft.model.access import operator_caller
from sft.model.clock import ClockState
from sft.model.event import DomainEvent
from sft.server.context import ServerContext
from sft.service.maintenance import clock
from sft.uptime import uptime

SAID_SECONDS: Final = DAY_SECONDS  # that it is doubted


class ClockWatch:
    """Looks at the clock of one server.

    Args:
        uptime: seconds by a clock that nobody sets.
    """

    def __init__(self, context: ServerContext, uptime: Callable[[], float] = uptime) -> None:
        self._context = context
        self._uptime = uptime
        self._looked_at: float | None = None  # by ``uptime``
        self._said_at: float | None = None
        self._doubted = False

    def start(self) -> None:
        """Look, and watch what acts log."""
        self._context.watchers.append(self._watch)
        Deferred.fromCoroutine(self.is_believed()).addErrback(self._context.event_log.failed, "clock-fault")

    def stop(self) -> None:
        """Watch no more; idempotent."""
        if self._watch in self._context.watchers:
            self._context.watchers.remove(self._watch)

    async def is_believed(self) -> bool:
        """Look at the clock, and return whether what is old by it is old."""
        context, up = self._context, self._uptime()
        passed = None if self._looked_at is None else int(up - self._looked_at)
        self._looked_at = up
        look = clock.ClockLook(operator_caller(), int(context.clock()), passed)
        state: ClockState = await context.act(clock.look_at_clock, look)
        self._doubted = state.is_doubted
        if state.sound_at is not None and (self._said_at is None or up - self._said_at >= SAID_SECONDS):
            self._said_at = up
            context.event_log.warn(
                "clock-doubted-still", seconds=state.seen_at - state.sound_at, says="nothing is destroyed by age"
            )
        return not self._doubted

    def _watch(self, events: Sequence[DomainEvent]) -> None:
        if self._doubted:
            agreeing = Deferred.fromCoroutine(self._agree(events))
            agreeing.addErrback(self._context.event_log.failed, "clock-fault")

    async def _agree(self, events: Sequence[DomainEvent]) -> None:
        """Doubt the clock no more where somebody signed something at the moment that it says."""
        context, caller, now = self._context, operator_caller(), int(self._context.clock())
        if await context.read_apart(clock.is_agreed_with, caller, now=now, events=events) and self._doubted:
            self._doubted = False
            await context.act(clock.believe_clock, clock.ClockBelief(caller, now, clock.BY_PERSON))
