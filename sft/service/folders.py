"""Making and moving: folders, and files to another name.

Rules. Who moves a file owns it, or may change any; who moves a folder made it and all folders in it and owns every file in it,
or may change any: all of that is read in the transaction that moves. A move changes where something is, never what was signed.
It makes no folders, and never puts one thing over another.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import BadRequestError, NameNotAllowedError
from sft.limits import PATH_BYTES
from sft.model.access import Caller, Permission
from sft.model.events import FileMoved, FolderMade, FolderMoved
from sft.model.names import split_path
from sft.model.records import File, FileSeen, Folder
from sft.model.seen_fields import seen_fields
from sft.service.act_statement import AskedAct, EventStatement, require_statement
from sft.service.path_lookup import PathLookup, ResolvedPath, nothing_at, require_path
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_right, require_settled, require_tree
from sft.service.seen import require_seen
from sft.service.use_case import act
from sft.store.figures import FigureChanges
from sft.store.files import longest_names, newest_versions
from sft.store.folders import children_of
from sft.store.row_types import FileRow, FolderRow
from sft.store.rows import Transaction
from sft.store.search_blocks import drop_blocks


class MakeFolderInput(Struct, frozen=True):
    """A folder that is to be there, with those above it."""

    caller: Caller
    path: str
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("make-folder", {"path": self.path})


class MoveInput(Struct, frozen=True):
    """A file or folder that is to get another path.

    Args:
        seen: of a file, which one, and its newest version as whoever moves it has seen that; None of a folder.
    """

    caller: Caller
    old: str
    new: str
    seen: FileSeen | None = None
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("move", {**seen_fields(self.seen), "old": self.old, "new": self.new})


@act(Permission.FOLDER_MAKE, logs=(FolderMade,))
def make_folder(transaction: Transaction, item: MakeFolderInput) -> bool:
    """Make a folder and those above it that are missing.

    Returns:
        False where it was there already.

    Raises:
        NameClashError: one of the names is taken by another spelling.
        FolderInTheWayError: one of them is a file.
    """
    stated = require_statement(transaction, item)
    require_path(item.path)
    places = PathLookup(transaction)
    place = places.one(item.path)
    if place.subfolder is not None:
        return False
    require_makeable(place)
    made = places.make_way(transaction, place, item.caller.user_id)
    parent = made[-1] if made else place.folder
    made.append(places.make_folder(transaction, parent, place.name, item.caller.user_id))
    figures = FigureChanges(transaction, places.folders())
    figures.make_folders(made)
    figures.write()
    ids = tuple(row.id for row in made)
    transaction.log(FolderMade(by=item.caller, path=item.path, folder_ids=ids, **stated))
    return True


def require_makeable(place: ResolvedPath) -> None:
    """Require that a folder can be made at a path, or is there; raises what ``make_folder`` does."""
    if place.subfolder is None:
        place.require_free()


@act(Permission.FILE_WRITE, logs=(FileMoved, FolderMoved))
def move(transaction: Transaction, item: MoveInput) -> File | Folder:
    """Give a file or folder another path.

    Returns:
        What it is now. Moving something to where it is changes nothing.

    Raises:
        NotFoundError: nothing is at the old path, or no folder where the new one leads.
        NotYoursError: it, or something in it, belongs to another.
        HandingOverError: it, something in it, or where it is to go, is still being handed over.
        ChangedSinceError: the file is not what was seen.
        ExistsError: a file has the new name.
        FolderInTheWayError: a folder has it.
        NameClashError: the new name differs from another in case alone.
        BadRequestError: a folder into itself.
    """
    stated = require_statement(transaction, item)
    require_path(item.old)
    require_path(item.new)
    places = PathLookup(transaction)
    places.load([item.old, item.new])
    source, target = places.at(item.old), places.at(item.new)
    figures = FigureChanges(transaction, places.folders())
    if (source.file if item.seen is not None else source.subfolder) is None:
        # Whoever finds no file to have seen asks for a folder: where there is neither, the word is that of every path.
        raise nothing_at(item.old, "folder" if item.seen is None and source.file is not None else "file")
    row = require_movable(RecordBuilder(transaction), item.caller, source)
    if isinstance(row, FileRow):
        return _move_file(transaction, item, row, target, figures, stated)
    return _move_folder(transaction, item, row, target, figures, stated)


def require_movable(records: RecordBuilder, caller: Caller, place: ResolvedPath) -> FileRow | FolderRow:
    """Require the right to give what is at a path another one; raises what ``move`` does of the old path."""
    if place.file is not None:
        require_right(records, caller, Permission.FILE_WRITE, place.file, verb="rename", path=place.path)
        return place.file
    if place.subfolder is None:
        raise nothing_at(place.path)
    require_tree(records, caller, Permission.FILE_WRITE, place.subfolder, verb="move", path=place.path)
    return place.subfolder


def _move_file(
    transaction: Transaction,
    item: MoveInput,
    file: FileRow,
    target: ResolvedPath,
    figures: FigureChanges,
    stated: EventStatement,
) -> File:
    record_builder = RecordBuilder(transaction)
    require_seen(record_builder, item.old, file, item.seen)
    _require_folder(record_builder, target)
    if target.file is not None and target.file.id != file.id:
        there = newest_versions(transaction, [target.file])[target.file.id]
        raise record_builder.exists(item.new, there)
    if target.taken_by_file is None or target.taken_by_file.id != file.id:
        target.require_free()
    moved = replace(file, folder_id=target.folder.id, name=target.name, folded=target.folded)
    newest = newest_versions(transaction, [moved])[moved.id]
    if moved != file:
        transaction.rows.update([moved])
        figures.take_file(file)
        figures.put_file(moved)
        figures.write()
        drop_blocks(transaction, [newest.leaf])
        transaction.log(FileMoved(by=item.caller, file_id=file.file_id, old=item.old, new=item.new, **stated))
    return record_builder.file(moved, newest)


def _move_folder(
    transaction: Transaction,
    item: MoveInput,
    folder: FolderRow,
    target: ResolvedPath,
    figures: FigureChanges,
    stated: EventStatement,
) -> Folder:
    record_builder = RecordBuilder(transaction)
    if item.new.startswith(f"{item.old}/"):
        raise BadRequestError(problem="a folder cannot move into itself")
    _require_folder(record_builder, target)
    if target.taken_by_folder is None or target.taken_by_folder.id != folder.id:
        target.require_free()
    moved = replace(folder, parent_id=target.folder.id, name=target.name, folded=target.folded)
    if moved != folder:
        moved = replace(moved, reach=_require_lengths(transaction, item.new, folder))
        transaction.rows.update([moved])
        figures.take_folder(folder)
        figures.put_folder(moved)
        figures.write()
        transaction.log(FolderMoved(by=item.caller, folder_id=folder.id, old=item.old, new=item.new, **stated))
    return next(record_builder.folders([moved], split_path(item.new)[0]))


def _require_folder(records: RecordBuilder, target: ResolvedPath) -> None:
    """Refuse a path whose folder is not there: a move makes none; and one into what is being handed over."""
    target.require_way()
    if target.missing:
        raise nothing_at(split_path(target.path)[0], "folder")
    require_settled(records, target.folder.id, target.path)


def _require_lengths(transaction: Transaction, new: str, folder: FolderRow) -> int:
    """Refuse a move that makes the path of something in the folder too long to be sent or signed.

    The folder's reach tells, and where that is too far, a walk through those folders alone whose own is too. The lengths of
    file names come unverified, for a folder may hold a million: a forged one is named when it is read.

    Returns:
        The folder's reach, nearer to what is so if there was a walk.
    """
    here = len(new.encode())
    if here + 1 + folder.reach <= PATH_BYTES:
        return folder.reach
    farthest, walked = here, {folder.id: here}
    while walked:
        names = longest_names(transaction, walked)
        below = children_of(transaction, walked)
        ends = [walked[number] + 1 + length for number, length in names.items()]
        paths = {row.id: walked[row.parent_id or 0] + 1 + len(row.name.encode()) for row in below}
        bounds = {row.id: paths[row.id] + (1 + row.reach if row.reach else 0) for row in below}
        longest = max([farthest, *ends, *paths.values()])
        if longest > PATH_BYTES:
            problem = f"something in it whose path would have {longest:,} bytes; the most is {PATH_BYTES:,}"
            raise NameNotAllowedError(name=new, problem=problem, safer=split_path(new)[1])
        farthest = max([longest, *(bound for bound in bounds.values() if bound <= PATH_BYTES)])
        walked = {number: paths[number] for number, bound in bounds.items() if bound > PATH_BYTES}
    return max(farthest - here - 1, 0)
