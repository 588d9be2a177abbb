"""A new master key for everything, and new data keys for everything after a leak.

    rotate      new master key and keyring → page by page: data keys in rows → retire the old
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

from sft.errors import MasterKeyGoneError, ObjectCorruptError, ObjectMissingError, RowForgedError, VaultError
from sft.model.access import Caller, Permission
from sft.model.events import ContentResealed, DataKeysResealed, MasterKeyRotated, UploadKeysResealed
from sft.model.records import VaultReport
from sft.service import use_case
from sft.service.maintenance.given_up_uploads import give_up_all
from sft.service.maintenance.paging import rows_by_page
from sft.service.maintenance.purging import EndPurgesInput, end_purges
from sft.service.maintenance.report import NOT_READ, PAGE, Job, JobContext, Report, sound_rows
from sft.service.maintenance.sidecars import sidecar_of_row
from sft.service.open_uploads import EndUpload, OpenUpload, end_uploads, open_uploads
from sft.service.pending import translate_disk_full
from sft.service.storage import OBJECT_ID_BYTES, FileStorage, sealed_key_of
from sft.store.files import versions_at
from sft.store.objects import BEFORE_ALL, EpochKey, small_object, version_keys, versions_before_epoch
from sft.store.row_types import PurgeRow, SmallObjectRow, UploadRow, VersionRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.uploads import BEFORE_ALL_SEALED, UploadKey, uploads_before_epoch, uploads_by_id
from sft.vault.master_key_store import MasterKeyStore
from sft.vault.objects import reseal_whole
from sft.vault.vault import SealedKey


class Resealed(Struct, frozen=True):
    """Versions whose data keys are sealed by the new master key; their rows as they are to be."""

    caller: Caller
    rows: tuple[VersionRow, ...]


class UploadsResealed(Struct, frozen=True):
    """Open uploads whose data keys are sealed by the new master key, by their objects."""

    caller: Caller
    keys: dict[bytes, SealedKey]


class RotationEnd(Struct, frozen=True):
    """The epoch of the master key that every row is to name."""

    caller: Caller
    epoch: int


class Swap(Struct, frozen=True):
    """A version whose content has a new object; ``key`` is None where the object lies in the database."""

    caller: Caller
    storage: FileStorage
    row: VersionRow
    object_id: bytes
    key: SealedKey | None


@use_case.query(Permission.VAULT_MANAGE)
def rotate(_reading: ReadTransaction, caller: Caller, *, context: JobContext, master_keys: MasterKeyStore) -> Job:
    """Seal everything under a new master key.

    Returns:
        The job. Where a rotation was left unfinished it finishes that one and makes no new key.

    Raises:
        MasterKeyElsewhereError: the server only reads its master key.
        MasterKeyGoneError: its file is not there any more.
        ServerFullError: the room that is left is kept for deleting.
    """
    master_keys.require_rotatable()
    if problem := master_keys.problem():
        raise MasterKeyGoneError(problem=problem)
    storage = context.storage
    storage.require_room()

    def job() -> VaultReport:
        with storage.rotation():
            master_keys.turn(storage.vault.adopt)
            return _Resealing(replace(context, caller=caller), master_keys).run()

    return job


def finish_rotation(context: JobContext, master_keys: MasterKeyStore) -> VaultReport:
    """Go on with a rotation that was interrupted, at start; does nothing where none was."""
    with context.storage.rotation():
        return _Resealing(context, master_keys).run()


class _Resealing:
    """Has the current master key seal every data key."""

    def __init__(self, context: JobContext, master_keys: MasterKeyStore) -> None:
        self._context = context
        self._master_keys = master_keys
        self._report = Report()

    def run(self) -> VaultReport:
        vault = self._context.storage.vault
        while vault.keyring.rotating:
            moved = self._pass() + self._pass_uploads()
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
            keys = versions_before_epoch(reading, epoch, BEFORE_ALL, PAGE)
            rows, _ = sound_rows(partial(_versions_of, reading), keys)
        for row in rows:
            self._report.fault(_name_of(row), "is still sealed under the old master key")

    def _pass(self) -> int:
        """Go through all versions of older epochs once."""
        moved, epoch = 0, self._context.storage.vault.keyring.epoch

        def find(reading: ReadTransaction, after: EpochKey, limit: int) -> list[EpochKey]:
            return versions_before_epoch(reading, epoch, after, limit)

        for rows, faults in rows_by_page(self._context.begin_read, find, _versions_of, BEFORE_ALL):
            self._report.forged(faults)
            resealed = tuple(changed for row in rows if (changed := self._reseal(row)))
            done = self._context.act(take_keys, Resealed(self._context.caller, resealed))
            moved += done
            self._report.versions += done
            self._context.progress(self._report.versions, self._report.bytes_checked)
        return moved

    def _pass_uploads(self) -> int:
        """Go through all open uploads of older epochs once; one whose key does not hold can be gone on with no more."""
        moved, keyring = 0, self._context.storage.vault.keyring

        def find(reading: ReadTransaction, after: UploadKey, limit: int) -> list[UploadKey]:
            return uploads_before_epoch(reading, keyring.epoch, after, limit)

        for rows, faults in rows_by_page(self._context.begin_read, find, _uploads_of, BEFORE_ALL_SEALED):
            self._report.forged(faults)
            keys: dict[bytes, SealedKey] = {}
            for row in rows:
                try:
                    keys[row.object_id] = keyring.rewrap(row.object_id, sealed_key_of(row))
                except ObjectCorruptError as fault:
                    self._report.fault(row.path, str(fault.values["problem"]))
            moved += self._context.act(take_upload_keys, UploadsResealed(self._context.caller, keys))
        return moved

    def _reseal(self, row: VersionRow) -> VersionRow | None:
        try:
            key = self._context.storage.vault.keyring.rewrap(row.object_id, sealed_key_of(row))
        except ObjectCorruptError as fault:
            self._report.fault(_name_of(row), str(fault.values["problem"]))
            return None
        return replace(row, epoch=key.epoch, sealed_key=key.sealed)


def _versions_of(reading: ReadTransaction, keys: Sequence[EpochKey]) -> list[VersionRow]:
    return versions_at(reading, [key[1:] for key in keys])


def _uploads_of(reading: ReadTransaction, keys: Sequence[UploadKey]) -> list[UploadRow]:
    return uploads_by_id(reading, [object_id for _, object_id in keys])


def _name_of(row: VersionRow) -> str:
    return f"{row.signed_name} version {row.number}"


@use_case.act(Permission.VAULT_MANAGE, logs=(DataKeysResealed,))
def take_keys(transaction: Transaction, item: Resealed) -> int:
    """Write the data keys as they are sealed now, and return how many versions have theirs."""
    still = {(row.file, row.number) for row in _unchanged(transaction, item.rows)}
    versions = [row for row in item.rows if (row.file, row.number) in still]
    transaction.rows.update(versions)
    if versions:
        transaction.log(DataKeysResealed(by=item.caller, versions=len(versions), epoch=versions[0].epoch))
    return len(versions)


@use_case.act(Permission.VAULT_MANAGE, logs=(UploadKeysResealed,))
def take_upload_keys(transaction: Transaction, item: UploadsResealed) -> int:
    """Write the data keys of open uploads as they are sealed now, and return how many have theirs."""
    rows = [row for row in uploads_by_id(transaction, item.keys) if row.segments]
    keys = item.keys
    transaction.rows.update(
        [replace(row, epoch=keys[row.object_id].epoch, sealed_key=keys[row.object_id].sealed) for row in rows]
    )
    if rows:
        epoch = keys[rows[0].object_id].epoch
        transaction.log(UploadKeysResealed(by=item.caller, uploads=len(rows), epoch=epoch))
    return len(rows)


def _unchanged(transaction: Transaction, rows: Sequence[VersionRow]) -> list[VersionRow]:
    """Load the rows again that still name the same object, as long as that is there."""
    objects = {(row.file, row.number): row.object_id for row in rows}
    found = versions_at(transaction, list(objects))
    return [row for row in found if row.destroyed_at is None and objects[(row.file, row.number)] == row.object_id]


@use_case.act(Permission.VAULT_MANAGE, logs=(MasterKeyRotated,))
def end_rotation(transaction: Transaction, item: RotationEnd) -> bool:
    """Return whether no row names an older epoch: an act, for it must see what the writer has done last."""
    if versions_before_epoch(transaction, item.epoch, BEFORE_ALL, 1):
        return False
    if uploads_before_epoch(transaction, item.epoch, BEFORE_ALL_SEALED, 1):
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
        with self._context.storage.rotation():
            # What is kept is sealed under keys that may be known: it is begun anew.
            give_up_all(self._context, self._report)
            for rows, faults in rows_by_page(self._context.begin_read, version_keys, versions_at, (0, 0)):
                self._report.forged(faults)
                for row in rows:
                    if row.destroyed_at is None:
                        self._one(row)
            return self._report.finish()

    def _one(self, row: VersionRow) -> None:
        new_id = os.urandom(OBJECT_ID_BYTES)
        try:
            with translate_disk_full(row.size):
                swapped = self._inline(row, new_id) if row.inline else self._file(row, new_id)
        except NOT_READ as fault:
            self._report.fault(row.signed_name, str(fault.values["problem"]))
            return
        except RowForgedError as forged:
            self._report.forged([forged])
            return
        if swapped:
            self._report.versions += 1
            self._report.bytes_checked += row.size
        self._context.progress(self._report.versions, self._report.bytes_checked)

    def _inline(self, row: VersionRow, new_id: bytes) -> bool:
        return self._context.act(swap, Swap(self._context.caller, self._context.storage, row, new_id, None))

    def _file(self, row: VersionRow, new_id: bytes) -> bool:
        context, vault = self._context, self._context.storage.vault
        with context.begin_read() as reading:
            # Anew: the old one may be sealed under a row key that was given up.
            sidecar = sidecar_of_row(reading, row)
        context.act(open_uploads, OpenUpload(new_id, None, row.signed_name))
        try:
            key = vault.reencrypt(
                row.object_id,
                row.size,
                row.digest,
                sealed_key_of(row),
                new_id,
                sidecar=sidecar,
                each=self._report.reading(context.progress),
            )
        except VaultError:
            context.act(end_uploads, EndUpload(new_id))
            raise
        swapped = context.act(swap, Swap(context.caller, context.storage, row, new_id, key))
        vault.remove(row.object_id if swapped else new_id)
        if swapped:
            context.act(end_purges, EndPurgesInput(context.caller, (row.object_id,)))
        else:
            context.act(end_uploads, EndUpload(new_id))
        return swapped


@use_case.act(Permission.VAULT_MANAGE, logs=(ContentResealed,))
def swap(transaction: Transaction, item: Swap) -> bool:
    """Let a version name its new object, and a purge the old one; False where it is gone, or was moved by somebody else."""
    keyring, rows = item.storage.vault.keyring, transaction.rows
    found = _unchanged(transaction, [item.row])
    if not found:
        return False
    row, key = found[0], item.key
    if row.inline:
        sealed = small_object(transaction, row.object_id)
        if sealed is None:
            raise ObjectMissingError(problem=f"object {row.object_id.hex()} is missing")
        key, resealed = reseal_whole(keyring, row.object_id, row.size, sealed_key_of(row), sealed, item.object_id)
        rows.delete([SmallObjectRow(row.object_id, sealed)])
        rows.insert([SmallObjectRow(item.object_id, resealed)])
    else:
        rows.insert([PurgeRow(row.object_id, transaction.now)])
        rows.delete(uploads_by_id(transaction, [item.object_id]))
    if key is None or key.epoch != keyring.epoch:
        raise ValueError("a new object is sealed by the master key in use")
    keys = {"epoch": key.epoch, "sealed_key": key.sealed, "later_keys": key.later}
    rows.update([replace(row, object_id=item.object_id, **keys)])
    transaction.log(ContentResealed(by=item.caller, old=row.object_id, new=item.object_id))
    return True
