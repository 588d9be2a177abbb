"""A new row key and a new server key, after a leak of the master key: every MAC is written anew.

    keyring with both row keys (``MasterKeyStore``) → table by table, a page of rows a transaction → the old key is given up

Rules. Both keys are good until the last row carries a MAC under the new one. A row that does not hold keeps the MAC that it
has, is reported, and holds under neither key afterwards. Whoever is interrupted is finished by the next start.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from sft.model.access import Caller, Permission
from sft.model.events import RowKeyChanged, RowMacsRenewed
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.report import PAGE, Job, JobContext, Report
from sft.store.rows import ReadTransaction, Transaction
from sft.store.table_specs import TABLE_SPECS
from sft.vault.master_key_store import MasterKeyStore


class RowKeys(Protocol):
    """Which keys the MACs of a database are made with."""

    def renew_row_key(self, row_key: bytes) -> None:
        """Make MACs under another key from now on; those under the one before are good as well."""

    def retire_row_key(self) -> None:
        """Take no MAC of the key before any more."""


class RenewMacsInput(Struct, frozen=True):
    """Rows of one table that follow one, which are to get their MACs anew."""

    caller: Caller
    table: int
    after: int | None


class RenewedMacs(Struct, frozen=True):
    """How far it came, None at the end of the table, and which rows do not hold."""

    rows: int
    after: int | None
    forged: tuple[tuple[str, str], ...]


class EndRenewalInput(Struct, frozen=True):
    """Every row has its MAC under the new key."""

    caller: Caller


@use_case.query(Permission.VAULT_MANAGE)
def renew_keys(
    reading: ReadTransaction, caller: Caller, *, context: JobContext, master_keys: MasterKeyStore, row_keys: RowKeys
) -> Job:
    """Give every row its MAC under a new key; where that was left unfinished it is finished, and no new key is made.

    The keyring has the new server key then; who shows it to clients reads it there (``sft.server.identity``).

    Raises:
        ServerFullError: the room that is left is kept for deleting.
    """
    context.storage.require_room()
    now, vault, parts = reading.now, context.storage.vault, replace(context, caller=caller)

    def job() -> VaultReport:
        with context.storage.rotation():
            keyring = master_keys.renew(vault.adopt, now=now)
            row_keys.renew_row_key(keyring.row_key)
            return _renew_all(parts, master_keys, row_keys)

    return job


def finish_row_key(context: JobContext, master_keys: MasterKeyStore, row_keys: RowKeys) -> VaultReport:
    """Go on with a change of the row key that was interrupted; the database was opened with both keys."""
    with context.storage.rotation():
        return _renew_all(context, master_keys, row_keys)


def _renew_all(context: JobContext, master_keys: MasterKeyStore, row_keys: RowKeys) -> VaultReport:
    report, rows = Report(), 0
    for table in range(len(TABLE_SPECS)):
        after: int | None = None
        while True:
            done: RenewedMacs = context.act(renew_macs, RenewMacsInput(context.caller, table, after))
            rows += done.rows
            for name, row in done.forged:
                report.fault(f"row {row} of {name}", "was changed outside the server: it got no new MAC")
            context.progress(rows, 0)
            after = done.after
            if after is None:
                break
    context.act(end_renewal, EndRenewalInput(context.caller))
    vault = context.storage.vault
    master_keys.retire_row_key(vault.keyring, vault.adopt)
    row_keys.retire_row_key()
    return report.finish()


@use_case.act(Permission.VAULT_MANAGE, logs=(RowMacsRenewed,))
def renew_macs(transaction: Transaction, item: RenewMacsInput) -> RenewedMacs:
    """Write the MACs of some rows under the key in use."""
    kind = list(TABLE_SPECS)[item.table]
    renewed, faults, after = transaction.rows.renew_macs(kind, item.after, PAGE)
    if renewed:
        transaction.log(RowMacsRenewed(by=item.caller, rows=renewed))
    return RenewedMacs(renewed, after, tuple((fault.table, fault.row) for fault in faults))


@use_case.act(Permission.VAULT_MANAGE, logs=(RowKeyChanged,))
def end_renewal(transaction: Transaction, item: EndRenewalInput) -> bool:
    """Say that the old key is given up: its answer comes when all MACs before it are durable."""
    transaction.log(RowKeyChanged(by=item.caller))
    return True
