"""All jobs, in order, a few at a time, kept on disk: quitting, a crash or a lost connection loses nothing.

Rules. Order is the person's. What needs the person waits while the rest goes on. A lost connection makes its jobs wait,
and they go on by themselves. Nothing here touches a widget: whoever listens is told that something moved, at most ten
times a second. What the disk does not keep runs all the same, and is told.
"""

from __future__ import annotations

import asyncio
import secrets
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Protocol

from sft.client.connection_info import ConnectionInfo
from sft.client.transfers.progress import TICK_SECONDS, Rate
from sft.client.transfers.queue.job import Decision, Direction, Failure, Job, JobState, Taken
from sft.client.transfers.queue.queue_file import LocalFiles, QueueFile
from sft.client.transfers.queue.run import Run, RunResult, Transfers
from sft.errors import InternalError, SftError
from sft.model.text import count_text

_AT_ONCE: Final = 2
_SAVE_SECONDS: Final = 1.0
# What a lost connection stopped is begun again no sooner, unless the connection is new.
_HOLD_BACK_SECONDS: Final = 1.0
_KEPT_ENDED: Final = 200

Landed = Callable[[Job, RunResult], None]
Ordered = Callable[[Job, Sequence[tuple[Failure, Decision]] | None], None]
"""Told of a job that a person ordered, or ordered again, and of what was decided of one; None where nothing was decided."""


class QueueHost(Protocol):
    """What the queue needs of whoever runs it."""

    @property
    def connection(self) -> ConnectionInfo:
        """The account in use, now."""

    @property
    def transfers(self) -> Transfers: ...

    @property
    def local(self) -> LocalFiles:
        """Where the queue is kept, and faults."""


class TransferQueue:
    """All jobs of this person on this computer.

    Args:
        describe: what became of a job that worked, in harmless words.
        now: Unix seconds.
    """

    def __init__(self, host: QueueHost, *, describe: Callable[[Job, RunResult], str], now: Callable[[], float]) -> None:
        self._host = host
        self._describe = describe
        self._now = now
        self.jobs: list[Job] = []
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._rates: dict[int, Rate] = {}
        self._listeners: list[Callable[[], None]] = []
        self._landed: list[Landed] = []
        self._ordered: list[Ordered] = []
        self._file = QueueFile(host.local)
        self.unkept: SftError | None = None  # why the disk does not keep it
        self._held_back: dict[int, asyncio.TimerHandle] = {}
        self._dirty = self._unsaved = False
        self._ticking: asyncio.Task[None] | None = None
        self._closed = False

    # -- what stands in it -----------------------------------------------------------------------------

    @property
    def running(self) -> int:
        return sum(job.state is JobState.RUNNING for job in self.jobs)

    @property
    def unfinished(self) -> int:
        return sum(job.state.unfinished for job in self.jobs)

    def job(self, job_id: int) -> Job | None:
        return next((job for job in self.jobs if job.id == job_id), None)

    def rate(self, job_id: int) -> Rate | None:
        """Return how fast a running job moves."""
        return self._rates.get(job_id)

    def taken(self, local: str, path: str) -> int:
        """Return the version of a file that this computer stored or got last at a place of its own; 0 if none is known."""
        found = self.taken_at({(local, path)}).get((local, path))
        return 0 if found is None else found[0].version

    def taken_at(self, places: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[Taken, int]]:
        """Return what this computer stored or got last at some places, here and there, and when, in Unix seconds."""
        account = self._host.connection.account
        found: dict[tuple[str, str], tuple[Taken, int]] = {}
        for job in self.jobs:
            if job.account != account:
                continue
            for taken in job.taken:
                place = (taken.local, taken.path)
                if place in places and (place not in found or found[place][1] <= job.ended_at):
                    found[place] = (taken, job.ended_at)
        return found

    def listen(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def when_landed(self, landed: Landed) -> Callable[[], None]:
        """Call a listener when a run has ended, with what became of it; what is returned ends that."""
        self._landed.append(landed)
        return lambda: self._landed.remove(landed)

    def when_ordered(self, ordered: Ordered) -> None:
        """Call a listener whenever a person orders or decides something."""
        self._ordered.append(ordered)

    # -- orders --------------------------------------------------------------------------------------------

    def put(self, names: Sequence[str], to: str, title: str, *, expires_seconds: int = 0) -> Job:
        """Store files and folders of this computer in a folder of the server.

        Args:
            expires_seconds: so long after it was stored each file goes to the trash by itself; 0 is never.
        """
        return self._add(Direction.PUT, names, to, title, expires_seconds=expires_seconds)

    def get(self, names: Sequence[str], to: str, title: str, *, version: int = 0) -> Job:
        return self._add(Direction.GET, names, to, title, version=version)

    def verify(self, names: Sequence[str], title: str, *, version: int = 0) -> Job:
        job = self._add(Direction.VERIFY, names, "", title)
        job.version = version
        return job

    def pause(self, job_id: int) -> None:
        """Stop a job where it is; what is done stays done."""
        job = self.job(job_id)
        if job is not None and job.state in {JobState.WAITING, JobState.RUNNING}:
            job.state = JobState.PAUSED
            self._stop(job)
            self._changed()

    def go_on(self, job_id: int) -> None:
        job = self.job(job_id)
        if job is not None and job.state is JobState.PAUSED:
            job.state = JobState.WAITING
            self._changed()

    def retry(self, job_id: int) -> None:
        job = self.job(job_id)
        if job is None or job.state not in {JobState.FAILED, JobState.NEEDS_YOU}:
            return
        # Where a whole run broke off nobody knows what it left: what is done is found to be there already.
        broke_off = any(failure.whole for failure in job.failures)
        job.only = () if broke_off else tuple(failure.place for failure in job.failures)
        job.failures = ()
        job.state = JobState.WAITING
        self._tell_ordered(job)
        self._changed()

    def cancel(self, job_id: int) -> None:
        """Take a job off the queue for good."""
        job = self.job(job_id)
        if job is not None:
            self._stop(job)
            self.jobs.remove(job)
            self._changed()

    def move(self, job_id: int, steps: int) -> None:
        job = self.job(job_id)
        if job is not None:
            place = self.jobs.index(job)
            self.jobs.remove(job)
            self.jobs.insert(max(0, place + steps), job)
            self._changed()

    def clear_ended(self) -> int:
        """Take what has ended off the list, and return how many."""
        kept = [job for job in self.jobs if job.state.unfinished or job.state is JobState.NEEDS_YOU]
        cleared = len(self.jobs) - len(kept)
        self.jobs = kept
        self._changed()
        return cleared

    def resolve(self, job_id: int, decisions: Mapping[str, Decision]) -> None:
        """Take the person's decisions on what is in the way, by the name of each failure."""
        job = self.job(job_id)
        if job is None:
            return
        taken = [(failure, decisions[failure.name]) for failure in job.failures if failure.name in decisions]
        self._tell_ordered(job, taken)
        if job.resolve(decisions):
            job.state = JobState.WAITING
        elif not job.failures:
            self._end(job, JobState.DONE, self._said_of_skipped(job))
        self._changed()

    # -- its life ----------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Take over what earlier runs of the app left; what ran then waits now."""
        if self._file.owned:
            return
        try:
            kept = await self._file.take()
        except SftError as error:
            self._cannot_keep(error)
            return
        numbers = {job.id for job in self.jobs}
        for job in kept:
            if job.id in numbers:
                job.id = max(numbers) + 1
            numbers.add(job.id)
        self.jobs = kept + self.jobs
        self._changed()

    def connection_changed(self, connection: ConnectionInfo) -> None:
        if connection.online:
            self._release()
        self._changed()

    async def close(self) -> None:
        """Stop everything and keep the queue."""
        self._closed = True
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        if self._ticking is not None:
            self._ticking.cancel()
            tasks.append(self._ticking)
        await asyncio.gather(*tasks, return_exceptions=True)
        for job in self.jobs:
            if job.state is JobState.RUNNING:
                job.state = JobState.WAITING
        self._release()
        await self._save()
        await self._file.leave()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _tell_ordered(self, job: Job, decisions: Sequence[tuple[Failure, Decision]] | None = None) -> None:
        for ordered in self._ordered:
            ordered(job, decisions)

    def _add(
        self,
        direction: Direction,
        names: Sequence[str],
        to: str,
        title: str,
        *,
        version: int = 0,
        expires_seconds: int = 0,
    ) -> Job:
        job = Job(
            id=max((job.id for job in self.jobs), default=0) + 1,
            account=self._host.connection.account,
            direction=direction,
            names=tuple(names),
            to=to,
            title=title,
            version=version,
            expires_seconds=expires_seconds,
            added_at=int(self._now()),
            mark=secrets.token_hex(8),
        )
        self.jobs.append(job)
        self._tell_ordered(job)
        self._changed()
        return job

    def _changed(self) -> None:
        self._dirty = self._unsaved = True
        if not self._closed:
            self._pump()
            if self._ticking is None or self._ticking.done():
                self._ticking = asyncio.create_task(self._tick())
                self._ticking.add_done_callback(self._ticked)

    def _pump(self) -> None:
        connection = self._host.connection
        if not connection.online:
            return
        for job in self.jobs:
            if len(self._tasks) >= _AT_ONCE:
                return
            mine = job.account == connection.account
            free = job.id not in self._tasks and job.id not in self._held_back
            if mine and job.state is JobState.WAITING and free:
                job.state = JobState.RUNNING
                self._tasks[job.id] = asyncio.create_task(self._work(job))

    async def _work(self, job: Job) -> None:
        user = self._host.connection.user
        run = Run(self._host.transfers, job, user, moved=self._note, now=self._now)
        try:
            outcome = await run.go()
        except asyncio.CancelledError:
            raise
        except SftError as error:
            outcome = run.outcome
            outcome.failures.append(Failure.of(job.title, "", error, whole=True))
        except Exception as error:  # noqa: BLE001 - one job's fault stops no other
            ref = self._host.local.keep_fault("".join(traceback.format_exception(error)))
            outcome = run.outcome
            fault = InternalError(ref=ref)
            outcome.failures.append(Failure.of(job.title, "", fault, whole=True))
        finally:
            # One that was stopped ends later, and may find the next run of its job here.
            if self._tasks.get(job.id) is asyncio.current_task():
                del self._tasks[job.id]
                self._rates.pop(job.id, None)
        if job.state is JobState.RUNNING:
            self._settle(job, outcome)
            for landed in [*self._landed]:
                landed(job, outcome)
        self._changed()

    def _settle(self, job: Job, outcome: RunResult) -> None:
        # What this run was not about still waits for the person.
        only = frozenset(job.only)
        left = [t for t in job.failures if only and t.place not in only]
        if any(failure.is_connection for failure in outcome.failures):
            job.state, job.failures = JobState.WAITING, tuple(left)
            self._hold_back(job)
            return
        job.failures = (*left, *outcome.failures)
        if not job.failures:
            self._end(job, JobState.DONE, self._describe(job, outcome))
        elif any(failure.is_conflict for failure in job.failures):
            self._end(job, JobState.NEEDS_YOU, "")
        else:
            self._end(job, JobState.FAILED, "")

    def _hold_back(self, job: Job) -> None:
        """Begin no run on a connection that may be gone: it goes on when the server is back, and tries now and then."""
        loop = asyncio.get_running_loop()
        self._held_back[job.id] = loop.call_later(_HOLD_BACK_SECONDS, self._let, job.id)

    def _let(self, job_id: int) -> None:
        self._held_back.pop(job_id).cancel()
        self._changed()

    def _release(self) -> None:
        for timer in self._held_back.values():
            timer.cancel()
        self._held_back.clear()

    def _end(self, job: Job, state: JobState, said: str) -> None:
        job.state, job.said, job.ended_at, job.stage = state, said, int(self._now()), ""
        job.only = ()
        ended = [one for one in self.jobs if one.state is JobState.DONE]
        for old in ended[:-_KEPT_ENDED]:
            self.jobs.remove(old)

    def _said_of_skipped(self, job: Job) -> str:
        count = len(job.skipped)
        return f"done; {count_text(count)} skipped" if job.files > count else "skipped"

    def _stop(self, job: Job) -> None:
        task = self._tasks.pop(job.id, None)
        if task is not None:
            task.cancel()
        self._rates.pop(job.id, None)

    def _note(self) -> None:
        self._dirty = True

    async def _tick(self) -> None:
        """Call listeners and save, while anything changes."""
        loop = asyncio.get_running_loop()
        saved_at = float("-inf")
        idle = False
        while not idle:
            for job in self.jobs:
                if job.state is JobState.RUNNING and job.total_bytes:
                    rate = self._rates.setdefault(job.id, Rate())
                    rate.sample(loop.time(), job.done_bytes)
            if self._dirty or self._tasks:
                self._dirty = False
                for listener in self._listeners:
                    listener()
            if self._unsaved and (loop.time() - saved_at >= _SAVE_SECONDS or not self._tasks):
                self._unsaved = False
                saved_at = loop.time()
                await self._save()
            idle = not self._tasks and not self._dirty and not self._unsaved
            if not idle:
                await asyncio.sleep(TICK_SECONDS)

    def _ticked(self, ticking: asyncio.Task[None]) -> None:
        fault = None if ticking.cancelled() else ticking.exception()
        if fault is not None:  # nobody waits for it; the next change begins it anew
            self._host.local.keep_fault("".join(traceback.format_exception(fault)))

    async def _save(self) -> None:
        if not self._file.owned:
            return
        try:
            await self._file.write(self.jobs)
        except SftError as error:
            self._cannot_keep(error)
        else:
            self._dirty = self._dirty or self.unkept is not None
            self.unkept = None

    def _cannot_keep(self, error: SftError) -> None:
        """Go on without the disk; ``unkept`` says so."""
        if self.unkept is None:
            self._host.local.keep_fault("".join(traceback.format_exception(error)))
            self._dirty = True
        self.unkept = error
