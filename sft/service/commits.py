"""May this file be stored here? And the commit of uploads: many at once, judged one after the other in one transaction.

Rules. ``check_upload`` is the one judgment that an upload's beginning and its commit share, there from a snapshot, here inside
the writing transaction. The same bytes by the same author at the same path are stored already, whatever version was meant, so
that a retry is never a conflict. Whatever decides is read here: the author's row, role and key (by the use case's frame),
folders, names, the newest version, its owner and digest, by a few queries for the whole group; and written by a few more, never
a statement per file. An input is judged by what those before it in its group will have done; a refused one has written nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from sft.crypto.notes import Receipt
from sft.errors import (
    BadRequestError,
    ChangedSinceError,
    RequestError,
    ServerFullError,
    SignatureRefusedError,
    TransferEndedError,
)
from sft.ledger.slots import SlotVersion
from sft.limits import LOST_VERSIONS_RANGES
from sft.model.access import Caller, Permission
from sft.model.events import FileCommitted, FileReplaced
from sft.model.quota_events import QuotaNear
from sft.model.quotas import Usage
from sft.service.author_signature import Signed
from sft.service.path_lookup import PathLookup, ResolvedPath, nothing_at
from sft.service.pending import Committed, Pending
from sft.service.quotas import Quotas, reserved_by
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_right
from sft.service.storage import under_current_key
from sft.service.use_case import batch_act
from sft.service.version_tree import RANGE_BYTES, lost_versions, with_lost, with_version
from sft.store.criteria import LIVE_STATE
from sft.store.figures import FigureChanges
from sft.store.files import files_by_file_id, newest_versions
from sft.store.row_types import FileRow, SmallObjectRow, UploadRow, VersionRow
from sft.store.rows import Transaction
from sft.store.uploads import uploads_by_id
from sft.store.users import keys_by_id


class Put(Struct, frozen=True):
    """What is to be stored.

    Attributes:
        file_id: drawn by the author of version 1.
        version: the version that the author saw, plus one.
        prev: digest of that version; None for version 1, and while it is not yet known.
        digest: of the content; None while it is not yet known.
        adopted: it was stored here before, and the index is made again: versions right before it may be lost.
    """

    file_id: bytes
    version: int
    prev: bytes | None = None
    digest: bytes | None = None
    adopted: bool = False


def check_upload(
    record_builder: RecordBuilder,
    caller: Caller,
    place: ResolvedPath,
    newest: VersionRow | None,
    put: Put,
    *,
    id_is_known: bool,
) -> VersionRow | None:
    """Decide whether a version may be stored at a place.

    Args:
        caller: the author, read in this transaction.
        newest: version of the file that is there; None where none is.
        id_is_known: some file has this id, here or elsewhere.

    Returns:
        The newest version if it has this very content already; else None: go on.

    Raises:
        RequestError: the rule that refuses.
    """
    file = place.file
    if file is None or newest is None:
        place.require_free()
        if put.version != 1 and not put.adopted:
            raise nothing_at(place.path)
        if id_is_known:
            raise BadRequestError(problem="another file has this id")
        return None
    skips = put.adopted and put.version > newest.number + 1
    if put.digest == newest.digest and newest.author_id == caller.user_id and not skips:
        return newest
    if put.version == 1:
        raise record_builder.exists(place.path, newest)
    require_right(record_builder, caller, Permission.FILE_WRITE, file, verb="replace", path=place.path)
    if put.file_id != file.file_id or not (skips or (put.version == newest.number + 1 and not _differs(put, newest))):
        raise ChangedSinceError(
            path=place.path,
            author=record_builder.name_of(newest.author_id),
            version=newest.number,
            stored_at=newest.stored_at,
            seen=put.version - 1,
        )
    return None


def _differs(put: Put, newest: VersionRow) -> bool:
    """Return whether the author saw another content; nobody has said so before the content is known."""
    return put.digest is not None and put.prev != newest.digest


@batch_act(Permission.FILE_WRITE, logs=(FileCommitted, FileReplaced, QuotaNear))
def commit(transaction: Transaction, inputs: Sequence[Pending]) -> Sequence[Committed | RequestError]:
    """Store versions whose contents are durable; of each return what became of it, or the rule that refused."""
    group = CommitGroup(transaction, inputs)
    outcomes: list[Committed | RequestError] = []
    for pending in inputs:
        try:
            outcomes.append(group.judge(pending))
        except RequestError as refusal:
            outcomes.append(refusal)
    group.write()
    return outcomes


class CommitGroup:
    """What one commit knows, and what it will write."""

    def __init__(self, transaction: Transaction, inputs: Sequence[Pending]) -> None:
        self._transaction = transaction
        self._record_builder = RecordBuilder(transaction)
        self._places = PathLookup(transaction)
        self._places.load(pending.path for pending in inputs)
        self._newest = newest_versions(transaction, self._places.files())
        self._known_ids = set(files_by_file_id(transaction, {pending.signed.file_id for pending in inputs}))
        authors = {pending.caller.key_id for pending in inputs}
        self._keys = keys_by_id(transaction, [key for key in authors if key is not None])
        self._next_file = 0
        self._room_bytes: int | None = None
        self._figures = FigureChanges(transaction, self._places.folders())
        self._figures.know_owners({pending.signed.user_id for pending in inputs})
        self._quotas = Quotas(self._record_builder, self._figures)
        self._new_files: dict[int, FileRow] = {}
        self._changed_files: dict[int, FileRow] = {}
        self._versions: list[VersionRow] = []
        self._small_objects: list[SmallObjectRow] = []
        opened = uploads_by_id(transaction, {pending.object_id for pending in inputs if pending.opened})
        self._uploads = {row.object_id: row for row in opened}
        self._committed_uploads: list[UploadRow] = []

    def judge(self, pending: Pending) -> Committed:
        """Decide on one upload, and note what it writes.

        Raises:
            RequestError: the rule that refuses; nothing is noted then.
        """
        caller, signed = pending.caller, pending.signed
        self._require_key(pending)
        place = self._places.at(signed.path)
        newest = None if place.file is None else self._newest[place.file.id]
        put = Put(signed.file_id, signed.version, signed.prev, signed.digest, pending.adopted)
        known = signed.file_id in self._known_ids
        same = check_upload(self._record_builder, caller, place, newest, put, id_is_known=known)
        if same is not None and place.file is not None:
            return _committed(pending, place.file.file_id, same)
        self._require_open(pending)
        key = under_current_key(pending.storage, pending.object_id, pending.key)
        if key is not pending.key:
            pending = replace(pending, key=key)
        owner_id = self._quotas.owner_of(place.file, caller)
        more = Usage(int(place.file is None), signed.size)
        if not pending.adopted:
            self._require_quota(pending, owner_id)
        self._require_room(pending)
        file = self._file(caller, place, signed)
        return _committed(pending, file.file_id, self._note(pending, file, owner_id, more), new=True)

    def write(self) -> None:
        """Write what was noted: nine statements at most, and one query."""
        rows = self._transaction.rows
        self._figures.write()
        rows.insert(list(self._new_files.values()))
        rows.update(list(self._changed_files.values()))
        rows.insert(self._versions)
        rows.insert(self._small_objects)
        rows.delete(self._committed_uploads)

    def _require_key(self, pending: Pending) -> None:
        """Refuse a signature by another key than the one that the session's user has now."""
        key = self._keys.get(pending.caller.key_id or 0)
        if key is None or key.public_key != pending.public_key:
            raise SignatureRefusedError(problem="it is not signed with the key of this session")

    def _require_open(self, pending: Pending) -> None:
        """Refuse what was given up meanwhile: its segments are being removed, or their keys may be known."""
        row = self._uploads.get(pending.object_id)
        if pending.opened and (row is None or (pending.resumable and row.upload_id is None)):
            raise TransferEndedError(problem="it was given up meanwhile")

    def _require_quota(self, pending: Pending, owner_id: int) -> None:
        """Refuse what does not fit the owner's quota, or that of all, by what those before it in its group have stored."""
        signed, row = pending.signed, self._uploads.get(pending.object_id)
        own, beside = Usage(), None
        if row is not None and row.owner_id == owner_id:
            own, beside = reserved_by(row), self._quotas.reserved_beside(row)
        self._quotas.require_version(signed.path, owner_id, signed.version, signed.size, own=own, beside=beside)

    def _require_room(self, pending: Pending) -> None:
        """Refuse what would use the room that is kept for deleting: the database is on the same disk."""
        if pending.sealed is None:
            return
        if self._room_bytes is None:
            # What was deleted makes room within the database's own file, which gives it back only slowly.
            self._room_bytes = pending.storage.vault.free_bytes() + self._transaction.rows.free_bytes()
        if pending.weight_bytes > self._room_bytes:
            raise ServerFullError(size_bytes=pending.signed.size)
        self._room_bytes -= pending.weight_bytes

    def _file(self, caller: Caller, place: ResolvedPath, signed: Signed) -> FileRow:
        """Make the file's row, or the one with its new version."""
        if place.file is not None:
            # Its peaks follow, when its leaf is known.
            return replace(
                place.file,
                newest=signed.version,
                contents_kept=place.file.contents_kept + signed.version - place.file.newest,
                versions_lost=_lost(signed, place.file.newest, place.file.versions_lost),
            )
        made = self._places.make_way(self._transaction, place, caller.user_id)
        self._figures.make_folders(made)
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
            slot=self._transaction.take_slot(),
            salt=self._transaction.new_salt(),
            versions_peaks=b"",
            trashed_at=None,
            trashed_by_id=None,
            trashed_path=None,
            trashed_folded=None,
            versions_lost=_lost(signed, 0, b""),
        )

    def _note(self, pending: Pending, file: FileRow, owner_id: int, more: Usage) -> VersionRow:
        signed = pending.signed
        leaf = self._transaction.log(_event(pending, prev=self._newest.get(file.id)))
        if leaf is None:
            raise TypeError("every version is told in the log")
        slot_version = SlotVersion(signed.version, leaf, signed.digest, signed.size)
        grown = with_version(file.versions_peaks, slot_version, lost_versions(file))
        file = replace(file, versions_peaks=grown.peaks)
        version = VersionRow(
            file=file.id,
            number=signed.version,
            author_id=signed.user_id,
            key_id=pending.caller.key_id or 0,
            size=signed.size,
            digest=signed.digest,
            dated_at=signed.dated_at,
            stored_at=self._transaction.now,
            leaf=leaf,
            signed_name=signed.path,
            signature=signed.signature,
            object_id=pending.object_id,
            inline=int(pending.inline),
            epoch=pending.key.epoch,
            sealed_key=pending.key.sealed,
            later_keys=pending.key.later,
            subtrees=grown.subtrees,
        )
        (self._new_files if more.files else self._changed_files)[file.id] = file
        if more.files:
            self._figures.put_file(file)
        for near in () if pending.adopted else self._quotas.near(pending.caller, owner_id, more):
            self._transaction.log(near)
        self._figures.own(owner_id, files=more.files, size_bytes=more.size_bytes)
        self._versions.append(version)
        if pending.sealed is not None:
            self._small_objects.append(SmallObjectRow(pending.object_id, pending.sealed))
        if pending.object_id in self._uploads:
            row = self._uploads.pop(pending.object_id)
            self._quotas.release(row)
            self._committed_uploads.append(row)
        self._places.put_file(file)
        self._newest[file.id] = version
        self._known_ids.add(signed.file_id)
        return version


def _lost(signed: Signed, before: int, lost: bytes) -> bytes:
    """Write which versions of a file were lost, where another than the next one follows the newest there was.

    Raises:
        BadRequestError: in more ranges than its slot takes.
    """
    if signed.version == before + 1:
        return lost
    lost = with_lost(lost, before + 1, signed.version - 1)
    if len(lost) > LOST_VERSIONS_RANGES * RANGE_BYTES:
        raise BadRequestError(problem="too many of the versions before it are missing, here and there")
    return lost


def _event(pending: Pending, prev: VersionRow | None) -> FileCommitted | FileReplaced:
    caller, signed = pending.caller, pending.signed
    if prev is None:
        return FileCommitted(
            by=caller,
            file_id=signed.file_id,
            path=signed.path,
            version=None if signed.version == 1 else signed.version,
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
        prev=signed.prev or b"",
    )


def _committed(pending: Pending, file_id: bytes, version: VersionRow, *, new: bool = False) -> Committed:
    signed = pending.signed
    receipt = Receipt(
        server_id=pending.storage.server_id,
        file_id=file_id,
        version=version.number,
        size=signed.size,
        digest=signed.digest,
        user=signed.user_id,
        name=signed.path,
        stored_at=version.stored_at,
        leaf=version.leaf,
    )
    return Committed(receipt, unchanged=not new)
