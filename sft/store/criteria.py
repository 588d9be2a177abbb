"""What queries have in common: states, groups of keys, the rows of a scope, keys that follow one.

Rules. Many keys are asked for in groups: a statement takes only so many variables. States stand in the statement itself: a
bound value would not match the partial indices. Keys by themselves come unverified, for walking through all of a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, TypeVar, TypeVarTuple

from sqlalchemy import ColumnElement, literal_column, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from sft.model.access import Scope
from sft.store.row_types import Row
from sft.store.rows import ReadTransaction
from sft.store.statements import ColumnsOf, RowsOf, any_of, columns_of, rows_of, value

GROUP_KEYS: Final = 256  # in one statement
GROUP_PAIRS: Final = 64  # each second half is looked for under each first half of its group
LIVE_STATE: Final = "live"
TRASHED_STATE: Final = "trashed"
PURGING_STATE: Final = "purging"
LIVE: Final[ColumnElement[str]] = literal_column(f"'{LIVE_STATE}'")
TRASHED: Final[ColumnElement[str]] = literal_column(f"'{TRASHED_STATE}'")
PURGING: Final[ColumnElement[str]] = literal_column(f"'{PURGING_STATE}'")
REPLACED: Final[ColumnElement[bool]] = literal_column("files.contents_kept > 1")  # as the partial index says it

T = TypeVar("T")
R = TypeVar("R", bound=Row)
Ts = TypeVarTuple("Ts")


def groups(keys: Collection[T], size: int = GROUP_KEYS) -> Iterator[list[T]]:
    """Split keys into lists that one statement can take."""
    ordered = list(keys)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def any_of_pairs(
    first: InstrumentedAttribute[Any], second: InstrumentedAttribute[Any]
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Ask for any first half with any second: more rows than were meant, which the caller drops, but by the index.

    For ``(first, second) IN (…)`` SQLite reads the whole table. The values are those of ``halves``.
    """
    return first.in_(any_of("firsts")), second.in_(any_of("seconds"))


def halves(pairs: list[Any]) -> dict[str, Any]:
    return {"firsts": {pair[0] for pair in pairs}, "seconds": {pair[1] for pair in pairs}}


def within(owner: InstrumentedAttribute[Any], *, everything: bool) -> list[ColumnElement[bool]]:
    """Ask for what a scope holds, whose values are ``owners_in``.

    Like every criterion it sees unverified columns: a forged owner is not found.
    """
    # Not by an index on the owner: it holds everything of theirs, and would have to be sorted.
    return [] if everything else [(owner + literal_column("0")).in_(any_of("owners"))]


def owners_in(scope: Scope) -> dict[str, Any]:
    return {} if scope.everything else {"owners": scope.owner_ids}


def following(column: InstrumentedAttribute[T], *where: ColumnElement[bool]) -> ColumnsOf[T]:
    """Say the statement of ``ids_after``."""
    later = column > value("after")
    return columns_of(select(column).where(*where, later).order_by(column).limit(value("limit")))


def ids_after(reading: ReadTransaction, asked: ColumnsOf[T], after: T, limit: int, **values: Any) -> list[T]:
    """Return the values of a column that follow one, in order, so many at most."""
    return [number for (number,) in reading.rows.columns(asked, after=after, limit=limit, **values)]


def following_keys(columns: tuple[InstrumentedAttribute[Any], ...], *where: ColumnElement[bool]) -> ColumnsOf[Any]:
    """Say the statement of ``keys_after``."""
    later = tuple_(*columns) > tuple_(*(value(f"after_{place}") for place in range(len(columns))))
    return columns_of(select(*columns).where(*where, later).order_by(*columns).limit(value("limit")))


def keys_after(
    reading: ReadTransaction, asked: ColumnsOf[Any], after: tuple[Any, ...], limit: int, **values: Any
) -> list[Any]:
    """Return the keys of several columns that follow one, in order, so many at most."""
    place = {f"after_{number}": each for number, each in enumerate(after)}
    return reading.rows.columns(asked, limit=limit, **place, **values)


def by_key(kind: type[R], column: InstrumentedAttribute[Any]) -> RowsOf[R]:
    """Say the statement of ``rows_with``."""
    return rows_of(kind, column.in_(any_of("keys")))


def rows_with(reading: ReadTransaction, asked: RowsOf[R], keys: Collection[Any]) -> list[R]:
    """Load the rows that have any of these keys, however many they are."""
    return [row for group in groups(keys) for row in reading.rows.all(asked, keys=group)]


def columns_with(reading: ReadTransaction, asked: ColumnsOf[*Ts], keys: Collection[Any]) -> list[tuple[*Ts]]:
    """Ask, likewise, for columns of what has any of these keys."""
    return [found for group in groups(keys) for found in reading.rows.columns(asked, keys=group)]
