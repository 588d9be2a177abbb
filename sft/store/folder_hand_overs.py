"""Queries on folders that were handed over, and whose files and folders are to follow.

Rules. There is a row from the decision until the last one has followed; there are few of them at any time, mostly none. Which
folders they are of comes unverified: a row is loaded where it matters, so that one that was changed keeps nothing but itself.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace
from sqlalchemy import select

from sft.store.criteria import by_key, rows_with
from sft.store.row_types import FolderHandOverRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import FolderHandOverModel
from sft.store.statements import columns_of

_BY_FOLDER: Final = by_key(FolderHandOverRow, FolderHandOverModel.folder_id)
_PENDING: Final = columns_of(
    select(FolderHandOverModel.folder_id, FolderHandOverModel.owner_id).order_by(FolderHandOverModel.folder_id)
)


def folders_handed_over(reading: ReadTransaction) -> dict[int, int]:
    """Tell of every folder that is being handed over to whom; unverified."""
    return dict(reading.rows.columns(_PENDING))


def folder_hand_overs(reading: ReadTransaction, folder_ids: Collection[int]) -> dict[int, FolderHandOverRow]:
    """Load what is being handed over of these folders, by the folder."""
    return {row.folder_id: row for row in rows_with(reading, _BY_FOLDER, folder_ids)}


def begin_folder_hand_over(transaction: Transaction, folder_id: int, owner_id: int) -> None:
    """Note that what is below a folder now, and nothing that comes later, is to be somebody's."""
    row = FolderHandOverRow(folder_id, owner_id, transaction.next_slot - 1, transaction.now)
    transaction.rows.insert([row])


def hand_on_folders(transaction: Transaction, from_id: int, to_id: int) -> None:
    """Have the folders that somebody was to get go to another."""
    waiting = [folder_id for folder_id, owner_id in folders_handed_over(transaction).items() if owner_id == from_id]
    rows = folder_hand_overs(transaction, waiting).values()
    transaction.rows.update([replace(row, owner_id=to_id) for row in rows])


def end_folder_hand_over(transaction: Transaction, row: FolderHandOverRow) -> None:
    """Note that nothing is left to follow."""
    transaction.rows.delete([row])
