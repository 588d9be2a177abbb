"""When a file goes to the trash by itself: set, changed or taken back by its owner or an admin, signed.

Rules. It is the file's, not a version's: a replacement leaves it as it is. It ends in the trash, from where the file comes back
for as long as any deleted one; who brings it back has it without an expiry. The time is the server's clock.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import BadRequestError, ChangedSinceError
from sft.limits import EXPIRY_MOST_SECONDS
from sft.model.access import Caller, Permission
from sft.model.ending_events import ExpiryChanged
from sft.model.records import File
from sft.service.act_statement import AskedAct, require_statement
from sft.service.path_lookup import PathLookup, ResolvedPath, nothing_at, require_path
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_right
from sft.service.use_case import act
from sft.store.files import newest_versions
from sft.store.row_types import FileRow
from sft.store.rows import Transaction


class Expiry(Struct, frozen=True):
    """A file, by its id, at a path, and when it is to go to the trash; None is never."""

    caller: Caller
    path: str
    file_id: bytes
    expires_at: int | None
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        fields = {"file": self.file_id, "path": self.path, "expires_at": self.expires_at or 0}
        return AskedAct("expire", fields)


@act(Permission.FILE_DELETE, logs=(ExpiryChanged,))
def set_expiry(transaction: Transaction, item: Expiry) -> File:
    """Say when a file goes to the trash, and return it; the same again changes nothing.

    Raises:
        NotFoundError: no file is there.
        NotYoursError: it belongs to another.
        ChangedSinceError: another file is there now.
        BadRequestError: a moment that is over, or too far away.
    """
    stated = require_statement(transaction, item)
    require_path(item.path)
    now, ends = transaction.now, item.expires_at
    if ends is not None and not now < ends <= now + EXPIRY_MOST_SECONDS:
        raise BadRequestError(problem="a file does not expire in the past, nor after more than 100 years")
    records = RecordBuilder(transaction)
    file = require_expirable(records, item.caller, PathLookup(transaction).one(item.path))
    newest = newest_versions(transaction, [file])[file.id]
    if file.file_id != item.file_id:
        raise ChangedSinceError(
            path=item.path,
            author=records.name_of(newest.author_id),
            version=newest.number,
            stored_at=newest.stored_at,
            seen=newest.number,
        )
    if file.expires_at != ends:
        file = replace(file, expires_at=ends)
        transaction.rows.update([file])
        transaction.log(ExpiryChanged(by=item.caller, file_id=file.file_id, path=item.path, expires_at=ends, **stated))
    return records.file(file, newest)


def require_expirable(records: RecordBuilder, caller: Caller, place: ResolvedPath) -> FileRow:
    """Require the right to say when the file at a path goes to the trash; raises what ``set_expiry`` does."""
    if place.file is None:
        raise nothing_at(place.path)
    require_right(records, caller, Permission.FILE_DELETE, place.file, verb="set the expiry of", path=place.path)
    return place.file
