"""What lies beside contents, held against the rows: written anew where it is missing or does not hold.

    version that holds → its sidecar: there, opens, has the row's keys → else anew, out of file, version, author and key

Rules. A content without its sidecar reads well; what is lost is that a rebuild finds it. So it is no damage, and nobody waits
for the operator: the rows say all that a sidecar does. Only where they do not hold, or the disk refuses, there is a fault.
"""

from __future__ import annotations

from functools import partial

from msgspec import Struct

from sft.errors import RowForgedError, VaultError
from sft.model.access import Caller, Permission
from sft.model.check_events import SidecarWritten
from sft.service import use_case
from sft.service.author_signature import sidecar_of_version
from sft.service.maintenance.positions import try_to_note
from sft.service.maintenance.report import JobContext, Report, sound_rows
from sft.service.storage import sealed_key_of
from sft.store.files import file_by_row_id, versions_at
from sft.store.row_types import VersionRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.users import key_by_id, user_by_id

_LACKING = "its content holds, and a rebuild would lose it: {problem}"


class Written(Struct, frozen=True):
    """A sidecar that was written anew, and what was the matter with the old one."""

    caller: Caller
    path: str
    number: int
    object_id: bytes
    problem: str


@use_case.act(Permission.VAULT_MANAGE, logs=(SidecarWritten,))
def note_sidecar(transaction: Transaction, item: Written) -> None:
    """Tell the log of a sidecar that was written anew."""
    transaction.log(
        SidecarWritten(
            by=item.caller, path=item.path, version=item.number, object=item.object_id.hex(), problem=item.problem
        )
    )


def sidecar_of_row(reading: ReadTransaction, row: VersionRow) -> bytes | None:
    """Write what lies beside the object of a version, out of its rows; None where one of them is gone."""
    file, key = file_by_row_id(reading, row.file), key_by_id(reading, row.key_id)
    author = user_by_id(reading, row.author_id)
    if file is None or key is None or author is None:
        return None
    return sidecar_of_version(file, row, author, key)


def hold_sidecar(context: JobContext, report: Report, path: str, row: VersionRow, *, mends: bool = True) -> bool:
    """Have the sidecar of a version that holds be there; return whether it is. It blocks.

    Args:
        row: of a content that lies in the vault.
        mends: whether it is written anew.
    """
    problem = _problem(context, row)
    # Perhaps it was destroyed, or sealed anew, between its row and its sidecar.
    now = _now(context, row) if problem else None
    if now is None:
        return True
    problem = _problem(context, now)
    if not problem:
        return True
    try:
        if mends:
            _write(context, now)
    except (VaultError, RowForgedError) as fault:
        mends, problem = False, f"{problem}, and cannot be written anew ({fault.values['problem']})"
    if not mends:
        report.sidecars_lacking += 1
        report.fault(f"{path} version {now.number}", _LACKING.format(problem=problem))
        return False
    report.sidecars_written += 1
    try_to_note(context, note_sidecar, Written(context.caller, path, now.number, now.object_id, problem))
    return True


def _problem(context: JobContext, row: VersionRow) -> str:
    try:
        context.storage.vault.check_sidecar(row.object_id, sealed_key_of(row))
    except VaultError as fault:
        return str(fault.values["problem"])
    return ""


def _now(context: JobContext, row: VersionRow) -> VersionRow | None:
    """Return a version as it is by now; None where its content went, or its row does not hold any more."""
    with context.begin_read() as reading:
        rows, _ = sound_rows(partial(versions_at, reading), [(row.file, row.number)])
    return rows[0] if rows and rows[0].destroyed_at is None and not rows[0].inline else None


def _write(context: JobContext, row: VersionRow) -> None:
    with context.begin_read() as reading:
        content = sidecar_of_row(reading, row)
    if content is None:
        raise VaultError(problem="a row that it is made of is gone")
    vault = context.storage.vault
    vault.write_sidecar(row.object_id, sealed_key_of(row), content)
    with context.begin_read() as reading:
        rows, forged = sound_rows(partial(versions_at, reading), [(row.file, row.number)])
    if forged or (rows and rows[0].object_id == row.object_id and rows[0].destroyed_at is None):
        return
    with context.storage.destroying() as may:
        # It was destroyed meanwhile, and perhaps before the sidecar with its key came: that goes as well.
        if may:
            vault.remove(row.object_id)
