"""Giving up uploads that nobody goes on with: after their time, and before all data keys are made anew.

Rules. An upload is given up in a transaction first, which asks again what decides; then nobody can go on with it, and its
segments are removed. What cannot be removed is reported, and goes at the next start.
"""

from __future__ import annotations

from functools import partial

from msgspec.structs import replace

from sft.errors import VaultError
from sft.model.access import Caller, Permission
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.paging import Query, keys_by_page
from sft.service.maintenance.report import Job, JobContext, Report
from sft.service.open_uploads import EndUpload, GiveUp, end_uploads, give_up_uploads
from sft.store.rows import ReadTransaction
from sft.store.uploads import BEFORE_ALL_OVERDUE, BEFORE_ALL_SEALED, UploadKey, overdue_uploads, sealed_uploads


@use_case.query(Permission.VAULT_MANAGE)
def is_any_overdue(reading: ReadTransaction, caller: Caller) -> bool:
    """Return whether some upload is kept longer than it may be."""
    del caller
    return bool(overdue_uploads(reading, reading.now, BEFORE_ALL_OVERDUE, 1))


@use_case.query(Permission.VAULT_MANAGE)
def give_up_overdue(reading: ReadTransaction, caller: Caller, *, context: JobContext) -> Job:
    """Give up what nobody has gone on with for its time; the job's report counts it as versions."""
    moment = reading.now
    context = replace(context, caller=caller)

    def job() -> VaultReport:
        report = Report()
        give_up_all(context, report, partial(_overdue, moment), BEFORE_ALL_OVERDUE, until=moment)
        return report.finish()

    return job


def _overdue(moment: int, reading: ReadTransaction, after: UploadKey, limit: int) -> list[UploadKey]:
    return overdue_uploads(reading, moment, after, limit)


def give_up_all(
    context: JobContext,
    report: Report,
    find: Query[UploadKey] = sealed_uploads,
    after: UploadKey = BEFORE_ALL_SEALED,
    *,
    until: int | None = None,
) -> None:
    """Give up all that a query finds, page by page.

    Args:
        until: only what is overdue then; None gives up also what is under way.
    """
    for page in keys_by_page(context.begin_read, find, after):
        for _, object_id in page:
            if not context.act(give_up_uploads, GiveUp(object_id, until, context.caller)):
                continue
            try:
                context.storage.vault.remove(object_id)
            except VaultError as fault:
                report.note(str(fault.values["problem"]))
            else:
                context.act(end_uploads, EndUpload(object_id, context.caller))
                report.versions += 1
