"""What lies in the trash at a path, as whoever has it brought back or destroyed has to have seen it.

Rules. One path may have been deleted from many times, a file or folder by itself, or a folder above it: who asks by the path
alone is shown the last one that is theirs to decide about. Who decides names what was seen: a file by its id and newest
version, a folder by its number and how much is in it, and the moment at which it went. Nothing else is taken in its place.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import NotFoundError, NotYoursError, TrashChangedError
from sft.model.access import OPERATOR, Caller, Permission, Scope
from sft.model.records import File, FileSeen, TrashedFolder, TrashSeen
from sft.service.path_lookup import PathLookup, folded_path, require_path
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_right, require_tree, scope_in
from sft.service.use_case import query
from sft.store.criteria import TRASHED_STATE
from sft.store.files import files_by_file_id, newest_versions
from sft.store.folders import folders_by_id, paths_of
from sft.store.row_types import FileRow, FolderRow
from sft.store.rows import ReadTransaction
from sft.store.trash import trashed_folders_on_way, trashed_from


class TrashedRow(Struct, frozen=True):
    """A file or folder in the trash.

    Attributes:
        top: what was deleted: the row itself, or a folder above it.
    """

    row: FileRow | FolderRow
    top: FileRow | FolderRow

    @property
    def trashed_at(self) -> int:
        return self.top.trashed_at or 0

    @property
    def seen(self) -> TrashSeen:
        """What whoever decides about it has to have seen."""
        if isinstance(self.row, FileRow):
            return TrashSeen(self.trashed_at, FileSeen(self.row.file_id, self.row.newest))
        return TrashSeen(self.trashed_at, None, self.row.id, self.row.files_below, self.row.folders_below + 1)


@query(Permission.FILE_DELETE)
def show_trashed(reading: ReadTransaction, caller: Caller, *, path: str) -> File | TrashedFolder:
    """Show what comes back to a path, or is destroyed there, when that is asked for.

    Raises:
        NotFoundError: nothing was deleted there.
        NotYoursError: only what belongs to others was.
        HandingOverError: a folder in which something is still being handed over to the caller.
    """
    require_path(path)
    records = RecordBuilder(reading)
    found = last_deleted(records, caller, path, verb="restore")
    ends_at = found.trashed_at + reading.policy.trash_seconds
    by = _deleted_by(records, found)
    if isinstance(found.row, FileRow):
        file = records.file(found.row, newest_versions(reading, [found.row])[found.row.id])
        return replace(file, path=path, trashed_at=found.trashed_at, trash_ends_at=ends_at, trashed_by=by)
    folder = found.row
    return TrashedFolder(folder.id, path, folder.files_below, folder.folders_below + 1, found.trashed_at, by, ends_at)


def seen_in_trash(records: RecordBuilder, caller: Caller, path: str, seen: TrashSeen, *, verb: str) -> TrashedRow:
    """Find what was seen in the trash at a path, whatever was deleted there since, and require the right to decide about it.

    Args:
        verb: what is to be done with it, for the refusal.

    Raises:
        NotFoundError: nothing that was deleted there is in the trash.
        TrashChangedError: something else is: it was deleted again, or something came out of it.
        NotYoursError, HandingOverError: as ``last_deleted``.
    """
    found = _seen(records, path, seen)
    if found is None:
        there = last_deleted(records, caller, path, verb=verb)
        raise TrashChangedError(path=path, by=_deleted_by(records, there), trashed_at=there.trashed_at)
    _require_decision(records, caller, found.row, verb=verb, path=path)
    return found


def _seen(records: RecordBuilder, path: str, seen: TrashSeen) -> TrashedRow | None:
    row: FileRow | FolderRow | None
    if seen.file is not None:
        row = files_by_file_id(records.reading, [seen.file.file_id]).get(seen.file.file_id)
    else:
        row = folders_by_id(records.reading, [seen.folder_id]).get(seen.folder_id)
    if row is None:
        return None
    above = row.folder_id if isinstance(row, FileRow) else row.parent_id
    top = row if above is None else paths_of(records.reading, [above])[above].top
    if top.state != TRASHED_STATE or records.path_of(row) != path:
        return None
    found = TrashedRow(row, top)
    return found if found.seen == seen else None


def _require_decision(
    records: RecordBuilder, caller: Caller, row: FileRow | FolderRow, *, verb: str, path: str
) -> None:
    if isinstance(row, FileRow):
        require_right(records, caller, Permission.FILE_DELETE, row, verb=verb, path=path)
    else:
        require_tree(records, caller, Permission.FILE_DELETE, row, verb=verb, path=path)


def _deleted_by(records: RecordBuilder, found: TrashedRow) -> str:
    by = found.top.trashed_by_id
    return OPERATOR if by is None else records.name_of(by)


def last_deleted(records: RecordBuilder, caller: Caller, path: str, *, verb: str) -> TrashedRow:
    """Find what was deleted last from a path, or lies there in a folder that was: the first that is the caller's to decide.

    Args:
        verb: what is to be done with it, for the refusal.

    Raises:
        NotFoundError: nothing was deleted there.
        NotYoursError: only what belongs to others was.
        HandingOverError: a folder in which something is still being handed over to the caller.
    """
    refusal: NotYoursError | None = None
    for found in _deleted_from(records.reading, caller, path):
        try:
            _require_decision(records, caller, found.row, verb=verb, path=path)
        except NotYoursError as error:
            refusal = refusal or error
        else:
            return found
    raise refusal or NotFoundError(what="deleted file", name=path)


def _deleted_from(reading: ReadTransaction, caller: Caller, path: str) -> Iterator[TrashedRow]:
    """Find what was deleted from a path, by itself or with a folder above it; the last deleted first."""
    folded = folded_path(path)
    scopes = {scope_in(reading, caller, Permission.FILE_DELETE), Scope(everything=True)}
    files = [trashed_from(reading, path, folded, scope) for scope in scopes]
    found = {file.id: (file.trashed_at or 0, file) for file in files if file is not None}
    single = sorted(found.values(), key=lambda each: (each[0], each[1].id), reverse=True)
    # Of one's own so many are looked at whatever others delete from the same path.
    folders = {row.id: row for scope in scopes for row in trashed_folders_on_way(reading, path, folded, scope)}
    for folder in sorted(folders.values(), key=lambda row: (row.trashed_at or 0, row.id), reverse=True):
        while single and single[0][0] >= (folder.trashed_at or 0):
            file = single.pop(0)[1]
            yield TrashedRow(file, file)
        row = _within(reading, folder, path)
        if row is not None:
            yield TrashedRow(row, folder)
    yield from (TrashedRow(file, file) for _, file in single)


def _within(reading: ReadTransaction, top: FolderRow, path: str) -> FileRow | FolderRow | None:
    """Find what lay at a path in a folder that was deleted."""
    below = path[len(top.trashed_path or "") + 1 :]
    if not below:
        return top
    place = PathLookup(reading, top).one(below)
    return place.file or place.subfolder
