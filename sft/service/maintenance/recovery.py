"""Putting in order what a crash left.

Rules. Recovery runs at every start, before anybody is served: it removes what was being written and never acknowledged, but for
the finished segments of uploads that can go on, and finishes known purges. It looks at the rows that say so alone: it costs
what was under way, and not what is stored. It deletes nothing that could be anybody's, and is idempotent. What does not hold,
or cannot be removed, stays for the next start and stops nothing else.
"""

from __future__ import annotations

from msgspec import Struct

from sft.errors import VaultError
from sft.service.maintenance.paging import rows_by_page
from sft.service.maintenance.purging import finish_purges
from sft.service.maintenance.report import JobContext
from sft.service.open_uploads import EndUpload, end_uploads
from sft.store.row_types import UploadRow
from sft.store.uploads import upload_ids, uploads_by_id


class Recovered(Struct, frozen=True):
    """What recovery found: nothing, after a clean stop.

    Attributes:
        uploads: that were under way, and were removed.
        kept: that can be gone on with.
        purged: objects whose destruction was finished.
        faults: what does not hold, or could not be removed.
    """

    uploads: int = 0
    kept: int = 0
    purged: int = 0
    faults: tuple[str, ...] = ()


def recover(context: JobContext) -> Recovered:
    """Put in order what a crash left; at start, under the home's lock, before anybody is served."""
    context.storage.vault.discard_leftovers()
    uploads, kept, upload_faults = _finish_uploads(context)
    purged, purge_faults = finish_purges(context)
    return Recovered(uploads, kept, purged, (*upload_faults, *purge_faults))


def _finish_uploads(context: JobContext) -> tuple[int, int, list[str]]:
    """Remove the objects of uploads that no commit ended, or what of them is unfinished: nobody was told of them."""
    count, kept = 0, 0
    faults: list[str] = []
    for rows, forged in rows_by_page(context.begin_read, upload_ids, uploads_by_id, b""):
        faults += [str(fault.values["problem"]) for fault in forged]
        for row in rows:
            try:
                if row.upload_id is not None and row.segments:
                    context.storage.vault.remove(row.object_id, row.segments)
                    kept += 1
                else:
                    _remove(context, row)
                    count += 1
            except VaultError as fault:
                faults.append(f"{row.path}: {fault.values['problem']}")
    return count, kept, faults


def _remove(context: JobContext, row: UploadRow) -> None:
    context.storage.vault.remove(row.object_id)
    context.act(end_uploads, EndUpload(row.object_id))
