"""Destroying what has been in the trash for its time, or that somebody had destroyed before it.

    file      versions and contents, page by page; the file with its last version
    folder    marked as being destroyed → the files of all that hangs on it, page by page → its folders, from below

Rules. The rows go first, with a purge row for each object in the vault; the object follows, then the purge row: whoever is
interrupted is finished by the next. A folder that is marked is in no trash any more. What is found by columns that nothing
verified is judged in the transaction that destroys it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import VaultError
from sft.limits import DAY_SECONDS
from sft.model.access import Caller, Permission
from sft.model.events import FilesPurged, FolderPurgeBegun, FoldersPurged, ObjectsDestroyed
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.clock import ClockBelief, believe_clock, require_believed
from sft.service.maintenance.daily import Collected, note_collection
from sft.service.maintenance.paging import keys_by_page, rows_by_page
from sft.service.maintenance.report import PAGE, Job, JobContext, Report
from sft.service.maintenance.trees import files_in, levels, pages
from sft.service.version_contents import note_purges
from sft.store.criteria import PURGING_STATE, TRASHED_STATE
from sft.store.figures import FigureChanges
from sft.store.files import files_by_row_id, folders_that_hold, oldest_versions
from sft.store.folders import folders_by_id, paths_of
from sft.store.row_types import FileRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.search_blocks import drop_blocks
from sft.store.trash import (
    BEFORE_ALL_TRASH,
    TrashKey,
    folders_trashed_until,
    purge_ids,
    purges_by_id,
    purging_files,
    purging_folders,
    trashed_until,
)

# Taken out in one transaction: half a page of files, for which the writer needs some 15 ms of processor time.
PURGE_VERSIONS: Final = 100
COPIED: Final = "a backup is being taken: the next collection, or start, destroys the objects"


class PurgeInput(Struct, frozen=True):
    """Files by their rows' ids, as far as they were deleted by a moment, or hang on a folder that is being destroyed."""

    caller: Caller
    until: int
    row_ids: tuple[int, ...]


class PurgeFoldersInput(Struct, frozen=True):
    """Folders by id, as far as their destruction has begun and they hold nothing; or which is to begin."""

    caller: Caller
    until: int
    folder_ids: tuple[int, ...]


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
def collect(
    reading: ReadTransaction,
    caller: Caller,
    *,
    context: JobContext,
    until: int | None = None,
    days: int = 0,
    clock_is_right: bool = False,
) -> Job:
    """Destroy what has been in the trash for its time; the job's report counts it.

    Args:
        until: what was deleted then or before; None where its time in the trash has passed.
        days: of that time at least, whatever is configured.
        clock_is_right: the operator's word, which ends a doubt.

    Raises:
        ClockDoubtedError: nobody knows what time it is.
    """
    now = reading.now
    if not clock_is_right:
        require_believed(reading)
    seconds = max(days * DAY_SECONDS, reading.policy.trash_seconds)
    moment = now - seconds if until is None else until
    collecting = _Collecting(replace(context, caller=caller), moment)

    def run() -> VaultReport:
        if clock_is_right:
            context.act(believe_clock, ClockBelief(caller, now))
        return collecting.run()

    return run


@use_case.query(Permission.VAULT_MANAGE)
def finish_destroying(_reading: ReadTransaction, caller: Caller, *, context: JobContext) -> Job:
    """Destroy what somebody had destroyed before its time, as far as that has begun; the job's report counts it."""
    return _Collecting(replace(context, caller=caller), None).run


class _Collecting:
    """Walks through what has ended, files, then folders, oldest first; what does not hold is reported and stays.

    Args:
        until: what was deleted then or before; None is only what is being destroyed already.
    """

    def __init__(self, context: JobContext, until: int | None) -> None:
        self._context = context
        self._whole = until is not None
        self._until = BEFORE_ALL_TRASH[0] if until is None else until
        self._report = Report()

    def run(self) -> VaultReport:
        _, problems = finish_purges(self._context)
        self._note(problems)
        self._purge_files()
        if self._whole:
            for page in self._ended(trashed_until):
                self._report.halving(self._purge, page)
            for page in self._ended(folders_trashed_until):
                self._report.halving(self._begin, page)
        self._purge_folders()
        if self._whole:
            self._context.act(note_collection, Collected(self._context.caller))
        return self._report.finish()

    def _purge_files(self) -> None:
        """Destroy every file that is marked by itself."""
        for page in keys_by_page(self._context.begin_read, purging_files, 0):
            self._report.halving(self._purge, page)

    def _ended(self, query: Callable[[ReadTransaction, int, TrashKey, int], list[TrashKey]]) -> Iterator[list[int]]:
        def find(reading: ReadTransaction, after: TrashKey, limit: int) -> list[TrashKey]:
            return query(reading, self._until, after, limit)

        for page in keys_by_page(self._context.begin_read, find, BEFORE_ALL_TRASH):
            yield [row_id for _, row_id in page]

    def _purge(self, row_ids: tuple[int, ...]) -> None:
        more = True
        while more:
            done = self._context.act(purge, PurgeInput(self._context.caller, self._until, row_ids))
            self._note(destroy_objects(self._context, done.object_ids)[1])
            self._report.files += done.files
            self._report.versions += done.versions
            self._report.bytes_checked += done.size_bytes
            more = done.more

    def _begin(self, folder_ids: tuple[int, ...]) -> None:
        self._context.act(begin_purges, PurgeFoldersInput(self._context.caller, self._until, folder_ids))

    def _end(self, folder_ids: tuple[int, ...]) -> None:
        self._context.act(purge_folders, PurgeFoldersInput(self._context.caller, self._until, folder_ids))

    def _purge_folders(self) -> None:
        """Destroy what hangs on every folder that is marked, and the folders themselves."""
        for tops in keys_by_page(self._context.begin_read, purging_folders, 0):
            for top in tops:
                # In memory: 8 bytes a folder of one tree.
                for level in reversed(list(levels(self._context, top))):
                    for folder_ids in pages(level, PAGE):
                        for row_ids in pages(files_in(self._context, folder_ids), PAGE):
                            self._report.halving(self._purge, row_ids)
                        self._report.halving(self._end, folder_ids)

    def _note(self, problems: Sequence[str]) -> None:
        for problem in problems:
            self._report.note(problem)


def finish_purges(context: JobContext) -> tuple[int, list[str]]:
    """Destroy the objects of purges that were interrupted; a forged purge destroys nothing.

    Returns:
        How many there were, and what does not hold or could not be removed: that stays for the next time.
    """
    count = 0
    problems: list[str] = []
    for rows, faults in rows_by_page(context.begin_read, purge_ids, purges_by_id, b""):
        problems += [str(fault.values["problem"]) for fault in faults]
        done, left = destroy_objects(context, [row.object_id for row in rows])
        count += done
        problems += left
    return count, problems


def destroy_objects(context: JobContext, object_ids: Sequence[bytes]) -> tuple[int, list[str]]:
    """Destroy objects, and end the purges of those that are gone; return how many, and what could not be destroyed."""
    gone: list[bytes] = []
    problems: list[str] = []
    with context.storage.destroying() as may:
        if object_ids and not may:
            problems.append(COPIED)
        for object_id in object_ids if may else ():
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
    ended = _ended_files(transaction, item)
    owners = {file.id: file.owner_id for file in ended}
    versions = oldest_versions(transaction, list(owners), PURGE_VERSIONS + 1)
    more = len(versions) > PURGE_VERSIONS
    left = versions[PURGE_VERSIONS].file if more else None
    del versions[PURGE_VERSIONS:]
    files = [file for file in ended if left is None or file.id < left]
    there = [row for row in versions if row.destroyed_at is None]
    purged = note_purges(transaction, there)
    rows.delete(versions)
    rows.delete(files)
    drop_blocks(transaction, [row.leaf for row in versions])
    size_bytes = sum(row.size for row in there)
    figures = FigureChanges(transaction)
    for file in files:
        figures.take_file(file)
        figures.own(file.owner_id, files=-1)
    for version in there:
        figures.own(owners[version.file], size_bytes=-version.size)
    figures.write()
    if files or versions:
        transaction.log(
            FilesPurged(
                by=item.caller, files=tuple(file.file_id for file in files), versions=len(versions), size=size_bytes
            )
        )
    return Purged(len(files), len(versions), size_bytes, tuple(purged), more)


def _ended_files(transaction: Transaction, item: PurgeInput) -> list[FileRow]:
    found = files_by_row_id(transaction, item.row_ids)
    paths = paths_of(transaction, {file.folder_id for file in found if file.folder_id is not None})
    return [
        file
        for file in found
        if (
            paths[file.folder_id].top.state == PURGING_STATE
            if file.folder_id is not None
            else file.state == PURGING_STATE or (file.trashed_at is not None and file.trashed_at <= item.until)
        )
    ]


@use_case.act(Permission.VAULT_MANAGE, logs=(FolderPurgeBegun,))
def begin_purges(transaction: Transaction, item: PurgeFoldersInput) -> int:
    """Mark folders that were deleted at a moment or before it: they are in the trash no more; return how many."""
    found = [
        row
        for row in folders_by_id(transaction, item.folder_ids).values()
        if row.state == TRASHED_STATE and row.trashed_at is not None and row.trashed_at <= item.until
    ]
    transaction.rows.update([replace(row, state=PURGING_STATE) for row in found])
    for row in found:
        transaction.log(
            FolderPurgeBegun(
                by=item.caller, folder_id=row.id, path=row.trashed_path or row.name, files=row.files_below,
                folders=row.folders_below + 1, trashed_at=row.trashed_at or 0,
            )
        )  # fmt: skip
    return len(found)


@use_case.act(Permission.VAULT_MANAGE, logs=(FoldersPurged,))
def purge_folders(transaction: Transaction, item: PurgeFoldersInput) -> int:
    """Take folders out of the database whose destruction has begun and that hold nothing any more; return how many."""
    found = folders_by_id(transaction, item.folder_ids)
    paths = paths_of(transaction, found.keys())
    held = folders_that_hold(transaction, found.keys())
    gone = [row for row in found.values() if paths[row.id].top.state == PURGING_STATE and row.id not in held]
    transaction.rows.delete(gone)
    figures = FigureChanges(transaction, [row for row in found.values() if row not in gone])
    for row in gone:
        figures.take_folder(row)
    figures.write()
    if gone:
        transaction.log(FoldersPurged(by=item.caller, folder_ids=tuple(row.id for row in gone)))
    return len(gone)


@use_case.act(Permission.VAULT_MANAGE, logs=(ObjectsDestroyed,))
def end_purges(transaction: Transaction, item: EndPurgesInput) -> int:
    """Forget purges whose objects are gone, and return how many."""
    found = purges_by_id(transaction, item.object_ids)
    transaction.rows.delete(found)
    if found:
        object_ids = tuple(row.object_id for row in found)
        transaction.log(ObjectsDestroyed(by=item.caller, object_ids=object_ids))
    return len(found)
