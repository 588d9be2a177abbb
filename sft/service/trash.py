"""Deleting to the trash and bringing back.

Rules. What is deleted keeps its id, versions, names and owners, and loses its folder; its name is free at once. A folder goes
as one row, with all that hangs on it, or not at all: everything in it is judged in the transaction that deletes. It comes back
as one row, or one thing comes out of it by its old path. Bringing back makes the folders anew that are missing.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import FolderNotEmptyError
from sft.model.access import Caller, Permission
from sft.model.events import FileRestored, FileTrashed, FolderRestored, FolderTrashed
from sft.model.names import split_path
from sft.model.records import Deleted, File, FileSeen, RestoredFolder, TrashSeen
from sft.model.seen_fields import seen_fields, trash_fields
from sft.service.act_statement import AskedAct, EventStatement, require_statement
from sft.service.path_lookup import PathLookup, ResolvedPath, folded_name, folded_path, nothing_at, require_path
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_right, require_settled, require_tree
from sft.service.seen import require_seen
from sft.service.trashed import TrashedRow, last_deleted, seen_in_trash
from sft.service.use_case import act
from sft.store.criteria import LIVE_STATE, TRASHED_STATE
from sft.store.figures import FigureChanges
from sft.store.files import newest_versions
from sft.store.row_types import FileRow, FolderRow
from sft.store.rows import Transaction
from sft.store.search_blocks import drop_blocks

_NOT_DELETED: Final[dict[str, Any]] = {
    "state": LIVE_STATE,
    **dict.fromkeys(("trashed_at", "trashed_by_id", "trashed_path", "trashed_folded")),
}


class Deletion(Struct, frozen=True):
    """A file or folder that is to go to the trash.

    Args:
        recursive: also a folder that is not empty.
        seen: a file alone, and only as long as this is its newest version.
    """

    caller: Caller
    path: str
    recursive: bool = False
    seen: FileSeen | None = None
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("delete", {"path": self.path, "recursive": self.recursive, **seen_fields(self.seen)})


class Restoration(Struct, frozen=True):
    """What was seen in the trash at a path, which is to come back to it."""

    caller: Caller
    path: str
    seen: TrashSeen
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("restore", {**trash_fields(self.seen), "path": self.path})


@act(Permission.FILE_DELETE, logs=(FileTrashed, FolderTrashed))
def delete(transaction: Transaction, item: Deletion) -> Deleted:
    """Move a file, or a folder with all in it, to the trash.

    Raises:
        NotFoundError: nothing is there.
        ChangedSinceError: it is not what was seen.
        NotYoursError: it, or something in it, belongs to another.
        HandingOverError: it, or something in it, is still being handed over.
        FolderNotEmptyError: of a folder, unless ``recursive``.
    """
    stated = require_statement(transaction, item)
    require_path(item.path)
    places = PathLookup(transaction)
    place = places.one(item.path)
    figures = FigureChanges(transaction, places.folders())
    folder = place.subfolder
    if folder is not None and item.seen is not None:
        raise nothing_at(item.path)
    if folder is not None and (folder.files or folder.folders) and not item.recursive:
        raise FolderNotEmptyError(path=item.path)
    row = require_deletable(RecordBuilder(transaction), item.caller, place)
    if isinstance(row, FileRow):
        files, folders = _delete_file(transaction, item, row, stated), 0
        figures.take_file(row)
    else:
        files, folders = _delete_folder(transaction, item, row, stated)
        figures.take_folder(row)
    figures.write()
    return Deleted(item.path, files, folders, transaction.now + transaction.policy.trash_seconds)


def require_deletable(records: RecordBuilder, caller: Caller, place: ResolvedPath) -> FileRow | FolderRow:
    """Require the right to delete what is at a path, of a folder with all in it; raises what ``delete`` does."""
    if place.file is not None:
        require_right(records, caller, Permission.FILE_DELETE, place.file, verb="delete", path=place.path)
        return place.file
    if place.subfolder is None:
        raise nothing_at(place.path)
    require_tree(records, caller, Permission.FILE_DELETE, place.subfolder, verb="delete", path=place.path)
    return place.subfolder


def _delete_file(transaction: Transaction, item: Deletion, file: FileRow, stated: EventStatement) -> int:
    require_seen(RecordBuilder(transaction), item.path, file, item.seen)
    transaction.rows.update([replace(file, folder_id=None, expires_at=None, **_deletion(transaction, item))])
    transaction.log(FileTrashed(by=item.caller, file_id=file.file_id, path=item.path, **stated))
    return 1


def _delete_folder(
    transaction: Transaction, item: Deletion, folder: FolderRow, stated: EventStatement
) -> tuple[int, int]:
    files, folders = folder.files_below, folder.folders_below + 1
    transaction.rows.update([replace(folder, parent_id=None, **_deletion(transaction, item))])
    transaction.log(
        FolderTrashed(by=item.caller, folder_id=folder.id, path=item.path, files=files, folders=folders, **stated)
    )
    return files, folders


def _deletion(transaction: Transaction, item: Deletion) -> dict[str, Any]:
    """Return what a row says of its deletion."""
    return {
        "state": TRASHED_STATE,
        "trashed_at": transaction.now,
        "trashed_by_id": item.caller.user_id,
        "trashed_path": item.path,
        "trashed_folded": folded_path(item.path),
    }


# -- bringing back ---------------------------------------------------------------------------------------


@act(Permission.FILE_DELETE, logs=(FileRestored, FolderRestored))
def restore(transaction: Transaction, item: Restoration) -> File | RestoredFolder:
    """Bring back what was deleted from a path, as it was, or what lies there in a folder that was deleted with it.

    Raises:
        NotFoundError: nothing was deleted there.
        TrashChangedError: it is not what was seen.
        NotYoursError: only what belongs to others was.
        HandingOverError: a folder in which something is still being handed over to the caller; or where it was, that is.
        ExistsError: another file has the name now.
        FolderInTheWayError: a folder has it, or a file the name of one on the way.
        NameClashError: the name differs from another in case alone.
    """
    stated = require_statement(transaction, item)
    require_path(item.path)
    places = PathLookup(transaction)
    place = places.one(item.path)
    records = RecordBuilder(transaction)
    found = require_restorable(records, item.caller, place, item.seen)
    made = places.make_way(transaction, place, item.caller.user_id)
    figures = FigureChanges(transaction, places.folders())
    figures.make_folders(made)
    folder_id = (made[-1] if made else place.folder).id
    if isinstance(found.row, FolderRow):
        return _folder_back(transaction, item, found.row, folder_id, figures, stated)
    return _file_back(transaction, item, found.row, folder_id, figures, stated)


def require_restorable(
    records: RecordBuilder, caller: Caller, place: ResolvedPath, seen: TrashSeen | None = None
) -> TrashedRow:
    """Require that what was seen comes back to a path, and the right to have it back; raises what ``restore`` does.

    Args:
        seen: None is whatever was deleted last.
    """
    if seen is None:
        found = last_deleted(records, caller, place.path, verb="restore")
    else:
        found = seen_in_trash(records, caller, place.path, seen, verb="restore")
    if place.file is not None and isinstance(found.row, FileRow):
        raise records.exists(place.path, newest_versions(records.reading, [place.file])[place.file.id])
    place.require_free()
    require_settled(records, place.folder.id, place.path)
    return found


def _file_back(
    transaction: Transaction,
    item: Restoration,
    file: FileRow,
    folder_id: int,
    figures: FigureChanges,
    stated: EventStatement,
) -> File:
    name = split_path(item.path)[1]
    ahead = file.expires_at if (file.expires_at or 0) > transaction.now else None  # what expired stays now
    row = replace(file, folder_id=folder_id, name=name, folded=folded_name(name), expires_at=ahead, **_NOT_DELETED)
    figures.take_file(file)
    figures.put_file(row)
    figures.write()
    transaction.rows.update([row])
    transaction.log(
        FileRestored(
            by=item.caller, file_id=file.file_id, path=item.path, version=file.newest, trashed_at=item.seen.trashed_at, **stated
        )
    )  # fmt: skip
    newest = newest_versions(transaction, [row])[row.id]
    drop_blocks(transaction, [newest.leaf])
    return RecordBuilder(transaction).file(row, newest)


def _folder_back(
    transaction: Transaction,
    item: Restoration,
    folder: FolderRow,
    parent_id: int,
    figures: FigureChanges,
    stated: EventStatement,
) -> RestoredFolder:
    files, folders = folder.files_below, folder.folders_below + 1
    row = replace(folder, parent_id=parent_id, **_NOT_DELETED)
    figures.take_folder(folder)
    figures.put_folder(row)
    figures.write()
    transaction.rows.update([row])
    transaction.log(
        FolderRestored(
            by=item.caller, folder_id=row.id, path=item.path, files=files, folders=folders, trashed_at=item.seen.trashed_at,
            **stated,
        )
    )  # fmt: skip
    return RestoredFolder(item.path, files, folders)
