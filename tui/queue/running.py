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
from typing import Final

from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, PutItem
from sft.client.transfers.progress import Progress, Report, TransferStage
from sft.crypto.digests import blake2b_512
from sft.errors import ClientError, LocalExistsError, SftError
from sft.model.names import join_path, split_path
from sft.model.text import local_time
from tui.gateway import Gateway
from tui.queue.job import Direction, Failure, Job

_ENDED: Final = frozenset(
    {TransferStage.STORED, TransferStage.UNCHANGED, TransferStage.VERIFIED, TransferStage.FAILED}
)
_READ_BYTES: Final = 1 << 20


@dataclass
class RunResult:
    """What became of a run."""

    troubles: list[Failure] = field(default_factory=list)
    done: int = 0
    unchanged: int = 0
    version: int = 0
    judged: list[tuple[str, bool]] = field(
        default_factory=list
    )  # paths on the server, and whether they hold
    author: str = ""


class Run:
    """One run.

    Args:
        moved: called when the job's numbers change.
    """

    def __init__(
        self, gateway: Gateway, job: Job, *, moved: Callable[[], None], now: Callable[[], float]
    ) -> None:
        self._gateway = gateway
        self._job = job
        self._moved = moved
        self._now = now
        self.outcome = RunResult()
        self._only: frozenset[str] = frozenset()
        self._skipped: frozenset[str] = frozenset()

    async def go(self) -> RunResult:
        """Move everything that is still to be moved."""
        job = self._job
        job.done_files = job.done_bytes = 0
        self._only, self._skipped = frozenset(job.only), frozenset(job.skipped)
        if job.direction is Direction.PUT:
            await self._put()
        else:
            await self._get()
        return self.outcome

    # -- to the server -----------------------------------------------------------------------------------

    async def _put(self) -> None:
        job = self._job
        plan = await self._gateway.transfers.plan_put(
            job.names, to=job.to, safe_names=job.safe_names
        )
        for refused in plan.refused:
            if self._wanted(refused.name):
                self.outcome.troubles.append(Failure.of(refused.name, "", refused.error))
        items = [item for item in plan.items if self._wanted(item.path)]
        self._begin([item.size for item in items])
        in_place, aside = frozenset(job.replace), frozenset(job.beside)
        plain = [i for i in items if i.path not in in_place and i.path not in aside]
        replace = [i for i in items if i.path in in_place]
        beside = [self._beside(i) for i in items if i.path in aside]
        began = 0
        for group, is_replacing, folders in (
            (plain, False, plan.folders),
            (replace, True, []),
            (beside, False, []),
        ):
            if group or folders:
                await self._put_group(group, folders, began, replace=is_replacing)
            began += len(group)

    async def _put_group(
        self, items: Sequence[PutItem], folders: Sequence[str], began: int, *, replace: bool
    ) -> None:
        results = await self._gateway.transfers.put(
            items, folders=folders, replace=replace, report=self._reporter(items, began)
        )
        for result in results:
            if result.error is not None:
                source = str(result.item.source)
                self.outcome.troubles.append(Failure.of(source, result.item.path, result.error))
                continue
            self.outcome.done += 1
            self.outcome.unchanged += result.stage is TransferStage.UNCHANGED
            if result.stored is not None:
                self.outcome.version = result.stored.version

    def _beside(self, item: PutItem) -> PutItem:
        who = self._gateway.connection.user
        return dataclasses.replace(item, path=beside_path(item.path, who, self._now()))

    # -- from the server -----------------------------------------------------------------------------------

    async def _get(self) -> None:
        job = self._job
        plan = await self._gateway.transfers.plan_get(job.names)
        for refused in plan.refused:
            if self._wanted(refused.name):
                self.outcome.troubles.append(Failure.of(refused.name, refused.name, refused.error))
        items = [item for item in plan.items if self._wanted(item.path)]
        if job.version and len(items) == 1:
            items = [dataclasses.replace(items[0], version=job.version)]
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
        self,
        items: Sequence[GetItem],
        folders: Sequence[tuple[str, ...]],
        began: int,
        existing: ConflictPolicy,
    ) -> None:
        job, report = self._job, self._reporter(items, began)
        if job.direction is Direction.VERIFY:
            results = await self._gateway.transfers.verify(items, report=report)
        else:
            results = await self._gateway.transfers.get(
                items, to=Path(job.to), folders=folders, existing=existing, report=report
            )
        for result in results:
            path, error = result.item.path, result.error
            if isinstance(error, LocalExistsError) and await self._is_here(result.item):
                self.outcome.unchanged += 1
                self.outcome.done += 1
                continue
            if error is not None:
                self.outcome.troubles.append(Failure.of(path, path, error))
                if isinstance(error, ClientError) and error.exit_status == 7:  # noqa: PLR2004 - verification
                    self.outcome.judged.append((path, False))
                continue
            self.outcome.done += 1
            self.outcome.judged.append((path, True))
            if result.file is not None:
                self.outcome.version = result.file.version.number
                self.outcome.author = result.file.version.author

    async def _is_here(self, item: GetItem) -> bool:
        """Say whether the file that is in the way holds the very bytes that were asked for."""
        local = Path(self._job.to).joinpath(*item.parts)
        try:
            version = (await self._gateway.files.details(item.path, item.version)).file.version
            return await asyncio.to_thread(_holds, local, version.size, version.digest)
        except (SftError, OSError):
            return False

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
            if progress.stage in _ENDED:
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
    day = local_time(now, now=now).rpartition(" ")[0]
    return join_path(folder, f"{stem} ({who} {day}){dot}{ending}")


def _holds(path: Path, size: int, digest: bytes) -> bool:
    if path.is_symlink() or path.stat().st_size != size:
        return False
    running = blake2b_512()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            running.update(block)
    return running.digest() == digest
