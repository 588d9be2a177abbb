"""Small files by the dozen: one request, one answer, and each file judged, refused and committed by itself.

Rules. What one file meets is that file's refusal, whatever it is; the others go on. A refusal of all of them (of the session's
rights, of how much it may hold) answers the request. What only computes runs on the
lane of the pool for that; contents that lie in files are written and read in one step on the pool.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.errors import ContentDamagedError, NotSmallError, OutcomeUnknownError, RequestError, RightsChangedError
from sft.limits import FILES_ANSWER_BYTES
from sft.model.evidence import Evidence
from sft.server.context import ServerContext
from sft.server.proofs import fitting, provable
from sft.server.refusal_log import log_refusal
from sft.server.said_begun import say_begun
from sft.server.transfer import TransferSession
from sft.server.uploads import discard_unwanted
from sft.service import downloads
from sft.service.downloads import Download
from sft.service.log.evidence import EvidenceBuilder
from sft.service.log.seen import place_seen
from sft.service.open_uploads import EndUpload, end_uploads, open_uploads
from sft.service.pending import Committed, Pending, Unwritten, acknowledge, put_small
from sft.store.downloads import FileVersionKey
from sft.wire import messages as m
from sft.wire.replies import REFUSAL_TEXT

_ARRAY_BYTES: Final = 2  # of an array that is not empty, beyond an empty one's
_LEAST_TEXT: Final = 8  # characters of each value: so cut, all refusals of a request fit its answer

T = TypeVar("T")


# -- to the server ----------------------------------------------------------------------------------------------


async def store_files(context: ServerContext, session: TransferSession, message: m.PutFiles) -> m.FilesStored:
    """Store each of the files, or refuse it; what is acknowledged is durable, with one receipt for all of it."""
    waiting, committing = await _begun(context, session, message)
    committed = iter(await committing)
    outcomes: list[Committed | Exception] = []
    for each in waiting:
        outcome = next(committed) if isinstance(each, Pending) else each
        outcomes.append(outcome)
        if isinstance(each, Pending) and _is_unwanted(outcome):
            await discard_unwanted(context, each)
    refused = [
        _refusal(context, session, outcome, request="PutFiles", path=file.path)
        if isinstance(outcome, Exception)
        else None
        for outcome, file in zip(outcomes, message.files, strict=True)
    ]
    return _stored(session, message.id, outcomes, refused)


async def _begun(
    context: ServerContext, session: TransferSession, message: m.PutFiles
) -> tuple[Sequence[Pending | Exception], Deferred[list[Committed | Exception]]]:
    """Check the files and hand those that pass to the writer."""
    group = context.group_commit
    with group.checking():
        prepare = partial(_prepared, session, message.files)
        prepared = prepare() if _on_reactor(context, message) else await context.pool.compute(prepare)
        in_memory = [each for each in prepared if not isinstance(each, Unwritten)]
        if len(in_memory) == len(prepared):
            return in_memory, group.act(_passed(in_memory), checked=len(in_memory))
    written = await _written(context, prepared)
    return written, group.act(_passed(written), checked=len(written))


def _passed(waiting: Sequence[Pending | Exception]) -> list[tuple[Pending, int]]:
    return [(each, each.weight_bytes) for each in waiting if isinstance(each, Pending)]


def _on_reactor(context: ServerContext, message: m.PutFiles) -> bool:
    """Say whether the checks are so few that another thread would cost as much, and read nothing."""
    if len(message.files) > 1 or context.pool.crypto_in_pool:
        return False
    seen = place_seen(message.files[0].signature)
    return seen is None or seen[1] == 0 or context.ledger.remembers(seen[1])


def _prepared(session: TransferSession, files: Sequence[m.SmallPut]) -> list[Pending | Unwritten | Exception]:
    return [
        _outcome(
            partial(
                put_small,
                session.storage,
                session.caller,
                session.public_key,
                path=file.path,
                signature=file.signature,
                content=file.content,
            )
        )
        for file in files
    ]


async def _written(
    context: ServerContext, prepared: Sequence[Pending | Unwritten | Exception]
) -> list[Pending | Exception]:
    """Write what is too large for the database, each file announced before."""
    large = [each for each in prepared if isinstance(each, Unwritten)]
    opened = await context.act_all(open_uploads, [(each.announcement, 0) for each in large])

    def write() -> list[Pending | Exception]:
        return [
            outcome if isinstance(outcome, Exception) else _outcome(small.write)
            for small, outcome in zip(large, opened, strict=True)
        ]

    written = await context.pool.run(write)
    failed = [
        small.object_id
        for small, began, outcome in zip(large, opened, written, strict=True)
        if began is None and isinstance(outcome, Exception)
    ]
    await context.act_all(end_uploads, [(EndUpload(object_id), 0) for object_id in failed])
    ended = iter(written)
    return [next(ended) if isinstance(each, Unwritten) else each for each in prepared]


def _is_unwanted(outcome: Committed | Exception) -> bool:
    """Say whether an object is to be removed: not where nobody knows whether its row is durable."""
    if isinstance(outcome, Exception):
        return not isinstance(outcome, OutcomeUnknownError)
    return outcome.unchanged


def _stored(
    session: TransferSession,
    request_id: int,
    outcomes: Sequence[Committed | Exception],
    refused: Sequence[RequestError | None],
) -> m.FilesStored:
    committed = [each for each in outcomes if isinstance(each, Committed)]
    receipt = acknowledge(session.storage, committed) if committed else ""
    most = REFUSAL_TEXT
    while True:
        results = tuple(
            m.StoredFile(outcome.receipt.version, outcome.unchanged)
            if isinstance(outcome, Committed)
            else m.RefusedFile.of(_known(refusal), most)
            for outcome, refusal in zip(outcomes, refused, strict=True)
        )
        answer = m.FilesStored(request_id, results, receipt)
        if most <= _LEAST_TEXT or committed == outcomes or m.fits(answer):
            return answer
        most //= 4


# -- from the server ----------------------------------------------------------------------------------------------


async def send_files(context: ServerContext, session: TransferSession, message: m.GetFiles) -> None:
    """Send the contents of the first so many of the files that one answer holds, or refuse each."""
    session.share.begin_download()
    try:
        for frame in await _read_files(context, session, message):
            session.send(frame)
    finally:
        session.share.end_download()


async def _read_files(context: ServerContext, session: TransferSession, message: m.GetFiles) -> list[m.FilesContent]:
    sessions, caller = context.sessions, session.caller
    changes = sessions.changes(caller.user_id)
    begun: set[FileVersionKey] = set()
    wanted_files = message.files[: provable([each.path for each in message.files])]
    proof_fits = False
    while not proof_fits:
        (found, contents), evidence = await session.proved(
            lambda builder: _read(context, session, wanted_files, builder, begun)  # noqa: B023 - called at once
        )
        # Many folders made far apart take more than a frame to prove: then fewer files are answered.
        proof_fits = len(found) == 1 or m.fits(m.FilesContent(message.id, (), evidence))
        wanted_files = wanted_files[: len(found) // 2]
    if sessions.changes(caller.user_id) != changes:
        raise RightsChangedError(problem="Your rights changed")
    results: list[m.FileContent | m.RefusedFile] = []
    for wanted, download, content in zip(message.files, found, contents, strict=False):
        if isinstance(download, Download) and isinstance(content, bytes):
            results.append(m.FileContent(download.file, content))
        else:
            about = {} if isinstance(download, RequestError) else {"object": download.object_id.hex()}
            error = content if isinstance(content, Exception) else RuntimeError("a file without content")
            refusal = _refusal(context, session, error, request="GetFiles", path=wanted.path, **about)
            results.append(m.RefusedFile.of(refusal))
    answer = _frames(message.id, results, evidence)
    files = [each.file for frame in answer for each in frame.results if isinstance(each, m.FileContent)]
    got = [{"path": each.path, "version": each.version.number, "size": each.version.size} for each in files]
    if got:
        context.event_log.note_each("getting", {"session": session.session_id, "by": caller.name}, got)
    return answer


async def _read(
    context: ServerContext,
    session: TransferSession,
    files: Sequence[m.WantedFile],
    builder: EvidenceBuilder | None,
    begun: set[FileVersionKey],
) -> tuple[list[Download | RequestError], list[bytes | Exception]]:
    """Find and open; what can be sent is in the log when this ends, once however often it is read (``begun``)."""
    found = await _find(session, files, builder)
    contents = await _opened(context, found)
    await _follow(context, session, files, found, contents, builder)
    leaving = {
        (each.file.id, each.file.version.number): each.file.version.digest
        for each, content in zip(found, contents, strict=True)
        if isinstance(each, Download) and isinstance(content, bytes)
    }
    new = {key: digest for key, digest in leaving.items() if key not in begun}
    if new:
        await say_begun(context, session, new)
        begun.update(new)
    return found, contents


async def _find(
    session: TransferSession, files: Sequence[m.WantedFile], builder: EvidenceBuilder | None
) -> list[Download | RequestError]:
    return await session.read(
        downloads.begin_many,
        storage=session.storage,
        files=[(file.path, file.version) for file in files],
        room_bytes=FILES_ANSWER_BYTES - session.proof_bytes,
        builder=builder,
    )


async def _opened(context: ServerContext, found: Sequence[Download | RequestError]) -> list[bytes | Exception]:
    if any(isinstance(each, Download) and not each.inline for each in found):
        return await context.pool.run(_contents, found)
    return _contents(found)


def _contents(found: Sequence[Download | RequestError]) -> list[bytes | Exception]:
    return [each if isinstance(each, RequestError) else _outcome(each.whole) for each in found]


async def _follow(
    context: ServerContext,
    session: TransferSession,
    files: Sequence[m.WantedFile],
    found: list[Download | RequestError],
    contents: list[bytes | Exception],
    builder: EvidenceBuilder | None,
) -> None:
    """Read once more what is not as its row said: ``rotate-key --reencrypt`` may have moved it between the two."""
    tried: set[bytes] = set()
    while True:
        moved = [
            n
            for n, (each, content) in enumerate(zip(found, contents, strict=True))
            if isinstance(content, ContentDamagedError) and isinstance(each, Download) and each.object_id not in tried
        ]
        if not moved:
            return
        for n in moved:
            each = found[n]
            tried |= {each.object_id} if isinstance(each, Download) else set()
        again = await _find(session, [files[n] for n in moved], builder)
        for n, each, content in zip(moved, again, await _opened(context, again), strict=False):
            found[n], contents[n] = each, content


def _frames(
    request_id: int, results: Sequence[m.FileContent | m.RefusedFile], evidence: Evidence | None
) -> list[m.FilesContent]:
    """Divide an answer into frames; a file that fits none by itself is got alone."""
    first = fitting(m.FilesContent(request_id, (), evidence, more=True))
    whole = m.MESSAGE_BYTES - m.encoded_bytes(m.FilesContent(request_id, (), more=True)) - _ARRAY_BYTES
    left = m.MESSAGE_BYTES - m.encoded_bytes(first) - _ARRAY_BYTES
    parts: list[list[m.FileContent | m.RefusedFile]] = [[]]
    for result in results:
        part, size = result, m.encoded_bytes(result)
        if size > whole:
            part, size = _without_content(result)
        if size > left:
            parts.append([])
            left = whole
        parts[-1].append(part)
        left -= size
    return [
        m.FilesContent(request_id, tuple(part), None if n else evidence, more=n < len(parts) - 1)
        for n, part in enumerate(parts)
    ]


def _without_content(result: m.FileContent | m.RefusedFile) -> tuple[m.RefusedFile, int]:
    refused = (
        m.RefusedFile.of(NotSmallError(path=result.file.path))
        if isinstance(result, m.FileContent)
        else m.RefusedFile(result.code, {}, result.ref)
    )
    return refused, m.encoded_bytes(refused)


# -- each by itself ------------------------------------------------------------------------------------------------


def _outcome(step: Callable[[], T]) -> T | Exception:
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this file's alone
        return error


def _refusal(context: ServerContext, session: TransferSession, error: Exception, **about: object) -> RequestError:
    """Write the line of one file's refusal; that it is to be got by itself is none."""
    refusal = session.refusal_of(Failure(error), **about)
    if not isinstance(refusal, NotSmallError):
        log_refusal(context, session.caller, refusal, **about)
    return refusal


def _known(refusal: RequestError | None) -> RequestError:
    if refusal is None:
        raise RuntimeError("a file that is neither stored nor refused")
    return refusal
