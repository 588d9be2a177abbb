"""What the log and the settings say of a backup: that one begins, and when one was whole.

Rules. The leaf comes before the first byte is read, so that no copy of everything is taken unseen, and the copy has its own
leaf. The copying is the operator's command (``sft.operator.backups``): it reads the files itself, under the vault's copy lock.
"""

from __future__ import annotations

from msgspec import Struct

from sft.model.access import Caller, Permission
from sft.model.events import BackupEnded, BackupTaken
from sft.service.use_case import act
from sft.store.rows import Transaction
from sft.store.settings import BACKED_UP_AT, change_setting


class BackupBeginning(Struct, frozen=True):
    """A backup that begins, of objects whose data keys the master key of an epoch seals; the digest of its settings."""

    caller: Caller
    epoch: int
    settings: bytes


class BackupEnd(Struct, frozen=True):
    """A backup that is whole: the objects in it, how many of them were copied for it, and the bytes that it wrote."""

    caller: Caller
    objects: int
    copied: int
    size: int


@act(Permission.VAULT_MANAGE, logs=(BackupTaken,))
def begin_backup(transaction: Transaction, item: BackupBeginning) -> bytes:
    """Say in the log that everything is about to be copied; return the MAC that says that its settings are this server's."""
    transaction.log(BackupTaken(by=item.caller, epoch=item.epoch))
    return transaction.rows.backup_mac(item.settings)


@act(Permission.VAULT_MANAGE, logs=(BackupEnded,))
def end_backup(transaction: Transaction, item: BackupEnd) -> bool:
    """Write down when the last backup was whole."""
    changed = change_setting(transaction, BACKED_UP_AT, b"%d" % transaction.now)
    transaction.log(BackupEnded(by=item.caller, objects=item.objects, copied=item.copied, size=item.size))
    return changed
