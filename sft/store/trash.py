"""Queries on what was deleted: by its old path, a page of it, what has ended, and objects being destroyed.

Rules. A trashed file lies in no folder: its row says where it was. A purge row names an object of which no other row speaks
any more; it goes only after the object did.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, literal_column, select, tuple_

from sft.model.access import Scope
from sft.store.files import Pair
from sft.store.folders import groups, within
from sft.store.row_types import FileRow, PurgeRow, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.schema import FileModel, PurgeModel, VersionModel

TRASHED_STATE: Final = "trashed"
TRASHED: Final[ColumnElement[str]] = literal_column(
    f"'{TRASHED_STATE}'"
)  # a bound value would not match the partial index
_NEWEST: Final = (VersionModel.file == FileModel.id) & (VersionModel.number == FileModel.newest)


def trashed_from(reading: ReadTransaction, path: str, folded: str) -> list[FileRow]:
    """Load the files that were deleted from a path, the last deleted first.

    Args:
        path: as it was spelled.
        folded: the same, each component folded.
    """
    return reading.rows.all(
        FileRow,
        FileModel.state == TRASHED,
        FileModel.trashed_folded == folded,
        FileModel.trashed_path == path,
        order_by=(FileModel.trashed_at.desc(), FileModel.id.desc()),
    )


def trash_page(reading: ReadTransaction, scope: Scope, before: tuple[int, int] | None, limit: int) -> list[Pair]:
    """Page through the trash, the last deleted first, ``before`` the time and row id of the last one that was seen."""
    # The live ones, which have no such moment, would be walked through at the end.
    where = [FileModel.state == TRASHED, FileModel.trashed_at.is_not(None)]
    where += within(scope, FileModel.owner_id)
    if before is not None:
        where.append(tuple_(FileModel.trashed_at, FileModel.id) < before)
    order = (FileModel.trashed_at.desc(), FileModel.id.desc())
    return reading.rows.joined(FileRow, VersionRow, _NEWEST, *where, order_by=order, limit=limit)


def trashed_until(reading: ReadTransaction, moment: int, limit: int) -> list[FileRow]:
    """Load files that were deleted at a moment or before it, the oldest first."""
    return reading.rows.all(
        FileRow,
        FileModel.state == TRASHED,
        FileModel.trashed_at <= moment,
        order_by=(FileModel.trashed_at, FileModel.id),
        limit=limit,
    )


def purge_ids(reading: ReadTransaction, after: bytes, limit: int) -> list[bytes]:
    """Name objects whose bytes are still to be destroyed, in order; unverified, for walking through all of them."""
    found = reading.rows.aggregates(
        select(PurgeModel.object_id).where(PurgeModel.object_id > after).order_by(PurgeModel.object_id).limit(limit)
    )
    return [object_id for (object_id,) in found]


def purges_by_id(reading: ReadTransaction, object_ids: Collection[bytes]) -> list[PurgeRow]:
    return [row for group in groups(object_ids) for row in reading.rows.all(PurgeRow, PurgeModel.object_id.in_(group))]
