"""Small files to the server, several in one request: read, signed, sent and acknowledged together, each judged by itself.

Rules. What one of them meets is its own error; the others go on. The next group is read and signed, on the pool, while others
fly: what reads may wait for a disk or a net, what signs computes. A file that has grown since it was planned goes by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sft.client.concurrency import finish_even_if_cancelled, gather_limited
from sft.client.freshness import require_in_log
from sft.client.session import Session
from sft.client.transfers.acknowledged import Acknowledged, UploadResult, take_receipt
from sft.client.transfers.grouping import PUT_BYTES, PUT_GROUP_BYTES, groups_of
from sft.client.transfers.local_file import LocalFile
from sft.client.transfers.progress import TransferStage
from sft.client.transfers.proving import ShownProved, show_proved_files
from sft.client.transfers.sources import Stated, UploadSource
from sft.client.transfers.upload import FileUpload, SignedContent
from sft.errors import ReceiptBadError, RemoteProtocolError, RequestError, SftError
from sft.model.records import Stored
from sft.wire.messages import FilesStored, PutFiles, RefusedFile, SmallPut

_LOOKED_AT_ONCE: Final = 8

Opener = Callable[[], UploadSource]
Outcome = UploadResult | SftError
_Read = tuple[bytes, Stated, LocalFile | None]
"""A content, what else is signed of it, and the file that it was read from."""


async def store_together(
    session: Session, uploads: Sequence[FileUpload], openers: Sequence[Opener]
) -> list[Outcome | None]:
    """Store small files.

    Args:
        openers: open the source of each, on the pool; it is closed here.

    Returns:
        What became of each, in order; None where it is not small any more.
    """
    outcomes: list[Outcome | None] = [None] * len(uploads)
    for upload in uploads:
        upload.report(TransferStage.SENDING, 0)
    if any(upload.looks for upload in uploads):
        shown = await show_proved_files(session, [upload.path for upload in uploads])
        looks = await gather_limited(_LOOKED_AT_ONCE, list(zip(uploads, shown, strict=True)), _looked)
        outcomes = [*looks]
    signed = await _signed(session, uploads, openers, outcomes)
    ready = [(upload, content) for upload, content in zip(uploads, signed, strict=True) if content is not None]
    stored = iter(await store_signed(session, ready))
    return [outcome if content is None else next(stored) for outcome, content in zip(outcomes, signed, strict=True)]


async def store_signed(session: Session, ready: Sequence[tuple[FileUpload, SignedContent]]) -> list[Outcome]:
    """Store what is signed already; gives what became of each, in order."""
    outcomes = [await _found_there(*each) for each in ready]
    waiting = [each for each, outcome in zip(ready, outcomes, strict=True) if outcome is None]
    answers: list[Outcome] = []
    # Nearly always one request: sizes were known when these were put together.
    for group in groups_of(waiting, _weight_bytes, PUT_GROUP_BYTES):
        answers += await _sent(session, group)
    answered = iter(answers)
    return [next(answered) if outcome is None else outcome for outcome in outcomes]


async def _looked(one: tuple[FileUpload, ShownProved | SftError]) -> SftError | None:
    upload, shown = one
    try:
        await upload.look(shown)
    except SftError as error:
        return error
    return None


async def _signed(
    session: Session, uploads: Sequence[FileUpload], openers: Sequence[Opener], outcomes: list[Outcome | None]
) -> list[SignedContent | None]:
    """Read and sign what is to be sent, in one step; what cannot be read has its error among the outcomes."""
    opened: list[UploadSource] = []

    def read(opener: Opener) -> _Read | None:
        source = opener()
        opened.append(source)
        try:
            content = source.small()
            return None if content is None else (content, source.require_unchanged(), source.unchanged)
        finally:
            source.close()

    def read_all() -> list[_Read | None]:
        contents: list[_Read | None] = []
        for number, opener in enumerate(openers):
            contents.append(None)
            if outcomes[number] is None:
                try:
                    contents[-1] = read(opener)
                except SftError as error:
                    outcomes[number] = error
        return contents

    def hurry() -> None:
        for source in opened:
            source.give_up()

    contents = await finish_even_if_cancelled(session.pool.run(read_all), hurry)
    return await session.pool.compute(_sign_all, uploads, contents)


def _sign_all(uploads: Sequence[FileUpload], contents: Sequence[_Read | None]) -> list[SignedContent | None]:
    return [None if each is None else upload.sign(*each) for upload, each in zip(uploads, contents, strict=True)]


async def _found_there(upload: FileUpload, content: SignedContent) -> Outcome | None:
    try:
        return await upload.found_there(content)
    except SftError as error:
        return error


async def _sent(session: Session, group: Sequence[tuple[FileUpload, SignedContent]]) -> list[Outcome]:
    files = tuple(SmallPut(upload.path, content.signature, content.content) for upload, content in group)
    try:
        answer = await session.request(PutFiles, FilesStored, files=files)
    except SftError as error:
        return [error] * len(group)
    if len(answer.results) != len(group):
        raise RemoteProtocolError(f"{len(answer.results)} results for {len(group)} files")
    stored: list[Acknowledged] = []
    for (_, content), result in zip(group, answer.results, strict=True):
        if not isinstance(result, RefusedFile) and not result.unchanged:
            sent = content.comment
            version = Stored(sent.name, result.version, sent.size, content.digest, answer.receipt)
            stored.append(Acknowledged(sent.name, version, sent, content.digest))
    taken: list[UploadResult | ReceiptBadError] = []
    if stored:
        taken = await session.pool.run(take_receipt, session, answer.receipt, stored)
        try:
            await require_in_log(session, [each.logged for each in taken if isinstance(each, UploadResult)])
        except SftError as error:
            return [error] * len(group)
    kept: Iterator[UploadResult | ReceiptBadError] = iter(taken)
    outcomes: list[Outcome] = []
    for (upload, content), result in zip(group, answer.results, strict=True):
        if isinstance(result, RefusedFile):
            outcomes.append(RequestError.from_wire(result.code, result.values, result.ref))
        elif result.unchanged:
            outcomes.append(await _already_there(upload, content, result.version))
        else:
            outcomes.append(next(kept))
            if isinstance(outcomes[-1], UploadResult):
                upload.report(TransferStage.STORED, len(content.content))
    return outcomes


async def _already_there(upload: FileUpload, content: SignedContent, version: int) -> Outcome:
    try:
        return await upload.already_there(version, content.comment, content.digest)
    except SftError as error:
        return error


def _weight_bytes(ready: tuple[FileUpload, SignedContent]) -> int:
    upload, content = ready
    return PUT_BYTES + len(upload.path.encode()) + len(content.signature) + len(content.content)
