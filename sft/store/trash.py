"""Queries on what was deleted: by its old path, a page of it, what has ended, and what is being destroyed.

Rules. What was deleted, a file or a folder, lies in no folder: its row says where it was. What hangs on a deleted folder is
found through it. A purge row names an object of which no other row speaks any more; it goes only after the object did.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Final

from sqlalchemy import func, select, tuple_

from sft.model.access import Scope
from sft.model.quotas import Usage
from sft.store.criteria import (
    PURGING,
    TRASHED,
    by_key,
    following,
    following_keys,
    ids_after,
    keys_after,
    owners_in,
    rows_with,
    within,
)
from sft.store.files import Pair
from sft.store.row_types import FileRow, FolderRow, PurgeRow, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.schema import FileModel, FolderModel, PurgeModel, VersionModel
from sft.store.statements import ColumnsOf, PairsOf, RowsOf, columns_of, pairs_of, rows_of, value

TrashKey = tuple[int, int]
"""When a file or folder was deleted, and its row's id."""

BEFORE_ALL_TRASH: Final[TrashKey] = (-(2**62), 0)
_SAME_PATH: Final = 100  # folders that were deleted from one path, of which the last are looked at

_NEWEST: Final = (VersionModel.file == FileModel.id) & (VersionModel.number == FileModel.newest)
_PLACE: Final = tuple_(value("moment"), value("row_id"))
_FILES_UNTIL: Final = following_keys(
    (FileModel.trashed_at, FileModel.id), FileModel.state == TRASHED, FileModel.trashed_at <= value("moment")
)
_FOLDERS_UNTIL: Final = following_keys(
    (FolderModel.trashed_at, FolderModel.id), FolderModel.state == TRASHED, FolderModel.trashed_at <= value("moment")
)


def _in_trash() -> ColumnsOf[int, int]:
    old = (FolderModel.state == TRASHED) & (FolderModel.trashed_at <= value("moment"))
    gone = select(FolderModel.id).where(old).cte("gone", recursive=True)
    gone = gone.union(select(FolderModel.id).where(FolderModel.parent_id == gone.c.id))
    by_itself = (FileModel.state == TRASHED) & (FileModel.trashed_at <= value("moment"))
    return columns_of(
        select(func.count(FileModel.id.distinct()), func.coalesce(func.sum(VersionModel.size), 0))
        .join(VersionModel, VersionModel.file == FileModel.id)
        .where(by_itself | FileModel.folder_id.in_(select(gone.c.id)), VersionModel.destroyed_at.is_(None))
    )


_IN_TRASH: Final = _in_trash()
_PURGING: Final = following(FolderModel.id, FolderModel.state == PURGING)
_PURGING_FILES: Final = following(FileModel.id, FileModel.state == PURGING)
_PURGE_IDS: Final = following(PurgeModel.object_id)
_PURGES: Final = by_key(PurgeRow, PurgeModel.object_id)


def trashed_from(reading: ReadTransaction, path: str, folded: str, scope: Scope) -> FileRow | None:
    """Load the file of a scope that was last deleted from a path.

    Args:
        path: as it was spelled.
        folded: the same, each component folded.
    """
    asked = _trashed_from(everything=scope.everything)
    return reading.rows.first(asked, path=path, folded=folded, **owners_in(scope))


@cache
def _trashed_from(*, everything: bool) -> RowsOf[FileRow]:
    return rows_of(
        FileRow,
        FileModel.state == TRASHED,
        FileModel.trashed_folded == value("folded"),
        FileModel.trashed_path == value("path"),
        *within(FileModel.owner_id, everything=everything),
        order_by=(FileModel.trashed_at.desc(), FileModel.id.desc()),
        limit=1,
    )


def trash_page(reading: ReadTransaction, scope: Scope, before: TrashKey | None, limit: int) -> list[Pair]:
    """Page through the trash, the last deleted first, each file with its newest version.

    Args:
        before: ``trashed_at`` and row id of the last one that was seen.
    """
    asked = _trash_page(later=before is not None, everything=scope.everything)
    place = _place(before)
    # By the index of one owner's trash, which is in the page's order; ``within`` asks for no index.
    owners = [{}] if scope.everything else [{"owner_id": owner_id} for owner_id in scope.owner_ids]
    found = [pair for owner in owners for pair in reading.rows.pairs(asked, limit=limit, **place, **owner)]
    return sorted(found, key=_last_deleted_first)[:limit]


@cache
def _trash_page(*, later: bool, everything: bool) -> PairsOf[FileRow, VersionRow]:
    return pairs_of(
        FileRow,
        VersionRow,
        _NEWEST,
        # That there is such a moment makes a page a search of the index, and not a walk.
        FileModel.state == TRASHED,
        FileModel.trashed_at.is_not(None),
        *([tuple_(FileModel.trashed_at, FileModel.id) < _PLACE] if later else []),
        *([] if everything else [FileModel.owner_id == value("owner_id")]),
        order_by=(FileModel.trashed_at.desc(), FileModel.id.desc()),
        limit=value("limit"),
    )


def _place(before: TrashKey | None) -> dict[str, int]:
    return {} if before is None else {"moment": before[0], "row_id": before[1]}


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
    holding = False
    while path:
        asked = _trashed_folders_from(holding=holding, everything=scope.everything)
        found += reading.rows.all(asked, path=path, folded=folded, limit=_SAME_PATH, **owners_in(scope))
        path, folded = path.rpartition("/")[0], folded.rpartition("/")[0]
        holding = True
    return sorted(found, key=lambda row: (row.trashed_at or 0, row.id), reverse=True)


@cache
def _trashed_folders_from(*, holding: bool, everything: bool) -> RowsOf[FolderRow]:
    return rows_of(
        FolderRow,
        FolderModel.state == TRASHED,
        FolderModel.trashed_folded == value("folded"),
        FolderModel.trashed_path == value("path"),
        *within(FolderModel.maker_id, everything=everything),
        *([FolderModel.files_below + FolderModel.folders_below > 0] if holding else []),
        order_by=(FolderModel.trashed_at.desc(), FolderModel.id.desc()),
        limit=value("limit"),
    )


def folder_trash_page(reading: ReadTransaction, scope: Scope, before: TrashKey | None, limit: int) -> list[FolderRow]:
    """Page through deleted folders, the last deleted first."""
    asked = _folder_trash_page(later=before is not None, everything=scope.everything)
    return reading.rows.all(asked, limit=limit, **_place(before), **owners_in(scope))


@cache
def _folder_trash_page(*, later: bool, everything: bool) -> RowsOf[FolderRow]:
    return rows_of(
        FolderRow,
        FolderModel.state == TRASHED,
        FolderModel.trashed_at.is_not(None),
        *within(FolderModel.maker_id, everything=everything),
        *([tuple_(FolderModel.trashed_at, FolderModel.id) < _PLACE] if later else []),
        order_by=(FolderModel.trashed_at.desc(), FolderModel.id.desc()),
        limit=value("limit"),
    )


def trashed_until(reading: ReadTransaction, moment: int, after: TrashKey, limit: int) -> list[TrashKey]:
    """Return the keys of files that were deleted at a moment or before it, the oldest first; unverified."""
    return keys_after(reading, _FILES_UNTIL, after, limit, moment=moment)


def folders_trashed_until(reading: ReadTransaction, moment: int, after: TrashKey, limit: int) -> list[TrashKey]:
    """Return the keys of folders that were deleted at a moment or before it, as ``trashed_until`` does."""
    return keys_after(reading, _FOLDERS_UNTIL, after, limit, moment=moment)


def in_trash_until(reading: ReadTransaction, moment: int) -> Usage:
    """Add up what was deleted at a moment or before it, files in deleted folders too, with all their versions; unverified."""
    ((files, size_bytes),) = reading.rows.columns(_IN_TRASH, moment=moment)
    return Usage(files, size_bytes)


def purging_folders(reading: ReadTransaction, after: int, limit: int) -> list[int]:
    """Return the ids of the folders whose destruction has begun, after one of them; unverified."""
    return ids_after(reading, _PURGING, after, limit)


def purging_files(reading: ReadTransaction, after: int, limit: int) -> list[int]:
    """Return the row ids of the files whose destruction has begun, each by itself, after one of them; unverified."""
    return ids_after(reading, _PURGING_FILES, after, limit)


def purge_ids(reading: ReadTransaction, after: bytes, limit: int) -> list[bytes]:
    """Return the ids of objects whose bytes are still to be destroyed, after one of them; unverified."""
    return ids_after(reading, _PURGE_IDS, after, limit)


def purges_by_id(reading: ReadTransaction, object_ids: Collection[bytes]) -> list[PurgeRow]:
    return rows_with(reading, _PURGES, object_ids)
