"""One run of one job: plan, move, and say what became of each item.

Rules. What is done stays done: a run that is cancelled or breaks is begun again and finds the finished files there already (the
server says so for a put; for a get, equal bytes here are told by their digest). Nothing is decided for the person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from msgspec import structs

from sft.client.transfers.batch import GetResult, PutResult
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, GetPlan, PutItem, PutPlan
from sft.client.transfers.progress import Progress, Report, TransferStage
from sft.client.transfers.queue.in_the_way import digest_of, look_at, put_in_place
from sft.client.transfers.queue.job import Direction, Failure, Job, Moved, Taken
from sft.client.trust import SignatureState, Verdict
from sft.errors import LocalExistsError, PinChangedError, SftError, SignatureBadError, SignerUnknownError
from sft.model.names import join_path, split_path
from sft.model.records import File
from sft.model.text import day_text

# What a version was found to be that did not hold; any other error says nothing of it.
_STATE_OF: Final[dict[type[SftError], SignatureState]] = {
    SignatureBadError: SignatureState.BAD,
    SignerUnknownError: SignatureState.UNKNOWN,
    PinChangedError: SignatureState.UNKNOWN,
}


def state_after(error: SftError) -> SignatureState | None:
    """Return what a version was found to be that was read and refused; None where an error says nothing of it."""
    return _STATE_OF.get(type(error))


class Transfers(Protocol):
    """Transfers with the server in use; cancelling shows nothing partial."""

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

    async def verify(self, items: Sequence[GetItem], *, report: Report | None = None) -> list[GetResult]:
        """Read and judge files, keeping nothing."""

    async def expire(self, paths: Sequence[str], expires_at: int) -> list[tuple[str, SftError]]:
        """Have files go to the trash by themselves, at a moment; return those of which that could not be said, and why."""

    async def is_earlier(self, item: GetItem, size: int, digest: bytes) -> bool:
        """Return whether these bytes are an earlier version of a file, as its signature says; SftError if none can tell."""


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
    expires_at: int = 0  # of what was stored; 0 is never
    unexpiring: int = 0  # stored, and what was asked for of their expiry could not be said


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
        self._older: list[GetItem] = []

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
            self._beside(item) if item.path in aside else structs.replace(item, replaces=seen.get(item.path))
            for item in items
        ]
        if not decided and not plan.folders:
            return
        results = await self._transfers.put(decided, folders=plan.folders, report=self._reporter(decided, 0))
        taken: list[Taken] = []
        stored: dict[str, str] = {}
        for result in results:
            if result.error is not None:
                source = str(result.item.source or result.item.path)
                self.outcome.failures.append(Failure.of(source, result.item.path, result.error))
                continue
            self.outcome.done += 1
            self.outcome.unchanged += result.stage is TransferStage.UNCHANGED
            if result.stored is not None:
                self.outcome.version = result.stored.version
                taken.append(Taken(str(result.item.source), result.item.path, result.stored.version))
                stored[result.stored.path] = str(result.item.source)
        self._job.take(taken)
        if job.expires_seconds and stored:
            await self._expire(stored)

    async def _expire(self, stored: Mapping[str, str]) -> None:
        """Say when what was stored goes to the trash: by its path, with what it was here."""
        expires_at = int(self._now()) + self._job.expires_seconds
        refused = await self._transfers.expire([*stored], expires_at)
        # What a lost connection kept from being said is said by the next run, which finds the file there already.
        lost = [Failure.of(stored[path], path, error) for path, error in refused]
        self.outcome.failures += [failure for failure in lost if failure.is_connection]
        self.outcome.unexpiring = len(refused)
        self.outcome.expires_at = expires_at if len(refused) < len(stored) else 0

    def _beside(self, item: PutItem) -> PutItem:
        return structs.replace(item, path=beside_path(item.path, self._user, self._now()))

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
        aside, in_place = frozenset(job.beside), frozenset(seen.path for seen in job.replace)
        plain = [item for item in items if item.path not in aside and item.path not in in_place]
        beside = [item for item in items if item.path in aside]
        replace = [item for item in items if item.path in in_place]
        if plain or plan.folders:
            await self._get_group(plain, plan.folders, 0, ConflictPolicy.REFUSE)
        if beside:
            await self._get_group(beside, [], len(plain), ConflictPolicy.KEEP_BOTH)
        if replace:
            await self._replace(replace, len(plain) + len(beside))
        if self._older:
            # Each was counted as over when its name was taken.
            job.done_bytes -= sum(item.size for item in self._older)
            self._settled += [0] * len(self._older)
            await self._replace(self._older, len(items))

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
            if isinstance(result.error, LocalExistsError):
                await self._judge_what_is_here(result.item, result.error)
            else:
                self._got(result)
        job.take(await asyncio.to_thread(taken_of, results))

    async def _replace(self, items: Sequence[GetItem], began: int) -> None:
        """Get files beside those that are here, whole and verified, then put each in the place of the one it replaces."""
        here = [await asyncio.to_thread(look_at, self._local(item)) for item in items]
        results = await self._transfers.get(
            items, to=Path(self._job.to), existing=ConflictPolicy.KEEP_BOTH, report=self._reporter(items, began)
        )
        for number, (result, found) in enumerate(zip(results, here, strict=True)):
            old = self._local(result.item)
            if result.local is not None:
                mark = None if found is None else found.mark
                if not await asyncio.to_thread(put_in_place, result.local, old, mark):
                    self._conflict(result.item, LocalExistsError(path=str(old)))
                    continue
                results[number] = structs.replace(result, local=old)
            self._got(result)
        self._job.take(await asyncio.to_thread(taken_of, results))

    def _got(self, result: GetResult) -> None:
        path = result.item.path
        if result.error is not None:
            self.outcome.failures.append(Failure.of(path, path, result.error))
            if state := state_after(result.error):
                self.outcome.judged.append(Judged(result.item.file_id, result.item.version, state))
            return
        self.outcome.done += 1
        self.outcome.unchanged += result.stage is TransferStage.UNCHANGED
        if result.file is not None:
            self._took(result.file, result.verdict)

    async def _judge_what_is_here(self, item: GetItem, error: LocalExistsError) -> None:
        """Find out whether a file that is in the way holds an earlier version of what was asked for."""
        local = self._local(item)
        found = await asyncio.to_thread(look_at, local)
        try:
            digest = b"" if found is None else await asyncio.to_thread(digest_of, local)
        except OSError:
            found = None
        if found is None:
            self._conflict(item, error)
        elif await self._is_earlier(item, found.size, digest):
            self._older.append(item)
        else:
            self._conflict(item, error)

    async def _is_earlier(self, item: GetItem, size: int, digest: bytes) -> bool:
        try:
            return await self._transfers.is_earlier(item, size, digest)
        except SftError:
            return False  # whoever cannot be asked vouches for nothing: the person decides

    def _conflict(self, item: GetItem, error: LocalExistsError) -> None:
        """Leave it to the person, with what a comparison needs."""
        about = {"version": item.version, "size": item.size, "author": item.author, "dated_at": item.dated_at}
        failure = Failure.of(item.path, item.path, error)
        self.outcome.failures.append(structs.replace(failure, values={**failure.values, **about}))

    def _local(self, item: GetItem) -> Path:
        return Path(self._job.to).joinpath(*item.parts)

    def _took(self, file: File, verdict: Verdict | None) -> None:
        # What is here already was judged by an earlier run.
        state = SignatureState.VERIFIED if verdict is None else verdict.state
        self.outcome.judged.append(Judged(file.id, file.version.number, state))
        self.outcome.version, self.outcome.author = file.version.number, file.version.author
        if verdict is not None and verdict.moved_to is not None:
            self._job.take_moved(Moved(file.path, verdict.signed_name))

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


def taken_of(results: Sequence[GetResult]) -> list[Taken]:
    """Return which versions lie on this computer now (blocks)."""
    return [
        Taken(str(result.local), result.item.path, result.file.version.number, _changed_ns(result.local, result.file))
        for result in results
        if result.local is not None and result.file is not None and result.error is None
    ]


def _changed_ns(local: Path, file: File) -> int:
    """Return when a file was last changed that is still as it was got, size and date; 0 for any other."""
    try:
        found = local.lstat()
    except OSError:
        return 0
    as_got = (found.st_size, found.st_mtime_ns) == (file.version.size, file.version.dated_at * 10**9)
    return found.st_ctime_ns if as_got else 0
