"""Destroying the contents of versions that are older than those that are kept: of each file so many of the newest.

Rules. A page of files is looked at a time, and so many versions go in one transaction; their rows stay, so old signatures,
receipts and proofs hold. The objects go as those of the trash do. What the policy says is read where it is done;
what the server does by itself leaves more where more rule still (``retention``).
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sft.model.access import Caller, Permission
from sft.model.ending_events import VersionsDestroyed
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.paging import keys_by_page
from sft.service.maintenance.purging import PURGE_VERSIONS, destroy_objects, finish_purges
from sft.service.maintenance.report import Job, JobContext, Report
from sft.service.version_contents import count_kept, destroy_contents
from sft.store.figures import FigureChanges
from sft.store.files import BEFORE_ALL_KEPT, KeptKey, VersionKey, files_by_row_id, files_replaced, versions_at
from sft.store.row_types import FileRow
from sft.store.rows import ReadTransaction, Transaction


class OldVersions(Struct, frozen=True):
    """Files by their rows' ids, as far as the contents of more versions are there than are kept."""

    caller: Caller
    row_ids: tuple[int, ...]
    kept: int = 0  # of each file so many stay, whatever is configured


class OldDestroyed(Struct, frozen=True):
    """What went; the objects are still to be destroyed."""

    versions: int
    size_bytes: int
    object_ids: tuple[bytes, ...]
    more: bool  # the same once more


@use_case.query(Permission.VAULT_MANAGE)
def is_anything_old(reading: ReadTransaction, caller: Caller, *, kept: int = 0) -> bool:
    """Return whether of some file more contents are there than are configured, and than so many."""
    del caller
    return bool(files_replaced(reading, _kept(reading, kept), BEFORE_ALL_KEPT, 1))


def _kept(reading: ReadTransaction, least: int) -> int:
    return max(1, least, reading.policy.versions_kept)


@use_case.query(Permission.VAULT_MANAGE)
def destroy_old_versions(_reading: ReadTransaction, caller: Caller, *, context: JobContext, kept: int = 0) -> Job:
    """Destroy the contents of all versions that are older than those that are kept; the job's report counts them.

    Args:
        kept: so many of each file at least, whatever is configured.
    """
    return _Destroying(replace(context, caller=caller), kept).run


class _Destroying:
    def __init__(self, context: JobContext, kept: int) -> None:
        self._context = context
        self._kept = kept
        self._report = Report()

    def run(self) -> VaultReport:
        _, problems = finish_purges(self._context)
        self._note(problems)
        for page in keys_by_page(self._context.begin_read, self._old, BEFORE_ALL_KEPT):
            self._report.halving(self._destroy, [row_id for _, row_id in page])
        return self._report.finish()

    def _old(self, reading: ReadTransaction, after: KeptKey, limit: int) -> list[KeptKey]:
        return files_replaced(reading, _kept(reading, self._kept), after, limit)

    def _destroy(self, row_ids: tuple[int, ...]) -> None:
        more = True
        while more:
            done = self._context.act(destroy_old, OldVersions(self._context.caller, row_ids, self._kept))
            self._note(destroy_objects(self._context, done.object_ids)[1])
            self._report.versions += done.versions
            self._report.bytes_checked += done.size_bytes
            more = done.more
        self._report.files += len(row_ids)

    def _note(self, problems: list[str]) -> None:
        for problem in problems:
            self._report.note(problem)


@use_case.act(Permission.VAULT_MANAGE, logs=(VersionsDestroyed,))
def destroy_old(transaction: Transaction, item: OldVersions) -> OldDestroyed:
    """Destroy the contents of the oldest versions of these files, down to as many as are kept."""
    kept = _kept(transaction, item.kept)
    files = [row for row in files_by_row_id(transaction, item.row_ids) if row.contents_kept > kept]
    room, more = PURGE_VERSIONS, False
    upto: list[tuple[FileRow, int]] = []
    keys: list[VersionKey] = []
    for file in sorted(files, key=lambda row: row.id):
        first, last = file.newest - file.contents_kept + 1, file.newest - kept
        if last - first >= room:
            more, last = True, first + room - 1
        if last < first:
            break
        keys += [(file.id, number) for number in range(first, last + 1)]
        upto.append((file, last))
        room -= last - first + 1
    there = [row for row in versions_at(transaction, keys) if row.destroyed_at is None]
    purged = destroy_contents(transaction, there, None)
    count_kept(transaction, upto)
    owners, file_ids = {file.id: file.owner_id for file in files}, {file.id: file.file_id for file in files}
    figures = FigureChanges(transaction)
    for row in there:
        figures.own(owners[row.file], size_bytes=-row.size)
    figures.write()
    size_bytes = sum(row.size for row in there)
    if there:
        versions = tuple((file_ids[row.file], row.number) for row in there)
        transaction.log(VersionsDestroyed(by=item.caller, versions=versions, size=size_bytes))
    return OldDestroyed(len(there), size_bytes, tuple(purged), more)
