"""Files whose time is over, moved to the trash: a page a transaction, from where they are brought back as any deleted one.

Rules. What is found by columns that nothing verified is judged in the transaction that moves it, and before that where it is
found: the writer is asked for no page of which everything waits. A file in a folder that was deleted stays with it, and goes by
itself once that folder is back; one that is being handed over goes as its new owner's. The server does it, and a leaf says so
of each.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.model.access import Caller, Permission
from sft.model.ending_events import FileExpired
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.paging import keys_by_page
from sft.service.maintenance.report import Job, JobContext, Report
from sft.service.path_lookup import folded_path
from sft.service.record_builder import RecordBuilder
from sft.service.rights import owners_to_come
from sft.store.criteria import LIVE_STATE, TRASHED_STATE
from sft.store.figures import FigureChanges
from sft.store.files import BEFORE_ALL_EXPIRING, ExpiryKey, expired_files, files_by_row_id
from sft.store.folders import paths_of
from sft.store.row_types import FileRow
from sft.store.rows import ReadTransaction, Transaction

EXPIRED_PAGE = 100  # moved in one transaction, each with a leaf of its own
EARLIEST: Final = BEFORE_ALL_EXPIRING[0]


class ExpiredFiles(Struct, frozen=True):
    """Files by their rows' ids, as far as their time is over."""

    caller: Caller
    row_ids: tuple[int, ...]


@use_case.query(Permission.VAULT_MANAGE)
def has_anything_expired(reading: ReadTransaction, caller: Caller, *, since: int = EARLIEST) -> bool:
    """Return whether the time of some file is over, and was not before a moment."""
    del caller
    return bool(expired_files(reading, reading.now, (since, 0), 1))


@use_case.query(Permission.VAULT_MANAGE)
def expire_files(reading: ReadTransaction, caller: Caller, *, context: JobContext, since: int = EARLIEST) -> Job:
    """Move every file to the trash whose time is over, and was not before a moment; the job's report counts them."""
    moment = reading.now
    context = replace(context, caller=caller)

    def job() -> VaultReport:
        report = Report()

        def find(page_reading: ReadTransaction, after: ExpiryKey, limit: int) -> list[ExpiryKey]:
            return expired_files(page_reading, moment, after, limit)

        def expire(row_ids: tuple[int, ...]) -> None:
            with context.begin_read() as page_reading:
                due = tuple(file.id for file in _going(page_reading, row_ids))
            if due:
                report.files += context.act(expire_page, ExpiredFiles(context.caller, due))

        for page in keys_by_page(context.begin_read, find, (since, 0), EXPIRED_PAGE):
            report.halving(expire, [row_id for _, row_id in page])
        return report.finish()

    return job


@use_case.act(Permission.VAULT_MANAGE, logs=(FileExpired,))
def expire_page(transaction: Transaction, item: ExpiredFiles) -> int:
    """Move files to the trash whose time is over, and return how many."""
    now, files = transaction.now, _going(transaction, item.row_ids)
    records, figures = RecordBuilder(transaction), FigureChanges(transaction)
    changed = []
    for file in files:
        path = records.path_of(file)
        figures.take_file(file)
        trashed = {"trashed_path": path, "trashed_folded": folded_path(path)}
        changed.append(
            replace(file, folder_id=None, state=TRASHED_STATE, trashed_at=now, trashed_by_id=None, **trashed)
        )
        transaction.log(FileExpired(by=item.caller, file_id=file.file_id, path=path))
    figures.write()
    transaction.rows.update(changed)
    return len(changed)


def _going(reading: ReadTransaction, row_ids: tuple[int, ...]) -> list[FileRow]:
    """Load the files that go now; RowForgedError where one does not hold, or a folder above it."""
    due = [
        file
        for file in files_by_row_id(reading, row_ids)
        if file.state == LIVE_STATE and file.folder_id is not None and file.expires_at is not None
        and file.expires_at <= reading.now
    ]  # fmt: skip
    above = paths_of(reading, {file.folder_id for file in due if file.folder_id is not None})
    return [file for file in due if above[file.folder_id or 0].live and not owners_to_come(reading, file)]
