"""Many files at once over one session: a few large ones, and small ones in a row behind one another.

Rules. An item that fails alone keeps its error, and the others go on. Cancelling ends everything that is in flight and leaves
nothing partial on either side. Results come in the order of the items.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from sft.client.api.files import make_folder
from sft.client.concurrency import finish_even_if_cancelled, gather_limited
from sft.client.session import Session
from sft.client.transfers.download import get_file
from sft.client.transfers.part_file import ConflictPolicy, Destination
from sft.client.transfers.plan import GetItem, PutItem
from sft.client.transfers.progress import NO_RESUMPTION, Report, Reporter, Resumption, TransferStage
from sft.client.transfers.same_here import found_here
from sft.client.transfers.sources import FileSource, PipeSource, UploadSource
from sft.client.transfers.target import Target
from sft.client.transfers.upload import FileUpload
from sft.client.trust import Verdict
from sft.errors import SftError
from sft.limits import SMALL_FILE_BYTES
from sft.model.records import File, Stored

SMALL_AT_ONCE: Final = 32
# Four that begin together, each with a step of credit, fill a session's; alone, one is granted more at once.
LARGE_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class PutResult:
    """What became of one item: ``stage`` is STORED, UNCHANGED or FAILED."""

    item: PutItem
    stage: TransferStage
    stored: Stored | None = None
    receipt: Path | None = None
    error: SftError | None = None
    seconds: float = 0.0
    resumption: Resumption = NO_RESUMPTION


@dataclass(frozen=True, slots=True)
class GetResult:
    """What became of one item: ``stage`` is VERIFIED, UNCHANGED (it was here already) or FAILED."""

    item: GetItem
    stage: TransferStage
    file: File | None = None
    verdict: Verdict | None = None
    local: Path | None = None
    signature: Path | None = None
    error: SftError | None = None
    resumption: Resumption = NO_RESUMPTION


async def put_all(
    session: Session,
    items: Sequence[PutItem],
    *,
    folders: Sequence[str] = (),
    replace: bool = False,
    if_version: int | None = None,
    jobs: int | None = None,
    report: Report | None = None,
) -> list[PutResult]:
    """Store files.

    Args:
        jobs: how many at once, at most; as many as suits their sizes, unless told.
        folders: made too, for they hold no file.
        replace: a file that is there becomes the version before.
        if_version: the version that each is made from.
        report: called with every step, on the reactor's thread.
    """

    async def put(index: int, item: PutItem) -> PutResult:
        reporter = Reporter(report, index, item.path, item.size)
        began = session.connection.reactor.seconds()
        opened: list[UploadSource] = []
        try:
            await finish_even_if_cancelled(session.pool.run(lambda: opened.append(_opened(session, item))))
            upload = FileUpload(
                session, opened[0], item.path, reporter,
                replace=replace, if_version=if_version, replaces=item.replaces,
            )  # fmt: skip
            kept = await upload.run()
        except SftError as error:
            reporter(TransferStage.FAILED)
            return PutResult(item, TransferStage.FAILED, error=error, resumption=reporter.resumption)
        finally:
            for source in opened:
                source.close()
        stage = TransferStage.UNCHANGED if kept.stored.unchanged else TransferStage.STORED
        seconds = session.connection.reactor.seconds() - began
        return PutResult(item, stage, kept.stored, kept.receipt, seconds=seconds, resumption=reporter.resumption)

    await gather_limited(SMALL_AT_ONCE, folders, lambda folder: make_folder(session, folder))
    results = await _by_size(items, put, jobs)
    await session.pool.run(session.versions_seen.flush)
    return results


async def get_all(
    session: Session,
    items: Sequence[GetItem],
    *,
    to: Path,
    folders: Sequence[tuple[str, ...]] = (),
    existing: ConflictPolicy = ConflictPolicy.REFUSE,
    with_signature: bool = False,
    accept_moved: bool = False,
    keep_parts: bool = True,
    jobs: int | None = None,
    report: Report | None = None,
) -> list[GetResult]:
    """Get files, verified, below a folder of this computer.

    Args:
        jobs: how many at once, at most; as many as suits their sizes, unless told.
        accept_moved: also what has another name than the signed one: ``verdict.moved_to`` says so.
        folders: made too, for they hold no file.
        existing: what becomes of a file that has the name already.
        with_signature: NAME.minisig is written beside each.
        keep_parts: what is not finished may be gone on with later.
    """
    destination = await session.pool.run(Destination, to)
    try:
        for parts in folders:
            await session.pool.run(destination.make, parts)

        def place(item: GetItem) -> Target:
            return Target(destination, item.parts, existing, with_signature, keep_parts)

        return await _get(session, items, place, report, accept_moved=accept_moved, jobs=jobs)
    finally:
        destination.close()


async def verify_all(session: Session, items: Sequence[GetItem], *, report: Report | None = None) -> list[GetResult]:
    """Read and judge files of the server, keeping nothing; also what was moved: ``verdict.moved_to`` says so."""
    return await _get(session, items, lambda _: None, report, accept_moved=True)


async def _get(
    session: Session,
    items: Sequence[GetItem],
    place: Callable[[GetItem], Target | None],
    report: Report | None,
    *,
    accept_moved: bool,
    jobs: int | None = None,
) -> list[GetResult]:
    async def get(index: int, item: GetItem) -> GetResult:
        reporter = Reporter(report, index, item.path, item.size)
        where, stage = place(item), TransferStage.VERIFIED
        try:
            got = None
            if where is not None and where.existing is ConflictPolicy.REFUSE:
                got = await found_here(session, item, where, accept_moved=accept_moved)
            if got is not None:
                stage = TransferStage.UNCHANGED
                reporter(stage, item.size)
            else:
                got = await get_file(session, item, where, reporter, accept_moved=accept_moved)
        except SftError as error:
            reporter(TransferStage.FAILED)
            return GetResult(item, TransferStage.FAILED, error=error, resumption=reporter.resumption)
        judged = got.file, got.verdict, got.local, got.signature
        return GetResult(item, stage, *judged, resumption=reporter.resumption)

    results = await _by_size(items, get, jobs)
    await session.pool.run(session.versions_seen.flush)
    return results


class _Sized(Protocol):
    @property
    def size(self) -> int | None:
        """Bytes; None while nobody knows."""


Item = TypeVar("Item", bound=_Sized)
R = TypeVar("R")


async def _by_size(items: Sequence[Item], act: Callable[[int, Item], Awaitable[R]], jobs: int | None) -> list[R]:
    """Act on large and small items side by side, each kind as many at a time as suits it; or on ``jobs`` of any size."""
    numbered = list(enumerate(items))
    if jobs is not None:
        return await gather_limited(jobs, numbered, lambda pair: act(*pair))
    large = [(n, item) for n, item in numbered if _is_large(item.size)]
    small = [(n, item) for n, item in numbered if not _is_large(item.size)]
    results: dict[int, R] = {}

    async def work(job: tuple[int, Iterable[tuple[int, Item]]]) -> None:
        at_once, those = job
        pairs = list(those)
        done = await gather_limited(at_once, pairs, lambda pair: act(*pair))
        results.update(zip((n for n, _ in pairs), done, strict=True))

    await gather_limited(2, [(LARGE_AT_ONCE, large), (SMALL_AT_ONCE, small)], work)
    return [results[n] for n, _ in numbered]


def _is_large(size: int | None) -> bool:
    return size is None or size > SMALL_FILE_BYTES


def _opened(session: Session, item: PutItem) -> UploadSource:
    if item.source is None:
        return PipeSource(sys.stdin.fileno(), session.clock)
    return FileSource(item.source, follow=item.follow, identity=item.identity)
