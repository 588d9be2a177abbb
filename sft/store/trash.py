"""Queries on what was deleted: by its old path, a page of it, what has ended, and objects being destroyed.

Rules. A trashed file lies in no folder: its row says where it was. A purge row names an object of which no other row speaks
any more; it goes only after the object did.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, literal_column, select, tuple_

from sft.store.files import Pair
from sft.store.folders import groups
from sft.store.row_types import FileRow, PurgeRow, VersionRow
from sft.store.rows import Reading
from sft.store.schema import File, Purge, Version

TRASHED_STATE: Final = "trashed"
TRASHED: Final[ColumnElement[str]] = literal_column(
    f"'{TRASHED_STATE}'"
)  # a bound value would not match the partial index
_NEWEST: Final = (Version.file == File.id) & (Version.number == File.newest)


def trashed_from(reading: Reading, path: str, folded: str) -> list[FileRow]:
    """Load the files that were deleted from a path, the last deleted first.

    Args:
        path: as it was spelled.
        folded: the same, each component folded.
    """
    return reading.rows.all(
        FileRow,
        File.state == TRASHED,
        File.trashed_folded == folded,
        File.trashed_path == path,
        order_by=(File.trashed_at.desc(), File.id.desc()),
    )


def trash_page(
    reading: Reading, owner_id: int | None, before: tuple[int, int] | None, limit: int
) -> list[Pair]:
    """Page through the trash, the last deleted first, each file with its newest version.

    Args:
        owner_id: only what belongs to this user; None for everything.
        before: ``trashed_at`` and row id of the last one that was seen.
    """
    # The live ones, which have no such moment, would be walked through at the end.
    where = [File.state == TRASHED, File.trashed_at.is_not(None)]
    if owner_id is not None:
        # Not by the owner's index: it holds every file of theirs, and would have to be sorted.
        where.append(File.owner_id + 0 == owner_id)
    if before is not None:
        where.append(tuple_(File.trashed_at, File.id) < before)
    order = (File.trashed_at.desc(), File.id.desc())
    return reading.rows.joined(FileRow, VersionRow, _NEWEST, *where, order_by=order, limit=limit)


def trashed_until(reading: Reading, moment: int, limit: int) -> list[FileRow]:
    """Load files that were deleted at a moment or before it, the oldest first."""
    return reading.rows.all(
        FileRow,
        File.state == TRASHED,
        File.trashed_at <= moment,
        order_by=(File.trashed_at, File.id),
        limit=limit,
    )


def purge_ids(reading: Reading, after: bytes, limit: int) -> list[bytes]:
    """Name objects whose bytes are still to be destroyed, in order; unverified, for walking through all of them."""
    found = reading.rows.figures(
        select(Purge.object_id)
        .where(Purge.object_id > after)
        .order_by(Purge.object_id)
        .limit(limit)
    )
    return [object_id for (object_id,) in found]


def purges_by_id(reading: Reading, object_ids: Collection[bytes]) -> list[PurgeRow]:
    """Load the purges of these objects."""
    return [
        row
        for group in groups(object_ids)
        for row in reading.rows.all(PurgeRow, Purge.object_id.in_(group))
    ]
