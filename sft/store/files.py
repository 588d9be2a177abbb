"""Queries on live files and on versions: by place, by id, a page of them, all below some folders.

Rules. A page is asked for by the last key that was seen, never by an offset, so the last page costs what the first does. A
file always comes with the version that was asked for, both verified.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Final

from sqlalchemy import LargeBinary, cast, func, select

from sft.errors import RowForgedError
from sft.model.access import Scope
from sft.model.quotas import Usage
from sft.store.criteria import (
    GROUP_PAIRS,
    LIVE,
    REPLACED,
    any_of_pairs,
    by_key,
    columns_with,
    following,
    following_keys,
    groups,
    halves,
    ids_after,
    keys_after,
    owners_in,
    rows_with,
    within,
)
from sft.store.folders import PlaceKey
from sft.store.row_types import FileRow, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.schema import FileModel, FolderModel, VersionModel
from sft.store.statements import PairsOf, any_of, columns_of, pairs_of, rows_of, value
from sft.store.table_specs import table_of

Pair = tuple[FileRow, VersionRow]

VersionKey = tuple[int, int]
"""A file's row id and the number of a version of it."""

KeptKey = tuple[int, int]
"""Of how many versions of a file the contents may be there, and its row id."""

BEFORE_ALL_KEPT: Final[KeptKey] = (0, 0)

ExpiryKey = tuple[int, int]
"""When a file goes to the trash by itself, and its row id."""

BEFORE_ALL_EXPIRING: Final[ExpiryKey] = (-(2**62), 0)

_NEWEST: Final = (VersionModel.file == FileModel.id) & (VersionModel.number == FileModel.newest)
_BY_ID: Final = by_key(FileRow, FileModel.id)
_BY_FILE_ID: Final = by_key(FileRow, FileModel.file_id)
_NAMED: Final = rows_of(FileRow, *any_of_pairs(FileModel.folder_id, FileModel.folded), FileModel.state == LIVE)
_VERSIONS: Final = rows_of(VersionRow, *any_of_pairs(VersionModel.file, VersionModel.number))
_OLDEST: Final = columns_of(
    select(VersionModel.file, VersionModel.number)
    .where(VersionModel.file.in_(any_of("files")))
    .order_by(VersionModel.file, VersionModel.number)
    .limit(value("limit"))
)
_VERSIONS_OF: Final = rows_of(VersionRow, VersionModel.file == value("file"), order_by=(VersionModel.number,))
_ENTRIES: Final = columns_of(
    select(VersionModel.number, VersionModel.leaf, VersionModel.digest, VersionModel.size, VersionModel.subtrees).where(
        VersionModel.file == value("file"), VersionModel.number.in_(any_of("keys"))
    )
)
_BYTES: Final = columns_of(
    select(VersionModel.file, func.sum(VersionModel.size))
    .where(VersionModel.file.in_(any_of("keys")), VersionModel.destroyed_at.is_(None))
    .group_by(VersionModel.file)
)
_IDS: Final = following(FileModel.id)
_REPLACED: Final = following_keys(
    (FileModel.contents_kept, FileModel.id), REPLACED, FileModel.contents_kept > value("most")
)
_REPLACED_BEFORE: Final = columns_of(
    select(func.count(FileModel.id.distinct()), func.coalesce(func.sum(VersionModel.size), 0))
    .join(VersionModel, VersionModel.file == FileModel.id)
    .where(
        REPLACED,
        FileModel.contents_kept > value("most"),
        VersionModel.number > FileModel.newest - FileModel.contents_kept,
        VersionModel.number <= FileModel.newest - value("most"),
        VersionModel.destroyed_at.is_(None),
    )
)
_EXPIRED: Final = following_keys(
    (FileModel.expires_at, FileModel.id),
    FileModel.expires_at.is_not(None),
    FileModel.state == LIVE,
    FileModel.expires_at <= value("moment"),
)
_PLACES: Final = columns_of(
    select(FileModel.folded, FileModel.id)
    .where(FileModel.folder_id == value("folder_id"), FileModel.folded > value("after"))
    .order_by(FileModel.folded)
    .limit(value("limit"))
)
_HOLDING: Final = tuple(
    columns_of(select(column).where(column.in_(any_of("keys"))).distinct())
    for column in (FileModel.folder_id, FolderModel.parent_id)
)
_LONGEST: Final = columns_of(
    select(FileModel.folder_id, func.max(func.length(cast(FileModel.name, LargeBinary))))
    .where(FileModel.folder_id.in_(any_of("keys")), FileModel.state == LIVE)
    .group_by(FileModel.folder_id)
)
_WITHOUT_VERSION: Final = columns_of(
    select(FileModel.id)
    .outerjoin(VersionModel, _NEWEST)
    .where(FileModel.id.in_(any_of("keys")), VersionModel.file.is_(None))
)
_WITHOUT_FOLDER: Final = columns_of(
    select(FileModel.id)
    .outerjoin(FolderModel, FolderModel.id == FileModel.folder_id)
    .where(FileModel.id.in_(any_of("keys")), FileModel.state == LIVE, FolderModel.id.is_(None))
)


def files_named(reading: ReadTransaction, keys: Collection[PlaceKey]) -> dict[PlaceKey, FileRow]:
    """Find which of these places hold a file."""
    found: dict[PlaceKey, FileRow] = {}
    for group in groups(keys, GROUP_PAIRS):
        rows = reading.rows.all(_NAMED, **halves(group))
        found.update(((row.folder_id or 0, row.folded), row) for row in rows)
    return {key: found[key] for key in keys if key in found}


def files_by_file_id(reading: ReadTransaction, file_ids: Collection[bytes]) -> dict[bytes, FileRow]:
    """Find files, trashed ones too, by the ids that their authors drew."""
    return {row.file_id: row for row in rows_with(reading, _BY_FILE_ID, file_ids)}


def newest_versions(reading: ReadTransaction, files: Collection[FileRow]) -> dict[int, VersionRow]:
    """Load the newest version of each file, by its row id; RowForgedError if one is gone."""
    wanted = {(row.id, row.newest) for row in files}
    found = {row.file: row for row in versions_at(reading, wanted)}
    for row_id, number in sorted(wanted):
        if row_id not in found:
            raise RowForgedError(table_of(VersionRow), f"{row_id}, {number}")
    return found


def versions_at(reading: ReadTransaction, keys: Collection[VersionKey]) -> list[VersionRow]:
    """Load versions by their keys, each once."""
    found: list[VersionRow] = []
    for group in groups(keys, GROUP_PAIRS):
        wanted = set(group)  # of this group alone: a later one asks for others of the same file
        rows = reading.rows.all(_VERSIONS, **halves(group))
        found += [row for row in rows if (row.file, row.number) in wanted]
    return found


def oldest_versions(reading: ReadTransaction, row_ids: Collection[int], limit: int) -> list[VersionRow]:
    """Load versions of the files that have these rows, file by file, each from its first on."""
    keys: list[VersionKey] = []
    for group in groups(sorted(row_ids)):
        if len(keys) < limit:
            keys += reading.rows.columns(_OLDEST, files=group, limit=limit - len(keys))
    return sorted(versions_at(reading, keys), key=lambda row: (row.file, row.number))


def versions_of_file(reading: ReadTransaction, row_id: int) -> list[VersionRow]:
    """Load every version of the file that has this row, in order."""
    return reading.rows.all(_VERSIONS_OF, file=row_id)


def entries_at(
    reading: ReadTransaction, row_id: int, numbers: Collection[int]
) -> list[tuple[int, int, bytes, int, bytes]]:
    """Return what the tree over all versions of a file has of these: number, leaf, digest, size, subtrees; unverified."""
    return [entry for group in groups(numbers) for entry in reading.rows.columns(_ENTRIES, file=row_id, keys=group)]


def files_in(reading: ReadTransaction, folder_id: int, after: str | None, limit: int, scope: Scope) -> list[Pair]:
    """Page through the files of a folder by folded name, after the last one seen, each with its newest version."""
    asked = _files_in(later=after is not None, everything=scope.everything)
    place = {} if after is None else {"after": after}
    return reading.rows.pairs(asked, folder_id=folder_id, limit=limit, **place, **owners_in(scope))


@cache
def _files_in(*, later: bool, everything: bool) -> PairsOf[FileRow, VersionRow]:
    return pairs_of(
        FileRow,
        VersionRow,
        _NEWEST,
        FileModel.folder_id == value("folder_id"),
        FileModel.state == LIVE,
        *([FileModel.folded > value("after")] if later else []),
        *within(FileModel.owner_id, everything=everything),
        order_by=(FileModel.folded,),
        limit=value("limit"),
    )


def files_after(reading: ReadTransaction, after: int, limit: int, scope: Scope) -> list[Pair]:
    """Page through all files of a scope, in order of creation, each with its newest version.

    Those that were deleted with a folder are among them, those that were deleted by themselves are not.
    """
    return reading.rows.pairs(_files_after(everything=scope.everything), after=after, limit=limit, **owners_in(scope))


@cache
def _files_after(*, everything: bool) -> PairsOf[FileRow, VersionRow]:
    return pairs_of(
        FileRow,
        VersionRow,
        _NEWEST,
        FileModel.id > value("after"),
        FileModel.state == LIVE,
        *within(FileModel.owner_id, everything=everything),
        order_by=(FileModel.id,),
        limit=value("limit"),
    )


def file_places_in(reading: ReadTransaction, folder_id: int, after: str, limit: int) -> list[tuple[str, int]]:
    """Page through the files of a folder, as folded names and row ids; unverified, for walking through all of them."""
    return reading.rows.columns(_PLACES, folder_id=folder_id, after=after, limit=limit)


def folders_that_hold(reading: ReadTransaction, folder_ids: Collection[int]) -> set[int]:
    """Return which of these folders hold a file or a folder; unverified: a foreign key is the judge."""
    return {folder_id or 0 for asked in _HOLDING for (folder_id,) in columns_with(reading, asked, folder_ids)}


def longest_names(reading: ReadTransaction, folder_ids: Collection[int]) -> dict[int, int]:
    """Return the bytes of the longest file name in each of these folders that has one."""
    return {folder_id or 0: length for folder_id, length in columns_with(reading, _LONGEST, folder_ids)}


def bytes_of_files(reading: ReadTransaction, row_ids: Collection[int]) -> dict[int, int]:
    """Return the bytes that each of these files counts for; unverified: a changed size is named where it is read."""
    return dict(columns_with(reading, _BYTES, row_ids))


def file_by_row_id(reading: ReadTransaction, row_id: int) -> FileRow | None:
    return next(iter(files_by_row_id(reading, [row_id])), None)


def files_by_row_id(reading: ReadTransaction, row_ids: Collection[int]) -> list[FileRow]:
    """Load the files that have these rows, as far as they are there."""
    return rows_with(reading, _BY_ID, row_ids)


def file_row_ids(reading: ReadTransaction, after: int, limit: int) -> list[int]:
    """Return the row ids of the files that follow one, trashed ones too; unverified."""
    return ids_after(reading, _IDS, after, limit)


def files_replaced(reading: ReadTransaction, most: int, after: KeptKey, limit: int) -> list[KeptKey]:
    """Return the keys of the files of which the contents of more versions may be there than so many; unverified."""
    return keys_after(reading, _REPLACED, after, limit, most=most)


def replaced_before(reading: ReadTransaction, kept: int) -> Usage:
    """Add up the contents of versions that are older than so many of their file's newest, and their files; unverified."""
    ((files, size_bytes),) = reading.rows.columns(_REPLACED_BEFORE, most=kept)
    return Usage(files, size_bytes)


def expired_files(reading: ReadTransaction, moment: int, after: ExpiryKey, limit: int) -> list[ExpiryKey]:
    """Return the keys of files whose time is over at a moment, the first ones first; unverified."""
    return keys_after(reading, _EXPIRED, after, limit, moment=moment)


def files_without_version(reading: ReadTransaction, row_ids: Collection[int]) -> list[int]:
    """Return which of these files lack their newest version; unverified, for ``vault check``."""
    return [row_id for (row_id,) in columns_with(reading, _WITHOUT_VERSION, row_ids)]


def files_without_folder(reading: ReadTransaction, row_ids: Collection[int]) -> list[int]:
    """Return which of these files are not deleted by themselves and lie in no folder; unverified, for ``vault check``."""
    return [row_id for (row_id,) in columns_with(reading, _WITHOUT_FOLDER, row_ids)]
