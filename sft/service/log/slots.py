"""The records of slots, made of rows: what a leaf names by hash, and what a reader is shown to check.

Rules. A record follows from rows alone, so that whoever reads makes the one that the writer hashed. Figures and what keeps a
content (objects, keys, epochs) are in none: maintenance changes them and no slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sft.errors import RowForgedError
from sft.ledger.hashing import fold, hashes_of
from sft.ledger.slots import (
    FileSlot,
    FileState,
    FolderSlot,
    FolderState,
    SlotKey,
    SlotRole,
    SlotVersion,
    UserSlot,
    encode_slot,
    position_of,
)
from sft.model.access import Role
from sft.model.records import KeyEnd, UserState
from sft.service.version_tree import lost_versions
from sft.store.files import newest_versions
from sft.store.folders import folders_by_id
from sft.store.row_types import DeviceKeyRow, FileRow, FolderRow, UserRoleRow, UserRow, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.table_specs import table_of
from sft.store.users import keys_of, roles_of

VersionKey = tuple[int, int]
"""A file's row and a version's number."""


class SlotRecords:
    """Makes the records of one transaction's rows, loading what they refer to.

    Args:
        folders: rows that are loaded already.
    """

    def __init__(self, reading: ReadTransaction, folders: Iterable[FolderRow] = ()) -> None:
        self._reading = reading
        self._folder_slots = {folder.id: folder.slot for folder in folders}

    def users(self, rows: Sequence[UserRow]) -> Iterator[bytes]:
        ids = [row.id for row in rows]
        roles, keys = roles_of(self._reading, ids), keys_of(self._reading, ids)
        for row in rows:
            yield user_record(row, roles[row.id], keys[row.id])

    def folders(self, rows: Sequence[FolderRow]) -> Iterator[bytes]:
        self._learn({row.parent_id for row in rows})
        for row in rows:
            yield folder_record(row, self._slot_of(row.parent_id))

    def files(
        self, rows: Sequence[FileRow], versions: Mapping[VersionKey, VersionRow] | None = None
    ) -> Iterator[bytes]:
        """Make the records of files.

        Args:
            versions: what is loaded already of their newest ones.
        """
        self._learn({row.folder_id for row in rows})
        known = versions or {}
        unknown = [row for row in rows if (row.id, row.newest) not in known]
        newest = newest_versions(self._reading, unknown) if unknown else {}
        for row in rows:
            version = known.get((row.id, row.newest)) or newest.get(row.id)
            if version is None:
                raise RowForgedError(table_of(VersionRow), f"{row.id}, {row.newest}")
            yield file_record(row, version, self._slot_of(row.folder_id))

    def _learn(self, folder_ids: Iterable[int | None]) -> None:
        unknown = {each for each in folder_ids if each is not None} - self._folder_slots.keys()
        if unknown:
            self._folder_slots.update((row.id, row.slot) for row in folders_by_id(self._reading, unknown).values())

    def _slot_of(self, folder_id: int | None) -> int | None:
        if folder_id is None:
            return None
        if folder_id not in self._folder_slots:
            raise RowForgedError(table_of(FolderRow), str(folder_id))
        return self._folder_slots[folder_id]


def user_record(row: UserRow, roles: Sequence[UserRoleRow], keys: Sequence[DeviceKeyRow]) -> bytes:
    """Make the record of a user out of all roles and keys, the first ones first."""
    return encode_slot(
        UserSlot(
            salt=row.salt,
            id=row.id,
            name=row.name,
            state=UserState(row.state),
            roles=tuple(SlotRole(Role(role.role), role.leaf) for role in roles),
            keys=tuple(_key(key) for key in keys),
        )
    )


def folder_record(row: FolderRow, parent: int | None) -> bytes:
    """Make the record of a folder; ``parent`` is the slot of the folder that it is in."""
    state = FolderState(row.state)
    trashed_from = row.trashed_path or "" if state is FolderState.TRASHED else ""
    return encode_slot(
        FolderSlot(salt=row.salt, id=row.id, parent=parent, name=row.name, state=state, trashed_from=trashed_from)
    )


def file_record(row: FileRow, newest: VersionRow, folder: int | None, state: FileState | None = None) -> bytes:
    """Make the record of a file.

    Args:
        newest: its newest version.
        folder: slot of the folder that it is in.
        state: another than the row's.
    """
    state = state or FileState(row.state)
    purged = state is FileState.PURGED
    trashed_from = row.trashed_path or "" if state is FileState.TRASHED else ""
    lost = lost_versions(row)
    return encode_slot(
        FileSlot(
            salt=row.salt,
            id=row.file_id,
            owner=row.owner_id,
            folder=None if purged else folder,
            name="" if purged else row.name,
            state=state,
            trashed_from=trashed_from,
            newest=SlotVersion(newest.number, newest.leaf, newest.digest, newest.size),
            versions_kept=position_of(newest.number, lost) + 1,
            versions_root=fold(hashes_of(row.versions_peaks)),
            versions_lost=lost,
        )
    )


def purged_folder(row: FolderRow) -> bytes:
    """Make the record of a folder whose row is gone."""
    return encode_slot(FolderSlot(salt=row.salt, id=row.id, parent=None, name="", state=FolderState.PURGED))


def purged_file(row: FileRow, newest: VersionRow) -> bytes:
    """Make the record of a file whose row is gone, with its last version."""
    return file_record(row, newest, None, FileState.PURGED)


def _key(row: DeviceKeyRow) -> SlotKey:
    reason = None if row.end_reason is None else KeyEnd(row.end_reason)
    return SlotKey(row.public_key, row.start_leaf, row.end_leaf, row.cut_off_leaf, reason)
