"""Many files at once over one session: a few large ones, and small ones by groups.

Rules. An item that fails alone keeps its error, and the others go on. Cancelling ends everything that is in flight and leaves
nothing partial to be seen on either side. Results come in the order of the items.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace as replaced

from sft.client.api.files import make_folder
from sft.client.coming_back import was_cut_off
from sft.client.concurrency import finish_even_if_cancelled, gather_limited
from sft.client.session import Session
from sft.client.transfers.acknowledged import UploadResult
from sft.client.transfers.destination import Destination
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.download import DownloadResult, get_file
from sft.client.transfers.download_resume import drop_left
from sft.client.transfers.grouping import GET_GROUP_BYTES, PUT_GROUP_BYTES, got_bytes, groups_of, put_bytes
from sft.client.transfers.here_already import Here, look_here, write_signatures
from sft.client.transfers.no_room import NoRoom
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, PutItem
from sft.client.transfers.progress import NO_RESUMPTION, Report, Reporter, Resumption, TransferStage
from sft.client.transfers.received import ReceivedFiles
from sft.client.transfers.same import GetAsked, PutAsked, Step
from sft.client.transfers.small_gets import Getting, get_together
from sft.client.transfers.small_puts import store_signed, store_together
from sft.client.transfers.sources import FileSource, PipeSource, UploadSource
from sft.client.transfers.target import Target
from sft.client.transfers.there_already import found_there, look_there
from sft.client.transfers.upload import FileUpload, SignedContent
from sft.client.trust import Verdict
from sft.errors import LocalExistsError, PipeLostError, SftError
from sft.limits import SMALL_FILE_BYTES
from sft.model.records import File, Stored

FOLDERS_AT_ONCE: Final = 32
GROUPS_AT_ONCE: Final = 8  # of small files: some are read and signed here while others are with the server
# Four that begin together, each with a step of credit, fill a session's; alone, one is granted more at once.
LARGE_AT_ONCE: Final = 4


OnUnconfirmed = Callable[[int, SftError], None]


class PutResult(Struct, frozen=True):
    """What became of one item: ``stage`` is STORED, UNCHANGED or FAILED.

    Args:
        leaf: of the server's log, that says that it was stored.
    """

    item: PutItem
    stage: TransferStage
    stored: Stored | None = None
    receipt: Path | None = None
    error: SftError | None = None
    seconds: float = 0.0
    resumption: Resumption = NO_RESUMPTION
    leaf: int | None = None


class GetResult(Struct, frozen=True):
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
        jobs: how many large ones and groups of small ones at once, at most; as many as suits them, unless told.
        folders: made too, for they hold no file.
        replace: a file that is there becomes the version before.
        if_version: the version that each is made from.
        report: called with every step, on the reactor's thread.

    Returns:
        One result per item, in their order; then one, FAILED, for each folder that cannot be made.
    """
    digests = DigestCache(session.state, session.clock)
    full = NoRoom()

    def upload_of(numbered: tuple[int, PutItem]) -> FileUpload:
        index, item = numbered
        asked = PutAsked(item.path, replace, if_version, item.replaces)
        return FileUpload(session, asked, Reporter(report, index, item.path, item.size), digests)

    def untried(numbered: tuple[int, PutItem]) -> PutResult | None:
        item = numbered[1]
        refusal = full.refusal(item.size)
        return None if refusal is None else _put_result(item, upload_of(numbered), refusal, 0.0)

    async def put_small(group: Sequence[tuple[int, PutItem]]) -> list[PutResult]:
        return await _tried(group, untried, put_together)

    async def put_together(group: Sequence[tuple[int, PutItem]]) -> list[PutResult]:
        began = session.connection.reactor.seconds()
        uploads = [upload_of(each) for each in group]
        outcomes = await store_together(session, uploads, [partial(_opened, session, item) for _, item in group])
        seconds = session.connection.reactor.seconds() - began
        for (_, item), outcome in zip(group, outcomes, strict=True):
            full.note(outcome if isinstance(outcome, SftError) else None, item.size)
        return [
            await put_large(each) if outcome is None else _put_result(each[1], upload, outcome, seconds)
            for each, upload, outcome in zip(group, uploads, outcomes, strict=True)
        ]

    async def put_large(numbered: tuple[int, PutItem]) -> PutResult:
        began = session.connection.reactor.seconds()
        if (none := untried(numbered)) is not None:
            return none
        item, upload = numbered[1], upload_of(numbered)
        try:
            outcome: UploadResult | SftError = await _put_alone(session, item, upload)
        except SftError as error:
            full.note(error, item.size)
            outcome = error
        return _put_result(item, upload, outcome, session.connection.reactor.seconds() - began)

    async def make(folder: str) -> None:
        try:
            await make_folder(session, folder)
        except SftError as error:
            unmade.append(PutResult(PutItem(None, folder, None), TransferStage.FAILED, error=error))

    unmade: list[PutResult] = []
    await gather_limited(FOLDERS_AT_ONCE, folders, make)
    # What replaces a version that was seen differs from it.
    meant = [item.path for item in items if item.size is not None and item.source is not None and item.replaces is None]
    there = await look_there(session, meant)
    known: dict[int, PutResult] = {}
    if there.files:
        already = await found_there(session, items, there, digests)
        for index, found in already.items():
            item = items[index]
            Reporter(report, index, item.path, item.size)(TransferStage.UNCHANGED, item.size)
            known[index] = PutResult(item, TransferStage.UNCHANGED, found.stored, found.receipt, leaf=found.logged.leaf)
    results = await _by_size(items, put_small, put_large, jobs, known, (put_bytes, PUT_GROUP_BYTES))
    await session.pool.run(keep_seen, session, digests)
    return results + unmade


async def get_all(
    session: Session,
    items: Sequence[GetItem],
    *,
    to: Path,
    folders: Sequence[tuple[str, ...]] = (),
    existing: ConflictPolicy = ConflictPolicy.REFUSE,
    with_signature: bool = False,
    keep_parts: bool = True,
    jobs: int | None = None,
    report: Report | None = None,
    on_unconfirmed: OnUnconfirmed | None = None,
) -> list[GetResult]:
    """Get files, verified, below a folder of this computer.

    Args:
        jobs: how many large ones and groups of small ones at once, at most; as many as suits them, unless told.
        folders: made too, for they hold no file.
        existing: what becomes of a file that has the name already.
        with_signature: NAME.minisig is written beside each.
        keep_parts: what is not finished may be gone on with later.
        on_unconfirmed: told how many files the server does not know to have come, and why; they did.

    Returns:
        One result per item, in their order; then one, FAILED, for each folder that cannot be made.
    """
    destination = await session.pool.run(Destination, to)
    asked = GetAsked(destination.path, existing, with_signature)
    digests = DigestCache(session.state, session.clock)

    async def look(numbered: Sequence[tuple[int, GetItem]]) -> list[Here]:
        looked_for = [item for _, item in numbered]
        found = await look_here(session, looked_for, asked, digests)
        return await session.pool.run(write_signatures, destination, looked_for, found) if with_signature else found

    try:
        unmade = await session.pool.run(_make, destination, folders)

        def place(item: GetItem) -> Target:
            return Target(destination, item.parts, existing, with_signature, keep_parts, item.replaces)

        results = await _get(
            session, items, place, look, report,
            jobs=jobs, on_unconfirmed=on_unconfirmed,
        )  # fmt: skip
        await session.pool.run(keep_seen, session, digests)
        return results + unmade
    finally:
        destination.close()


def _make(destination: Destination, folders: Sequence[tuple[str, ...]]) -> list[GetResult]:
    failed: list[GetResult] = []
    for parts in folders:
        try:
            destination.make(parts)
        except SftError as error:
            failed.append(GetResult(GetItem("/".join(parts), parts, 0), TransferStage.FAILED, error=error))
    return failed


async def verify_all(session: Session, items: Sequence[GetItem], *, report: Report | None = None) -> list[GetResult]:
    """Read and judge files of the server, keeping nothing; also what was moved: ``verdict.moved_to`` says so."""

    async def look(numbered: Sequence[tuple[int, GetItem]]) -> list[Here]:
        return [Step.NEW] * len(numbered)

    results = await _get(session, items, lambda _: None, look, report)
    await session.pool.run(session.versions_seen.flush)
    return results


def keep_seen(session: Session, digests: DigestCache) -> None:
    """Keep what was learned of versions there and of files here (blocks)."""
    session.versions_seen.flush()
    digests.save()


async def _get(
    session: Session,
    items: Sequence[GetItem],
    place: Callable[[GetItem], Target | None],
    look: Callable[[Sequence[tuple[int, GetItem]]], Awaitable[list[Here]]],
    report: Report | None,
    *,
    jobs: int | None = None,
    on_unconfirmed: OnUnconfirmed | None = None,
) -> list[GetResult]:
    """Get what is not here already, and confirm to the server what was verified.

    Args:
        look: what is here of a group.
    """
    full = NoRoom()

    def untried(numbered: tuple[int, GetItem]) -> GetResult | None:
        refusal = full.refusal(numbered[1].size)
        return None if refusal is None else _get_result(getting_of(numbered), refusal, TransferStage.FAILED)

    async def get_small(group: Sequence[tuple[int, GetItem]]) -> list[GetResult]:
        return await _tried(group, untried, get_group)

    async def get_group(group: Sequence[tuple[int, GetItem]]) -> list[GetResult]:
        wanted = [getting_of(each) for each in group]
        here = await look(group)
        missing = [each for each, found in zip(wanted, here, strict=True) if isinstance(found, Step)]
        got = iter(await get_together(session, missing) if missing else [])
        results = [
            await ended(each, numbered, next(got))
            if isinstance(found, Step)
            else _get_result(each, found, TransferStage.UNCHANGED)
            for each, found, numbered in zip(wanted, here, group, strict=True)
        ]
        await received.add(_verified(results))
        for result in results:
            full.note(result.error, result.item.size)
        return results

    async def get_large(numbered: tuple[int, GetItem]) -> GetResult:
        if (none := untried(numbered)) is not None:
            return none
        each = getting_of(numbered)
        (found,) = await look([numbered])
        if not isinstance(found, Step):
            return _get_result(each, found, TransferStage.UNCHANGED)
        got: DownloadResult | SftError
        try:
            got = await get_file(session, each.item, each.place, each.report)
        except SftError as error:
            got = error
        result = await ended(each, numbered, got)
        full.note(result.error, result.item.size)
        await received.add(_verified([result]))
        return result

    async def ended(each: Getting, numbered: tuple[int, GetItem], got: DownloadResult | SftError) -> GetResult:
        if isinstance(got, LocalExistsError):  # somebody took the name meanwhile: perhaps another get of the same
            (found,) = await look([numbered])
            if isinstance(found, DownloadResult):
                if each.place is not None:
                    await session.pool.run(drop_left, session, each.item, each.place)
                return _get_result(each, found, TransferStage.UNCHANGED)
        return _get_result(each, got, TransferStage.VERIFIED)

    def getting_of(numbered: tuple[int, GetItem]) -> Getting:
        index, item = numbered
        return Getting(item, place(item), Reporter(report, index, item.path, item.size))

    received = ReceivedFiles(session)
    items = await session.pool.run(_as_seen, session, items)
    results = await _by_size(items, get_small, get_large, jobs, {}, (got_bytes, GET_GROUP_BYTES))
    await received.finish()
    if on_unconfirmed is not None and received.error is not None:
        on_unconfirmed(received.unconfirmed, received.error)
    return results


def _verified(results: Sequence[GetResult]) -> list[File]:
    return [each.file for each in results if each.stage is TransferStage.VERIFIED and each.file is not None]


def _as_seen(session: Session, items: Sequence[GetItem]) -> list[GetItem]:
    """Note what was seen of each by now (blocks); nothing is known of what was not listed."""
    highest = session.versions_seen.highest
    return [replaced(item, seen=highest(item.file_id)) if item.newest and item.file_id else item for item in items]


def _get_result(wanted: Getting, outcome: DownloadResult | SftError, stage: TransferStage) -> GetResult:
    if isinstance(outcome, SftError):
        wanted.report(TransferStage.FAILED)
        return GetResult(wanted.item, TransferStage.FAILED, error=outcome, resumption=wanted.report.resumption)
    if stage is TransferStage.UNCHANGED:
        wanted.report(stage, wanted.item.size)
    judged = outcome.file, outcome.verdict, outcome.local, outcome.signature
    return GetResult(wanted.item, stage, *judged, resumption=wanted.report.resumption)


async def _put_alone(session: Session, item: PutItem, upload: FileUpload) -> UploadResult:
    """Put what is large, or of unknown size: a pipe may turn out to be small.

    Raises:
        PipeLostError: the connection broke when some of the pipe was read.
        SftError: what else became of it.
    """
    pool = session.pool
    opened: list[UploadSource] = []

    def read_small(source: UploadSource) -> SignedContent | None:
        content = source.small()
        return None if content is None else upload.sign(content, source.require_unchanged(), source.unchanged)

    try:
        await finish_even_if_cancelled(pool.run(lambda: opened.append(_opened(session, item))))
        upload.report(TransferStage.SENDING, 0)
        await upload.look()
        source = opened[0]
        signed = await finish_even_if_cancelled(pool.run(read_small, source), source.give_up)
        if signed is None:
            return await upload.send(source)
        (outcome,) = await store_signed(session, [(upload, signed)])
        if isinstance(outcome, SftError):
            raise outcome
    except SftError as error:
        if was_cut_off(error) and any(isinstance(source, PipeSource) and source.was_read for source in opened):
            raise PipeLostError(error.detail, ref=error.ref) from error
        raise
    else:
        return outcome
    finally:
        for source in opened:
            source.close()


def _put_result(item: PutItem, upload: FileUpload, outcome: UploadResult | SftError, seconds: float) -> PutResult:
    if isinstance(outcome, SftError):
        upload.report(TransferStage.FAILED)
        return PutResult(item, TransferStage.FAILED, error=outcome, resumption=upload.report.resumption)
    stage = TransferStage.UNCHANGED if outcome.stored.unchanged else TransferStage.STORED
    resumption = upload.report.resumption
    return PutResult(
        item, stage, outcome.stored, outcome.receipt, leaf=outcome.logged.leaf, seconds=seconds, resumption=resumption
    )


class _Sized(Protocol):
    @property
    def path(self) -> str:
        """On the server."""

    @property
    def size(self) -> int | None:
        """Bytes; None while nobody knows."""


Item = TypeVar("Item", bound=_Sized)
R = TypeVar("R")


async def _tried(
    group: Sequence[tuple[int, Item]],
    untried: Callable[[tuple[int, Item]], R | None],
    act: Callable[[Sequence[tuple[int, Item]]], Awaitable[list[R]]],
) -> list[R]:
    """Act on those of a group that are worth a try; return a result for each, in its order."""
    refused = [untried(each) for each in group]
    left = [each for each, result in zip(group, refused, strict=True) if result is None]
    done = iter(await act(left) if left else [])
    return [next(done) if result is None else result for result in refused]


async def _by_size(
    items: Sequence[Item],
    act_on_small: Callable[[list[tuple[int, Item]]], Awaitable[Sequence[R]]],
    act_on_large: Callable[[tuple[int, Item]], Awaitable[R]],
    jobs: int | None,
    known: Mapping[int, R],
    grouping: tuple[Callable[[str, int], int], int],
) -> list[R]:
    """Act on large items one by one and on small ones by groups, side by side, as many at a time as suits each kind.

    Args:
        grouping: says what a small one takes of a group, by path and size, and how much a group has.
        jobs: so many large ones and groups at a time instead.
        known: results that are there already, by the place of their items.
    """
    numbered = [(n, item) for n, item in enumerate(items) if n not in known]
    large = [(n, item) for n, item in numbered if _is_large(item.size)]
    small = [(n, item) for n, item in numbered if not _is_large(item.size)]
    results: dict[int, R] = dict(known)

    async def do_large(one: tuple[int, Item]) -> None:
        results[one[0]] = await act_on_large(one)

    async def do_small(group: list[tuple[int, Item]]) -> None:
        results.update(zip((n for n, _ in group), await act_on_small(group), strict=True))

    weight_bytes, most_bytes = grouping
    groups = [*groups_of(small, lambda each: weight_bytes(each[1].path, each[1].size or 0), most_bytes)]
    kinds: list[tuple[int, list[Callable[[], Awaitable[None]]]]] = [
        (LARGE_AT_ONCE, [partial(do_large, each) for each in large]),
        (GROUPS_AT_ONCE, [partial(do_small, each) for each in groups]),
    ]
    if jobs is not None:
        kinds = [(jobs, [act for _, acts in kinds for act in acts])]
    await gather_limited(len(kinds), kinds, lambda kind: gather_limited(kind[0], kind[1], lambda act: act()))
    return [results[n] for n in range(len(items))]


def _is_large(size: int | None) -> bool:
    return size is None or size > SMALL_FILE_BYTES


def _opened(session: Session, item: PutItem) -> UploadSource:
    if item.source is None:
        return PipeSource(sys.stdin, session.clock)
    return FileSource(item.source, follow=item.follow, identity=item.identity)
