"""Destroying what has been in the trash for its time.

Rules. The rows go first, with a purge row for each object in the vault; the object follows, then the purge row: whoever is
interrupted is finished by the next.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.limits import TRASH_SECONDS
from sft.model.access import Caller, Permission
from sft.model.events import FilesPurged, ObjectsDestroyed
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.report import PAGE, Job, JobContext, Report, sound_rows
from sft.store.files import versions_of
from sft.store.objects import small_objects
from sft.store.row_types import PurgeRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.trash import purge_ids, purges_by_id, trashed_until

PURGE_FILES: Final = 200  # destroyed in one transaction


class PurgeInput(Struct, frozen=True):
    """Everything that was deleted at a moment or before it, some at a time."""

    caller: Caller
    until: int


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


@use_case.query(Permission.VAULT_MANAGE)
def collect(reading: ReadTransaction, caller: Caller, *, context: JobContext, until: int | None = None) -> Job:
    """Destroy what has been in the trash for its time; the job's report counts it.

    Args:
        until: what was deleted then or before; None where 30 days have passed.
    """
    moment = reading.now - TRASH_SECONDS if until is None else until
    context = replace(context, caller=caller)

    def job() -> VaultReport:
        report = Report()
        finish_purges(context)
        while True:
            done = context.act(purge, PurgeInput(caller, moment))
            if not done.files:
                return report.finish()
            _destroy(context, done.object_ids)
            report.files += done.files
            report.versions += done.versions
            report.bytes_checked += done.size_bytes
            context.progress(report.versions, report.bytes_checked)

    return job


def finish_purges(context: JobContext) -> tuple[int, list[str]]:
    """Destroy the objects of purges that were cut; return how many, and the forged ones, which destroy nothing."""
    count, after = 0, b""
    forged: list[str] = []
    while True:
        with context.begin_read() as reading:
            page = purge_ids(reading, after, PAGE)
            rows, faults = sound_rows(partial(purges_by_id, reading), page)
        if not page:
            return count, forged
        forged.extend(fault.row for fault in faults)
        _destroy(context, tuple(row.object_id for row in rows))
        count += len(rows)
        after = page[-1]


def _destroy(context: JobContext, object_ids: tuple[bytes, ...]) -> None:
    for object_id in object_ids:
        context.storage.vault.remove(object_id)
    if object_ids:
        context.act(end_purges, EndPurgesInput(context.caller, object_ids))


@use_case.act(Permission.VAULT_MANAGE, logs=(FilesPurged,))
def purge(transaction: Transaction, item: PurgeInput) -> Purged:
    """Take some of what has ended out of the database, and note the objects to destroy; nothing when all is done."""
    rows = transaction.rows
    files = trashed_until(transaction, item.until, PURGE_FILES)
    versions = versions_of(transaction, files)
    inline = small_objects(transaction, [row.object_id for row in versions if row.inline])
    doomed = [row.object_id for row in versions if not row.inline]
    rows.insert([PurgeRow(object_id, transaction.now) for object_id in doomed])
    rows.delete(list(inline.values()))
    rows.delete(versions)
    rows.delete(files)
    size_bytes = sum(row.size for row in versions)
    if files:
        transaction.log(
            FilesPurged(
                by=item.caller, files=tuple(file.file_id for file in files), versions=len(versions), size=size_bytes
            )
        )
    return Purged(len(files), len(versions), size_bytes, tuple(doomed))


@use_case.act(Permission.VAULT_MANAGE, logs=(ObjectsDestroyed,))
def end_purges(transaction: Transaction, item: EndPurgesInput) -> int:
    """Forget purges whose objects are gone, and return how many."""
    found = purges_by_id(transaction, item.object_ids)
    transaction.rows.delete(found)
    if found:
        object_ids = tuple(row.object_id for row in found)
        transaction.log(ObjectsDestroyed(by=item.caller, object_ids=object_ids))
    return len(found)
