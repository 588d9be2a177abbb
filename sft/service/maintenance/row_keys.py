"""A new row key and a new server key, after a leak of the master key: every mark is written anew.

    keyring with both row keys (``MasterKeyStore``) → table by table, a page of rows a transaction → the old key is given up

Rules. Both keys are good until the last row carries a mark under the new one. A row that does not hold keeps the mark that it
has, is reported, and holds under neither key afterwards. Whoever is interrupted is finished by the next start.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from sft.model.access import Caller, Permission
from sft.model.events import RowKeyChanged, RowsMarked
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.report import PAGE, Job, JobContext, Report
from sft.store.rows import ReadTransaction, Transaction
from sft.store.table_specs import TABLE_SPECS
from sft.vault.master_key_store import MasterKeyStore


class RowKeys(Protocol):
    """Which keys the rows of a database are marked with."""

    def renew_row_key(self, row_key: bytes) -> None:
        """Mark with another key from now on; what the one before marked is good as well."""

    def retire_row_key(self) -> None:
        """Take no mark of the key before any more."""


class MarkingInput(Struct, frozen=True):
    """Rows of one table that follow one, to be marked anew."""

    caller: Caller
    table: int
    after: int | None


class Marked(Struct, frozen=True):
    """How far it came, None at the end of the table, and which rows do not hold."""

    rows: int
    after: int | None
    forged: tuple[tuple[str, str], ...]


class EndMarkingInput(Struct, frozen=True):
    """Every row has its mark under the new key."""

    caller: Caller


@use_case.query(Permission.VAULT_MANAGE)
def renew_keys(
    reading: ReadTransaction, caller: Caller, *, context: JobContext, master_keys: MasterKeyStore, row_keys: RowKeys
) -> Job:
    """Mark every row under a new key; where that was left unfinished it is finished, and no new key is made.

    The keyring has the new server key then; who shows it to clients reads it there (``sft.server.identity``).
    """
    now, vault, parts = reading.now, context.storage.vault, replace(context, caller=caller)

    def job() -> VaultReport:
        with context.storage.rotation():
            keyring = master_keys.renew(vault.adopt, now=now)
            row_keys.renew_row_key(keyring.row_key)
            return _mark_all(parts, master_keys, row_keys)

    return job


def finish_row_key(context: JobContext, master_keys: MasterKeyStore, row_keys: RowKeys) -> VaultReport:
    """Go on with a change of the row key that was interrupted; the database was opened with both keys."""
    with context.storage.rotation():
        return _mark_all(context, master_keys, row_keys)


def _mark_all(context: JobContext, master_keys: MasterKeyStore, row_keys: RowKeys) -> VaultReport:
    report, rows = Report(), 0
    for table in range(len(TABLE_SPECS)):
        after: int | None = None
        while True:
            done: Marked = context.act(mark_rows, MarkingInput(context.caller, table, after))
            rows += done.rows
            for name, row in done.forged:
                report.fault(f"row {row} of {name}", "was changed outside the server: it got no new mark")
            context.progress(rows, 0)
            after = done.after
            if after is None:
                break
    context.act(end_marking, EndMarkingInput(context.caller))
    vault = context.storage.vault
    master_keys.retire_row_key(vault.keyring, vault.adopt)
    row_keys.retire_row_key()
    return report.finish()


@use_case.act(Permission.VAULT_MANAGE, logs=(RowsMarked,))
def mark_rows(transaction: Transaction, item: MarkingInput) -> Marked:
    """Write the marks of some rows under the key in use."""
    kind = list(TABLE_SPECS)[item.table]
    marked, faults, after = transaction.rows.mark(kind, item.after, PAGE)
    if marked:
        transaction.log(RowsMarked(by=item.caller, rows=marked))
    return Marked(marked, after, tuple((fault.table, fault.row) for fault in faults))


@use_case.act(Permission.VAULT_MANAGE, logs=(RowKeyChanged,))
def end_marking(transaction: Transaction, item: EndMarkingInput) -> bool:
    """Say that the old key is given up: its answer comes when all marks before it are durable."""
    transaction.log(RowKeyChanged(by=item.caller))
    return True
