"""Reading what is kept of uploads that were cut, as ``check`` reads versions: tags, digest, and which segments there are.

Rules. An upload may go on, end or be stored while it is read: what looks wrong is looked at once more, and what has no row then
is nobody's fault. Segments are listed before the row that must name them is read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sft.errors import VaultError
from sft.limits import SEGMENT_BYTES
from sft.service.maintenance.paging import rows_by_page
from sft.service.maintenance.report import BeginRead, Report, sound_rows
from sft.service.storage import sealed_key_of
from sft.store.row_types import UploadRow
from sft.store.uploads import upload_ids, uploads_by_id
from sft.vault.vault import Vault


def check_uploads(begin_read: BeginRead, vault: Vault, report: Report, each: Callable[[int], None]) -> None:
    """Read all segments that rows of open uploads name; the report gets a fault for each upload that does not hold.

    Args:
        each: told of the bytes of each chunk.
    """
    for rows, _ in rows_by_page(begin_read, upload_ids, uploads_by_id, b""):  # others were reported with the rows
        for row in rows:
            if not row.segments:
                continue
            problem = _problem(begin_read, vault, row, each)
            again = _kept(begin_read, row.object_id) if problem else None
            if again is not None:
                problem = _problem(begin_read, vault, again, each)
                if problem:
                    report.fault(f"an unfinished upload of {row.path}", problem)
            report.bytes_checked += row.segments * SEGMENT_BYTES


def _kept(begin_read: BeginRead, object_id: bytes) -> UploadRow | None:
    with begin_read() as reading:
        rows, _ = sound_rows(partial(uploads_by_id, reading), [object_id])
    return rows[0] if rows and rows[0].segments else None


def _problem(begin_read: BeginRead, vault: Vault, row: UploadRow, each: Callable[[int], None]) -> str:
    try:
        found = vault.segments(row.object_id)
        vault.check_prefix(row.object_id, row.size, row.segments, row.prefix, sealed_key_of(row), each=each)
    except VaultError as fault:
        return str(fault.values["problem"])
    now = _kept(begin_read, row.object_id)
    unnamed = [] if now is None else [number for number in found if number >= now.segments]
    return f"has segments that its row does not name: {', '.join(map(str, unnamed))}" if unnamed else ""
