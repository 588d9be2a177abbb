"""Destroying what has been in the trash for its time.

Rules. The rows go first, with a purge row for each object in the vault; the object follows, then the purge row: whoever is
interrupted is finished by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import RowForgedError, VaultError
from sft.limits import TRASH_SECONDS
from sft.model.access import Caller, Permission
from sft.model.events import FilesPurged, ObjectsDestroyed
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.daily import Collected, note_collection
from sft.service.maintenance.report import PAGE, Job, JobContext, Report, sound_rows
from sft.store.figures import FigureChanges
from sft.store.files import files_by_row_id, oldest_versions
from sft.store.objects import small_ids
from sft.store.row_types import PurgeRow, SmallObjectRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.trash import BEFORE_ALL_TRASH, TrashKey, purge_ids, purges_by_id, trashed_until

PURGE_VERSIONS: Final = 400  # taken out in one transaction: some milliseconds of the writer


class PurgeInput(Struct, frozen=True):
    """Files by their rows' ids, as far as they were deleted at a moment or before it."""

    caller: Caller
    until: int
    row_ids: tuple[int, ...]


class EndPurgesInput(Struct, frozen=True):
    """Objects of purges that are gone from the vault."""

    caller: Caller
    object_ids: tuple[bytes, ...]


class Purged(Struct, frozen=True):
    """What a purge took out of the database; the objects are still to be destroyed."""

    files: int
    versions: int
    size_bytes: int
    object_ids: tuple[bytes, ...]
    more: bool  # versions are left: the same once more


@use_case.query(Permission.VAULT_MANAGE)
def collect(reading: ReadTransaction, caller: Caller, *, context: JobContext, until: int | None = None) -> Job:
    """Destroy what has been in the trash for its time; the job's report counts it.

    Args:
        until: what was deleted then or before; None where 30 days have passed.
    """
    moment = reading.now - TRASH_SECONDS if until is None else until
    return _Collecting(replace(context, caller=caller), moment).run


class _Collecting:
    """Walks through what has ended, oldest first; what does not hold is reported and stays."""

    def __init__(self, context: JobContext, until: int) -> None:
        self._context = context
        self._until = until
        self._report = Report()

    def run(self) -> VaultReport:
        _, problems = finish_purges(self._context)
        self._note(problems)
        after: TrashKey = BEFORE_ALL_TRASH
        while True:
            with self._context.begin_read() as reading:
                page = trashed_until(reading, self._until, after, PAGE)
            if not page:
                self._context.act(note_collection, Collected(self._context.caller))
                return self._report.finish()
            self._purge([row_id for _, row_id in page])
            after = page[-1]

    def _purge(self, row_ids: Sequence[int]) -> None:
        """Destroy these files; halve what fails, so that one row that does not hold keeps nothing but itself."""
        more = True
        while more:
            try:
                done = self._context.act(purge, PurgeInput(self._context.caller, self._until, tuple(row_ids)))
            except RowForgedError as forged:
                if len(row_ids) == 1:
                    self._report.forged([forged])
                    return
                half = len(row_ids) // 2
                self._purge(row_ids[:half])
                self._purge(row_ids[half:])
                return
            self._note(_destroy(self._context, done.object_ids)[1])
            self._report.files += done.files
            self._report.versions += done.versions
            self._report.bytes_checked += done.size_bytes
            more = done.more

    def _note(self, problems: Sequence[str]) -> None:
        for problem in problems:
            self._report.note(problem)


def finish_purges(context: JobContext) -> tuple[int, list[str]]:
    """Destroy the objects of purges that were interrupted; a forged purge destroys nothing.

    Returns:
        How many there were, and what does not hold or could not be removed: that stays for the next time.
    """
    count, after = 0, b""
    problems: list[str] = []
    while True:
        with context.begin_read() as reading:
            page = purge_ids(reading, after, PAGE)
            rows, faults = sound_rows(partial(purges_by_id, reading), page)
        if not page:
            return count, problems
        problems += [str(fault.values["problem"]) for fault in faults]
        done, left = _destroy(context, [row.object_id for row in rows])
        count += done
        problems += left
        after = page[-1]


def _destroy(context: JobContext, object_ids: Sequence[bytes]) -> tuple[int, list[str]]:
    """Destroy objects, and end the purges of those that are gone; return how many, and what could not be destroyed."""
    gone: list[bytes] = []
    problems: list[str] = []
    for object_id in object_ids:
        try:
            context.storage.vault.remove(object_id)
            gone.append(object_id)
        except VaultError as fault:
            problems.append(str(fault.values["problem"]))
    if gone:
        context.act(end_purges, EndPurgesInput(context.caller, tuple(gone)))
    return len(gone), problems


@use_case.act(Permission.VAULT_MANAGE, logs=(FilesPurged,))
def purge(transaction: Transaction, item: PurgeInput) -> Purged:
    """Take versions of what has ended out of the database, oldest first, and note the objects that are to be destroyed.

    A file goes with its last version.
    """
    rows = transaction.rows
    found = files_by_row_id(transaction, item.row_ids)
    files = [file for file in found if file.trashed_at is not None and file.trashed_at <= item.until]
    versions = oldest_versions(transaction, [file.id for file in files], PURGE_VERSIONS + 1)
    more = len(versions) > PURGE_VERSIONS
    left = versions[PURGE_VERSIONS].file if more else None
    del versions[PURGE_VERSIONS:]
    files = [file for file in files if left is None or file.id < left]
    inline = small_ids(transaction, [row.object_id for row in versions if row.inline])
    doomed = [row.object_id for row in versions if not row.inline]
    rows.insert([PurgeRow(object_id, transaction.now) for object_id in doomed])
    rows.delete([SmallObjectRow(object_id, b"") for object_id in inline])
    rows.delete(versions)
    rows.delete(files)
    size_bytes = sum(row.size for row in versions)
    figures, owners = FigureChanges(transaction), {file.id: file.owner_id for file in found}
    for file in files:
        figures.own(file.owner_id, files=-1)
    for version in versions:
        figures.own(owners[version.file], size_bytes=-version.size)
    figures.write()
    if files or versions:
        transaction.log(
            FilesPurged(
                by=item.caller, files=tuple(file.file_id for file in files), versions=len(versions), size=size_bytes
            )
        )
    return Purged(len(files), len(versions), size_bytes, tuple(doomed), more)


@use_case.act(Permission.VAULT_MANAGE, logs=(ObjectsDestroyed,))
def end_purges(transaction: Transaction, item: EndPurgesInput) -> int:
    """Forget purges whose objects are gone, and return how many."""
    found = purges_by_id(transaction, item.object_ids)
    transaction.rows.delete(found)
    if found:
        object_ids = tuple(row.object_id for row in found)
        transaction.log(ObjectsDestroyed(by=item.caller, object_ids=object_ids))
    return len(found)
