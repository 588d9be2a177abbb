"""What the server does by itself: it hands over what is to be another's, notes what is stored, destroys old trash.

Rules. A hand-over, of a removal or of a folder, begins with the act that decided it, and goes on with a start and each hour
where it was interrupted or a row kept it. Each hour, after their time, uploads are given up that nobody goes on with, and
contents of versions destroyed that are older than is kept; what somebody has destroyed before its time goes at once. Files that
expire are looked for each minute, and those that have waited since, as in a folder that was deleted, each hour; of what was
stored since blocks are made for searches. When the trash was last collected, and free space given back, stands in the database,
and is looked at soon after a start and each hour: a server may restart each night. While the wall clock is doubted
(``clock_watch``) nothing is destroyed by age.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from sft.errors import TransferEndedError
from sft.limits import EXPIRY_LOOK_SECONDS
from sft.model.access import operator_caller
from sft.model.ending_events import FilePurgeBegun, VersionsDestroyed
from sft.model.events import DomainEvent, FolderPurgeBegun, UserRemoved
from sft.model.owner_events import FolderOwnerChanged
from sft.model.policy import Retention
from sft.server.clock_watch import ClockWatch
from sft.server.coalesced import Coalesced
from sft.server.context import ServerContext
from sft.server.jobs import RunningJob
from sft.service.maintenance import (
    daily,
    file_expiry,
    given_up_uploads,
    growth,
    hand_overs,
    old_versions,
    purging,
    retention,
    search_blocks,
)
from sft.service.maintenance.report import Job
from sft.transport.threads import Pool
from sft.uptime import uptime

FIRST_LOOK_SECONDS: Final = 600  # a start has enough to do
LOOK_SECONDS: Final = 3600


class Periodic:
    """Runs this work of one server.

    Args:
        reactor: whose timers it takes; the server's own where none is given.
        uptime: seconds by a clock that nobody sets.
    """

    def __init__(self, context: ServerContext, *, reactor: Any = None, uptime: Callable[[], float] = uptime) -> None:
        self._context = context
        self._reactor = reactor or context.reactor
        self._clock = ClockWatch(context, uptime)
        self._hourly = LoopingCall(self._begin)
        self._hourly.clock = self._reactor
        self._minutely = LoopingCall(self._look_often)
        self._minutely.clock = self._reactor
        self._first: Any = None
        self._expired_since = file_expiry.EARLIEST  # what is looked for in a minute
        self._hand_overs = Coalesced(context, self._hand_over, fault="hand-over-fault")
        self._destruction = Coalesced(context, partial(self._run, purging.finish_destroying), fault="destroying-fault")
        self._search_blocks = Coalesced(context, self._make_search_blocks, fault="search-fault")

    def start(self) -> None:
        self._context.watchers.append(self._watch)
        self._clock.start()
        self._hand_overs.ask()
        self._search_blocks.ask()
        self._first = self._reactor.callLater(FIRST_LOOK_SECONDS, self._start_looking)

    def _start_looking(self) -> None:
        self._minutely.start(EXPIRY_LOOK_SECONDS).addErrback(self._context.event_log.failed, "periodic-fault")
        self._hourly.start(LOOK_SECONDS).addErrback(self._context.event_log.failed, "periodic-fault")

    def stop(self) -> None:
        """Begin nothing more; idempotent."""
        if self._first is not None and self._first.active():
            self._first.cancel()
        for looking in (self._hourly, self._minutely):
            if looking.running:
                looking.stop()
        self._clock.stop()
        if self._watch in self._context.watchers:
            self._context.watchers.remove(self._watch)

    def _watch(self, events: Sequence[DomainEvent]) -> None:
        if any(isinstance(event, UserRemoved | FolderOwnerChanged) for event in events):
            self._hand_overs.ask()
        if any(isinstance(event, FilePurgeBegun | FolderPurgeBegun | VersionsDestroyed) for event in events):
            self._destruction.ask()

    async def _hand_over(self) -> None:
        context, caller = self._context, operator_caller()
        if await context.read_apart(hand_overs.is_handing_over, caller):
            running = RunningJob(context, hand_overs.hand_over_all.__name__, caller.name)
            job = await context.read_apart(hand_overs.hand_over_all, caller, context=running.job_context)
            # Not behind a check of the whole vault: it mostly waits for the writer.
            await running.run(job, context.pool)

    async def take_retention(self) -> Retention:
        """Take how much is to be kept, and for how long, and return what rules now."""
        found = await self._context.read(retention.configured_retention, operator_caller())
        taken: Retention = await self._context.act(retention.take_retention, found)
        return taken

    async def _run(self, job: Callable[..., Job], pool: Pool | None = None, **fields: Any) -> None:
        """Run a job behind those that are under way, or on another pool."""
        context, caller = self._context, operator_caller()
        running = RunningJob(context, job.__name__, caller.name)
        await running.run(await context.read(job, caller, context=running.job_context, **fields), pool)

    async def _make_search_blocks(self) -> None:
        context = self._context
        if await context.read_apart(search_blocks.can_make_blocks, operator_caller()):
            await self._run(search_blocks.make_search_blocks, context.pool)

    def _look_often(self) -> Deferred[None]:
        self._search_blocks.ask()
        done = Deferred.fromCoroutine(self._expire_files())
        return done.addErrback(self._context.event_log.failed, "expiry-fault")

    async def _expire_files(self) -> None:
        """Move to the trash what has expired since the last look, and where the hour begins all that has."""
        # Of the last minute once more: what another transaction was just saying.
        since, self._expired_since = self._expired_since, int(self._context.clock()) - EXPIRY_LOOK_SECONDS
        done = False
        try:
            done = await self._expire_since(since)
        finally:
            if not done:
                self._expired_since = min(self._expired_since, since)

    async def _expire_since(self, since: int) -> bool:
        """Do it on a thread of its own, not behind a check of the whole vault; return False where the clock is doubted."""
        context = self._context
        if not await context.read(file_expiry.has_anything_expired, operator_caller(), since=since):
            return True
        if not await self._clock.is_believed():
            return False
        with suppress(TransferEndedError):  # the server stops; the next start goes on
            await self._run(file_expiry.expire_files, context.pool, since=since)
        return True

    def _begin(self) -> Deferred[None]:
        done = Deferred.fromCoroutine(self._look())
        return done.addErrback(self._context.event_log.failed, "collect-fault")

    async def _look(self) -> None:
        context = self._context
        self._expired_since = file_expiry.EARLIEST
        self._hand_overs.ask()
        if not await self._clock.is_believed():
            return
        if await context.read(given_up_uploads.is_any_overdue, operator_caller()):
            await self._run(given_up_uploads.give_up_overdue)
        if await context.read(growth.is_growth_due, operator_caller()):
            await context.maintenance_pool.run(growth.note_today, context.job_context)
        ruling = await self.take_retention()
        if await context.read(old_versions.is_anything_old, operator_caller(), kept=ruling.versions_kept):
            await self._run(old_versions.destroy_old_versions, kept=ruling.versions_kept)
        if await context.read(daily.is_collection_due, operator_caller()):
            await self._run(purging.collect, days=ruling.trash_days)
            await context.maintenance_pool.run(daily.give_back_all, context.job_context)
