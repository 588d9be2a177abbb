"""What queries have in common: states, groups of keys, the rows of a scope, keys that follow one.

Rules. Many keys are asked for in groups: a statement takes only so many variables. States stand in the statement itself: a
bound value would not match the partial indices. Keys by themselves come unverified, for walking through all of a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, literal_column, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from sft.model.access import Scope
from sft.store.row_types import Row
from sft.store.rows import ReadTransaction

GROUP_KEYS: Final = 400  # below the 999 variables of an old SQLite
GROUP_PAIRS: Final = 64  # each second half is looked for under each first half of its group
LIVE_STATE: Final = "live"
TRASHED_STATE: Final = "trashed"
PURGING_STATE: Final = "purging"
LIVE: Final[ColumnElement[str]] = literal_column(f"'{LIVE_STATE}'")
TRASHED: Final[ColumnElement[str]] = literal_column(f"'{TRASHED_STATE}'")
PURGING: Final[ColumnElement[str]] = literal_column(f"'{PURGING_STATE}'")

T = TypeVar("T")
R = TypeVar("R", bound=Row)


def groups(keys: Collection[T], size: int = GROUP_KEYS) -> Iterator[list[T]]:
    """Split keys into lists that one statement can take."""
    ordered = list(keys)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def any_of_pairs(
    first: InstrumentedAttribute[Any], second: InstrumentedAttribute[Any], pairs: list[Any]
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Ask for any first half with any second: more rows than were meant, which the caller drops, but by the index.

    For ``(first, second) IN (…)`` SQLite reads the whole table.
    """
    return first.in_({pair[0] for pair in pairs}), second.in_({pair[1] for pair in pairs})


def within(scope: Scope, owner: InstrumentedAttribute[Any]) -> list[ColumnElement[bool]]:
    """Ask for what a scope holds. Like every criterion it sees unverified columns: a forged owner is not found."""
    if scope.everything:
        return []
    # Not by an index on the owner: it holds everything of theirs, and would have to be sorted.
    return [(owner + 0).in_(scope.owner_ids)]


def ids_after(
    reading: ReadTransaction, column: InstrumentedAttribute[T], after: T, limit: int, *where: ColumnElement[bool]
) -> list[T]:
    """Return the values of a column that follow one, in order, so many at most."""
    found = reading.rows.aggregates(select(column).where(*where, column > after).order_by(column).limit(limit))
    return [number for (number,) in found]


def keys_after(
    reading: ReadTransaction,
    columns: tuple[InstrumentedAttribute[Any], ...],
    after: tuple[Any, ...],
    limit: int,
    *where: ColumnElement[bool],
) -> list[Any]:
    """Return the keys of several columns that follow one, in order, so many at most."""
    return reading.rows.aggregates(
        select(*columns).where(*where, tuple_(*columns) > after).order_by(*columns).limit(limit)
    )


def rows_with(
    reading: ReadTransaction, kind: type[R], column: InstrumentedAttribute[Any], keys: Collection[Any]
) -> list[R]:
    """Load the rows that have any of these keys in a column, however many they are."""
    return [row for group in groups(keys) for row in reading.rows.all(kind, column.in_(group))]
