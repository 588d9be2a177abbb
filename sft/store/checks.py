"""Queries on how far contents were read, and on which of them are damaged.

Rules. There are two walks, ``CHECK`` and ``SCRUB``, and of each one row at most. A damage is kept under its object's id: what
was met again and again is one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, select

from sft.store.criteria import by_key, columns_with, following, ids_after, rows_with
from sft.store.operation_schema import CheckModel, DamageModel
from sft.store.row_types import CheckRow, DamageRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import UserFiguresModel, VersionModel
from sft.store.statements import any_of, columns_of, rows_of, value

CHECK: Final = "check"
SCRUB: Final = "scrub"

_WALK: Final = rows_of(CheckRow, CheckModel.name == value("name"))
_BY_ID: Final = by_key(DamageRow, DamageModel.object_id)
_IDS: Final = following(DamageModel.object_id)
_COUNT: Final = columns_of(select(func.count()).select_from(DamageModel))
_SIZE: Final = columns_of(select(func.coalesce(func.sum(UserFiguresModel.size_bytes), 0)))
_NAMED: Final = columns_of(
    select(VersionModel.object_id).where(
        VersionModel.object_id.in_(any_of("keys")), VersionModel.destroyed_at.is_(None)
    )
)


def walk_row(reading: ReadTransaction, name: str) -> CheckRow:
    """Load how far a walk is; one that was never begun has a row of nothing."""
    return reading.rows.one(_WALK, name=name) or CheckRow(name)


def keep_walk(transaction: Transaction, row: CheckRow) -> None:
    """Write how far a walk is."""
    if transaction.rows.one(_WALK, name=row.name) is None:
        transaction.rows.insert([row])
    else:
        transaction.rows.update([row])


def damages_by_id(reading: ReadTransaction, object_ids: Collection[bytes]) -> list[DamageRow]:
    """Load the damages of these objects, as far as they are known to be damaged."""
    return rows_with(reading, _BY_ID, object_ids)


def damage_ids(reading: ReadTransaction, after: bytes, limit: int) -> list[bytes]:
    """Return the ids of the damaged objects that follow one, in order; unverified."""
    return ids_after(reading, _IDS, after, limit)


def damage_count(reading: ReadTransaction) -> int:
    """Count the objects that are known to be damaged; unverified."""
    return reading.rows.columns(_COUNT)[0][0]


def objects_of_versions(reading: ReadTransaction, object_ids: Collection[bytes]) -> set[bytes]:
    """Return which of these objects are the content of some version; unverified."""
    return {found for (found,) in columns_with(reading, _NAMED, object_ids)}


def stored_bytes(reading: ReadTransaction) -> int:
    """Add up the contents of all versions, out of what is kept of each person; unverified."""
    return reading.rows.columns(_SIZE)[0][0]
