"""What a server acknowledged of a put: its receipt checked against what was sent, and kept."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from sft.client.freshness import Logged, require_in_log
from sft.client.receipts import ReceiptNote, keep_receipts
from sft.client.session import Session
from sft.crypto.comment import FileComment
from sft.errors import LocalDiskFullError, LocalFileError, ReceiptBadError, SignatureInvalidError
from sft.model.records import Stored


class UploadResult(Struct, frozen=True):
    """What an upload became, where its receipt lies, and where the log has it."""

    stored: Stored
    receipt: Path | None
    logged: Logged


class Acknowledged(Struct, frozen=True):
    """What the server says that it stored, beside what was signed; the path is where the file is now."""

    path: str
    stored: Stored
    sent: FileComment
    digest: bytes


def take_receipt(session: Session, text: str, answers: Sequence[Acknowledged]) -> list[UploadResult | ReceiptBadError]:
    """Hold a server to one receipt for all that it acknowledges, and keep it for each that it holds for (blocks)."""
    try:
        note = ReceiptNote(session.server_key, text)
    except SignatureInvalidError as error:
        return [ReceiptBadError(error.detail, path=each.path, server=session.server_name) for each in answers]
    log_size = session.log.told.checkpoint.size
    faults: dict[int, ReceiptBadError] = {}
    logged: dict[int, Logged] = {}
    for number, each in enumerate(answers):
        try:
            receipt = note.check(each.stored, each.sent, each.digest, log_size)
        except SignatureInvalidError as error:
            faults[number] = ReceiptBadError(error.detail, path=each.path, server=session.server_name)
        else:
            logged[number] = Logged(receipt.leaf, receipt.stored_at)
            sent = each.sent
            session.versions_seen.note(sent.file_id, each.stored.version, each.digest, sent.name, read=True)
    good = [each for number, each in enumerate(answers) if number not in faults]
    kept: list[Path | None] = [None] * len(good)
    # It is stored, whatever happens to its receipt here: the result says that none was kept.
    with contextlib.suppress(LocalDiskFullError, LocalFileError):
        kept = [*keep_receipts(session.state, note, [each.sent for each in good])] if good else []
    receipts = iter(kept)
    return [
        faults.get(number)
        or UploadResult(msgspec.structs.replace(each.stored, path=each.path), next(receipts), logged[number])
        for number, each in enumerate(answers)
    ]


async def take_answer(session: Session, answer: Acknowledged) -> UploadResult:
    """Take one answer; ReceiptBadError if its receipt does not hold."""
    (result,) = await session.pool.run(take_receipt, session, answer.stored.receipt, [answer])
    if isinstance(result, ReceiptBadError):
        raise result
    await require_in_log(session, [result.logged])
    return result
