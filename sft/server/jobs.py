"""Long work of maintenance while it runs: what the event log says of it, what its asker sees, and how it ends with the server.

Rules. A job reports what it has done after every batch, from its own thread; there it also learns that the server stops. The
event log has a line at the beginning, one every minute, a warning for each fault that the report holds, and a line at the
end, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace
from twisted.internet.task import LoopingCall

from sft.errors import TransferEndedError
from sft.model.records import VaultReport
from sft.server.context import ServerContext
from sft.server.reading_pace import ReadingPace
from sft.service.maintenance.report import JobContext
from sft.transport.threads import Pool
from sft.wire.messages import Notice

SHOWN_SECONDS: Final = 0.5
LOGGED_SECONDS: Final = 60.0
WORKING: Final = "working"

Tell = Callable[[Notice], None]
Work = Callable[[], VaultReport]


class RunningJob:
    """One job.

    Args:
        name: what it is called in the event log.
        by: who asked for it.
        tell: gets a notice now and then while it runs.
        wanted: whether anybody wants it still, asked on its thread: else it ends, where it can be gone on with.
        rate: bytes of content that it reads in a second at most; 0 for no limit.
        clock: times that; the reactor's own unless given.
    """

    def __init__(
        self,
        context: ServerContext,
        name: str,
        by: str,
        tell: Tell = lambda _: None,
        *,
        wanted: Callable[[], bool] = lambda: True,
        rate: int = 0,
        clock: Any = None,
    ) -> None:
        self._context = context
        self._name = name
        self._by = by
        self._tell = tell
        self._versions = 0
        self._bytes = 0
        self._total = 0
        self._wanted = wanted
        self._pace = ReadingPace(rate, self._require_wanted)
        self._ticks = 0
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = clock or context.reactor

    @property
    def job_context(self) -> JobContext:
        """What the job works with: it reports here."""
        return replace(self._context.job_context, progress=self._progress, total=self._take_total, pace=self._pace)

    async def run(self, work: Work, pool: Pool | None = None) -> VaultReport:
        """Do the work on maintenance's thread, or on one of another pool: that of maintenance may be taken for hours."""
        context = self._context
        pool = pool or context.maintenance_pool
        began = context.reactor.seconds()
        context.event_log.note("job-begun", job=self._name, by=self._by)
        ended = "failed"
        self._ticking.start(SHOWN_SECONDS, now=False)
        try:
            report: VaultReport = await pool.run(work)
            faults = len(report.faults) + report.more_faults
            ended = "done" if not faults else f"{faults} faults"
            self._versions, self._bytes = report.versions, report.bytes_checked
            for fault in report.faults:
                context.event_log.warn("job-fault", job=self._name, what=fault.what, problem=fault.problem)
        except TransferEndedError:
            ended = "stopped"
            raise
        else:
            return report
        finally:
            self._ticking.stop()
            seconds = round(context.reactor.seconds() - began)
            context.event_log.note("job-ended", **self._figures(), seconds=seconds, how=ended)

    def _progress(self, versions: int, bytes_done: int) -> None:
        """Take what was done so far; on the job's thread."""
        self._versions, self._bytes = versions, bytes_done
        self._require_wanted()

    def _take_total(self, size_bytes: int) -> None:
        self._total = size_bytes

    def _require_wanted(self) -> None:
        if self._context.stopping:
            raise TransferEndedError(problem="the server stops")
        if not self._wanted():
            raise TransferEndedError(problem="nobody waits for it any more")

    def _tick(self) -> None:
        self._ticks += 1
        of = {"of_bytes": self._total} if self._total else {}
        self._tell(Notice(WORKING, {"versions": self._versions, "bytes": self._bytes, **of}))
        if self._ticks % round(LOGGED_SECONDS / SHOWN_SECONDS) == 0:
            self._context.event_log.note("job-runs", **self._figures())

    def _figures(self) -> dict[str, Any]:
        return {"job": self._name, "versions": self._versions, "bytes": self._bytes}
