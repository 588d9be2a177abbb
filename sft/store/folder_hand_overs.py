"""Queries on folders that were handed over, and whose files and folders are to follow.

Rules. There is a row from the decision until the last one has followed; there are few of them at any time, mostly none. Which
folders they are of comes unverified: a row is loaded where it matters, so that one that was changed keeps nothing but itself.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace
from sqlalchemy import func, select

from sft.model.quotas import Usage
from sft.store.criteria import LIVE, by_key, rows_with
from sft.store.row_types import FolderHandOverRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import FileModel, FolderHandOverModel, FolderModel, VersionModel
from sft.store.statements import ColumnsOf, any_of, columns_of, rows_of, value

_BY_FOLDER: Final = by_key(FolderHandOverRow, FolderHandOverModel.folder_id)
_TO: Final = rows_of(FolderHandOverRow, FolderHandOverModel.owner_id == value("owner_id"))
_PENDING: Final = columns_of(
    select(FolderHandOverModel.folder_id, FolderHandOverModel.owner_id).order_by(FolderHandOverModel.folder_id)
)


def _others_below() -> ColumnsOf[int, int]:
    below = select(FolderModel.id).where(FolderModel.id == value("folder_id")).cte("below", recursive=True)
    # By union, which ends also where forged rows go round in a circle.
    below = below.union(select(FolderModel.id).where(FolderModel.parent_id == below.c.id))
    size_bytes = (
        select(func.sum(VersionModel.size))
        .where(VersionModel.file == FileModel.id, VersionModel.destroyed_at.is_(None))
        .scalar_subquery()
    )
    return columns_of(
        select(func.count(FileModel.id), func.coalesce(func.sum(size_bytes), 0))
        .join(below, FileModel.folder_id == below.c.id)
        .where(FileModel.state == LIVE, FileModel.owner_id.not_in(any_of("owners")))
    )


_OTHERS_BELOW: Final = _others_below()


def folders_handed_over(reading: ReadTransaction) -> dict[int, int]:
    """Tell of every folder that is being handed over to whom; unverified."""
    return dict(reading.rows.columns(_PENDING))


def folder_hand_overs(reading: ReadTransaction, folder_ids: Collection[int]) -> dict[int, FolderHandOverRow]:
    """Load what is being handed over of these folders, by the folder."""
    return {row.folder_id: row for row in rows_with(reading, _BY_FOLDER, folder_ids)}


def hand_overs_to(reading: ReadTransaction, owner_id: int) -> list[FolderHandOverRow]:
    """Load which folders somebody is getting."""
    return reading.rows.all(_TO, owner_id=owner_id)


def others_below(reading: ReadTransaction, folder_id: int, owner_ids: Collection[int]) -> Usage:
    """Add up the live files below a folder, with all their versions, that are not these people's; unverified.

    It reads each of those files and versions once: a hundred thousand files of two versions take 0.4 s of processor time.
    """
    ((files, size_bytes),) = reading.rows.columns(_OTHERS_BELOW, folder_id=folder_id, owners=owner_ids)
    return Usage(files, size_bytes)


def begin_folder_hand_over(transaction: Transaction, folder_id: int, owner_id: int, reserved: Usage) -> None:
    """Note that what is below a folder now, and nothing that comes later, is to be somebody's.

    Args:
        reserved: of their quota, for what is going to follow.
    """
    last_slot = transaction.next_slot - 1
    row = FolderHandOverRow(folder_id, owner_id, last_slot, transaction.now, reserved.files, reserved.size_bytes)
    transaction.rows.insert([row])


def note_followed(transaction: Transaction, row: FolderHandOverRow, followed: Usage) -> None:
    """Note that some of what was below a folder counts for its new owner now."""
    files, size_bytes = max(0, row.files - followed.files), max(0, row.size_bytes - followed.size_bytes)
    if (files, size_bytes) != (row.files, row.size_bytes):
        transaction.rows.update([replace(row, files=files, size_bytes=size_bytes)])


def hand_on_folders(transaction: Transaction, from_id: int, to_id: int) -> None:
    """Have the folders that somebody was to get go to another."""
    waiting = [folder_id for folder_id, owner_id in folders_handed_over(transaction).items() if owner_id == from_id]
    rows = folder_hand_overs(transaction, waiting).values()
    transaction.rows.update([replace(row, owner_id=to_id) for row in rows])


def end_folder_hand_over(transaction: Transaction, row: FolderHandOverRow) -> None:
    """Note that nothing is left to follow."""
    transaction.rows.delete([row])
