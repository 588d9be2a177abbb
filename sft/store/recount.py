"""Figures counted anew, for ``vault check``: those of a folder from what lies directly in it and from its folders' own.

Rules. Where every folder's figures follow from those of the folders in it, all are right, however deep: so a page of folders is
checked at a time, and nothing is kept from one to the next. Counts come unverified: a row that was changed is named by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace
from sqlalchemy import ColumnElement, LargeBinary, case, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

from sft.model.quotas import Usage
from sft.store.criteria import LIVE, columns_with, following, ids_after
from sft.store.hand_overs import handed_over
from sft.store.row_types import FolderRow, UserFiguresRow
from sft.store.rows import ReadTransaction
from sft.store.schema import FileModel, FolderModel, UserFiguresModel, UserModel, VersionModel
from sft.store.statements import any_of, columns_of


def _length(name: InstrumentedAttribute[str]) -> ColumnElement[int]:
    return func.length(cast(name, LargeBinary))


_maker: Final = func.coalesce(FolderModel.maker_id, 0)
_USER_IDS: Final = following(UserModel.id)
_FILES_IN: Final = columns_of(
    select(
        FileModel.folder_id,
        func.count(),
        func.sum(FileModel.owner_id),
        func.sum(FileModel.owner_id * FileModel.owner_id),
        func.max(_length(FileModel.name)),
    )
    .where(FileModel.folder_id.in_(any_of("keys")), FileModel.state == LIVE)
    .group_by(FileModel.folder_id)
)
_FOLDERS_IN: Final = columns_of(
    select(
        FolderModel.parent_id,
        func.count(),
        func.sum(FolderModel.files_below),
        func.sum(FolderModel.folders_below + 1),
        func.sum(FolderModel.owner_sum + _maker),
        func.sum(FolderModel.owner_squares + _maker * _maker),
        func.max(_length(FolderModel.name) + case((FolderModel.reach > 0, FolderModel.reach + 1), else_=0)),
    )
    .where(FolderModel.parent_id.in_(any_of("keys")))
    .group_by(FolderModel.parent_id)
)
_FILES_OF: Final = columns_of(
    select(FileModel.owner_id, func.count()).where(FileModel.owner_id.in_(any_of("keys"))).group_by(FileModel.owner_id)
)
_ALL_OWNED: Final = columns_of(
    select(func.coalesce(func.sum(UserFiguresModel.files), 0), func.coalesce(func.sum(UserFiguresModel.size_bytes), 0))
)
_BYTES_OF: Final = columns_of(
    select(FileModel.owner_id, func.sum(VersionModel.size))
    .join(VersionModel, VersionModel.file == FileModel.id)
    .where(FileModel.owner_id.in_(any_of("keys")), VersionModel.destroyed_at.is_(None))
    .group_by(FileModel.owner_id)
)


def user_ids(reading: ReadTransaction, after: int, limit: int) -> list[int]:
    """Return the ids of the people that follow one; unverified."""
    return ids_after(reading, _USER_IDS, after, limit)


def recounted_folders(reading: ReadTransaction, rows: Collection[FolderRow]) -> dict[int, FolderRow]:
    """Return these folders with the figures that follow from what lies directly in them."""
    counted = {
        row.id: replace(row, files=0, folders=0, files_below=0, folders_below=0, owner_sum=0, owner_squares=0, reach=0)
        for row in rows
    }
    for number, count, owner_sum, owner_squares, reach in columns_with(reading, _FILES_IN, counted):
        counted[number or 0] = replace(
            counted[number or 0],
            files=count,
            files_below=count,
            owner_sum=owner_sum,
            owner_squares=owner_squares,
            reach=reach,
        )
    for number, count, files_below, folders_below, owner_sum, owner_squares, reach in columns_with(
        reading, _FOLDERS_IN, counted
    ):
        row = counted[number or 0]
        counted[number or 0] = replace(
            row,
            folders=count,
            files_below=row.files_below + files_below,
            folders_below=folders_below,
            owner_sum=row.owner_sum + owner_sum,
            owner_squares=row.owner_squares + owner_squares,
            reach=max(row.reach, reach),
        )
    return counted


def recounted_users(reading: ReadTransaction, numbers: Collection[int]) -> dict[int, UserFiguresRow]:
    """Count what people own: files, in the trash too, and the bytes of all their versions that were not destroyed.

    What is being handed over counts for the heir.
    """
    counted = {number: UserFiguresRow(number, 0, 0) for number in numbers}
    counts_for = {number: number for number in numbers}
    for number, heir_id in handed_over(reading).items():
        if number in counted:
            counted[number] = replace(counted[number], heir_id=heir_id)
            del counts_for[number]
        if heir_id in counted:
            counts_for[number] = heir_id
    for number, count in columns_with(reading, _FILES_OF, counts_for):
        figures = counted[counts_for[number]]
        counted[figures.user_id] = replace(figures, files=figures.files + count)
    for number, size_bytes in columns_with(reading, _BYTES_OF, counts_for):
        figures = counted[counts_for[number]]
        counted[figures.user_id] = replace(figures, size_bytes=figures.size_bytes + size_bytes)
    return counted


def recounted_total(reading: ReadTransaction) -> Usage:
    """Add up what the kept figures of all people say: where each of them is right, it is."""
    ((files, size_bytes),) = reading.rows.columns(_ALL_OWNED)
    return Usage(files, size_bytes)
