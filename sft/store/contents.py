"""Queries on objects: small ones that lie in the database, who knows an id, and which master key seals what.

Rules. A small object carries no MAC of a row: it authenticates itself, and the version that names it is verified.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, tuple_

from sft.store.files import VersionKey
from sft.store.folders import groups
from sft.store.row_types import SmallObjectRow
from sft.store.rows import Reading
from sft.store.schema import Purge, SmallObject, Version


def small_object(reading: Reading, object_id: bytes) -> bytes | None:
    """Load a sealed object from the database; None where there is none."""
    row = reading.rows.one(SmallObjectRow, SmallObject.object_id == object_id)
    return None if row is None else row.sealed


def small_objects(reading: Reading, object_ids: Collection[bytes]) -> dict[bytes, SmallObjectRow]:
    """Load the sealed objects of these ids that there are."""
    return {
        row.object_id: row
        for group in groups(object_ids)
        for row in reading.rows.all(SmallObjectRow, SmallObject.object_id.in_(group))
    }


def known_objects(reading: Reading, object_ids: Collection[bytes]) -> set[bytes]:
    """Tell which of these objects of the vault a version or a purge names.

    Unverified, for the sake of a start with a million objects: a forged row can at most keep an object that nobody
    needs where it is, and ``vault check`` names that row.
    """
    known: set[bytes] = set()
    for group in groups(object_ids):
        versions = select(Version.object_id).where(
            Version.object_id.in_(group), Version.inline == 0
        )
        purged = select(Purge.object_id).where(Purge.object_id.in_(group))
        known.update(found for (found,) in reading.rows.figures(versions))
        known.update(found for (found,) in reading.rows.figures(purged))
    return known


def version_keys(reading: Reading, after: VersionKey, limit: int) -> list[VersionKey]:
    """Name the versions that follow one, in order; unverified, for walking through all of them."""
    found = reading.rows.figures(
        select(Version.file, Version.number)
        .where(tuple_(Version.file, Version.number) > after)
        .order_by(Version.file, Version.number)
        .limit(limit)
    )
    return [(file, number) for file, number in found]


def versions_before_epoch(
    reading: Reading, epoch: int, after: VersionKey, limit: int
) -> list[VersionKey]:
    """Name the versions whose object an older master key than that of ``epoch`` seals, in order.

    Unverified: a forged row that names an old epoch keeps the old key from being given up, and is found on the way; one
    that hides its own loses nothing but itself.
    """
    found = reading.rows.figures(
        select(Version.file, Version.number)
        .where(Version.epoch < epoch, tuple_(Version.file, Version.number) > after)
        .order_by(Version.file, Version.number)
        .limit(limit)
    )
    return [(file, number) for file, number in found]


def small_object_ids(reading: Reading, after: bytes, limit: int) -> list[bytes]:
    """Name the small objects that follow one, in order of ids."""
    found = reading.rows.figures(
        select(SmallObject.object_id)
        .where(SmallObject.object_id > after)
        .order_by(SmallObject.object_id)
        .limit(limit)
    )
    return [object_id for (object_id,) in found]


def inline_ids(reading: Reading, object_ids: Collection[bytes]) -> set[bytes]:
    """Tell which of these small objects a version names; unverified, for finding strays."""
    return {
        found
        for group in groups(object_ids)
        for (found,) in reading.rows.figures(
            select(Version.object_id).where(Version.object_id.in_(group), Version.inline == 1)
        )
    }
