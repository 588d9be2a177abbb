"""Queries on what is being handed over: whose, to whom, and which rows are still to follow.

Rules. A removed user's figures name the heir from the removal until the last row has followed: till then the row of a file or
folder may name the removed user, and whoever judges or shows whose it is asks here. An heir is never handed over themselves:
whoever is removed passes on what they were to get.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace
from sqlalchemy import select

from sft.store.criteria import by_key, following, ids_after, rows_with
from sft.store.figures import user_figures
from sft.store.folder_hand_overs import hand_on_folders
from sft.store.row_types import UserFiguresRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import FileModel, FolderModel, UserFiguresModel
from sft.store.statements import columns_of, rows_of, value

_BY_USER: Final = by_key(UserFiguresRow, UserFiguresModel.user_id)
_TO: Final = rows_of(UserFiguresRow, UserFiguresModel.heir_id == value("heir_id"))
_PENDING: Final = columns_of(
    select(UserFiguresModel.user_id, UserFiguresModel.heir_id).where(UserFiguresModel.heir_id.is_not(None))
)
_MADE: Final = following(FolderModel.id, FolderModel.maker_id == value("user_id"))
_OWNED: Final = following(FileModel.id, FileModel.owner_id == value("user_id"))


def begin_hand_over(transaction: Transaction, from_id: int, to_id: int) -> int:
    """Count for another what a person owns, and name the other as heir; return how many files that is.

    What was being handed over to that person goes to the other too, folders as well.
    """
    hand_on_folders(transaction, from_id, to_id)
    rows = transaction.rows
    figures = user_figures(transaction, [from_id, to_id])
    old, new = figures[from_id], figures[to_id]
    waiting = rows.all(_TO, heir_id=from_id)
    rows.update(
        [
            replace(old, files=0, size_bytes=0, heir_id=to_id),
            replace(new, files=new.files + old.files, size_bytes=new.size_bytes + old.size_bytes),
            *(replace(row, heir_id=to_id) for row in waiting),
        ]
    )
    return old.files


def end_hand_over(transaction: Transaction, from_id: int) -> None:
    """Note that nothing of a removed user is left to be handed over."""
    row = user_figures(transaction, [from_id])[from_id]
    transaction.rows.update([replace(row, heir_id=None)])


def heirs_of(reading: ReadTransaction, user_ids: Collection[int]) -> dict[int, int]:
    """Tell to whom the files of these people are being handed over, as far as they are."""
    found = rows_with(reading, _BY_USER, user_ids)
    return {row.user_id: row.heir_id for row in found if row.heir_id is not None}


def handed_over_to(reading: ReadTransaction, user_id: int) -> list[int]:
    """Return the ids of the removed people whose files are being handed over to somebody."""
    return [row.user_id for row in reading.rows.all(_TO, heir_id=user_id)]


def handed_over(reading: ReadTransaction) -> dict[int, int]:
    """Tell of everybody whose files are being handed over to whom; unverified, for walking through them."""
    return {user_id: heir_id or 0 for user_id, heir_id in reading.rows.columns(_PENDING)}


def folders_made_by(reading: ReadTransaction, user_id: int, after: int, limit: int) -> list[int]:
    """Return the ids of folders whose rows name a maker, in the trash too; unverified, for walking through them.

    They are found by reading the table, so not in the writer: no index is kept for what is done so seldom.
    """
    return ids_after(reading, _MADE, after, limit, user_id=user_id)


def files_owned_by(reading: ReadTransaction, user_id: int, after: int, limit: int) -> list[int]:
    """Return the ids of files whose rows name an owner, in the trash too; unverified, for walking through them."""
    return ids_after(reading, _OWNED, after, limit, user_id=user_id)
