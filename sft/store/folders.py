"""Queries on folders: by place, by id, a page of them, and the tree below one.

Rules. Folders hang on their parents by id, so moving or deleting one touches its own row, and the figures of those above it:
whatever is found otherwise than by walking down from the root lives only if what it hangs on in the end is the root
(``FolderPath.live``).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import aliased

from sft.errors import RowForgedError
from sft.limits import PATH_BYTES
from sft.model.access import Scope
from sft.model.names import join_path
from sft.store.criteria import (
    GROUP_PAIRS,
    LIVE,
    LIVE_STATE,
    any_of_pairs,
    by_key,
    columns_with,
    following,
    groups,
    halves,
    ids_after,
    owners_in,
    rows_with,
    within,
)
from sft.store.row_types import FolderRow
from sft.store.rows import ReadTransaction
from sft.store.schema import FolderModel
from sft.store.statements import RowsOf, any_of, columns_of, rows_of, value
from sft.store.table_specs import table_of

ROOT_ID: Final = 1

PlaceKey = tuple[int, str]
"""A folder's id and a folded name in it."""

_ABOVE: Final = aliased(FolderModel)
_BY_ID: Final = by_key(FolderRow, FolderModel.id)
_BY_PARENT: Final = by_key(FolderRow, FolderModel.parent_id)
_NAMED: Final = rows_of(FolderRow, *any_of_pairs(FolderModel.parent_id, FolderModel.folded))
_IDS: Final = following(FolderModel.id)
_IDS_IN: Final = columns_of(
    select(FolderModel.id).where(FolderModel.parent_id.in_(any_of("keys"))).order_by(FolderModel.parent_id)
)
_PARENTS: Final = columns_of(select(FolderModel.id, FolderModel.parent_id).where(FolderModel.id.in_(any_of("keys"))))
_HANGING_ON_NOTHING: Final = columns_of(
    select(FolderModel.id)
    .outerjoin(_ABOVE, _ABOVE.id == FolderModel.parent_id)
    .where(
        FolderModel.id.in_(any_of("keys")),
        ((FolderModel.id == ROOT_ID) | (FolderModel.state != LIVE)) != _ABOVE.id.is_(None),
    )
)


class FolderPath(NamedTuple):
    """Where a folder is.

    Attributes:
        text: its path, the root's being empty; below a deleted folder what it was when that was deleted.
        top: what it hangs on in the end: the root, or a folder that was deleted.
    """

    text: str
    top: FolderRow

    @property
    def live(self) -> bool:
        """Whether it can be walked to from the root."""
        return self.top.id == ROOT_ID


def root(reading: ReadTransaction) -> FolderRow:
    """Load the root folder; RowForgedError if it is gone, which the server itself never does."""
    return folder_by_id(reading, ROOT_ID)


def folder_by_id(reading: ReadTransaction, folder_id: int) -> FolderRow:
    """Load a folder that another row names.

    Raises:
        RowForgedError: it is gone: folders that something lies in are never removed.
    """
    row = folders_by_id(reading, [folder_id]).get(folder_id)
    if row is None:
        raise RowForgedError(table_of(FolderRow), str(folder_id))
    return row


def folders_named(reading: ReadTransaction, keys: Collection[PlaceKey]) -> dict[PlaceKey, FolderRow]:
    """Find which of these places hold a folder."""
    found: dict[PlaceKey, FolderRow] = {}
    for group in groups(keys, GROUP_PAIRS):
        rows = reading.rows.all(_NAMED, **halves(group))
        found.update(((row.parent_id or 0, row.folded), row) for row in rows)
    return {key: found[key] for key in keys if key in found}


def folders_in(
    reading: ReadTransaction, parent_id: int, after: str | None, limit: int, scope: Scope
) -> list[FolderRow]:
    """Page through the folders of a folder by folded name, after the last one seen."""
    asked = _folders_in(later=after is not None, everything=scope.everything)
    place = {} if after is None else {"after": after}
    return reading.rows.all(asked, parent_id=parent_id, limit=limit, **place, **owners_in(scope))


@cache
def _folders_in(*, later: bool, everything: bool) -> RowsOf[FolderRow]:
    return rows_of(
        FolderRow,
        FolderModel.parent_id == value("parent_id"),
        *([FolderModel.folded > value("after")] if later else []),
        *within(FolderModel.maker_id, everything=everything),
        order_by=(FolderModel.folded,),
        limit=value("limit"),
    )


def path_of(reading: ReadTransaction, folder_id: int, known: dict[int, FolderPath] | None = None) -> FolderPath:
    """Spell the path of a folder; arguments and errors are those of ``paths_of``."""
    return paths_of(reading, [folder_id], known)[folder_id]


def paths_of(
    reading: ReadTransaction, folder_ids: Collection[int], known: dict[int, FolderPath] | None = None
) -> dict[int, FolderPath]:
    """Spell the paths of folders, by a query or more for each level above them.

    Args:
        known: paths by id, which those on the way join: of a page in a thousand folders each is loaded once.

    Returns:
        ``known``, or what it would be.

    Raises:
        RowForgedError: a folder above is gone, they go round in a circle, or hang on nothing.
    """
    paths = {} if known is None else known
    way: dict[int, FolderRow] = {}
    level = set(folder_ids) - paths.keys()
    while level:
        found = folders_by_id(reading, level)
        for folder_id in sorted(level):
            if folder_id not in found:
                raise RowForgedError(table_of(FolderRow), str(folder_id))
        way |= found
        level = {row.parent_id for row in found.values() if row.parent_id is not None} - paths.keys() - way.keys()
    for row in way.values():
        _spell(row, way, paths)
    return paths


def _spell(row: FolderRow, way: dict[int, FolderRow], paths: dict[int, FolderPath]) -> None:
    """Note the path of a folder, and of all above it that have none yet."""
    below: list[FolderRow] = []
    while row.id not in paths:
        below.append(row)
        if len(below) > PATH_BYTES:
            raise RowForgedError(table_of(FolderRow), str(below[0].id))
        if row.parent_id is None or row.parent_id in paths:
            break
        row = way[row.parent_id]
    for each in reversed(below):
        if each.parent_id is None:
            paths[each.id] = FolderPath(_top_path(each), each)
        else:
            above = paths[each.parent_id]
            paths[each.id] = FolderPath(join_path(above.text, each.name), above.top)


def _top_path(top: FolderRow) -> str:
    if top.id == ROOT_ID:
        return ""
    if top.state == LIVE_STATE or top.trashed_path is None:
        raise RowForgedError(table_of(FolderRow), str(top.id))
    return top.trashed_path


def folders_by_id(reading: ReadTransaction, folder_ids: Collection[int]) -> dict[int, FolderRow]:
    """Load the folders that have these ids, as far as they are there."""
    return {row.id: row for row in rows_with(reading, _BY_ID, folder_ids)}


def ids_above(reading: ReadTransaction, folder_id: int) -> list[int]:
    """Return the ids of a folder and of all that it lies in, the nearest first.

    Raises:
        RowForgedError: one is gone, or they go round in a circle.
    """
    found: list[int] = []
    above: int | None = folder_id
    while above is not None:
        if len(found) > PATH_BYTES:
            raise RowForgedError(table_of(FolderRow), str(folder_id))
        found.append(above)
        above = folder_by_id(reading, above).parent_id
    return found


def folder_ids_after(reading: ReadTransaction, after: int, limit: int) -> list[int]:
    """Return the ids of the folders that follow one, wherever they hang; unverified."""
    return ids_after(reading, _IDS, after, limit)


def folders_that_hang_on_nothing(reading: ReadTransaction, folder_ids: Collection[int]) -> list[int]:
    """Return which of these folders have no folder above them and are neither the root nor in the trash, or have one and are.

    Unverified, for ``vault check``.
    """
    return [folder_id for (folder_id,) in columns_with(reading, _HANGING_ON_NOTHING, folder_ids)]


def parents_of(reading: ReadTransaction, folder_ids: Collection[int]) -> dict[int, int | None]:
    """Return the folders that these lie in; None of one that lies in none, being the root or deleted. Unverified."""
    return dict(columns_with(reading, _PARENTS, folder_ids))


def folder_ids_in(reading: ReadTransaction, parent_ids: Collection[int]) -> list[int]:
    """Return the ids of the folders that lie directly in some; unverified, for walking through a tree."""
    return [folder_id for (folder_id,) in columns_with(reading, _IDS_IN, parent_ids)]


def children_of(reading: ReadTransaction, folder_ids: Collection[int]) -> list[FolderRow]:
    """Load the folders that lie directly in any of these."""
    return rows_with(reading, _BY_PARENT, folder_ids)
