"""The commit of uploads: many at once, judged one after the other inside one writing transaction.

Rules. Whatever decides is read here: the author's row, role and key (by the use case's frame), folders, names, the newest
version, its owner and digest. Everything is loaded by a few queries for the whole group and written by a few more, never a
statement per file. An input is judged by what those before it in its group will have done; a refused one has written nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from sft.errors import (
    RequestError,
    ServerFullError,
    SignatureRefusedError,
    TransferEndedError,
)
from sft.model.access import Caller, Permission
from sft.model.events import FileCommitted, FileReplaced
from sft.service.path_lookup import PathLookup, ResolvedPath
from sft.service.pending import Pending
from sft.service.receipts import Committed, Signed
from sft.service.record_builder import RecordBuilder
from sft.service.upload_policy import Put, check_upload
from sft.service.use_case import batch_act
from sft.store.files import files_by_file_id, newest_versions
from sft.store.folders import LIVE_STATE
from sft.store.row_types import FileRow, FolderRow, SmallObjectRow, VersionRow
from sft.store.rows import Transaction
from sft.store.users import keys_by_id
from sft.vault.objects import rewrap_whole


@batch_act(Permission.FILE_WRITE, logs=(FileCommitted, FileReplaced))
def commit(
    transaction: Transaction, inputs: Sequence[Pending]
) -> Sequence[Committed | RequestError]:
    """Store versions whose contents are durable.

    Returns:
        For each what became of it, or the rule that refused.
    """
    group = _Group(transaction, inputs)
    outcomes: list[Committed | RequestError] = []
    for pending in inputs:
        try:
            outcomes.append(group.judge(pending))
        except RequestError as refusal:
            outcomes.append(refusal)
    group.write()
    return outcomes


class _Group:
    """What one commit knows, and what it will write."""

    def __init__(self, transaction: Transaction, inputs: Sequence[Pending]) -> None:
        self._transaction = transaction
        self._record_builder = RecordBuilder(transaction)
        self._places = PathLookup(transaction)
        self._places.load(pending.path for pending in inputs)
        self._newest = newest_versions(transaction, self._places.files())
        self._known_ids = set(
            files_by_file_id(transaction, {pending.signed.file_id for pending in inputs})
        )
        authors = {pending.caller.key_id for pending in inputs}
        self._keys = keys_by_id(transaction, [key for key in authors if key is not None])
        self._next_file = 0
        self._room_bytes: int | None = None
        self._new_folders: list[FolderRow] = []
        self._new_files: dict[int, FileRow] = {}
        self._changed_files: dict[int, FileRow] = {}
        self._versions: list[VersionRow] = []
        self._small_objects: list[SmallObjectRow] = []

    def judge(self, pending: Pending) -> Committed:
        """Decide on one upload, and note what it writes.

        Raises:
            RequestError: the rule that refuses; nothing is noted then.
        """
        caller, signed = pending.caller, pending.signed
        self._require_key(pending)
        place = self._places.at(signed.path)
        newest = None if place.file is None else self._newest[place.file.id]
        put = Put(signed.file_id, signed.version, signed.prev, signed.digest)
        known = signed.file_id in self._known_ids
        same = check_upload(self._record_builder, caller, place, newest, put, id_is_known=known)
        if same is not None and place.file is not None:
            return _committed(signed, place.file.file_id, same.number, same.stored_at, same=True)
        pending = _under_current_key(pending)
        self._require_room(pending)
        file = self._file(caller, place, signed)
        self._note(pending, file)
        return _committed(signed, file.file_id, signed.version, self._transaction.now, same=False)

    def write(self) -> None:
        """Write what was noted: five statements at most."""
        rows = self._transaction.rows
        rows.insert(self._new_folders)
        rows.insert(list(self._new_files.values()))
        rows.update(list(self._changed_files.values()))
        rows.insert(self._versions)
        rows.insert(self._small_objects)

    def _require_key(self, pending: Pending) -> None:
        """Refuse a signature by another key than the one that the session's user has now."""
        key = self._keys.get(pending.caller.key_id or 0)
        if key is None or key.public_key != pending.public_key:
            raise SignatureRefusedError(problem="it is not signed with the key of this session")

    def _require_room(self, pending: Pending) -> None:
        """Refuse what would use the room that is kept for deleting: the database is on the same disk."""
        if pending.sealed is None:
            return
        if self._room_bytes is None:
            self._room_bytes = pending.storage.vault.free_bytes()
        if pending.weight_bytes > self._room_bytes:
            raise ServerFullError(size_bytes=pending.signed.size)
        self._room_bytes -= pending.weight_bytes

    def _file(self, caller: Caller, place: ResolvedPath, signed: Signed) -> FileRow:
        """Make the file's row, or the one with its new version."""
        if place.file is not None:
            return replace(place.file, newest=signed.version)
        made = self._places.make_way(self._transaction, place, caller.user_id)
        self._new_folders.extend(made)
        folder = made[-1] if made else place.folder
        number = self._next_file or self._transaction.rows.next_id(FileRow)
        self._next_file = number + 1
        return FileRow(
            id=number,
            file_id=signed.file_id,
            folder_id=folder.id,
            name=place.name,
            folded=place.folded,
            owner_id=signed.user_id,
            newest=signed.version,
            state=LIVE_STATE,
            created_at=self._transaction.now,
            trashed_at=None,
            trashed_by_id=None,
            trashed_path=None,
            trashed_folded=None,
        )

    def _note(self, pending: Pending, file: FileRow) -> None:
        signed = pending.signed
        version = VersionRow(
            file=file.id,
            number=signed.version,
            author_id=signed.user_id,
            key_id=pending.caller.key_id or 0,
            size=signed.size,
            digest=signed.digest,
            dated_at=signed.dated_at,
            stored_at=self._transaction.now,
            signed_name=signed.path,
            signature=signed.signature,
            object_id=pending.object_id,
            inline=int(pending.inline),
            epoch=pending.epoch,
        )
        (self._new_files if signed.version == 1 else self._changed_files)[file.id] = file
        self._versions.append(version)
        if pending.sealed is not None:
            self._small_objects.append(SmallObjectRow(pending.object_id, pending.sealed))
        self._transaction.log(_event(pending, prev=self._newest.get(file.id)))
        self._places.put_file(file)
        self._newest[file.id] = version
        self._known_ids.add(signed.file_id)


def _event(pending: Pending, prev: VersionRow | None) -> FileCommitted | FileReplaced:
    caller, signed = pending.caller, pending.signed
    if prev is None:
        return FileCommitted(
            by=caller,
            file_id=signed.file_id,
            path=signed.path,
            size=signed.size,
            digest=signed.digest,
        )
    return FileReplaced(
        by=caller,
        file_id=signed.file_id,
        path=signed.path,
        version=signed.version,
        size=signed.size,
        digest=signed.digest,
        prev=prev.digest,
    )


def _under_current_key(pending: Pending) -> Pending:
    """Move a small object to the master key in use; a rotation counts on it that no commit names an older one.

    Raises:
        TransferEndedError: the object cannot be moved here.
    """
    keyring = pending.storage.vault.keyring
    if pending.epoch == keyring.epoch:
        return pending
    if pending.sealed is None or pending.epoch not in keyring.epochs:
        raise TransferEndedError(problem="the master key was rotated meanwhile")
    sealed = rewrap_whole(keyring, pending.object_id, pending.sealed)
    return replace(pending, sealed=sealed, epoch=keyring.epoch)


def _committed(
    signed: Signed, file_id: bytes, version: int, stored_at: int, *, same: bool
) -> Committed:
    return Committed(
        path=signed.path,
        file_id=file_id,
        version=version,
        size=signed.size,
        digest=signed.digest,
        user_id=signed.user_id,
        stored_at=stored_at,
        unchanged=same,
    )
