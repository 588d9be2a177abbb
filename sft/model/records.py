"""What the layers pass to one another: store returns these, services decide on them, messages carry them.

Rules. Plain frozen values, no behavior beyond reading themselves. Times are Unix seconds, sizes bytes, digests BLAKE2b-512
(64 bytes). Every field is bounded here, because the same classes are decoded from a peer's bytes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from sft.limits import (
    COMMENT_BYTES,
    ENDORSEMENT_BYTES,
    FILE_BYTES,
    KEYS_MOST,
    LIST_ENTRIES,
    PATH_BYTES,
    STATEMENT_BYTES,
    USER_NAME_BYTES,
)
from sft.model.access import Role

Count = Annotated[int, Meta(ge=0, le=2**62)]
Seconds = Annotated[int, Meta(ge=-(2**40), le=2**40)]
Size = Annotated[int, Meta(ge=0, le=FILE_BYTES)]
SetLimit = Annotated[int, Meta(ge=-1, le=2**62)]  # of one person's quota; ``sft.model.quotas.NO_LIMIT`` is none
VersionNumber = Annotated[int, Meta(ge=1, le=2**31)]
Bytes16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Digest = Annotated[bytes, Meta(min_length=64, max_length=64)]
PublicKeyBytes = Annotated[bytes, Meta(min_length=42, max_length=42)]
SignatureBytes = Annotated[bytes, Meta(max_length=COMMENT_BYTES + 512)]
Endorsement = Annotated[bytes, Meta(max_length=ENDORSEMENT_BYTES)]
StatementBytes = Annotated[bytes, Meta(max_length=STATEMENT_BYTES)]
PersonName = Annotated[str, Meta(max_length=USER_NAME_BYTES)]
PathText = Annotated[str, Meta(max_length=PATH_BYTES)]
ShortText = Annotated[str, Meta(max_length=255)]
LongText = Annotated[str, Meta(max_length=2048)]
ReceiptText = Annotated[str, Meta(max_length=4096)]  # holds a path, percent-encoded: three times its bytes


class Record(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A value of several named fields."""


class UserState(StrEnum):
    """Where a user stands; a removed one keeps a tombstone with the public keys."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"


class KeyEnd(StrEnum):
    """Why a key does not sign any more."""

    RETIRED = "retired"
    COMPROMISED = "compromised"


class DeviceKey(Record, frozen=True):
    """A public key of a user, in minisign's 42 bytes, for ever that user's.

    Attributes:
        start_leaf: index in the server's log from which on it signs.
        end_leaf: from which on it does not; None while it does.
        cut_off_leaf: of a key that was stolen: from which on it may have been the thief who signed.
        end_reason: why it ended.
        endorsement: the statement by which another key of the user vouched for it; empty for a first key, and for one that
            somebody else gave the user.
    """

    id: Count
    public_key: PublicKeyBytes
    device: ShortText
    added_at: Seconds
    ended_at: Seconds | None = None
    start_leaf: Count = 0
    end_leaf: Count | None = None
    cut_off_leaf: Count | None = None
    end_reason: KeyEnd | None = None
    endorsement: Endorsement = b""


class User(Record, frozen=True):
    """A person as the registry has them.

    Attributes:
        files: that they own, in the trash too.
        bytes_stored: of all versions of these.
        quota_files: that they may own; None is no limit.
        quota_bytes: likewise.
    """

    id: Count
    name: PersonName
    role: Role
    state: UserState
    created_at: Seconds
    keys: Annotated[tuple[DeviceKey, ...], Meta(max_length=KEYS_MOST)] = ()
    files: Count = 0
    bytes_stored: Count = 0
    quota_files: Count | None = None
    quota_bytes: Count | None = None


class QuotaUsage(Record, frozen=True):
    """How much is owned, in the trash too and with all versions, and how much may be; None is no limit."""

    files: Count
    bytes_stored: Count
    quota_files: Count | None = None
    quota_bytes: Count | None = None


class QuotaReport(Record, frozen=True):
    """Somebody's quota, and what of it is taken.

    Attributes:
        reserved_files: for uploads that are under way or can be gone on with.
        reserved_bytes: likewise.
        set_files: for them alone: None is what everybody has, -1 no limit.
        set_bytes: likewise.
        file_bytes: of one file at most, whoever's.
        everybody: all people together, for who may change quotas.
    """

    user: PersonName
    owned: QuotaUsage
    reserved_files: Count
    reserved_bytes: Count
    set_files: SetLimit | None
    set_bytes: SetLimit | None
    file_bytes: Size
    everybody: QuotaUsage | None = None


class InvitationState(StrEnum):
    """What became of an invitation."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Invitation(Record, frozen=True):
    """An invitation as its server keeps it: the public half of the link's seed, and what it grants.

    Attributes:
        resets: it lets whoever has this name already come back with a new key.
    """

    id: Count
    public_key: Bytes32
    role: Role
    name: PersonName | None
    maker: PersonName
    created_at: Seconds
    expires_at: Seconds
    state: InvitationState
    used_by: PersonName | None = None
    used_at: Seconds | None = None
    resets: bool = False


class FileVersion(Record, frozen=True):
    """One stored version: who signed what, and when it was stored.

    Attributes:
        leaf: index in the server's log.
        signature: the whole minisign signature (four lines); a page of a listing leaves it out unless asked for.
        destroyed_at: when its content was destroyed; None while it is there.
        destroyed_by: who did that; None where the server did, which keeps the newest ones.
    """

    number: VersionNumber
    author_id: Count
    author: PersonName
    public_key: PublicKeyBytes
    size: Size
    digest: Digest
    dated_at: Seconds
    stored_at: Seconds
    signed_name: PathText
    leaf: Count
    signature: SignatureBytes = b""
    destroyed_at: Seconds | None = None
    destroyed_by: PersonName | None = None


class File(Record, frozen=True):
    """A file and one of its versions (the newest unless another was asked for).

    Attributes:
        trashed_by: who deleted it; None while it is there.
        expires_at: when it goes to the trash by itself, or went there; None for never.
    """

    id: Bytes16
    path: PathText
    owner_id: Count
    owner: PersonName
    version: FileVersion
    trashed_at: Seconds | None = None
    trash_ends_at: Seconds | None = None
    trashed_by: PersonName | None = None
    expires_at: Seconds | None = None


class Folder(Record, frozen=True):
    """A folder and how many files lie directly in it."""

    path: PathText
    files: Count
    folders: Count
    created_at: Seconds


class TrashedFolder(Record, frozen=True):
    """A deleted folder: one thing, with so many files and folders in it, itself among them."""

    id: Count
    path: PathText
    files: Count
    folders: Count
    trashed_at: Seconds
    trashed_by: PersonName
    trash_ends_at: Seconds


class TrashPage(Record, frozen=True):
    """One page of the trash, folders and files each with the last deleted first; an empty ``next`` ends it.

    Nothing of the pages that follow was deleted after anything of this one.
    """

    folders: Annotated[tuple[TrashedFolder, ...], Meta(max_length=LIST_ENTRIES)]
    files: Annotated[tuple[File, ...], Meta(max_length=LIST_ENTRIES)]
    next: Annotated[str, Meta(max_length=1024)] = ""


class Destroyed(Record, frozen=True):
    """What of the trash comes back no more: a file, or a folder with so many files and folders in it, itself among them."""

    path: PathText
    files: Count
    folders: Count


class RestoredFolder(Record, frozen=True):
    """A folder that came back, with so many files and folders in it, itself among them."""

    path: PathText
    files: Count
    folders: Count


class Page(Record, frozen=True):
    """One page of a listing, folders first, each in the order of folded names; an empty ``next`` ends it."""

    folders: Annotated[tuple[Folder, ...], Meta(max_length=LIST_ENTRIES)]
    files: Annotated[tuple[File, ...], Meta(max_length=LIST_ENTRIES)]
    next: Annotated[str, Meta(max_length=2048)] = ""  # with a name that is folded: six times its bytes, at most


class UserPage(Record, frozen=True):
    """One page of the registry, in order of joining."""

    users: Annotated[tuple[User, ...], Meta(max_length=LIST_ENTRIES)]
    next: Count = 0


class Stored(Record, frozen=True):
    """What an acknowledged upload became; ``unchanged`` where the same bytes were there already."""

    path: PathText
    version: VersionNumber
    size: Size
    digest: Digest
    receipt: ReceiptText
    unchanged: bool = False


class FileSeen(Record, frozen=True):
    """The newest version of a file, as somebody saw it who decides about it."""

    file_id: Bytes16
    version: VersionNumber


class TrashSeen(Record, frozen=True):
    """What lies in the trash, as somebody saw it there: a file, or a folder with so many files and folders in it.

    Attributes:
        trashed_at: when it went there, or the folder did that it lies in.
        folders: itself among them; 0 of a file.
    """

    trashed_at: Seconds
    file: FileSeen | None = None
    folder_id: Count = 0
    files: Count = 0
    folders: Count = 0


class FileReader(Record, frozen=True):
    """Somebody who may read a file: the newest version that they began to download, and the leaves of the log that say so.

    ``version`` is 0, and there is no leaf, where they have not; ``received_leaf`` is where they signed that it came whole.
    """

    user_id: Count
    name: PersonName
    state: UserState
    version: Count = 0
    begun_leaf: Count | None = None
    received_leaf: Count | None = None


class ReaderPage(Record, frozen=True):
    """Some of those who may read a file; ``next`` is 0 at the end."""

    readers: Annotated[tuple[FileReader, ...], Meta(max_length=LIST_ENTRIES)]
    next: Count = 0


class Deleted(Record, frozen=True):
    """What went to the trash, and until when it can be restored."""

    path: PathText
    files: Count
    folders: Count
    trash_ends_at: Seconds


class OwnerChange(Record, frozen=True):
    """A file or folder that was handed over.

    Args:
        before: whose it was; the operator's where nobody made a folder.
        files, folders: that it is of: a folder is one of its folders.
        changed: False where it was the new owner's already.
    """

    path: PathText
    owner: PersonName
    before: PersonName
    files: Count
    folders: Count
    changed: bool


class SessionInfo(Record, frozen=True):
    """A live session."""

    id: Count
    user: PersonName
    role: ShortText
    address: ShortText
    since_at: Seconds
    doing: ShortText
    received_bytes: Count = 0  # by the server, as the network carried them
    sent_bytes: Count = 0


class Fault(Record, frozen=True):
    """Something that ``vault check`` found: which file (or row, or object) and what is wrong with it."""

    what: LongText
    problem: LongText


class NoteAbout(StrEnum):
    """What a note is about that the operator can do something about."""

    NOTHING = ""
    QUARANTINE = "quarantine"
    WITHOUT_PLACE = "without place"
    LOCKED_OUT = "locked out"


class VaultNote(Record, frozen=True):
    """What is said beside faults."""

    text: LongText
    about: NoteAbout = NoteAbout.NOTHING


class VaultReport(Record, frozen=True):
    """The outcome of ``vault check``, ``rotate-key`` or ``collect``.

    Attributes:
        sidecars_written: that were missing or did not hold, and were written anew.
        sidecars_lacking: likewise, and could not be: contents that hold, and that a rebuild would lose.
    """

    files: Count
    versions: Count
    bytes_checked: Count
    faults: Annotated[tuple[Fault, ...], Meta(max_length=200)] = ()
    more_faults: Count = 0
    notes: Annotated[tuple[VaultNote, ...], Meta(max_length=64)] = ()
    sidecars_written: Count = 0
    sidecars_lacking: Count = 0


class LastCheck(Record, frozen=True):
    """One way of reading all contents: how far it is where one is under way, and what the last whole one found."""

    began_at: Seconds | None = None
    versions: Count = 0
    bytes_read: Count = 0
    ended_at: Seconds | None = None
    ended_versions: Count = 0
    ended_bytes: Count = 0
    ended_faults: Count = 0


class VaultStatus(Record, frozen=True):
    """What is stored, what is free, and for how many days that is enough as the server grows."""

    current_bytes: Count
    older_bytes: Count
    trash_bytes: Count
    free_bytes: Count
    daily_growth_bytes: int | None
    days_until_full: Count | None
    damaged: Count  # contents that are known not to hold
    check: LastCheck
    scrub: LastCheck


class ServerInfo(Record, frozen=True):
    """The server as its users and links know it."""

    name: ShortText
    address: ShortText
    public_key: Bytes32
    server_id: Bytes32
    registration: ShortText
