"""Deleting to the trash and bringing back.

Rules. A deleted file keeps its id, versions, name and owner, and loses its folder; its name is free at once. A folder goes with
all that is in it or not at all, and every file is judged in the transaction that deletes. Bringing back makes the folders anew
that are missing.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import FolderNotEmptyError, NotFoundError
from sft.limits import TRASH_SECONDS
from sft.model.access import Caller, Permission, Scope, scope_of
from sft.model.events import FileRestored, FileTrashed, FolderTrashed
from sft.model.names import split_path
from sft.model.records import Deleted, File
from sft.service.path_lookup import PathLookup, folded_path, nothing_at, require_path
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_right, require_tree
from sft.service.use_case import act
from sft.store.figures import FigureChanges
from sft.store.files import files_below, newest_versions
from sft.store.folders import LIVE_STATE, folders_below
from sft.store.row_types import FileRow, FolderRow
from sft.store.rows import Transaction
from sft.store.trash import TRASHED_STATE, trashed_from


class Deletion(Struct, frozen=True):
    """A file or folder that is to go to the trash; with ``recursive`` a folder that is not empty."""

    caller: Caller
    path: str
    recursive: bool = False


class Restoration(Struct, frozen=True):
    """A path whose file, the last deleted there, is to come back."""

    caller: Caller
    path: str


@act(Permission.FILE_DELETE, logs=(FileTrashed, FolderTrashed))
def delete(transaction: Transaction, item: Deletion) -> Deleted:
    """Move a file, or a folder with all in it, to the trash.

    Raises:
        NotFoundError: nothing is there.
        NotYoursError: it, or something in it, belongs to another.
        FolderNotEmptyError: of a folder, unless ``recursive``.
    """
    require_path(item.path)
    places = PathLookup(transaction)
    place = places.one(item.path)
    figures = FigureChanges(transaction, places.folders())
    if place.file is not None:
        files, folders = _delete_file(transaction, item, place.file), 0
        figures.take_file(place.file)
    elif place.subfolder is not None:
        files, folders = _delete_folder(transaction, item, place.subfolder)
        figures.take_folder(place.subfolder)
    else:
        raise nothing_at(item.path)
    figures.write()
    return Deleted(item.path, files, folders, transaction.now + TRASH_SECONDS)


def _delete_file(transaction: Transaction, item: Deletion, file: FileRow) -> int:
    records = RecordBuilder(transaction)
    require_right(records, item.caller, Permission.FILE_DELETE, file, verb="delete", path=item.path)
    _to_trash(records, transaction, item.caller, [file])
    transaction.log(FileTrashed(by=item.caller, file_id=file.file_id, path=item.path))
    return 1


def _delete_folder(transaction: Transaction, item: Deletion, folder: FolderRow) -> tuple[int, int]:
    if (folder.files or folder.folders) and not item.recursive:
        raise FolderNotEmptyError(path=item.path)
    records = RecordBuilder(transaction)
    require_tree(records, item.caller, Permission.FILE_DELETE, folder, verb="delete", path=item.path)
    tree = folders_below(transaction, folder)
    folder_ids = [row.id for row in tree]
    file_ids: list[bytes] = []
    for page in files_below(transaction, folder_ids):
        _to_trash(records, transaction, item.caller, page)
        file_ids += [file.file_id for file in page]
    # Children before parents, each gone before what holds it.
    transaction.rows.delete(tree[::-1])
    transaction.log(FolderTrashed(by=item.caller, path=item.path, folders=tuple(folder_ids), files=tuple(file_ids)))
    return len(file_ids), len(tree)


def _to_trash(records: RecordBuilder, transaction: Transaction, caller: Caller, files: list[FileRow]) -> None:
    paths = map(records.path_of, files)
    transaction.rows.update(
        [
            replace(
                file,
                folder_id=None,
                state=TRASHED_STATE,
                trashed_at=transaction.now,
                trashed_by_id=caller.user_id,
                trashed_path=path,
                trashed_folded=folded_path(path),
            )
            for file, path in zip(files, paths, strict=True)
        ]
    )


@act(Permission.FILE_DELETE, logs=(FileRestored,))
def restore(transaction: Transaction, item: Restoration) -> File:
    """Bring back the file that was last deleted from a path, as it was; a person's own before others'.

    Raises:
        NotFoundError: none was deleted there.
        NotYoursError: only others' were.
        ExistsError: another file has the name now.
        FolderInTheWayError: a folder has it, or a file the name of one on the way.
        NameClashError: the name differs from another in case alone.
    """
    require_path(item.path)
    caller, record_builder = item.caller, RecordBuilder(transaction)
    folded, mine = folded_path(item.path), scope_of(caller, Permission.FILE_DELETE)
    file = trashed_from(transaction, item.path, folded, mine)
    file = file or trashed_from(transaction, item.path, folded, Scope(everything=True))
    if file is None:
        raise NotFoundError(what="deleted file", name=item.path)
    require_right(record_builder, caller, Permission.FILE_DELETE, file, verb="restore", path=item.path)
    places = PathLookup(transaction)
    place = places.one(item.path)
    if place.file is not None:
        newest = newest_versions(transaction, [place.file])[place.file.id]
        raise record_builder.exists(item.path, newest)
    place.require_free()
    made = places.make_way(transaction, place, caller.user_id)
    row = replace(
        file,
        folder_id=(made[-1] if made else place.folder).id,
        name=split_path(item.path)[1],
        folded=place.folded,
        state=LIVE_STATE,
        trashed_at=None,
        trashed_by_id=None,
        trashed_path=None,
        trashed_folded=None,
    )
    figures = FigureChanges(transaction, places.folders())
    figures.make_folders(made)
    figures.put_file(row)
    figures.write()
    transaction.rows.update([row])
    transaction.log(FileRestored(by=caller, file_id=file.file_id, path=item.path))
    return record_builder.file(row, newest_versions(transaction, [row])[row.id])
