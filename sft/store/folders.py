"""Queries on folders: by place, by id, a page of them, and the tree below one.

Rules. Folders hang on their parents by id, so moving one touches its own row, and the figures of those above it. Many keys are
asked for in groups: a statement takes only so many variables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, false, literal_column
from sqlalchemy.orm import InstrumentedAttribute

from sft.errors import RowForgedError
from sft.limits import PATH_BYTES
from sft.model.access import Scope
from sft.store.row_types import FolderRow
from sft.store.rows import ReadTransaction
from sft.store.schema import FolderModel

ROOT_ID: Final = 1
GROUP_KEYS: Final = 400  # below the 999 variables of an old SQLite
GROUP_PAIRS: Final = 64  # each second half is looked for under each first half of its group
LIVE_STATE: Final = "live"
LIVE: Final[ColumnElement[str]] = literal_column(f"'{LIVE_STATE}'")  # a bound value would not match the partial index

PlaceKey = tuple[int, str]
"""A folder's id and a folded name in it."""

_T = TypeVar("_T")


def groups(keys: Collection[_T], size: int = GROUP_KEYS) -> Iterator[list[_T]]:
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
    return [false() if scope.owner_id is None else owner + 0 == scope.owner_id]


def root(reading: ReadTransaction) -> FolderRow:
    """Load the root folder; RowForgedError if it is gone, which the server itself never does."""
    return folder_by_id(reading, ROOT_ID)


def folder_by_id(reading: ReadTransaction, folder_id: int) -> FolderRow:
    """Load a folder that another row names.

    Raises:
        RowForgedError: it is gone: folders that something lies in are never removed.
    """
    row = reading.rows.one(FolderRow, FolderModel.id == folder_id)
    if row is None:
        raise RowForgedError("folders", str(folder_id))
    return row


def folders_named(reading: ReadTransaction, keys: Collection[PlaceKey]) -> dict[PlaceKey, FolderRow]:
    """Find which of these places hold a folder."""
    found: dict[PlaceKey, FolderRow] = {}
    for group in groups(keys, GROUP_PAIRS):
        rows = reading.rows.all(FolderRow, *any_of_pairs(FolderModel.parent_id, FolderModel.folded, group))
        found.update(((row.parent_id or 0, row.folded), row) for row in rows)
    return {key: found[key] for key in keys if key in found}


def folders_in(
    reading: ReadTransaction, parent_id: int, after: str | None, limit: int, scope: Scope
) -> list[FolderRow]:
    """Page through the folders of a folder by folded name, after the last one seen."""
    later = [] if after is None else [FolderModel.folded > after]
    return reading.rows.all(
        FolderRow,
        FolderModel.parent_id == parent_id,
        *later,
        *within(scope, FolderModel.maker_id),
        order_by=(FolderModel.folded,),
        limit=limit,
    )


def path_of(reading: ReadTransaction, folder_id: int, known: dict[int, str] | None = None) -> str:
    """Spell the path of a folder; the root's is empty.

    Args:
        known: paths by id, which those on the way join: of a page in a thousand folders each is loaded once.

    Raises:
        RowForgedError: a folder above is gone, or they go round in a circle.
    """
    paths = {} if known is None else known
    way: list[FolderRow] = []
    at: int | None = folder_id
    while at is not None and at not in paths:
        if len(way) > PATH_BYTES:
            raise RowForgedError("folders", str(folder_id))
        way.append(folder_by_id(reading, at))
        at = way[-1].parent_id
    for row in reversed(way):
        above = paths.get(row.parent_id or 0, "")
        paths[row.id] = f"{above}/{row.name}" if above else row.name
    return paths[folder_id]


def children_of(reading: ReadTransaction, folder_ids: Collection[int]) -> list[FolderRow]:
    """Load the folders that lie directly in any of these."""
    return [
        row for group in groups(folder_ids) for row in reading.rows.all(FolderRow, FolderModel.parent_id.in_(group))
    ]


def folders_below(reading: ReadTransaction, top: FolderRow) -> list[FolderRow]:
    """Load a folder and all folders below it, parents before children."""
    tree = [top]
    level: Sequence[FolderRow] = tree
    while level:
        level = children_of(reading, [row.id for row in level])
        tree.extend(level)
    return tree
