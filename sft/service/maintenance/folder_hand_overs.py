"""Handing over what lies in folders that were handed over, page by page.

Rules. The decision stands in a row of its own; here the row of each file and folder comes to name the new owner, with the
figures of the folders that it lies in and of both owners. Whoever is interrupted is finished by the next. What is found by
columns that nothing verified is judged in the transaction that changes it: it lies below that folder, and did so when that was
handed over.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Final

from msgspec import Struct

from sft.errors import RowForgedError
from sft.model.access import Caller, Permission
from sft.model.owner_events import FolderHandedOver, FolderHandOverEnded
from sft.model.quota_events import QuotaNear
from sft.service.maintenance.report import JobContext, Report
from sft.service.maintenance.trees import files_in, levels, pages
from sft.service.owners import give_files, give_folders
from sft.service.use_case import act
from sft.store.files import files_by_row_id
from sft.store.folder_hand_overs import end_folder_hand_over, folder_hand_overs, folders_handed_over, note_followed
from sft.store.folders import folders_by_id, ids_above
from sft.store.row_types import FolderHandOverRow
from sft.store.rows import Transaction

# Of one transaction: for so many the writer needs 8 ms of processor time in one folder, 18 where each lies in one of its own.
HAND_OVER_ROWS: Final = 100


class FolderHandOver(Struct, frozen=True):
    """Files and folders, by their rows' ids, as far as they lie below a folder that was handed over."""

    caller: Caller
    folder_id: int
    files: tuple[int, ...] = ()
    folders: tuple[int, ...] = ()


class FolderHandOverEnd(Struct, frozen=True):
    """A folder below which a walk has found nothing more: nothing comes that would have to follow."""

    caller: Caller
    folder_id: int


class FolderHandOvers:
    """Walks through the folders that were handed over, and through all below them."""

    def __init__(self, context: JobContext, report: Report) -> None:
        self._context = context
        self._report = report

    def run(self) -> None:
        with self._context.begin_read() as reading:
            pending = folders_handed_over(reading)
        for folder_id in pending:
            faults = self._report.faults
            try:
                self._of(folder_id)
            except RowForgedError as forged:
                self._report.forged([forged])
            if self._report.faults == faults:
                self._context.act(note_folder_hand_over_end, FolderHandOverEnd(self._context.caller, folder_id))

    def _of(self, folder_id: int) -> None:
        # What is still to follow moves nowhere meanwhile: one walk meets all of it.
        for level in levels(self._context, folder_id):
            for folder_ids in pages(level, HAND_OVER_ROWS):
                self._report.halving(partial(self._give, folder_id, "folders"), folder_ids)
                for row_ids in pages(files_in(self._context, folder_ids), HAND_OVER_ROWS):
                    self._report.halving(partial(self._give, folder_id, "files"), row_ids)
                    self._context.progress(self._report.files, 0)

    def _give(self, folder_id: int, kind: str, row_ids: tuple[int, ...]) -> None:
        item = FolderHandOver(self._context.caller, folder_id, **{kind: row_ids})
        self._report.files += self._context.act(hand_over_below, item)


@act(Permission.VAULT_MANAGE, logs=(FolderHandedOver, QuotaNear))
def hand_over_below(transaction: Transaction, item: FolderHandOver) -> int:
    """Give files and folders below a folder that was handed over to its new owner; return how many files."""
    decided = folder_hand_overs(transaction, [item.folder_id]).get(item.folder_id)
    if decided is None:
        return 0
    found = [file for file in files_by_row_id(transaction, item.files) if _follows(decided, file.owner_id, file.slot)]
    made = folders_by_id(transaction, item.folders).values()
    folders = [folder for folder in made if _follows(decided, folder.maker_id, folder.slot)]
    places = {file.folder_id for file in found if file.folder_id is not None} | {folder.id for folder in folders}
    below = _below(transaction, decided.folder_id, places)
    files = [file for file in found if file.folder_id in below]
    folders = [folder for folder in folders if folder.id in below]
    if not files and not folders:
        return 0
    figures = give_folders(transaction, folders, decided.owner_id)
    note_followed(transaction, decided, give_files(transaction, item.caller, figures, files, decided.owner_id))
    figures.write()
    transaction.log(
        FolderHandedOver(
            by=item.caller,
            folder_id=decided.folder_id,
            files_to=decided.owner_id,
            files=tuple(file.file_id for file in files),
            folder_ids=tuple(folder.id for folder in folders),
        )
    )
    return len(files)


@act(Permission.VAULT_MANAGE, logs=(FolderHandOverEnded,))
def note_folder_hand_over_end(transaction: Transaction, item: FolderHandOverEnd) -> bool:
    """Note that the hand-over of a folder has ended; False where there is none."""
    decided = folder_hand_overs(transaction, [item.folder_id]).get(item.folder_id)
    if decided is None:
        return False
    end_folder_hand_over(transaction, decided)
    transaction.log(FolderHandOverEnded(by=item.caller, folder_id=decided.folder_id, files_to=decided.owner_id))
    return True


def _follows(decided: FolderHandOverRow, owner_id: int | None, slot: int) -> bool:
    """Return whether a row is another's and was there when it was decided."""
    return owner_id != decided.owner_id and slot <= decided.last_slot


def _below(transaction: Transaction, top: int, folder_ids: Collection[int]) -> set[int]:
    """Return which of these folders are one, or lie in it at any depth."""
    return {each for each in folder_ids if top in ids_above(transaction, each)}
