"""Handing over what one owns: a file, or a folder with all in it, to somebody else.

Rules. Who may change a file may hand it over; of a folder that is everything in it, as for moving it. A file's row names the
new owner at once. Of a folder its own row does, and one more says that all which is in it now follows: from then on nothing in
there can be changed, moved or deleted until its row does too (``maintenance.folder_hand_overs``). What lies in the trash stays
whose it was, and what comes into the folder afterwards belongs to whoever brings it. All of it has to fit the quota of who
gets it: a folder is added up in the act, and its sum reserved until the rows have followed.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import HandingOverError
from sft.model.access import OPERATOR, Caller, Permission
from sft.model.owner_events import FileOwnerChanged, FolderOwnerChanged
from sft.model.quota_events import QuotaNear
from sft.model.quotas import Usage
from sft.model.records import FileSeen, OwnerChange
from sft.model.seen_fields import seen_fields
from sft.service.act_statement import AskedAct, EventStatement, require_statement
from sft.service.path_lookup import PathLookup, ResolvedPath, nothing_at, require_path
from sft.service.quotas import Quotas
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_right, require_tree
from sft.service.seen import require_seen
from sft.service.use_case import act
from sft.service.users import find_owner
from sft.store.figures import FigureChanges, all_below_is_of
from sft.store.files import bytes_of_files
from sft.store.folder_hand_overs import begin_folder_hand_over, folders_handed_over, others_below
from sft.store.folders import folders_by_id, ids_above
from sft.store.hand_overs import handed_over_to
from sft.store.row_types import FileRow, FolderRow, UserRow
from sft.store.rows import Transaction


class ChangeOwnerInput(Struct, frozen=True):
    """A file or folder that is to be another's.

    Args:
        owner: name of who is to own it.
        seen: of a file, which one, and its newest version as whoever hands it over has seen that; None of a folder.
    """

    caller: Caller
    path: str
    owner: str
    seen: FileSeen | None = None
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        return AskedAct("owner", {**seen_fields(self.seen), "path": self.path, "owner": self.owner})


@act(Permission.FILE_WRITE, logs=(FileOwnerChanged, FolderOwnerChanged, QuotaNear))
def change_owner(transaction: Transaction, item: ChangeOwnerInput) -> OwnerChange:
    """Hand over a file, or a folder with all in it; what is the new owner's already changes nothing.

    Raises:
        NotFoundError: nothing is at the path; nobody who is active has the name.
        RoleForbidsError: the new owner could not change it.
        NotYoursError: it, or something in it, belongs to another.
        ChangedSinceError: the file is not what was seen.
        HandingOverError: it, or something in it, is still being handed over.
        ReceiverQuotaError: it does not fit the new owner's quota.
    """
    stated = require_statement(transaction, item)
    require_path(item.path)
    places = PathLookup(transaction)
    place = places.one(item.path)
    figures = FigureChanges(transaction, places.folders())
    if (place.file if item.seen is not None else place.subfolder) is None:
        raise nothing_at(item.path, "folder" if item.seen is None and place.file is not None else "file")
    row = require_givable(RecordBuilder(transaction), item.caller, place)
    if isinstance(row, FileRow):
        return _file(transaction, item, row, figures, stated)
    return _folder(transaction, item, row, figures, stated)


def require_givable(records: RecordBuilder, caller: Caller, place: ResolvedPath) -> FileRow | FolderRow:
    """Require the right to hand over what is at a path; raises what ``change_owner`` does, whoever is to get it."""
    if place.file is not None:
        require_right(records, caller, Permission.FILE_WRITE, place.file, verb="hand over", path=place.path)
        return place.file
    if place.subfolder is None:
        raise nothing_at(place.path)
    require_tree(records, caller, Permission.FILE_WRITE, place.subfolder, verb="hand over", path=place.path)
    _require_settled_below(records, place.subfolder, place.path)
    return place.subfolder


def require_receivable(
    records: RecordBuilder, quotas: Quotas, row: FileRow | FolderRow, owner: UserRow, path: str
) -> Usage:
    """Require that a file, or a folder with all in it, fits the quota of who is to own it.

    Returns:
        What they would own more; nothing where no quota of theirs is judged.

    Raises:
        ReceiverQuotaError: it does not fit.
    """
    if not quotas.is_limited(owner.id):
        return Usage()
    reading = records.reading
    if isinstance(row, FileRow):
        own = records.owner_of(row) == owner.id
        more = Usage() if own else Usage(1, bytes_of_files(reading, [row.id]).get(row.id, 0))
    elif all_below_is_of(row, owner.id):
        more = Usage()
    else:
        more = others_below(reading, row.id, [owner.id, *handed_over_to(reading, owner.id)])
    quotas.require_receivable(path, owner.id, more)
    return more


def _file(
    transaction: Transaction, item: ChangeOwnerInput, file: FileRow, figures: FigureChanges, stated: EventStatement
) -> OwnerChange:
    records = RecordBuilder(transaction)
    require_seen(records, item.path, file, item.seen)
    owner, before = find_owner(transaction, item.owner), records.owner_of(file) or file.owner_id
    changed = owner.id != before
    if changed:
        require_receivable(records, Quotas(records, figures), file, owner, item.path)
        give_files(transaction, item.caller, figures, [file], owner.id)
        figures.write()
        transaction.log(
            FileOwnerChanged(
                by=item.caller,
                file_id=file.file_id,
                path=item.path,
                owner_before=before,
                owner_id=owner.id,
                name=owner.name,
                **stated,
            )
        )
    return OwnerChange(item.path, owner.name, records.name_of(before), 1, 0, changed)


def _folder(
    transaction: Transaction, item: ChangeOwnerInput, folder: FolderRow, figures: FigureChanges, stated: EventStatement
) -> OwnerChange:
    records = RecordBuilder(transaction)
    owner, before = find_owner(transaction, item.owner), records.owner_of(folder)
    files, folders = folder.files_below, folder.folders_below + 1
    changed = before != owner.id or not all_below_is_of(folder, owner.id)
    if changed:
        reserved = require_receivable(records, Quotas(records, figures), folder, owner, item.path)
        _give_folder(transaction, folder, owner, figures, reserved)
        transaction.log(
            FolderOwnerChanged(
                by=item.caller,
                folder_id=folder.id,
                path=item.path,
                owner_before=before,
                owner_id=owner.id,
                name=owner.name,
                files=files,
                folders=folders,
                **stated,
            )
        )
    before_name = OPERATOR if before is None else records.name_of(before)
    return OwnerChange(item.path, owner.name, before_name, files, folders, changed)


def _give_folder(
    transaction: Transaction, folder: FolderRow, owner: UserRow, figures: FigureChanges, reserved: Usage
) -> None:
    given = replace(folder, maker_id=owner.id)
    figures.take_folder(folder)
    figures.put_folder(given)
    figures.write()
    transaction.rows.update([given])
    if folder.files_below or folder.folders_below:
        begin_folder_hand_over(transaction, folder.id, owner.id, reserved)


def _require_settled_below(records: RecordBuilder, folder: FolderRow, path: str) -> None:
    """Refuse a folder in which another one is being handed over: its files would have two owners to come."""
    pending = folders_handed_over(records.reading)
    for each in folders_by_id(records.reading, pending):  # one that was destroyed is in nothing
        if folder.id in ids_above(records.reading, each):
            raise HandingOverError(path=path, owner=records.name_of(pending[each]))


def give_folders(transaction: Transaction, folders: Sequence[FolderRow], owner_id: int) -> FigureChanges:
    """Write folders that get another owner; return the figures in which that is noted, which are written last."""
    given = [replace(folder, maker_id=owner_id) for folder in folders]
    figures = FigureChanges(transaction, given)
    for folder, now in zip(folders, given, strict=True):
        figures.take_folder(folder)
        figures.put_folder(now)
    transaction.rows.update(given)
    return figures


def give_files(
    transaction: Transaction, caller: Caller, figures: FigureChanges, files: list[FileRow], owner_id: int
) -> Usage:
    """Write files that get another owner, note what that changes in figures, and tell an owner who comes near a quota.

    Returns:
        What counts for the new owner now and did not before.
    """
    sizes = bytes_of_files(transaction, [file.id for file in files])
    counted = {owner_id, *handed_over_to(transaction, owner_id)}
    others = [file for file in files if file.owner_id not in counted]
    more = Usage(len(others), sum(sizes.get(file.id, 0) for file in others))
    for near in Quotas(RecordBuilder(transaction), figures).near_own(caller, owner_id, more):
        transaction.log(near)
    given = [replace(file, owner_id=owner_id) for file in files]
    for file, now in zip(files, given, strict=True):
        figures.take_file(file)
        figures.put_file(now)
        figures.own(file.owner_id, files=-1, size_bytes=-sizes.get(file.id, 0))
        figures.own(owner_id, files=1, size_bytes=sizes.get(file.id, 0))
    transaction.rows.update(given)
    return more
