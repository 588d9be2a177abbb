"""Queries on what was deleted: by its old path, a page of it, what has ended, and what is being destroyed.

Rules. What was deleted, a file or a folder, lies in no folder: its row says where it was. What hangs on a deleted folder is
found through it. A purge row names an object of which no other row speaks any more; it goes only after the object did.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, tuple_

from sft.model.access import Scope
from sft.store.criteria import PURGING, TRASHED, ids_after, keys_after, rows_with, within
from sft.store.files import Pair
from sft.store.row_types import FileRow, FolderRow, PurgeRow, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.schema import FileModel, FolderModel, PurgeModel, VersionModel

TrashKey = tuple[int, int]
"""When a file or folder was deleted, and its row's id."""

BEFORE_ALL_TRASH: Final[TrashKey] = (-(2**62), 0)
_SAME_PATH: Final = 100  # folders that were deleted from one path, of which the last are looked at

_NEWEST: Final = (VersionModel.file == FileModel.id) & (VersionModel.number == FileModel.newest)


def trashed_from(reading: ReadTransaction, path: str, folded: str, scope: Scope) -> FileRow | None:
    """Load the file of a scope that was last deleted from a path.

    Args:
        path: as it was spelled.
        folded: the same, each component folded.
    """
    return reading.rows.first(
        FileRow,
        FileModel.state == TRASHED,
        FileModel.trashed_folded == folded,
        FileModel.trashed_path == path,
        *within(scope, FileModel.owner_id),
        order_by=(FileModel.trashed_at.desc(), FileModel.id.desc()),
    )


def trash_page(reading: ReadTransaction, scope: Scope, before: TrashKey | None, limit: int) -> list[Pair]:
    """Page through the trash, the last deleted first, each file with its newest version.

    Args:
        before: ``trashed_at`` and row id of the last one that was seen.
    """
    # That there is such a moment makes a page a search of the index, and not a walk.
    where = [FileModel.state == TRASHED, FileModel.trashed_at.is_not(None)]
    if before is not None:
        where.append(tuple_(FileModel.trashed_at, FileModel.id) < before)
    order = (FileModel.trashed_at.desc(), FileModel.id.desc())
    # By the index of one owner's trash, which is in the page's order; ``within`` asks for no index.
    owners = [[]] if scope.everything else [[FileModel.owner_id == owner_id] for owner_id in scope.owner_ids]
    found = [
        pair
        for owner in owners
        for pair in reading.rows.joined(FileRow, VersionRow, _NEWEST, *where, *owner, order_by=order, limit=limit)
    ]
    return sorted(found, key=_last_deleted_first)[:limit]


def _last_deleted_first(pair: Pair) -> TrashKey:
    return -(pair[0].trashed_at or 0), -pair[0].id


def trashed_folders_on_way(reading: ReadTransaction, path: str, folded: str, scope: Scope) -> list[FolderRow]:
    """Load the folders of a scope that were deleted from a path, or hold something and were deleted from one above it.

    Args:
        path: as it was spelled.
        folded: the same, each component folded.

    Returns:
        The last deleted first; of each path the last hundred.
    """
    found: list[FolderRow] = []
    holding: list[ColumnElement[bool]] = []
    while path:
        found += reading.rows.all(
            FolderRow,
            FolderModel.state == TRASHED,
            FolderModel.trashed_folded == folded,
            FolderModel.trashed_path == path,
            *within(scope, FolderModel.maker_id),
            *holding,
            order_by=(FolderModel.trashed_at.desc(), FolderModel.id.desc()),
            limit=_SAME_PATH,
        )
        path, folded = path.rpartition("/")[0], folded.rpartition("/")[0]
        holding = [FolderModel.files_below + FolderModel.folders_below > 0]
    return sorted(found, key=lambda row: (row.trashed_at or 0, row.id), reverse=True)


def folder_trash_page(reading: ReadTransaction, scope: Scope, before: TrashKey | None, limit: int) -> list[FolderRow]:
    """Page through deleted folders, the last deleted first."""
    key = (FolderModel.trashed_at, FolderModel.id)
    return reading.rows.all(
        FolderRow,
        FolderModel.state == TRASHED,
        FolderModel.trashed_at.is_not(None),
        *within(scope, FolderModel.maker_id),
        *([] if before is None else [tuple_(*key) < before]),
        order_by=[column.desc() for column in key],
        limit=limit,
    )


def trashed_until(reading: ReadTransaction, moment: int, after: TrashKey, limit: int) -> list[TrashKey]:
    """Return the keys of files that were deleted at a moment or before it, the oldest first; unverified."""
    ended = (FileModel.state == TRASHED, FileModel.trashed_at <= moment)
    return keys_after(reading, (FileModel.trashed_at, FileModel.id), after, limit, *ended)


def folders_trashed_until(reading: ReadTransaction, moment: int, after: TrashKey, limit: int) -> list[TrashKey]:
    """Return the keys of folders that were deleted at a moment or before it, as ``trashed_until`` does."""
    ended = (FolderModel.state == TRASHED, FolderModel.trashed_at <= moment)
    return keys_after(reading, (FolderModel.trashed_at, FolderModel.id), after, limit, *ended)


def purging_folders(reading: ReadTransaction, after: int, limit: int) -> list[int]:
    """Return the ids of the folders whose destruction has begun, after one of them; unverified."""
    return ids_after(reading, FolderModel.id, after, limit, FolderModel.state == PURGING)


def purge_ids(reading: ReadTransaction, after: bytes, limit: int) -> list[bytes]:
    """Return the ids of objects whose bytes are still to be destroyed, after one of them; unverified."""
    return ids_after(reading, PurgeModel.object_id, after, limit)


def purges_by_id(reading: ReadTransaction, object_ids: Collection[bytes]) -> list[PurgeRow]:
    return rows_with(reading, PurgeRow, PurgeModel.object_id, object_ids)
