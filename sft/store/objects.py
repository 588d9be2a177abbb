"""Queries on objects: small ones that lie in the database, who knows an id, and which master key seals what.

Rules. A small object carries no MAC of a row: it authenticates itself, and the version that names it is verified.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import select

from sft.store.criteria import groups, ids_after, keys_after
from sft.store.files import VersionKey
from sft.store.row_types import SmallObjectRow
from sft.store.rows import ReadTransaction
from sft.store.schema import PurgeModel, SmallObjectModel, UploadModel, VersionModel

EpochKey = tuple[int, int, int]
"""A version's epoch, its file's row id and its number."""

BEFORE_ALL: Final[EpochKey] = (0, 0, 0)


def small_object(reading: ReadTransaction, object_id: bytes) -> bytes | None:
    """Load a sealed object from the database; None where there is none."""
    row = reading.rows.one(SmallObjectRow, SmallObjectModel.object_id == object_id)
    return None if row is None else row.sealed


def small_ids(reading: ReadTransaction, object_ids: Collection[bytes]) -> list[bytes]:
    """Return which of these objects lie in the database, without loading them."""
    return [
        found
        for group in groups(object_ids)
        for (found,) in reading.rows.aggregates(
            select(SmallObjectModel.object_id).where(SmallObjectModel.object_id.in_(group))
        )
    ]


def known_objects(reading: ReadTransaction, object_ids: Collection[bytes]) -> set[bytes]:
    """Return which of these objects of the vault a version, an open upload or a purge names.

    Unverified, for a million objects: a forged row can at most keep an object that nobody needs where it is, and
    ``vault check`` names that row.
    """
    known: set[bytes] = set()
    for group in groups(object_ids):
        versions = select(VersionModel.object_id).where(VersionModel.object_id.in_(group), VersionModel.inline == 0)
        uploads = select(UploadModel.object_id).where(UploadModel.object_id.in_(group))
        purged = select(PurgeModel.object_id).where(PurgeModel.object_id.in_(group))
        for statement in (versions, uploads, purged):
            known.update(found for (found,) in reading.rows.aggregates(statement))
    return known


def version_keys(reading: ReadTransaction, after: VersionKey, limit: int) -> list[VersionKey]:
    """Return the keys of the versions that follow one; unverified."""
    return keys_after(reading, (VersionModel.file, VersionModel.number), after, limit)


def versions_before_epoch(reading: ReadTransaction, epoch: int, after: EpochKey, limit: int) -> list[EpochKey]:
    """Return the keys of the versions whose data key an older master key than that of ``epoch`` seals, in order.

    Unverified: a forged row that names an old epoch keeps the old key from being given up, and is found on the way; one
    that hides its own loses nothing but itself.
    """
    columns = (VersionModel.epoch, VersionModel.file, VersionModel.number)
    return keys_after(reading, columns, after, limit, VersionModel.epoch < epoch)


def small_object_ids(reading: ReadTransaction, after: bytes, limit: int) -> list[bytes]:
    """Return the ids of the small objects that follow one; unverified."""
    return ids_after(reading, SmallObjectModel.object_id, after, limit)


def inline_ids(reading: ReadTransaction, object_ids: Collection[bytes]) -> set[bytes]:
    """Return which of these small objects a version names; unverified, for finding strays."""
    return {
        found
        for group in groups(object_ids)
        for (found,) in reading.rows.aggregates(
            select(VersionModel.object_id).where(VersionModel.object_id.in_(group), VersionModel.inline == 1)
        )
    }
