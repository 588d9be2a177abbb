"""Handing over the files and folders of who was removed, page by page.

Rules. The removal says to whom they go; here the row of each comes to say so too, with the figures of the folders that it lies
in. Whoever is interrupted is finished by the next. What is found by columns that nothing verified is judged in the transaction
that changes it; what does not hold is reported and stays, and the hand-over with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import RowForgedError
from sft.model.access import Caller, Permission
from sft.model.events import HandedOver, HandOverEnded
from sft.model.records import VaultReport
from sft.service.maintenance.folder_hand_overs import HAND_OVER_ROWS, FolderHandOvers
from sft.service.maintenance.report import Job, JobContext, Report
from sft.service.owners import give_folders
from sft.service.use_case import act, query
from sft.store.files import files_by_row_id
from sft.store.folder_hand_overs import folders_handed_over
from sft.store.folders import folders_by_id
from sft.store.hand_overs import end_hand_over, files_owned_by, folders_made_by, handed_over, heirs_of
from sft.store.rows import ReadTransaction, Transaction

Owned = Callable[[ReadTransaction, int, int, int], list[int]]


class HandOver(Struct, frozen=True):
    """Files and folders, by their rows' ids, as far as they are a removed user's."""

    caller: Caller
    user_id: int
    files: tuple[int, ...] = ()
    folders: tuple[int, ...] = ()


class HandOverEnd(Struct, frozen=True):
    """A removed user of whom a walk has found nothing more: there never comes anything new."""

    caller: Caller
    user_id: int


@query(Permission.VAULT_MANAGE)
def is_handing_over(reading: ReadTransaction, caller: Caller) -> bool:
    """Return whether anything of anybody is still to be handed over."""
    del caller
    return bool(handed_over(reading) or folders_handed_over(reading))


@query(Permission.VAULT_MANAGE)
def hand_over_all(_reading: ReadTransaction, caller: Caller, *, context: JobContext) -> Job:
    """Hand over what everybody owned who was removed, and what lies in folders that were handed over; counts the files."""
    return _HandingOver(replace(context, caller=caller)).run


class _HandingOver:
    """Walks through those who were removed, and through what their rows still name."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._report = Report()

    def run(self) -> VaultReport:
        with self._context.begin_read() as reading:
            user_ids = handed_over(reading)
        for user_id in user_ids:
            try:
                self._of(user_id)
            except RowForgedError as forged:
                self._report.forged([forged])
        FolderHandOvers(self._context, self._report).run()
        return self._report.finish()

    def _of(self, user_id: int) -> None:
        for owned, kind in ((files_owned_by, "files"), (folders_made_by, "folders")):
            after = 0
            while row_ids := self._owned(owned, user_id, after):
                self._report.halving(partial(self._give, user_id, kind), row_ids)
                self._context.progress(self._report.files, 0)
                after = row_ids[-1]
        # Read once more: what did not hold is still there.
        if not self._owned(files_owned_by, user_id, 0) and not self._owned(folders_made_by, user_id, 0):
            self._context.act(note_hand_over_end, HandOverEnd(self._context.caller, user_id))

    def _owned(self, owned: Owned, user_id: int, after: int) -> list[int]:
        with self._context.begin_read() as reading:
            heirs_of(reading, [user_id])  # where that does not hold, no page does
            return owned(reading, user_id, after, HAND_OVER_ROWS)

    def _give(self, user_id: int, kind: str, row_ids: tuple[int, ...]) -> None:
        self._report.files += self._context.act(hand_over, HandOver(self._context.caller, user_id, **{kind: row_ids}))


@act(Permission.VAULT_MANAGE, logs=(HandedOver,))
def hand_over(transaction: Transaction, item: HandOver) -> int:
    """Give files and folders of a removed user to the heir; return how many files."""
    heir_id = heirs_of(transaction, [item.user_id]).get(item.user_id)
    files = [file for file in files_by_row_id(transaction, item.files) if file.owner_id == item.user_id]
    made = folders_by_id(transaction, item.folders).values()
    folders = [folder for folder in made if folder.maker_id == item.user_id]
    if heir_id is None or not (files or folders):
        return 0
    given = [replace(file, owner_id=heir_id) for file in files]
    figures = give_folders(transaction, folders, heir_id)
    for file, given_file in zip(files, given, strict=True):
        figures.take_file(file)  # of owners nothing is noted: the removal moved what both own
        figures.put_file(given_file)
    transaction.rows.update(given)
    figures.write()
    transaction.log(
        HandedOver(
            by=item.caller,
            user_id=item.user_id,
            files_to=heir_id,
            files=tuple(file.file_id for file in given),
            folder_ids=tuple(folder.id for folder in folders),
        )
    )
    return len(given)


@act(Permission.VAULT_MANAGE, logs=(HandOverEnded,))
def note_hand_over_end(transaction: Transaction, item: HandOverEnd) -> bool:
    """Note that a hand-over has ended; False where a file is left, or there is none."""
    heir_id = heirs_of(transaction, [item.user_id]).get(item.user_id)
    if heir_id is None or files_owned_by(transaction, item.user_id, 0, 1):
        return False
    end_hand_over(transaction, item.user_id)
    transaction.log(HandOverEnded(by=item.caller, user_id=item.user_id, files_to=heir_id))
    return True
