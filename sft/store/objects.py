"""Queries on objects: small ones that lie in the database, who knows an id, and which master key seals what.

Rules. A small object carries no MAC of a row: it authenticates itself, and the version that names it is verified.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import select

from sft.store.criteria import by_key, columns_with, following, following_keys, ids_after, keys_after, rows_with
from sft.store.files import VersionKey
from sft.store.row_types import SmallObjectRow
from sft.store.rows import ReadTransaction
from sft.store.schema import PurgeModel, SmallObjectModel, UploadModel, VersionModel
from sft.store.statements import any_of, columns_of, value

EpochKey = tuple[int, int, int]
"""A version's epoch, its file's row id and its number."""

BEFORE_ALL: Final[EpochKey] = (0, 0, 0)

_THERE: Final = VersionModel.destroyed_at.is_(None)
_SMALL: Final = by_key(SmallObjectRow, SmallObjectModel.object_id)
_SMALL_IDS: Final = columns_of(select(SmallObjectModel.object_id).where(SmallObjectModel.object_id.in_(any_of("keys"))))
_NAMED_BY: Final = tuple(
    columns_of(select(column).where(column.in_(any_of("keys")), *where))
    for column, *where in (
        (VersionModel.object_id, VersionModel.inline == 0, _THERE),
        (UploadModel.object_id,),
        (PurgeModel.object_id,),
    )
)
_INLINE: Final = columns_of(
    select(VersionModel.object_id).where(VersionModel.object_id.in_(any_of("keys")), VersionModel.inline == 1, _THERE)
)
_VERSION_KEYS: Final = following_keys((VersionModel.file, VersionModel.number))
_BEFORE_EPOCH: Final = following_keys(
    (VersionModel.epoch, VersionModel.file, VersionModel.number), VersionModel.epoch < value("epoch"), _THERE
)
_SMALL_AFTER: Final = following(SmallObjectModel.object_id)


def small_objects(reading: ReadTransaction, object_ids: Collection[bytes]) -> dict[bytes, bytes]:
    """Load sealed objects from the database, by their ids, with one statement; without those that are not there."""
    return {row.object_id: row.sealed for row in rows_with(reading, _SMALL, object_ids)}


def small_object(reading: ReadTransaction, object_id: bytes) -> bytes | None:
    """Load one; None where there is none."""
    return small_objects(reading, [object_id]).get(object_id)


def small_ids(reading: ReadTransaction, object_ids: Collection[bytes]) -> list[bytes]:
    """Return which of these objects lie in the database, without loading them."""
    return [found for (found,) in columns_with(reading, _SMALL_IDS, object_ids)]


def known_objects(reading: ReadTransaction, object_ids: Collection[bytes]) -> set[bytes]:
    """Return which of these objects of the vault a version, an open upload or a purge names.

    Unverified, for a million objects: a forged row can at most keep an object that nobody needs where it is, and
    ``vault check`` names that row.
    """
    return {found for asked in _NAMED_BY for (found,) in columns_with(reading, asked, object_ids)}


def version_keys(reading: ReadTransaction, after: VersionKey, limit: int) -> list[VersionKey]:
    """Return the keys of the versions that follow one; unverified."""
    return keys_after(reading, _VERSION_KEYS, after, limit)


def versions_before_epoch(reading: ReadTransaction, epoch: int, after: EpochKey, limit: int) -> list[EpochKey]:
    """Return the keys of the versions whose data key an older master key than that of ``epoch`` seals, in order.

    Those whose content was destroyed have none.

    Unverified: a forged row that names an old epoch keeps the old key from being given up, and is found on the way; one
    that hides its own loses nothing but itself.
    """
    return keys_after(reading, _BEFORE_EPOCH, after, limit, epoch=epoch)


def small_object_ids(reading: ReadTransaction, after: bytes, limit: int) -> list[bytes]:
    """Return the ids of the small objects that follow one; unverified."""
    return ids_after(reading, _SMALL_AFTER, after, limit)


def inline_ids(reading: ReadTransaction, object_ids: Collection[bytes]) -> set[bytes]:
    """Return which of these small objects a version names; unverified, for finding orphans."""
    return {found for (found,) in columns_with(reading, _INLINE, object_ids)}
