"""What a caller may do, demanded inside the transaction that does it: the one place that refuses for want of a right.

Rules. ``sft.model.access`` decides; here a row becomes the resource that it decides about, and its no a refusal. What
somebody may not even see is not found (``sft.service.files``).
"""

from __future__ import annotations

from sft.errors import NotYoursError, OperatorOnlyError, RoleForbidsError, RowForgedError
from sft.model.access import ACTS, OPERATOR, Caller, Permission, Resource, allows, least_role, may, scope_of
from sft.service.record_builder import RecordBuilder
from sft.store.figures import all_below_is_of, another_file_in, another_folder_in
from sft.store.row_types import FileRow, FolderRow
from sft.store.rows import ReadTransaction
from sft.store.table_specs import table_of
from sft.store.users import admin_names


def resource_of(row: FileRow | FolderRow) -> Resource:
    """Return what a right to a file or folder depends on."""
    return Resource(row.owner_id if isinstance(row, FileRow) else row.maker_id)


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
    """
    resource = resource_of(row)
    if may(caller, permission, resource):
        return
    if path is None:
        path = records.path_of(row)
    owner = OPERATOR if resource.owner_id is None else records.name_of(resource.owner_id)
    raise NotYoursError(path=path, owner=owner, act=verb, admins=admin_names(records.reading))


def require_tree(
    records: RecordBuilder, caller: Caller, permission: Permission, folder: FolderRow, *, verb: str, path: str
) -> None:
    """Require the right to do something to a folder and everything below it: its figures say whether all is the caller's.

    Raises:
        NotYoursError: of one that belongs to another. To name one below, the folders on the way to it are looked through.
    """
    scope = scope_of(caller, permission)
    require_right(records, caller, permission, folder, verb=verb, path=path)
    if scope.everything or scope.owner_id is None:
        return
    at: FolderRow | None = folder
    while at is not None and not all_below_is_of(at, scope.owner_id):
        below = another_folder_in(records.reading, at.id, scope.owner_id)
        other = below or another_file_in(records.reading, at.id, scope.owner_id)
        if other is None:
            raise RowForgedError(table_of(FolderRow), str(at.id))
        require_right(records, caller, permission, other, verb=verb)
        at = below
