"""One run of one job: plan, move, and say what became of each item.

Rules. What is done stays done: a run that is cancelled or breaks is begun again and finds the finished files there already (the
server says so for a put; for a get, equal bytes here are told by their digest). Nothing is decided for the person.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from sft.client.transfers.batch import GetResult, PutResult
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, GetPlan, PutItem, PutPlan
from sft.client.transfers.progress import Progress, Report, TransferStage
from sft.client.transfers.queue.job import Direction, Failure, Job, Moved
from sft.client.trust import SignatureState, Verdict
from sft.crypto.digests import blake2b_512
from sft.errors import LocalExistsError, PinChangedError, SftError, SignatureBadError, SignerUnknownError
from sft.model.names import join_path, split_path
from sft.model.records import File
from sft.model.text import day_text

_READ_BYTES: Final = 1 << 20
# What a version was found to be that did not hold; any other error says nothing of it.
_STATE_OF: Final[dict[type[SftError], SignatureState]] = {
    SignatureBadError: SignatureState.BAD,
    SignerUnknownError: SignatureState.UNKNOWN,
    PinChangedError: SignatureState.UNKNOWN,
}


class Transfers(Protocol):
    """Transfers with the server in use; cancelling leaves nothing partial."""

    async def plan_put(self, sources: Sequence[str], *, to: str, safe_names: bool = False) -> PutPlan:
        """Plan what is sent where; nothing is sent."""

    async def plan_get(self, names: Sequence[str], *, version: int = 0) -> GetPlan:
        """Plan what is fetched, version 0 being the newest of each file that is named; nothing is fetched."""

    async def put(
        self,
        items: Sequence[PutItem],
        *,
        folders: Sequence[str] = (),
        replace: bool = False,
        report: Report | None = None,
    ) -> list[PutResult]: ...

    async def get(
        self,
        items: Sequence[GetItem],
        *,
        to: Path,
        folders: Sequence[tuple[str, ...]] = (),
        existing: ConflictPolicy = ConflictPolicy.REFUSE,
        report: Report | None = None,
    ) -> list[GetResult]:
        """Get files, verified."""

    async def is_as_listed(self, item: GetItem) -> bool:
        """Return whether the digest that was listed is what the file's author signed."""

    async def verify(self, items: Sequence[GetItem], *, report: Report | None = None) -> list[GetResult]:
        """Read and judge files, keeping nothing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A version that was read to its end here, and what it was found to be."""

    file_id: bytes
    version: int
    state: SignatureState


@dataclass
class RunResult:
    """What became of a run."""

    failures: list[Failure] = field(default_factory=list)
    done: int = 0
    unchanged: int = 0
    version: int = 0
    judged: list[Judged] = field(default_factory=list)
    author: str = ""


class Run:
    """One run.

    Args:
        user: our name at the server: it tells apart what is kept beside another's file.
        moved: called when the job's numbers change.
    """

    def __init__(
        self, transfers: Transfers, job: Job, user: str, *, moved: Callable[[], None], now: Callable[[], float]
    ) -> None:
        self._transfers = transfers
        self._job = job
        self._user = user
        self._moved = moved
        self._now = now
        self.outcome = RunResult()
        self._only: frozenset[str] = frozenset()
        self._skipped: frozenset[str] = frozenset()

    async def go(self) -> RunResult:
        job = self._job
        job.done_files = job.done_bytes = 0
        if not job.only:
            job.moved, job.moved_files = (), 0
        self._only, self._skipped = frozenset(job.only), frozenset(job.skipped)
        if job.direction is Direction.PUT:
            await self._put()
        else:
            await self._get()
        return self.outcome

    # -- to the server -----------------------------------------------------------------------------------

    async def _put(self) -> None:
        job = self._job
        plan = await self._transfers.plan_put(job.names, to=job.to, safe_names=job.safe_names)
        for refused in plan.refused:
            if self._wanted(refused.name):
                self.outcome.failures.append(Failure.of(refused.name, "", refused.error))
        items = [item for item in plan.items if self._wanted(item.path)]
        self._begin([item.size for item in items])
        seen, aside = {one.path: one for one in job.replace}, frozenset(job.beside)
        decided = [
            self._beside(item) if item.path in aside else dataclasses.replace(item, replaces=seen.get(item.path))
            for item in items
        ]
        if not decided and not plan.folders:
            return
        results = await self._transfers.put(decided, folders=plan.folders, report=self._reporter(decided, 0))
        for result in results:
            if result.error is not None:
                source = str(result.item.source)
                self.outcome.failures.append(Failure.of(source, result.item.path, result.error))
                continue
            self.outcome.done += 1
            self.outcome.unchanged += result.stage is TransferStage.UNCHANGED
            if result.stored is not None:
                self.outcome.version = result.stored.version

    def _beside(self, item: PutItem) -> PutItem:
        return dataclasses.replace(item, path=beside_path(item.path, self._user, self._now()))

    # -- from the server -----------------------------------------------------------------------------------

    async def _get(self) -> None:
        job = self._job
        plan = await self._transfers.plan_get(job.names, version=job.version)
        for refused in plan.refused:
            if self._wanted(refused.name):
                self.outcome.failures.append(Failure.of(refused.name, refused.name, refused.error))
        items = [item for item in plan.items if self._wanted(item.path)]
        self._begin([item.size for item in items])
        if job.direction is Direction.VERIFY:
            await self._get_group(items, [], 0, ConflictPolicy.REFUSE)
            return
        aside = frozenset(job.beside)
        plain = [item for item in items if item.path not in aside]
        beside = [item for item in items if item.path in aside]
        if plain or plan.folders:
            await self._get_group(plain, plan.folders, 0, ConflictPolicy.REFUSE)
        if beside:
            await self._get_group(beside, [], len(plain), ConflictPolicy.KEEP_BOTH)

    async def _get_group(
        self, items: Sequence[GetItem], folders: Sequence[tuple[str, ...]], began: int, existing: ConflictPolicy
    ) -> None:
        job, report = self._job, self._reporter(items, began)
        if job.direction is Direction.VERIFY:
            results = await self._transfers.verify(items, report=report)
        else:
            results = await self._transfers.get(
                items, to=Path(job.to), folders=folders, existing=existing, report=report
            )
        for result in results:
            path, error = result.item.path, result.error
            if isinstance(error, LocalExistsError) and await self._is_here(result.item):
                self.outcome.unchanged += 1
                self.outcome.done += 1
                continue
            if error is not None:
                self.outcome.failures.append(Failure.of(path, path, error))
                if state := _STATE_OF.get(type(error)):
                    self.outcome.judged.append(Judged(result.item.file_id, result.item.version, state))
                continue
            self.outcome.done += 1
            if result.file is not None and result.verdict is not None:
                self._took(result.file, result.verdict)

    def _took(self, file: File, verdict: Verdict) -> None:
        self.outcome.judged.append(Judged(file.id, file.version.number, verdict.state))
        self.outcome.version, self.outcome.author = file.version.number, file.version.author
        if verdict.moved_to is not None:
            self._job.take_moved(Moved(file.path, verdict.signed_name))

    async def _is_here(self, item: GetItem) -> bool:
        """Return whether the file that is in the way holds the very bytes that were asked for."""
        local = Path(self._job.to).joinpath(*item.parts)
        try:
            is_same = await asyncio.to_thread(_holds, local, item.size, item.digest)
        except OSError:
            return False
        return is_same and await self._transfers.is_as_listed(item)

    # -- what is counted --------------------------------------------------------------------------------------

    def _wanted(self, path: str) -> bool:
        return path not in self._skipped and (not self._only or path in self._only)

    def _begin(self, sizes: Sequence[int | None]) -> None:
        self._job.files = len(sizes)
        self._job.total_bytes = sum(size or 0 for size in sizes)
        self._settled = [0] * len(sizes)
        self._moved()

    def _reporter(self, items: Sequence[PutItem] | Sequence[GetItem], began: int) -> Report:
        job = self._job

        def report(progress: Progress) -> None:
            index = began + progress.index
            done = progress.done_bytes
            if progress.stage.ended:
                job.done_files += progress.stage is not TransferStage.FAILED
                done = items[progress.index].size or done
            job.stage = progress.stage.value
            job.done_bytes += done - self._settled[index]
            self._settled[index] = done
            self._moved()

        return report


def beside_path(path: str, who: str, now: float) -> str:
    """Name what is kept beside a file of the same name: ``budget (max 3 May).xlsx``."""
    folder, name = split_path(path)
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    day = day_text(now, now)
    return join_path(folder, f"{stem} ({who} {day}){dot}{ending}")


def _holds(path: Path, size: int, digest: bytes) -> bool:
    if path.is_symlink() or path.stat().st_size != size:
        return False
    running = blake2b_512()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            running.update(block)
    return running.digest() == digest
