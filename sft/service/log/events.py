"""What a leaf says of each event: its kind, its record in two parts, whose slots it changes, and what it is found by.

Rules. One line for each event that is a leaf, and none for another. The personal part has names of people, of their devices
and of whom an invitation is for; all else an event says is facts: with ids, paths, digests, and who did it by user and key (no
user is the operator, or the server itself). Both are JSON in its one spelling: keys in order, no blanks, bytes in
hexadecimal, None left out. A statement of a person, four lines of minisign, stands in the facts as it is; the text that it
signs, which may have names, in the personal part.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Struct

from sft.ledger.leaves import LeafKind
from sft.model import check_events, ending_events, events, owner_events, quota_events
from sft.model.events import DomainEvent

_SIGNED: Final = frozenset({"statement", "statement_text"})  # bytes that are texts
_ALWAYS_PERSONAL: Final = "statement_text"


class EventLine(Struct, frozen=True, kw_only=True):
    """What is said of events of one type; fields by name.

    Attributes:
        personal: fields that can be erased.
        user: the field with the user to whom it was done.
        file: the field with the id of the file that it was done to.
        files: the field with the ids of several.
        found_by: the field with the id of a file by which the leaf is found, of which nothing changes.
        folder: the field with the id of a folder.
        folders: the field with the ids of several.
    """

    kind: LeafKind
    personal: tuple[str, ...] = ()
    user: str | None = None
    file: str | None = None
    files: str | None = None
    found_by: str | None = None
    folder: str | None = None
    folders: str | None = None


EVENT_LINES: Final[Mapping[type[DomainEvent], EventLine]] = MappingProxyType(
    {
        events.ServerPrepared: EventLine(kind=LeafKind.LOG_STARTED),
        events.LogRestarted: EventLine(kind=LeafKind.LOG_RESTARTED),
        events.SettingsChanged: EventLine(kind=LeafKind.SETTINGS_CHANGED),
        events.ServerKeyChanged: EventLine(kind=LeafKind.SERVER_KEY_CHANGED),
        events.MasterKeyRotated: EventLine(kind=LeafKind.MASTER_KEY_ROTATED),
        events.BackupTaken: EventLine(kind=LeafKind.BACKUP_TAKEN),
        events.RowKeyChanged: EventLine(kind=LeafKind.ROW_KEY_CHANGED),
        events.InvitationMade: EventLine(kind=LeafKind.INVITATION_MADE, personal=("name",)),
        events.InvitationWithdrawn: EventLine(kind=LeafKind.INVITATION_WITHDRAWN),
        events.UserJoined: EventLine(kind=LeafKind.USER_JOINED, personal=("name", "device"), user="user_id"),
        events.UserAdded: EventLine(kind=LeafKind.USER_JOINED, personal=("name", "device"), user="user_id"),
        events.KeyAdded: EventLine(kind=LeafKind.KEY_ADDED, personal=("name", "device"), user="user_id"),
        events.KeyRotated: EventLine(kind=LeafKind.KEY_ROTATED, personal=("name", "device"), user="user_id"),
        events.KeyRevoked: EventLine(kind=LeafKind.KEY_ENDED, personal=("name",), user="user_id"),
        events.KeyResetOffered: EventLine(kind=LeafKind.KEY_ENDED, personal=("name",), user="user_id"),
        events.KeyReset: EventLine(kind=LeafKind.KEY_RESET, personal=("name", "device"), user="user_id"),
        events.RoleChanged: EventLine(kind=LeafKind.ROLE_CHANGED, personal=("name",), user="user_id"),
        events.UserDisabled: EventLine(kind=LeafKind.USER_DISABLED, personal=("name",), user="user_id"),
        events.UserEnabled: EventLine(kind=LeafKind.USER_ENABLED, personal=("name",), user="user_id"),
        events.UserRemoved: EventLine(kind=LeafKind.USER_REMOVED, personal=("name",), user="user_id"),
        quota_events.QuotaChanged: EventLine(kind=LeafKind.QUOTA_CHANGED, personal=("name",), user="user_id"),
        events.LoginFailures: EventLine(kind=LeafKind.LOGIN_FAILURES, personal=("addresses",)),
        events.HandedOver: EventLine(kind=LeafKind.HANDED_OVER, user="user_id", files="files", folders="folder_ids"),
        owner_events.FolderHandedOver: EventLine(kind=LeafKind.HANDED_OVER, files="files", folders="folder_ids"),
        owner_events.FileOwnerChanged: EventLine(
            kind=LeafKind.OWNER_CHANGED, personal=("name",), user="owner_id", file="file_id"
        ),
        owner_events.FolderOwnerChanged: EventLine(
            kind=LeafKind.FOLDER_OWNER_CHANGED, personal=("name",), user="owner_id", folder="folder_id"
        ),
        events.FileCommitted: EventLine(kind=LeafKind.FILE_COMMITTED, file="file_id"),
        events.FileReplaced: EventLine(kind=LeafKind.FILE_REPLACED, file="file_id"),
        events.FileMoved: EventLine(kind=LeafKind.FILE_MOVED, file="file_id"),
        events.FileTrashed: EventLine(kind=LeafKind.FILE_DELETED, file="file_id"),
        events.FileRestored: EventLine(kind=LeafKind.FILE_RESTORED, file="file_id"),
        ending_events.VersionsDestroyed: EventLine(kind=LeafKind.VERSIONS_DESTROYED, found_by="only_file"),
        ending_events.ExpiryChanged: EventLine(kind=LeafKind.EXPIRY_CHANGED, found_by="file_id"),
        ending_events.FileExpired: EventLine(kind=LeafKind.FILE_EXPIRED, file="file_id"),
        ending_events.FilePurgeBegun: EventLine(kind=LeafKind.FILE_PURGE_BEGUN, file="file_id"),
        events.FilesPurged: EventLine(kind=LeafKind.FILES_PURGED, files="files"),
        check_events.DamageFound: EventLine(kind=LeafKind.DAMAGE_FOUND, found_by="file_id"),
        events.DownloadBegun: EventLine(kind=LeafKind.DOWNLOAD_BEGUN, found_by="only_file"),
        events.DownloadReceived: EventLine(kind=LeafKind.DOWNLOAD_RECEIVED, found_by="only_file"),
        events.FolderMade: EventLine(kind=LeafKind.FOLDER_MADE, folders="folder_ids"),
        events.FolderMoved: EventLine(kind=LeafKind.FOLDER_MOVED, folder="folder_id"),
        events.FolderTrashed: EventLine(kind=LeafKind.FOLDER_DELETED, folder="folder_id"),
        events.FolderRestored: EventLine(kind=LeafKind.FOLDER_RESTORED, folder="folder_id"),
        events.FolderPurgeBegun: EventLine(kind=LeafKind.FOLDER_PURGE_BEGUN, folder="folder_id"),
        events.FoldersPurged: EventLine(kind=LeafKind.FOLDERS_PURGED, folders="folder_ids"),
    }
)

_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Subjects(Struct, frozen=True, gc=False):
    """Whose slots an event may change: users and folders by their row's id, files by their own."""

    users: tuple[int, ...] = ()
    files: tuple[bytes, ...] = ()
    folders: tuple[int, ...] = ()


def line_of(event: DomainEvent) -> EventLine:
    """Return what is said of an event that is a leaf; KeyError for one that nobody has described."""
    return EVENT_LINES[type(event)]


def facts_of(event: DomainEvent) -> bytes:
    """Write the part that stays."""
    said = _said(event, personal=False)
    by = event.by
    if by.user_id is not None:
        said["by"] = {"key": by.key_id, "user": by.user_id}
    return _encode(said)


def personal_of(event: DomainEvent) -> bytes | None:
    """Write the part that can be erased; None where there is nothing of it."""
    said = _said(event, personal=True)
    return _encode(said) if said else None


def subjects_of(event: DomainEvent) -> Subjects:
    line = line_of(event)
    return Subjects(
        _one(event, line.user),
        _one(event, line.file) + _several(event, line.files),
        _one(event, line.folder) + _several(event, line.folders),
    )


@cache
def _fields(kind: type[DomainEvent], *, personal: bool) -> tuple[str, ...]:
    erased = {_ALWAYS_PERSONAL, *EVENT_LINES[kind].personal}
    return tuple(name for name in kind.__struct_fields__ if name != "by" and (name in erased) == personal)


def _said(event: DomainEvent, *, personal: bool) -> dict[str, Any]:
    said = {}
    for name in _fields(type(event), personal=personal):
        value = getattr(event, name)
        if name in _SIGNED:
            value = value.decode() or None  # the operator signs nothing
        if value is not None:
            said[name] = _plain(value)
    return said


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _one(event: DomainEvent, name: str | None) -> tuple[Any, ...]:
    return () if name is None else (getattr(event, name),)


def _several(event: DomainEvent, name: str | None) -> tuple[Any, ...]:
    return () if name is None else tuple(getattr(event, name))
