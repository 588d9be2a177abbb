"""What a client may send: requests, and the messages that go on with a transfer.

Rules. One frozen Struct a message, every field bounded: an array with its integer tag first, then the fields in order. Unknown
tags and surplus fields are refused; fields that have a default may be left out at the end, so the encoding is not canonical,
and nothing signs it. A tag is never used again for another message. A ``statement`` is the minisign signature of an act's
canonical text, by the person who does it; the operator has none. Catalogue: PROTOCOL.md §8.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from sft.limits import (
    BATCH_FILES,
    CHUNK_BYTES,
    FILE_BYTES,
    LIST_ENTRIES,
    LOG_ENTRIES,
    LOG_KINDS,
    RECEIVED_AT_ONCE,
    SEARCH_WORDS,
    SMALL_FILE_BYTES,
    TRANSFER_CREDIT_CHUNKS,
)
from sft.model.access import Role
from sft.model.file_criteria import FileCriteria
from sft.model.records import (
    Bytes16,
    Bytes32,
    Count,
    Digest,
    FileSeen,
    KeyEnd,
    PathText,
    PersonName,
    PublicKeyBytes,
    Record,
    Seconds,
    ShortText,
    SignatureBytes,
    Size,
    StatementBytes,
    TrashSeen,
    VersionNumber,
)

RequestId = Annotated[int, Meta(ge=1, le=2**32 - 1)]
Chunks = Annotated[int, Meta(ge=1, le=TRANSFER_CREDIT_CHUNKS)]
FILE_CHUNKS: Final = FILE_BYTES // CHUNK_BYTES
ContentChunks = Annotated[int, Meta(ge=1, le=FILE_CHUNKS)]


class Message(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A control message."""


class Request(Message, frozen=True):
    """What a client asks; its id is one more than that of the request before."""

    id: RequestId


class SmallPut(Record, frozen=True):
    """A whole file of at most 60 KiB; what it is stands in the signature's comment."""

    path: PathText
    signature: SignatureBytes
    content: Annotated[bytes, Meta(max_length=SMALL_FILE_BYTES)]


class WantedFile(Record, frozen=True):
    """A file to get; version 0 is the newest."""

    path: PathText
    version: Annotated[int, Meta(ge=0, le=2**31)] = 0


# -- files ----------------------------------------------------------------------------------------


class ListFolder(Request, frozen=True, tag=1):
    """A page of one folder; ``""`` is the root."""

    path: PathText
    cursor: Annotated[str, Meta(max_length=1024)] = ""
    limit: Annotated[int, Meta(ge=1, le=LIST_ENTRIES)] = LIST_ENTRIES
    signatures: bool = False


class ListTrash(Request, frozen=True, tag=2):
    """A page of the trash: files that the caller may restore, and every folder."""

    cursor: Annotated[str, Meta(max_length=1024)] = ""
    limit: Annotated[int, Meta(ge=1, le=LIST_ENTRIES)] = LIST_ENTRIES


class ShowFile(Request, frozen=True, tag=3):
    """One file with its signature; version 0 is the newest. Its author may ask for the receipt again."""

    path: PathText
    version: Annotated[int, Meta(ge=0, le=2**31)] = 0
    receipt: bool = False


class ShowFiles(Request, frozen=True, tag=17):
    """Several files with their signatures: the newest version of each."""

    paths: Annotated[tuple[PathText, ...], Meta(min_length=1, max_length=BATCH_FILES)]


class SearchNames(Request, frozen=True, tag=18):
    """A page of what lies anywhere and has a name that holds every word: files that fit criteria; without any, folders too.

    Files that no word is said of come with the last stored first.
    """

    words: Annotated[tuple[Annotated[str, Meta(max_length=255)], ...], Meta(max_length=SEARCH_WORDS)]
    criteria: FileCriteria | None = None
    cursor: Annotated[str, Meta(max_length=2048)] = ""
    signatures: bool = False


class MakeFolder(Request, frozen=True, tag=4):
    """Make a folder, and those above it that are missing."""

    path: PathText
    statement: StatementBytes = b""


class Move(Request, frozen=True, tag=5):
    """Give a file or folder another path; ``seen`` is the file, and None of a folder."""

    old: PathText
    new: PathText
    seen: FileSeen | None = None
    statement: StatementBytes = b""


class Delete(Request, frozen=True, tag=6):
    """Move a file to the trash; with ``recursive`` a folder and all in it; with ``seen`` only what was seen."""

    path: PathText
    recursive: bool = False
    seen: FileSeen | None = None
    statement: StatementBytes = b""


class ChangeOwner(Request, frozen=True, tag=47):
    """Hand over a file, or a folder with all in it; ``seen`` is the file, and None of a folder."""

    path: PathText
    owner: PersonName
    seen: FileSeen | None = None
    statement: StatementBytes = b""


class Restore(Request, frozen=True, tag=7):
    """Bring back what was seen in the trash at a path, deleted by itself or with a folder above it."""

    path: PathText
    seen: TrashSeen
    statement: StatementBytes = b""


class ResumePoint(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where an upload goes on: after so many chunks, and the BLAKE2b-512 of the content before."""

    chunks: ContentChunks
    digest: Digest


class BeginUpload(Request, frozen=True, tag=9):
    """Announce a file that follows in Data frames; ``window`` chunks may follow at once.

    ``size`` is None where the sender reads a pipe. ``upload_id`` is drawn by the client, and names the upload again with
    FindUpload and ``resume``: then the data are those after the point.
    """

    path: PathText
    file_id: Bytes16
    version: VersionNumber
    size: Size | None
    window: Chunks
    upload_id: Bytes16
    resume: ResumePoint | None = None


class CommitUpload(Message, frozen=True, tag=10):
    """End an upload: its signature, after LastData."""

    id: RequestId
    digest: Digest
    signature: SignatureBytes


class GetFile(Request, frozen=True, tag=11):
    """Ask for a file's content, from a chunk on; version 0 is the newest; ``window`` chunks may come at once."""

    path: PathText
    version: Annotated[int, Meta(ge=0, le=2**31)]
    window: Chunks
    first_chunk: Annotated[int, Meta(ge=0, le=FILE_CHUNKS - 1)] = 0


class PutFiles(Request, frozen=True, tag=14):
    """Whole small files, each judged by itself; the whole message fits one frame."""

    files: Annotated[tuple[SmallPut, ...], Meta(min_length=1, max_length=BATCH_FILES)]


class GetFiles(Request, frozen=True, tag=15):
    """Ask for the contents of small files: of the first so many, one at least, whose contents fit one frame together."""

    files: Annotated[tuple[WantedFile, ...], Meta(min_length=1, max_length=BATCH_FILES)]


class Cancel(Message, frozen=True, tag=12):
    """End a transfer early; what was in flight for it is dropped; answered once.

    With ``keep`` the server keeps of an upload what can be resumed, as if its connection had ended.
    """

    id: RequestId
    keep: bool = False


class Credit(Message, frozen=True, tag=13):
    """Allow so many more chunks of a transfer."""

    id: RequestId
    chunks: Chunks


class FindUpload(Request, frozen=True, tag=16):
    """Ask where an upload of one's own can go on that was cut off."""

    upload_id: Bytes16


# -- people ---------------------------------------------------------------------------------------


class ShowSelf(Request, frozen=True, tag=20):
    """The caller as the server has it now."""


class ListUsers(Request, frozen=True, tag=21):
    """A page of the registry, after a user id."""

    after: Count = 0


class ShowUser(Request, frozen=True, tag=22):
    """One user by id, with all keys; 0 asks by name."""

    user_id: Count
    name: PersonName = ""


class AddUser(Request, frozen=True, tag=23):
    """Register a person by public key."""

    name: PersonName
    role: Role
    public_key: PublicKeyBytes
    device: ShortText
    statement: StatementBytes = b""


class ChangeRole(Request, frozen=True, tag=24):
    """Give a user another role."""

    name: PersonName
    role: Role
    statement: StatementBytes = b""


class DisableUser(Request, frozen=True, tag=25):
    """Lock a user out, keeping everything."""

    name: PersonName
    statement: StatementBytes = b""


class EnableUser(Request, frozen=True, tag=26):
    """Let a disabled user in again."""

    name: PersonName
    statement: StatementBytes = b""


class RemoveUser(Request, frozen=True, tag=27):
    """Remove a user for good; an empty ``files_to`` gives the files to the caller (operator: the first admin)."""

    name: PersonName
    files_to: PersonName = ""
    statement: StatementBytes = b""


class MakeInvitation(Request, frozen=True, tag=28):
    """Register the public half of an invitation that the caller made."""

    public_key: Bytes32
    role: Role
    name: PersonName | None
    seconds: Count
    statement: StatementBytes = b""


class ListInvitations(Request, frozen=True, tag=29):
    """All invitations that are not older than a month."""


class WithdrawInvitation(Request, frozen=True, tag=30):
    """Make an open invitation void."""

    invitation_id: Count
    statement: StatementBytes = b""


class AddKey(Request, frozen=True, tag=31):
    """One more key of the caller's: the statement is what vouches for it."""

    public_key: PublicKeyBytes
    device: ShortText
    statement: StatementBytes = b""


class RotateKey(Request, frozen=True, tag=32):
    """A key that follows the session's, which ends: the statement is what vouches for it."""

    public_key: PublicKeyBytes
    device: ShortText
    statement: StatementBytes = b""


class RevokeKey(Request, frozen=True, tag=33):
    """End a key of the caller's; of a stolen one from which leaf on it may have been the thief who signed."""

    public_key: PublicKeyBytes
    reason: KeyEnd
    cut_off: Count = 0
    statement: StatementBytes = b""


class ResetKey(Request, frozen=True, tag=34):
    """Give a user a key in place of all others; reason and cut-off are of those."""

    name: PersonName
    public_key: PublicKeyBytes
    device: ShortText
    reason: KeyEnd
    cut_off: Count = 0
    statement: StatementBytes = b""


class OfferReset(Request, frozen=True, tag=35):
    """End every key of a user, and register the public half of a link by which they come back with a new one."""

    name: PersonName
    public_key: Bytes32
    reason: KeyEnd
    cut_off: Count = 0
    statement: StatementBytes = b""


# -- the log ---------------------------------------------------------------------------------------------


class ReadLog(Request, frozen=True, tag=50):
    """A page of the log: of the leaves [start, end) those that are meant, from the oldest on, or from the newest back.

    ``end`` is the log's where it is None; ``user_id`` acted or had it done to them; ``kinds`` are numbers of
    ``sft.ledger.leaves.LeafKind``, any where there is none. All that is said must be so.
    """

    start: Count = 0
    end: Count | None = None
    newest_first: bool = False
    limit: Annotated[int, Meta(ge=1, le=LOG_ENTRIES)] = LOG_ENTRIES
    user_id: Count | None = None
    file_id: Bytes16 | None = None
    kinds: Annotated[tuple[Annotated[int, Meta(ge=1, le=255)], ...], Meta(max_length=LOG_KINDS)] = ()
    since: Seconds | None = None
    until: Seconds | None = None


class ReadRecord(Request, frozen=True, tag=51):
    """One part of a leaf's record by itself: the personal one, or the facts."""

    number: Count
    personal: bool = False


class ProveLeaf(Request, frozen=True, tag=52):
    """A leaf by its index, proved under the newest head."""

    number: Count


class ConfirmReceived(Request, frozen=True, tag=53):
    """Say, signed, which versions the caller has received and verified, each once."""

    versions: Annotated[tuple[FileSeen, ...], Meta(min_length=1, max_length=RECEIVED_AT_ONCE)]
    statement: StatementBytes


class ListReaders(Request, frozen=True, tag=54):
    """Who downloaded a file and who did not, after a user id."""

    path: PathText
    after: Count = 0
