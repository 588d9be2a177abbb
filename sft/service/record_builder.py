"""Rows made into what people are shown: files with their versions, folders, the words of a refusal.

Rules. Names of people, public keys and paths come from verified rows, each loaded once. A page is cut where its encoding
would no longer fit into one frame.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from sft.crypto.digests import digest_text
from sft.errors import ExistsError, RecordForgedError, RowForgedError, VersionDestroyedError
from sft.limits import LIST_BYTES, LIST_ENTRIES
from sft.model.access import OPERATOR
from sft.model.names import join_path
from sft.model.records import File, FileVersion, Folder, Record, TrashedFolder, UserState
from sft.store.files import Pair
from sft.store.folders import FolderPath, paths_of
from sft.store.hand_overs import heirs_of
from sft.store.row_types import DeviceKeyRow, FileRow, FolderRow, UserRow, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.table_specs import table_of
from sft.store.users import keys_by_id, users_by_id

_ENCODER: Final = msgspec.msgpack.Encoder()


class RecordBuilder:
    """Turns rows of one transaction into records, loading what they refer to."""

    def __init__(self, reading: ReadTransaction) -> None:
        self.reading = reading
        self._users: dict[int, UserRow] = {}
        self._heirs: dict[int, int] = {}
        self._keys: dict[int, DeviceKeyRow] = {}
        self._paths: dict[int, FolderPath] = {}

    def name_of(self, user_id: int) -> str:
        """Name a user, or the tombstone of one."""
        self._learn_users([user_id])
        return self._users[user_id].name

    def owner_of(self, row: FileRow | FolderRow) -> int | None:
        """Return whose a file or folder is: the heir's while it is being handed over; None is the operator's."""
        owner_id = row.owner_id if isinstance(row, FileRow) else row.maker_id
        if owner_id is None:
            return None
        self._learn_owners([owner_id])
        return self._heirs.get(owner_id, owner_id)

    def path_of(self, row: FileRow | FolderRow) -> str:
        """Spell the path of a file or folder; of what was deleted, that from which it was deleted."""
        if isinstance(row, FolderRow):
            return self._folder_path(row.id).text
        if row.folder_id is None:
            return row.trashed_path or row.name
        return join_path(self._folder_path(row.folder_id).text, row.name)

    def living(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Keep the files that are in no trash, whether they were deleted by themselves or with a folder."""
        paths_of(self.reading, {file.folder_id for file, _ in pairs if file.folder_id is not None}, self._paths)
        return [
            (file, version)
            for file, version in pairs
            if file.folder_id is not None and self._folder_path(file.folder_id).live
        ]

    def _folder_path(self, folder_id: int) -> FolderPath:
        return paths_of(self.reading, [folder_id], self._paths)[folder_id]

    def files(
        self,
        pairs: Sequence[Pair],
        *,
        signatures: bool,
        folder_path: str | None = None,
        paths: Sequence[str] | None = None,
    ) -> Iterator[File]:
        """Make the records of files, each with one version.

        Args:
            signatures: whether the records carry them.
            folder_path: of the folder that all of them lie in, where the caller knows it.
            paths: of each, likewise.
        """
        users = {user for f, v in pairs for user in (f.owner_id, v.author_id, f.trashed_by_id, v.destroyed_by_id)}
        self._learn_users(user for user in users if user is not None)
        self._learn_owners({file.owner_id for file, _ in pairs})
        self._learn_keys({version.key_id for _, version in pairs})
        for number, (file, version) in enumerate(pairs):
            if paths is not None:
                path = paths[number]
            else:
                path = self.path_of(file) if folder_path is None else join_path(folder_path, file.name)
            yield self._file(file, version, path, version.signature if signatures else b"")

    def file(self, file: FileRow, version: VersionRow) -> File:
        """Make the record of one file with its signature."""
        return next(self.files([(file, version)], signatures=True))

    @staticmethod
    def folders(rows: Sequence[FolderRow], parent_path: str) -> Iterator[Folder]:
        """Make the records of folders that lie in one folder, with the number of what lies directly in them."""
        for row in rows:
            path = join_path(parent_path, row.name)
            yield Folder(path=path, files=row.files, folders=row.folders, created_at=row.created_at)

    def trashed_folders(self, rows: Sequence[FolderRow]) -> Iterator[TrashedFolder]:
        """Make the records of deleted folders, with all that hangs on them."""
        self._learn_users({row.trashed_by_id for row in rows if row.trashed_by_id is not None})
        paths_of(self.reading, {row.id for row in rows}, self._paths)
        for row in rows:
            trashed_at = row.trashed_at or 0
            yield TrashedFolder(
                id=row.id,
                path=self.path_of(row),
                files=row.files_below,
                folders=row.folders_below + 1,
                trashed_at=trashed_at,
                trashed_by=OPERATOR if row.trashed_by_id is None else self.name_of(row.trashed_by_id),
                trash_ends_at=trashed_at + self.reading.policy.trash_seconds,
            )

    # -- refusals ----------------------------------------------------------------------------------

    def exists(self, path: str, version: VersionRow) -> ExistsError:
        """Refuse a name in use, saying enough for a client to recognize its own retry."""
        return ExistsError(
            path=path,
            version=version.number,
            author=self.name_of(version.author_id),
            author_id=version.author_id,
            stored_at=version.stored_at,
            size=version.size,
            size_bytes=version.size,
            digest=digest_text(version.digest),
        )

    def destroyed(self, path: str, version: VersionRow) -> VersionDestroyedError:
        """Refuse to give out a content that is gone."""
        by = "the server, which keeps the newest ones"
        if version.destroyed_by_id is not None:
            by = self.name_of(version.destroyed_by_id)
        return VersionDestroyedError(
            path=path, version=version.number, destroyed_at=version.destroyed_at or 0, destroyed_by=by
        )

    # -- loading -----------------------------------------------------------------------------------

    def _file(self, file: FileRow, version: VersionRow, path: str, signature: bytes) -> File:
        ends = None if file.trashed_at is None else file.trashed_at + self.reading.policy.trash_seconds
        owner_id = self._heirs.get(file.owner_id, file.owner_id)
        trashed_by = OPERATOR if file.trashed_by_id is None else self._users[file.trashed_by_id].name
        destroyed_by = None if version.destroyed_by_id is None else self._users[version.destroyed_by_id].name
        return File(
            id=file.file_id,
            path=path,
            owner_id=owner_id,
            owner=self._users[owner_id].name,
            version=FileVersion(
                number=version.number,
                author_id=version.author_id,
                author=self._users[version.author_id].name,
                public_key=self._keys[version.key_id].public_key,
                size=version.size,
                digest=version.digest,
                dated_at=version.dated_at,
                stored_at=version.stored_at,
                signed_name=version.signed_name,
                leaf=version.leaf,
                signature=signature,
                destroyed_at=version.destroyed_at,
                destroyed_by=destroyed_by,
            ),
            trashed_at=file.trashed_at,
            trash_ends_at=ends,
            trashed_by=None if file.trashed_at is None else trashed_by,
            expires_at=file.expires_at,
        )

    def _learn_users(self, user_ids: Iterable[int]) -> None:
        unknown = set(user_ids) - self._users.keys()
        self._users.update(users_by_id(self.reading, unknown) if unknown else {})
        for user_id in unknown - self._users.keys():
            raise RowForgedError(table_of(UserRow), str(user_id))

    def _learn_owners(self, user_ids: Collection[int]) -> None:
        self._learn_users(user_ids)
        removed = {user_id for user_id in user_ids if self._users[user_id].state == UserState.REMOVED}
        if unknown := removed - self._heirs.keys():
            self._heirs |= dict(zip(unknown, unknown, strict=True)) | heirs_of(self.reading, unknown)
            self._learn_users(self._heirs.values())

    def _learn_keys(self, key_ids: Iterable[int]) -> None:
        unknown = set(key_ids) - self._keys.keys()
        self._keys.update(keys_by_id(self.reading, unknown) if unknown else {})
        for key_id in unknown - self._keys.keys():
            raise RowForgedError(table_of(DeviceKeyRow), str(key_id))


class PageRoom:
    """What still fits into a page."""

    def __init__(self, limit: int) -> None:
        self.entries = max(1, min(limit, LIST_ENTRIES))
        self._bytes = LIST_BYTES

    def takes(self, record: Record) -> bool:
        """Return whether a record fits, and count it if so."""
        size = len(_ENCODER.encode(record))
        if self.entries < 1 or size > self._bytes:
            return False
        self.entries -= 1
        self._bytes -= size
        return True


@contextmanager
def blame_path(path: str) -> Iterator[None]:
    """Refuse by the name of the file that was asked for when one of its rows is forged."""
    try:
        yield
    except RowForgedError as forged:
        raise RecordForgedError(str(forged.values["problem"]), what=path) from forged
