"""Destroying before its time, by owner or admin: what lies in the trash, and an old version of a file.

Rules. It is a person's signed act and a leaf, and nothing brings it back. What was in the trash is marked here, and destroyed
page by page as what has ended there (``sft.service.maintenance.purging``). Of a version the content goes at once and its row
stays, so the log, signatures and proofs of later versions hold as before. The newest one is what the file is: it goes with it.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import ChangedSinceError, NewestVersionError
from sft.model.access import Caller, Permission
from sft.model.ending_events import FilePurgeBegun, VersionsDestroyed
from sft.model.events import FolderPurgeBegun
from sft.model.records import Destroyed, TrashSeen
from sft.model.seen_fields import trash_fields
from sft.service.act_statement import AskedAct, require_statement
from sft.service.files import no_version
from sft.service.path_lookup import PathLookup, folded_path, nothing_at, require_path
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_right
from sft.service.trashed import seen_in_trash
from sft.service.use_case import act
from sft.service.version_contents import count_kept, destroy_contents
from sft.store.criteria import PURGING_STATE
from sft.store.figures import FigureChanges
from sft.store.files import newest_versions, versions_at
from sft.store.row_types import FileRow
from sft.store.rows import Transaction


class TrashDestruction(Struct, frozen=True):
    """What was seen in the trash at a path, which is to be destroyed."""

    caller: Caller
    path: str
    seen: TrashSeen
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("destroy", {**trash_fields(self.seen), "path": self.path})


class VersionDestruction(Struct, frozen=True):
    """A version of a file, by its id, at a path, whose content is to be destroyed."""

    caller: Caller
    path: str
    file_id: bytes
    version: int
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("destroy-version", {"file": self.file_id, "version": self.version, "path": self.path})


@act(Permission.FILE_DELETE, logs=(FilePurgeBegun, FolderPurgeBegun))
def destroy_trashed(transaction: Transaction, item: TrashDestruction) -> Destroyed:
    """Have what was deleted from a path destroyed, or what lies there in a folder that was deleted with it.

    Raises:
        NotFoundError: nothing was deleted there.
        TrashChangedError: it is not what was seen.
        NotYoursError: only what belongs to others was.
        HandingOverError: a folder in which something is still being handed over to the caller.
    """
    stated = require_statement(transaction, item)
    require_path(item.path)
    records = RecordBuilder(transaction)
    row, seen = seen_in_trash(records, item.caller, item.path, item.seen, verb="destroy").row, item.seen
    ending = {
        "state": PURGING_STATE,
        "trashed_at": row.trashed_at or transaction.now,
        "trashed_by_id": row.trashed_by_id if row.trashed_at else item.caller.user_id,
        "trashed_path": item.path,
        "trashed_folded": folded_path(item.path),
    }
    figures = FigureChanges(transaction)
    by = item.caller
    if isinstance(row, FileRow):
        figures.take_file(row)
        transaction.rows.update([replace(row, folder_id=None, **ending)])
        transaction.log(
            FilePurgeBegun(
                by=by, file_id=row.file_id, path=item.path, version=row.newest, trashed_at=seen.trashed_at, **stated
            )
        )
        destroyed = Destroyed(item.path, 1, 0)
    else:
        figures.take_folder(row)
        transaction.rows.update([replace(row, parent_id=None, **ending)])
        inside = {"files": seen.files, "folders": seen.folders, "trashed_at": seen.trashed_at}
        transaction.log(FolderPurgeBegun(by=by, folder_id=row.id, path=item.path, **inside, **stated))
        destroyed = Destroyed(item.path, seen.files, seen.folders)
    figures.write()
    return destroyed


@act(Permission.FILE_DELETE, logs=(VersionsDestroyed,))
def destroy_version(transaction: Transaction, item: VersionDestruction) -> None:
    """Destroy the content of a version that is not the newest.

    Raises:
        NotFoundError: no file is there.
        NoVersionError: it has no such version.
        NotYoursError: it belongs to another.
        ChangedSinceError: another file is there now.
        NewestVersionError: it is the newest.
        VersionDestroyedError: its content was destroyed before.
    """
    stated = require_statement(transaction, item)
    require_path(item.path)
    file = PathLookup(transaction).one(item.path).file
    if file is None:
        raise nothing_at(item.path)
    records = RecordBuilder(transaction)
    require_right(records, item.caller, Permission.FILE_DELETE, file, verb="destroy versions of", path=item.path)
    if file.file_id != item.file_id:
        newest = newest_versions(transaction, [file])[file.id]
        raise ChangedSinceError(
            path=item.path,
            author=records.name_of(newest.author_id),
            version=newest.number,
            stored_at=newest.stored_at,
            seen=item.version,
        )
    found = versions_at(transaction, [(file.id, item.version)])
    if not found:
        raise no_version(item.path, item.version, file)
    (version,) = found
    if version.number == file.newest:
        raise NewestVersionError(path=item.path, version=version.number)
    if version.destroyed_at is not None:
        raise records.destroyed(item.path, version)
    destroy_contents(transaction, [version], item.caller.user_id)
    if version.number == file.newest - file.contents_kept + 1:
        count_kept(transaction, [(file, version.number)])
    figures = FigureChanges(transaction)
    figures.own(file.owner_id, size_bytes=-version.size)
    figures.write()
    transaction.log(
        VersionsDestroyed(
            by=item.caller, versions=((file.file_id, version.number),), path=item.path, size=version.size, **stated
        )
    )
