"""Which objects of the vault are being written: a row each, there before the first byte and gone with the commit.

    open_uploads → bytes → commit            or            open_uploads → bytes → removed → end_uploads
    open_uploads → segments → note_segments … cut … resume_upload → segments … → commit
                                                    or give_up_uploads → removed → end_uploads
    open_uploads → bytes → grow_uploads → bytes → … → commit           where nobody said how large it will be

Rules. Whether somebody may store at all, the upload's beginning and its commit ask, and its resuming here; the other acts are
the server's own. A row goes only when its object has a version, or is gone; one that was given up is as one that could never
be gone on with. So a start looks at these rows alone to find what a crash left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import BadRequestError, RequestError, UploadGoneError
from sft.limits import KEPT_SECONDS, OPEN_UPLOADS, SPACE_STEP_BYTES
from sft.model.access import Caller, Permission, operator_caller
from sft.model.events import UploadAdvanced, UploadEnded, UploadGivenUp, UploadGrown, UploadOpened, UploadResumed
from sft.model.quotas import Usage
from sft.service.quotas import Quotas, added_by, reserved_by
from sft.service.record_builder import RecordBuilder
from sft.service.storage import FileStorage, sealed_key_of, under_current_key
from sft.service.use_case import act, batch_act
from sft.store.row_types import UploadRow
from sft.store.rows import Transaction
from sft.store.uploads import upload_of, uploads_by_id
from sft.vault.vault import SealedKey

_AHEAD: Final = 8  # of what came so much more is reserved: an eighth


class Resumable(Struct, frozen=True):
    """What who goes on with an upload must say again."""

    upload_id: bytes
    key_id: int
    file_id: bytes
    version: int
    size: int


class OpenUpload(Struct, frozen=True):
    """An object that is going to be written; ``user_id`` is None where the server itself does.

    Attributes:
        owner_id: of whose quota its size is reserved; None where none is.
        version: that it will be.
        size: of its content, as far as that is known; one that ``grows`` says how far it is as it comes.
    """

    object_id: bytes
    user_id: int | None
    path: str
    caller: Caller = operator_caller()
    resumable: Resumable | None = None
    owner_id: int | None = None
    version: int = 0
    size: int = 0
    grows: bool = False


class EndUpload(Struct, frozen=True):
    """An object that is gone, and that no version names."""

    object_id: bytes
    caller: Caller = operator_caller()


class GrowUpload(Struct, frozen=True):
    """Of an object whose content's size nobody has said, so much came."""

    object_id: bytes
    size: int
    caller: Caller = operator_caller()


class SegmentsDone(Struct, frozen=True):
    """So many segments of an object are durable; ``prefix`` is the digest of the content in them."""

    storage: FileStorage
    object_id: bytes
    segments: int
    prefix: bytes
    key: SealedKey
    caller: Caller = operator_caller()


class ResumeUpload(Struct, frozen=True):
    """An upload is gone on with, behind the segments that its row named."""

    caller: Caller
    object_id: bytes
    segments: int


class GiveUp(Struct, frozen=True):
    """An upload is to be kept no more: if it is overdue by then, or whatever it is (``until`` None)."""

    object_id: bytes
    until: int | None = None
    caller: Caller = operator_caller()


@batch_act(Permission.VAULT_MANAGE, logs=(UploadOpened,))
def open_uploads(transaction: Transaction, items: Sequence[OpenUpload]) -> Sequence[RequestError | None]:
    """Note objects before their first bytes are written; of each return None, or why it is refused.

    One whose size does not fit a quota beside all that is reserved is refused, and reserves nothing.
    """
    outcomes: list[RequestError | None] = []
    rows: list[UploadRow] = []
    named: set[tuple[int, bytes]] = set()
    quotas = Quotas(RecordBuilder(transaction))
    for item in items:
        row = UploadRow(
            item.object_id,
            item.user_id,
            item.path,
            transaction.now,
            version=item.version,
            size=item.size,
            owner_id=item.owner_id,
            grows=int(item.grows),
        )
        outcome = _beyond_quota(quotas, row, row.size, announced=False)
        if item.resumable is not None and item.user_id is not None:
            name = item.user_id, item.resumable.upload_id
            if name in named or upload_of(transaction, *name) is not None:
                outcome = outcome or BadRequestError(problem="another upload has this id")
            named.add(name)
            said = {field: getattr(item.resumable, field) for field in Resumable.__struct_fields__}
            row = replace(row, **said, expires_at=transaction.now + KEPT_SECONDS)
        outcomes.append(outcome)
        if outcome is None:
            rows.append(row)
            quotas.reserve(row)
            transaction.log(UploadOpened(by=item.caller, object_id=item.object_id, path=item.path))
    transaction.rows.insert(rows)
    return outcomes


@batch_act(Permission.VAULT_MANAGE, logs=(UploadGrown,))
def grow_uploads(transaction: Transaction, items: Sequence[GrowUpload]) -> Sequence[int | RequestError]:
    """Reserve what came of uploads; where there is plenty of room a part more, so that not each batch asks.

    Nothing is taken ahead where others could need it: then each reserves what came of it.

    Returns:
        Of each how many bytes of it have their room; or why they have none, as ``open_uploads`` would say of a size.
    """
    found = {row.object_id: row for row in uploads_by_id(transaction, {item.object_id for item in items})}
    quotas = Quotas(RecordBuilder(transaction))
    outcomes: list[int | RequestError] = []
    changed: dict[bytes, UploadRow] = {}
    for item in items:
        row = found.get(item.object_id)
        if row is None:
            outcomes.append(UploadGoneError())
            continue
        row = changed.get(item.object_id, row)
        grown, refusal = row, None
        ahead = min(item.size // _AHEAD, SPACE_STEP_BYTES)
        for size, plenty in ((item.size + ahead, OPEN_UPLOADS * ahead), (item.size, 0)):
            grown = replace(row, size=max(row.size, size))
            refusal = _beyond_quota(quotas, row, size + plenty, announced=True)
            if refusal is None:
                break
        outcomes.append(grown.size if refusal is None else refusal)
        if refusal is None and grown != row:
            quotas.reserve(grown)
            changed[item.object_id] = grown
            transaction.log(UploadGrown(by=item.caller, object_id=item.object_id, path=row.path, size_bytes=grown.size))
    transaction.rows.update(list(changed.values()))
    return outcomes


def _beyond_quota(quotas: Quotas, row: UploadRow, size: int, *, announced: bool) -> RequestError | None:
    """Return why an upload has no room for a size; if it is ``announced``, what it reserves is part of that."""
    if row.owner_id is None:
        return None
    try:
        own, beside = (reserved_by(row), quotas.reserved_beside(row)) if announced else (Usage(), None)
        quotas.require(row.path, row.owner_id, added_by(row.version, size), own=own, beside=beside)
    except RequestError as refusal:
        return refusal
    return None


@batch_act(Permission.VAULT_MANAGE, logs=(UploadAdvanced,))
def note_segments(transaction: Transaction, items: Sequence[SegmentsDone]) -> Sequence[RequestError | None]:
    """Note what is durable of uploads; UploadGoneError of one that was given up."""
    found = {row.object_id: row for row in uploads_by_id(transaction, {item.object_id for item in items})}
    outcomes: list[RequestError | None] = []
    changed: list[UploadRow] = []
    for item in items:
        row = found.get(item.object_id)
        if row is None or row.upload_id is None:
            outcomes.append(UploadGoneError())
            continue
        try:
            # A rotation may have moved the row's key: only who writes the first one brings it.
            key = sealed_key_of(row) if row.segments else under_current_key(item.storage, item.object_id, item.key)
        except RequestError as refusal:
            outcomes.append(refusal)
            continue
        outcomes.append(None)
        changed.append(
            replace(
                row,
                segments=item.segments,
                prefix=item.prefix,
                epoch=key.epoch,
                sealed_key=key.sealed,
                later_keys=item.key.later,
                expires_at=transaction.now + KEPT_SECONDS,
            )
        )
        transaction.log(UploadAdvanced(by=item.caller, object_id=item.object_id, path=row.path, segments=item.segments))
    transaction.rows.update(changed)
    return outcomes


@act(Permission.FILE_WRITE, logs=(UploadResumed,))
def resume_upload(transaction: Transaction, item: ResumeUpload) -> None:
    """Keep an upload for its whole time from now on: it is gone on with.

    Raises:
        UploadGoneError: it was given up, is another's or another key's, or is not what it was when it was looked for.
    """
    caller = item.caller
    row = next(iter(uploads_by_id(transaction, [item.object_id])), None)
    if row is None or row.upload_id is None or (row.user_id, row.key_id) != (caller.user_id, caller.key_id):
        raise UploadGoneError
    if row.segments != item.segments:
        raise UploadGoneError
    transaction.rows.update([replace(row, expires_at=transaction.now + KEPT_SECONDS)])
    transaction.log(UploadResumed(by=caller, object_id=row.object_id, path=row.path, segments=row.segments))


@batch_act(Permission.VAULT_MANAGE, logs=(UploadGivenUp,))
def give_up_uploads(transaction: Transaction, items: Sequence[GiveUp]) -> Sequence[bool | RequestError]:
    """Let nobody go on with uploads any more; of each say whether its object is to be removed now."""
    found = {row.object_id: row for row in uploads_by_id(transaction, {item.object_id for item in items})}
    given: dict[bytes, UploadRow] = {}
    for item in items:
        row = found.get(item.object_id)
        if row is None or row.upload_id is None or item.object_id in given:
            continue
        if item.until is None or (row.expires_at is not None and row.expires_at <= item.until):
            given[item.object_id] = UploadRow(row.object_id, row.user_id, row.path, row.begun_at)
            transaction.log(
                UploadGivenUp(by=item.caller, object_id=row.object_id, path=row.path, segments=row.segments)
            )
    transaction.rows.update(list(given.values()))
    return [item.object_id in given for item in items]


@batch_act(Permission.VAULT_MANAGE, logs=(UploadEnded,))
def end_uploads(transaction: Transaction, items: Sequence[EndUpload]) -> Sequence[bool | RequestError]:
    """Forget objects that are gone; False where that was done."""
    found = {row.object_id: row for row in uploads_by_id(transaction, {item.object_id for item in items})}
    transaction.rows.delete(list(found.values()))
    for row in found.values():
        transaction.log(UploadEnded(by=operator_caller(), object_id=row.object_id, path=row.path))
    return [item.object_id in found for item in items]
