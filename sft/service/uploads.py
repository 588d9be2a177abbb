"""May this be uploaded, or gone on with? What an upload is made from, and what is kept of one that was cut.

    begin → open_uploads → Upload.start → …
    begin (resume) → resume_upload → Upload.recall* → Upload.start → …

Rules. What ``begin`` checks is an early refusal only: the commit asks again, and who goes on is asked anew. Nothing is
written here.
"""

from __future__ import annotations

import hmac

from msgspec import Struct

from sft.errors import BadRequestError, ResumeRefusedError, UploadGoneError
from sft.limits import SEGMENT_BYTES, SEGMENT_CHUNKS, UPLOAD_RUNS
from sft.model.access import Caller, Permission
from sft.model.quotas import Usage
from sft.service.commits import Put, check_upload
from sft.service.path_lookup import PathLookup, require_path
from sft.service.quotas import Quotas, added_by, reserved_by
from sft.service.record_builder import RecordBuilder, blame_path
from sft.service.storage import FileStorage, sealed_key_of
from sft.service.upload import Plan, Point, UnfinishedUpload, Upload
from sft.service.use_case import query
from sft.store.files import files_by_file_id, newest_versions
from sft.store.row_types import UploadRow
from sft.store.rows import ReadTransaction
from sft.store.uploads import upload_of, uploads_by_id, uploads_of_user
from sft.store.users import key_by_id
from sft.vault.layout import sealed_size


@query(Permission.FILE_WRITE)
def begin(
    reading: ReadTransaction,
    caller: Caller,
    *,
    storage: FileStorage,
    path: str,
    file_id: bytes,
    version: int,
    size: int | None,
    upload_id: bytes | None = None,
    resume: Point | None = None,
    alive: Upload | None = None,
) -> Upload:
    """Announce an upload, or that one goes on; nothing is written yet.

    Args:
        file_id: drawn by the author of version 1.
        version: the version that the author saw, plus one.
        size: of the content; None where the author reads a pipe.
        upload_id: drawn by the client.
        resume: where one goes on that was begun with this id.
        alive: the same, as this process still has it; nobody else has it then.

    Raises:
        RequestError: the rule by which the commit would refuse it now.
        UploadGoneError: nothing is kept of it.
        ResumeRefusedError: what is kept is another content, ends elsewhere, or was begun as something else.
    """
    require_path(path)
    user_id, public_key = _author(reading, caller)
    with blame_path(path):
        places, records = PathLookup(reading), RecordBuilder(reading)
        place = places.one(path)
        newest = newest_versions(reading, places.files())
        current = None if place.file is None else newest[place.file.id]
        check_upload(
            records,
            caller,
            place,
            current,
            Put(file_id, version),
            id_is_known=bool(files_by_file_id(reading, [file_id])),
        )
    quotas = Quotas(records)
    owner_id = quotas.owner_of(place.file, caller)
    more = added_by(version, 0 if size is None else size)
    quotas.require_version(path, owner_id, version, more.size_bytes, own=more)
    prev = None if current is None else current.digest
    most_bytes = reading.policy.file_bytes
    plan = Plan(caller, user_id, public_key, path, file_id, version, size, prev, upload_id, owner_id, most_bytes)
    upload = Upload(storage, plan) if resume is None else _resumed(reading, storage, plan, resume, alive)
    if upload.wanted_bytes and upload is not alive:
        others = uploads_of_user(reading, user_id)
        if upload.resumption is None and upload.resumable:
            upload.replaces = tuple(row.object_id for row in others if row.upload_id == upload_id)
        upload.kept_before = tuple(_kept_of(row, owner_id) for row in others if row.upload_id != upload_id)
        if upload.resumption is None:
            upload.shortage = quotas.shortage(owner_id, more)
    return upload


def _resumed(reading: ReadTransaction, storage: FileStorage, plan: Plan, resume: Point, alive: Upload | None) -> Upload:
    row = None if plan.upload_id is None else _kept(reading, plan.caller, plan.upload_id)
    if row is None:
        raise UploadGoneError
    said = plan.resumable
    if (
        said is None
        or row.path != plan.path
        or any(getattr(said, field) != getattr(row, field) for field in said.__struct_fields__)
    ):
        raise ResumeRefusedError(path=plan.path, problem="it was begun as something else")
    if alive is not None:
        alive.take_over(plan, resume)
        return alive
    if not row.segments:
        raise UploadGoneError
    if row.segments * SEGMENT_CHUNKS != resume.chunks:
        raise ResumeRefusedError(path=plan.path, problem="it ends elsewhere")
    if not hmac.compare_digest(row.prefix, resume.digest):
        raise ResumeRefusedError(path=plan.path, problem="its content is another")
    if sealed_key_of(row).runs >= UPLOAD_RUNS:
        raise ResumeRefusedError(path=plan.path, problem="it was cut off too often")
    return Upload(storage, plan, row)


def _kept(reading: ReadTransaction, caller: Caller, upload_id: bytes) -> UploadRow | None:
    """Load what a caller may go on with; what belongs to another person, or another key, is not there."""
    row = None if caller.user_id is None else upload_of(reading, caller.user_id, upload_id)
    return row if row is not None and row.key_id == caller.key_id else None


def _kept_of(row: UploadRow, owner_id: int | None = None) -> UnfinishedUpload:
    """Say what is kept of an upload, and what of one owner's quota is reserved for it."""
    reserved = reserved_by(row) if row.owner_id == owner_id else Usage()
    return UnfinishedUpload(row.object_id, row.segments * sealed_size(SEGMENT_BYTES), reserved)


@query(Permission.FILE_WRITE)
def in_the_way(
    reading: ReadTransaction, caller: Caller, *, object_id: bytes, size: int
) -> tuple[tuple[UnfinishedUpload, ...], Usage]:
    """Return what of a person's can be gone on with, and by how much an open upload of theirs does not fit beside that.

    Args:
        size: of what came of it.
    """
    row = next(iter(uploads_by_id(reading, [object_id])), None)
    if row is None or row.owner_id is None or caller.user_id is None:
        return (), Usage()
    quotas = Quotas(RecordBuilder(reading))
    shortage = quotas.shortage(row.owner_id, added_by(row.version, size), beside=quotas.reserved_beside(row))
    others = uploads_of_user(reading, caller.user_id)
    return tuple(_kept_of(each, row.owner_id) for each in others if each.object_id != object_id), shortage


@query(Permission.VAULT_MANAGE)
def kept_of_user(reading: ReadTransaction, caller: Caller, *, user_id: int) -> list[UnfinishedUpload]:
    """Load what a person can go on with, the first to expire first."""
    del caller
    return [_kept_of(row) for row in uploads_of_user(reading, user_id)]


class UploadPoint(Struct, frozen=True):
    """After how many chunks an upload that was cut off can go on, and until when it is kept (Unix seconds)."""

    chunks: int
    expires_at: int


@query(Permission.FILE_WRITE)
def find(reading: ReadTransaction, caller: Caller, *, upload_id: bytes, alive: Upload | None = None) -> UploadPoint:
    """Find where an upload can go on.

    Args:
        alive: the upload, where this process still has it.

    Raises:
        UploadGoneError: nothing is kept of it, or it is another person's, or another key's.
    """
    row = _kept(reading, caller, upload_id)
    if row is None or row.expires_at is None:
        raise UploadGoneError
    chunks = row.segments * SEGMENT_CHUNKS if alive is None else alive.chunks
    if not chunks:
        raise UploadGoneError
    return UploadPoint(chunks, row.expires_at)


def _author(reading: ReadTransaction, caller: Caller) -> tuple[int, bytes]:
    key = None if caller.key_id is None else key_by_id(reading, caller.key_id)
    if caller.user_id is None or key is None:
        raise BadRequestError(problem="a file needs an author with a key")
    return caller.user_id, key.public_key
