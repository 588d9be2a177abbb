"""What a caller may do, demanded inside the transaction that does it: the one place that refuses for want of a right.

Rules. ``sft.model.access`` decides; here a row becomes the resource that it decides about, and its no a refusal. What
somebody may not even see is not found (``sft.service.files``). What is being handed over is the heir's: whether a row
still names who was removed is asked where it would be a no. What lies in a folder that was handed over is nobody's to change
until its row names the new owner.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import Final

from msgspec.structs import replace

from sft.errors import HandingOverError, NotYoursError, OperatorOnlyError, RoleForbidsError, RowForgedError
from sft.model.access import ACTS, OPERATOR, Caller, Permission, Resource, Scope, allows, least_role, may, scope_of
from sft.model.rights import Ground
from sft.service.record_builder import RecordBuilder
from sft.store.figures import all_below_is_of, another_file_in, another_folder_in
from sft.store.folder_hand_overs import folder_hand_overs, folders_handed_over
from sft.store.folders import ids_above
from sft.store.hand_overs import handed_over_to
from sft.store.row_types import FileRow, FolderHandOverRow, FolderRow
from sft.store.rows import ReadTransaction
from sft.store.table_specs import table_of
from sft.store.users import admin_names

_CHANGING: Final = frozenset({Permission.FILE_WRITE, Permission.FILE_DELETE})


def resource_of(row: FileRow | FolderRow) -> Resource:
    """Return what a right to a file or folder depends on."""
    return Resource(row.owner_id if isinstance(row, FileRow) else row.maker_id)


def is_allowed(records: RecordBuilder, caller: Caller, permission: Permission, row: FileRow | FolderRow) -> bool:
    """Return whether a caller may do something to one file or folder."""
    if may(caller, permission, resource_of(row)):
        return True
    return may(caller, permission, Resource(records.owner_of(row)))


def ground_of(caller: Caller, permission: Permission, row: FileRow | FolderRow | None) -> Ground:
    """Say why a caller may do what was found to be allowed: read off the scope that allowed it.

    Args:
        row: what it is about; None for what is not there yet, or no file or folder.
    """
    scope = scope_of(caller, permission)
    if scope.everything:
        return Ground.ROLE
    if row is None:
        return Ground.NEW
    return Ground.OWNER if resource_of(row) in scope else Ground.HEIR


def scope_in(reading: ReadTransaction, caller: Caller, permission: Permission) -> Scope:
    """Return what a caller may do something to as rows say it: also of whom files are being handed over to the caller."""
    scope = scope_of(caller, permission)
    heirs = (handed_over_to(reading, owner_id) for owner_id in scope.owner_ids)
    return replace(scope, owner_ids=(*scope.owner_ids, *chain.from_iterable(heirs)))


def require_permission(reading: ReadTransaction, caller: Caller, permission: Permission) -> None:
    """Require of a caller a role that holds a permission, for whatever resource.

    Raises:
        RoleForbidsError: another role does.
        OperatorOnlyError: no role does.
    """
    if allows(caller.role, permission):
        return
    needed = least_role(permission)
    if needed is None:
        raise OperatorOnlyError
    raise RoleForbidsError(
        role=caller.role, act=ACTS[permission], name=caller.name, needed=needed, admins=admin_names(reading)
    )


def require_no_operators(caller: Caller, resource: Resource) -> None:
    """Require of everybody but the operator that something is no act of theirs: what runs at the server is no admin's to stop.

    Raises:
        OperatorOnlyError: it is.
    """
    if resource.owner_id is None and not caller.operator:
        raise OperatorOnlyError


def require_right(
    records: RecordBuilder,
    caller: Caller,
    permission: Permission,
    row: FileRow | FolderRow,
    *,
    verb: str,
    path: str | None = None,
) -> None:
    """Require the right to do something to one file or folder.

    Args:
        records: of the transaction; names people and paths in the refusal.
        verb: what is being done, for the refusal.
        path: where the row is, where the caller knows it.

    Raises:
        NotYoursError: it belongs to another; what nobody made is the operator's.
        HandingOverError: of a file that is to change: its folder was handed over, and its row does not name the new owner yet.
    """
    if is_allowed(records, caller, permission, row):
        if permission in _CHANGING and isinstance(row, FileRow):
            _require_settled_file(records, row, path)
        return
    if path is None:
        path = records.path_of(row)
    owner_id = records.owner_of(row)
    owner = OPERATOR if owner_id is None else records.name_of(owner_id)
    raise NotYoursError(path=path, owner=owner, act=verb, admins=admin_names(records.reading))


def require_tree(
    records: RecordBuilder, caller: Caller, permission: Permission, folder: FolderRow, *, verb: str, path: str
) -> None:
    """Require the right to do something to a folder and everything below it: its figures say whether all is the caller's.

    Raises:
        NotYoursError: of one that belongs to another. To name one below, the folders on the way to it are looked through.
        HandingOverError: some of it is being handed over to the caller: the figures of two owners' ids prove nothing; or it
            lies in a folder that is.
    """
    scope = scope_of(caller, permission)
    require_right(records, caller, permission, folder, verb=verb, path=path)
    require_settled(records, folder.id, path)
    if scope.everything:
        return
    (owner_id,) = scope.owner_ids
    if all_below_is_of(folder, owner_id):
        return
    if any(all_below_is_of(folder, each) for each in scope_in(records.reading, caller, permission).owner_ids):
        return
    at: FolderRow | None = folder
    while at is not None and not all_below_is_of(at, owner_id):
        below = another_folder_in(records.reading, at.id, owner_id)
        found = below or another_file_in(records.reading, at.id, owner_id)
        if found is None:
            raise RowForgedError(table_of(FolderRow), str(at.id))
        require_right(records, caller, permission, found, verb=verb)
        at = below
    raise HandingOverError(path=path, owner=records.name_of(owner_id))


def require_settled(records: RecordBuilder, folder_id: int, path: str) -> None:
    """Require of a folder that neither it nor one above it is being handed over: what is to follow there stays where it is.

    Raises:
        HandingOverError: it is.
    """
    for handed_over in _hand_overs_above(records.reading, folder_id):
        raise HandingOverError(path=path, owner=records.name_of(handed_over.owner_id))


def _require_settled_file(records: RecordBuilder, file: FileRow, path: str | None) -> None:
    """Require of a file that its row does not wait for another owner; as ``require_settled``."""
    for to_come in owners_to_come(records.reading, file):
        owner = records.name_of(to_come)
        raise HandingOverError(path=records.path_of(file) if path is None else path, owner=owner)


def owners_to_come(reading: ReadTransaction, file: FileRow) -> list[int]:
    """Return who is to own a file as soon as its row follows the folder that was handed over; mostly nobody."""
    return [
        each.owner_id
        for each in _hand_overs_above(reading, file.folder_id)
        if file.owner_id != each.owner_id and file.slot <= each.last_slot
    ]


def _hand_overs_above(reading: ReadTransaction, folder_id: int | None) -> Collection[FolderHandOverRow]:
    pending = folders_handed_over(reading)
    if not pending or folder_id is None:
        return ()
    above = [each for each in ids_above(reading, folder_id) if each in pending]
    return folder_hand_overs(reading, above).values()
