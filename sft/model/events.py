"""What acts say happened: one frozen value each, logged inside the transaction of the act.

Rules. An event carries what a record of it needs (ids, names, digests, version numbers) and who did it; when, the transaction
says. Whatever tells others of an act, the server's event log and notices to sessions, is made from its events alone. What grows
with the number of files carries their ids, 16 bytes each, and no paths. Nothing secret stands here; bytes are shown nowhere.
"""

from __future__ import annotations

from typing import ClassVar

from sft.model.access import Role
from sft.model.event import DomainEvent, StatedEvent
from sft.model.maintenance_events import (
    BackupEnded,
    BackupTaken,
    ClockBelieved,
    ClockDoubted,
    ClockSeen,
    ContentResealed,
    DataKeysResealed,
    ObjectsDestroyed,
    RetentionLowered,
    RetentionTaken,
    RowKeyChanged,
    RowMacsRenewed,
    SpaceGivenBack,
    TrashCollected,
    UploadAdvanced,
    UploadEnded,
    UploadGivenUp,
    UploadGrown,
    UploadKeysResealed,
    UploadOpened,
    UploadResumed,
)
from sft.model.records import KeyEnd

# What other modules have, of which this one is the only door.
__all__ = [
    "BackupEnded",
    "BackupTaken",
    "ClockBelieved",
    "ClockDoubted",
    "ClockSeen",
    "ContentResealed",
    "DataKeysResealed",
    "DomainEvent",
    "ObjectsDestroyed",
    "RetentionLowered",
    "RetentionTaken",
    "RowKeyChanged",
    "RowMacsRenewed",
    "SpaceGivenBack",
    "StatedEvent",
    "TrashCollected",
    "UploadAdvanced",
    "UploadEnded",
    "UploadGivenUp",
    "UploadGrown",
    "UploadKeysResealed",
    "UploadOpened",
    "UploadResumed",
]


def only_file_of(versions: tuple[tuple[bytes, int], ...]) -> bytes | None:
    """Return the file of which all of these versions are; None where there are several files."""
    files = {file_id for file_id, _ in versions}
    return files.pop() if len(files) == 1 else None


# -- the server ---------------------------------------------------------------------------------------


class ServerPrepared(DomainEvent, frozen=True, kw_only=True):
    """A new server was given its name and identity."""

    name: str
    address: str
    registration: str
    server_key: bytes
    server_id: bytes


class SettingsChanged(DomainEvent, frozen=True, kw_only=True):
    """The operator's options say otherwise than before; None was not changed."""

    name: str | None = None
    address: str | None = None
    registration: str | None = None


class LogRestarted(DomainEvent, frozen=True, kw_only=True):
    """The log goes on from a state that was put back, under another origin: what came after it is not in it."""

    epoch: int  # that begins
    origin: str  # of the log before, of which ``size`` leaves are kept
    size: int
    root: bytes
    known: str  # the newest head that is known of it: the signed note
    reason: str


class ServerKeyChanged(DomainEvent, frozen=True, kw_only=True):
    """Another key follows the server's."""

    server_key: bytes


class MasterKeyRotated(DomainEvent, frozen=True, kw_only=True):
    """No object is sealed under an older master key any more; told again where a crash kept the old key."""

    epoch: int


# -- people -------------------------------------------------------------------------------------------


class InvitationMade(StatedEvent, frozen=True, kw_only=True):
    """Somebody may be let in."""

    invitation_id: int
    public_key: bytes
    role: Role
    name: str | None
    expires_at: int


class InvitationWithdrawn(StatedEvent, frozen=True, kw_only=True):
    """An open invitation is void; by no statement of its own where its maker ceased to be an admin."""

    invitation_id: int


class UserJoined(StatedEvent, frozen=True, kw_only=True):
    """A person became a user, with a first key; ``by`` is that user."""

    user_id: int
    name: str
    role: Role
    key_id: int
    public_key: bytes
    device: str
    invitation_id: int | None


class UserAdded(StatedEvent, frozen=True, kw_only=True):
    """Somebody else made a person a user, by a public key."""

    user_id: int
    name: str
    role: Role
    key_id: int
    public_key: bytes
    device: str


class KeyAdded(StatedEvent, frozen=True, kw_only=True):
    """A user has one more key; another one of the user's vouched for it."""

    user_id: int
    name: str
    key_id: int
    public_key: bytes
    device: str


class KeyRotated(StatedEvent, frozen=True, kw_only=True):
    """A key of a user's follows another one, which said so and has ended."""

    user_id: int
    name: str
    key_id: int
    public_key: bytes
    device: str
    ended_key_ids: tuple[int, ...]


class KeyRevoked(StatedEvent, frozen=True, kw_only=True):
    """A key of a user's signs no more; or one that had ended was stolen before."""

    user_id: int
    name: str
    ended_key_ids: tuple[int, ...]
    reason: KeyEnd
    cut_off: int | None  # leaf from which on it may have been the thief who signed


class KeyResetOffered(KeyRevoked, frozen=True, kw_only=True):
    """Every key of a user's has ended; whoever has the link of this invitation comes back as that user."""

    invitation_id: int
    public_key: bytes  # of the link
    expires_at: int


class KeyReset(StatedEvent, frozen=True, kw_only=True):
    """A user has a new key, for which none of theirs vouched, and no other; with an invitation ``by`` is that user."""

    user_id: int
    name: str
    key_id: int
    public_key: bytes
    device: str
    ended_key_ids: tuple[int, ...]
    reason: KeyEnd
    cut_off: int | None
    invitation_id: int | None = None


class RoleChanged(StatedEvent, frozen=True, kw_only=True):
    """A user has another role."""

    user_id: int
    name: str
    before: Role
    role: Role


class UserDisabled(StatedEvent, frozen=True, kw_only=True):
    """A user is locked out."""

    user_id: int
    name: str


class UserEnabled(StatedEvent, frozen=True, kw_only=True):
    """A user may come in again."""

    user_id: int
    name: str


class UserRemoved(StatedEvent, frozen=True, kw_only=True):
    """A user is a tombstone; all files and folders, those in the trash too, are another's; their rows follow."""

    user_id: int
    name: str
    files_to: int | None  # id of the new owner; None where there is nobody
    files: int


class HandedOver(DomainEvent, frozen=True, kw_only=True):
    """The rows of these files and folders of a removed user name the new owner."""

    routine: ClassVar[bool] = True

    user_id: int
    files_to: int
    files: tuple[bytes, ...]  # ids
    folder_ids: tuple[int, ...]


class HandOverEnded(DomainEvent, frozen=True, kw_only=True):
    """No row of a file or folder names a removed user as its owner any more."""

    leaf: ClassVar[bool] = False

    user_id: int
    files_to: int


class LoginFailures(DomainEvent, frozen=True, kw_only=True):
    """So many logins and joinings were refused in the hour, or part of one, that began with the first of them."""

    routine: ClassVar[bool] = True  # the event log has a line of each

    since: int  # Unix seconds
    failures: int
    sources: int  # places that they came from, LOGIN_FAILURES_SOURCES at most
    addresses: tuple[str, ...]  # of those places from which most came


class DownloadBegun(DomainEvent, frozen=True, kw_only=True):
    """Versions of files are about to leave; said before the first byte of them does.

    Attributes:
        versions: file ids and numbers, each pair once.
        first_chunk: of the content, from which on it is sent: what was cut off goes on there.
    """

    routine: ClassVar[bool] = True  # the event log has its line of what leaves

    versions: tuple[tuple[bytes, int], ...]
    first_chunk: int = 0

    @property
    def only_file(self) -> bytes | None:
        """The file that it is about, where it is one."""
        return only_file_of(self.versions)


class DownloadReceived(StatedEvent, frozen=True, kw_only=True):
    """A reader signed that versions of files, likewise, came whole and are what their authors signed."""

    versions: tuple[tuple[bytes, int], ...]

    @property
    def only_file(self) -> bytes | None:
        """The file that it is about, where it is one."""
        return only_file_of(self.versions)


# -- files ----------------------------------------------------------------------------------------------


class FileCommitted(DomainEvent, frozen=True, kw_only=True):
    """A new file has its first version; missing folders of its path were made with it."""

    file_id: bytes
    path: str
    version: int | None = None  # where it is not the first: those before it were lost
    size: int
    digest: bytes


class FileReplaced(DomainEvent, frozen=True, kw_only=True):
    """A file has a new version."""

    file_id: bytes
    path: str
    version: int
    size: int
    digest: bytes
    prev: bytes  # digest of the version before, as the author signed it


class FolderMade(StatedEvent, frozen=True, kw_only=True):
    """A folder is there, with those of its path that were missing."""

    path: str
    folder_ids: tuple[int, ...]  # outermost first


class FileMoved(StatedEvent, frozen=True, kw_only=True):
    """A file has another path."""

    file_id: bytes
    old: str
    new: str


class FolderMoved(StatedEvent, frozen=True, kw_only=True):
    """A folder, and with it everything below, has another path."""

    folder_id: int
    old: str
    new: str


class FileTrashed(StatedEvent, frozen=True, kw_only=True):
    """A file is in the trash."""

    file_id: bytes
    path: str


class FolderTrashed(StatedEvent, frozen=True, kw_only=True):
    """A folder is in the trash, with so many files and folders in it, itself among them."""

    folder_id: int
    path: str
    files: int
    folders: int


class FileRestored(StatedEvent, frozen=True, kw_only=True):
    """A file is back from the trash; missing folders of its path were made with it.

    Attributes:
        trashed_at: when it had gone there, or the folder had that it lay in, Unix seconds.
    """

    file_id: bytes
    path: str
    version: int
    trashed_at: int


class FolderRestored(StatedEvent, frozen=True, kw_only=True):
    """A folder is back from the trash with all in it; missing folders of its path were made with it.

    Attributes:
        trashed_at: as of a file.
    """

    folder_id: int
    path: str
    files: int
    folders: int
    trashed_at: int


class FolderPurgeBegun(StatedEvent, frozen=True, kw_only=True):
    """A folder that was in the trash, for its time or until somebody said so, comes back no more: all in it goes."""

    folder_id: int
    path: str
    files: int
    folders: int
    trashed_at: int


class FoldersPurged(DomainEvent, frozen=True, kw_only=True):
    """Folders whose destruction had begun, and that held nothing any more, are out of the database."""

    folder_ids: tuple[int, ...]


class FilesPurged(DomainEvent, frozen=True, kw_only=True):
    """Files that were in the trash for their time are out of the database."""

    files: tuple[bytes, ...]  # ids
    versions: int
    size: int
