"""A new master key for everything, and new data keys for everything after a leak.

    rotate      new master key and keyring → object by object: key section, then the row's epoch → retire the old
    reencrypt   object by object: a new one under a new data key → the row → destroy the old one

Rules. At any moment every object opens: both keys read until the last row names the new epoch. Whoever is interrupted is
finished by the next start. The old key is given up once it is durable that no row names it, and no commit names it any more
(``commits``); while a row does not hold or an object cannot be opened, it is kept, and the report says so.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import ObjectCorruptError, ObjectMissingError
from sft.model.access import Caller, Permission
from sft.model.events import ContentResealed, MasterKeyRotated, ObjectsRewrapped
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.purging import EndPurgesInput, end_purges
from sft.service.maintenance.report import PAGE, Job, JobContext, Report, sound_rows
from sft.service.storage import OBJECT_ID_BYTES, FileStorage
from sft.store.files import VersionKey, versions_at
from sft.store.objects import small_object, version_keys, versions_before_epoch
from sft.store.row_types import PurgeRow, SmallObjectRow, VersionRow
from sft.store.rows import ReadTransaction, Transaction
from sft.vault.master_key_store import MasterKeyStore
from sft.vault.objects import reseal_whole, rewrap_whole

_DAMAGED = (ObjectCorruptError, ObjectMissingError)


class Rewrapped(Struct, frozen=True):
    """Versions whose objects lie in files that the new master key seals already, and those in the database."""

    caller: Caller
    storage: FileStorage
    rows: tuple[VersionRow, ...]


class RotationEnd(Struct, frozen=True):
    """The epoch of the master key that every row is to name."""

    caller: Caller
    epoch: int


class Swap(Struct, frozen=True):
    """A version whose content has a new object; ``epoch`` is None where the object lies in the database."""

    caller: Caller
    storage: FileStorage
    row: VersionRow
    object_id: bytes
    epoch: int | None


@use_case.query(Permission.VAULT_MANAGE)
def rotate(_reading: ReadTransaction, caller: Caller, *, context: JobContext, master_keys: MasterKeyStore) -> Job:
    """Seal everything under a new master key.

    Returns:
        The job. Where a rotation was left unfinished it finishes that one and makes no new key.

    Raises:
        MasterKeyElsewhereError: the server only reads its master key.
    """
    master_keys.require_rotatable()
    storage = context.storage

    def job() -> VaultReport:
        with storage.rotation():
            master_keys.turn(storage.vault.adopt)
            return _Rewrapping(replace(context, caller=caller), master_keys).run()

    return job


def finish_rotation(context: JobContext, master_keys: MasterKeyStore) -> VaultReport:
    """Go on with a rotation that was interrupted, at start; does nothing where none was."""
    with context.storage.rotation():
        return _Rewrapping(context, master_keys).run()


class _Rewrapping:
    """Moves every object to the current master key."""

    def __init__(self, context: JobContext, master_keys: MasterKeyStore) -> None:
        self._context = context
        self._master_keys = master_keys
        self._report = Report()

    def run(self) -> VaultReport:
        vault = self._context.storage.vault
        while vault.keyring.rotating:
            moved = self._pass()
            # The answer comes when its transaction, and all before it, is durable.
            if self._context.act(end_rotation, RotationEnd(self._context.caller, vault.keyring.epoch)):
                self._master_keys.retire(vault.keyring, vault.adopt)
                break
            if not moved:
                self._name_what_is_left()
                break
        return self._report.finish()

    def _name_what_is_left(self) -> None:
        """Report why the old key is kept: some objects, or their rows, do not hold."""
        self._report.note("the old master key is kept for what could not be moved")
        epoch = self._context.storage.vault.keyring.epoch
        with self._context.begin_read() as reading:
            keys = versions_before_epoch(reading, epoch, (0, 0), PAGE)
            rows, _ = sound_rows(partial(versions_at, reading), keys)
        for row in rows:
            self._report.fault(_name_of(row), "is still sealed under the old master key")

    def _pass(self) -> int:
        """Go through all versions of older epochs once."""
        moved, after = 0, (0, 0)
        epoch = self._context.storage.vault.keyring.epoch
        while True:
            with self._context.begin_read() as reading:
                keys = versions_before_epoch(reading, epoch, after, PAGE)
                rows, faults = sound_rows(partial(versions_at, reading), keys)
            if not keys:
                return moved
            self._report.forged(faults)
            ready = tuple(row for row in rows if self._rewrap(row))
            done = self._context.act(note_epochs, Rewrapped(self._context.caller, self._context.storage, ready))
            moved += done
            self._report.versions += done
            self._context.progress(self._report.versions, self._report.bytes_checked)
            after = keys[-1]

    def _rewrap(self, row: VersionRow) -> bool:
        if row.inline:
            return True  # together with its row, in the writer
        try:
            self._context.storage.vault.rewrap(row.object_id, least_epoch=row.epoch)
        except _DAMAGED as fault:
            self._report.fault(_name_of(row), str(fault.values["problem"]))
            return False
        return True


def _name_of(row: VersionRow) -> str:
    return f"{row.signed_name} version {row.number}"


@use_case.act(Permission.VAULT_MANAGE, logs=(ObjectsRewrapped,))
def note_epochs(transaction: Transaction, item: Rewrapped) -> int:
    """Write down which master key seals these objects now, and return how many versions were moved."""
    keyring = item.storage.vault.keyring
    versions, objects = [], []
    for row in _unchanged(transaction, item.rows):
        if row.inline:
            sealed = small_object(transaction, row.object_id)
            try:
                if sealed is None:
                    continue
                rewrapped = rewrap_whole(keyring, row.object_id, sealed, least_epoch=row.epoch)
            except ObjectCorruptError:
                continue
            objects.append(SmallObjectRow(row.object_id, rewrapped))
        versions.append(replace(row, epoch=keyring.epoch))
    transaction.rows.update(objects)
    transaction.rows.update(versions)
    if versions:
        transaction.log(ObjectsRewrapped(by=item.caller, versions=len(versions), epoch=keyring.epoch))
    return len(versions)


def _unchanged(transaction: Transaction, rows: Sequence[VersionRow]) -> list[VersionRow]:
    """Load the rows again that still name the same object."""
    objects = {(row.file, row.number): row.object_id for row in rows}
    found = versions_at(transaction, list(objects))
    return [row for row in found if objects[(row.file, row.number)] == row.object_id]


@use_case.act(Permission.VAULT_MANAGE, logs=(MasterKeyRotated,))
def end_rotation(transaction: Transaction, item: RotationEnd) -> bool:
    """Return whether no version names an older epoch: an act, for it must see what the writer has done last."""
    if versions_before_epoch(transaction, item.epoch, (0, 0), 1):
        return False
    transaction.log(MasterKeyRotated(by=item.caller, epoch=item.epoch))
    return True


# -- new data keys -----------------------------------------------------------------------------------


@use_case.query(Permission.VAULT_MANAGE)
def reencrypt(_reading: ReadTransaction, caller: Caller, *, context: JobContext) -> Job:
    """Seal every content anew under a data key of its own, and destroy the old objects.

    Returns:
        The job. Interrupted, it leaves everything readable; the next one begins anew.
    """
    return _Reencrypting(replace(context, caller=caller)).run


class _Reencrypting:
    """Makes a new object for every version."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._report = Report()

    def run(self) -> VaultReport:
        after: VersionKey = (0, 0)
        with self._context.storage.rotation():
            while True:
                with self._context.begin_read() as reading:
                    keys = version_keys(reading, after, PAGE)
                    rows, faults = sound_rows(partial(versions_at, reading), keys)
                if not keys:
                    return self._report.finish()
                self._report.forged(faults)
                for row in rows:
                    self._one(row)
                after = keys[-1]

    def _one(self, row: VersionRow) -> None:
        new_id = os.urandom(OBJECT_ID_BYTES)
        try:
            swapped = self._inline(row, new_id) if row.inline else self._file(row, new_id)
        except _DAMAGED as fault:
            self._report.fault(row.signed_name, str(fault.values["problem"]))
            return
        if swapped:
            self._report.versions += 1
            self._report.bytes_checked += row.size
        self._context.progress(self._report.versions, self._report.bytes_checked)

    def _inline(self, row: VersionRow, new_id: bytes) -> bool:
        return self._context.act(swap, Swap(self._context.caller, self._context.storage, row, new_id, None))

    def _file(self, row: VersionRow, new_id: bytes) -> bool:
        vault, in_flight = self._context.storage.vault, self._context.storage.in_flight
        in_flight.add(new_id)
        try:
            sidecar = vault.read_sidecar(row.object_id, least_epoch=row.epoch)
            epoch = vault.reencrypt(
                row.object_id,
                row.size,
                row.digest,
                new_id,
                least_epoch=row.epoch,
                sidecar=sidecar,
                each=self._report.reading(self._context.progress),
            )
            swapped = self._context.act(swap, Swap(self._context.caller, self._context.storage, row, new_id, epoch))
            vault.remove(row.object_id if swapped else new_id)
            if swapped:
                self._context.act(end_purges, EndPurgesInput(self._context.caller, (row.object_id,)))
        finally:
            in_flight.discard(new_id)
        return swapped


@use_case.act(Permission.VAULT_MANAGE, logs=(ContentResealed,))
def swap(transaction: Transaction, item: Swap) -> bool:
    """Let a version name its new object, and a purge the old one; False where it is gone, or was moved by somebody else."""
    keyring, rows = item.storage.vault.keyring, transaction.rows
    found = _unchanged(transaction, [item.row])
    if not found:
        return False
    row = found[0]
    epoch = keyring.epoch if item.epoch is None else item.epoch
    if epoch != keyring.epoch:
        return False
    if row.inline:
        sealed = small_object(transaction, row.object_id)
        if sealed is None:
            raise ObjectMissingError(problem=f"object {row.object_id.hex()} is missing")
        resealed = reseal_whole(keyring, row.object_id, row.size, sealed, item.object_id, least_epoch=row.epoch)
        rows.delete([SmallObjectRow(row.object_id, sealed)])
        rows.insert([SmallObjectRow(item.object_id, resealed)])
    else:
        rows.insert([PurgeRow(row.object_id, transaction.now)])
    rows.update([replace(row, object_id=item.object_id, epoch=epoch)])
    transaction.log(ContentResealed(by=item.caller, old=row.object_id, new=item.object_id))
    return True
