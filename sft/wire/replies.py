"""What a server may send: one answer to each request, and notices.

Rules. One frozen Struct a message, every field bounded. The tag names it on the wire and is never used again for
another. Credit, which both sides send, stands in ``sft.wire.requests``. Catalogue: PROTOCOL.md §8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta

from sft.errors import RequestError
from sft.errors.root import Value
from sft.limits import BATCH_FILES, FRAME_BYTES, LIST_ENTRIES, SMALL_FILE_BYTES
from sft.model.evidence import Evidence, HeadText, LoggedPage, LogProof, PartBytes, ProvedLeaf
from sft.model.records import (
    Bytes32,
    Count,
    Deleted,
    Destroyed,
    File,
    Invitation,
    OwnerChange,
    Page,
    PersonName,
    QuotaReport,
    ReaderPage,
    ReceiptText,
    Record,
    RestoredFolder,
    Seconds,
    ServerInfo,
    SessionInfo,
    ShortText,
    Stored,
    TrashedFolder,
    TrashPage,
    User,
    UserPage,
    VaultReport,
    VaultStatus,
    VersionNumber,
)
from sft.model.status import LiveStatus, ServerStatus
from sft.wire.requests import ContentChunks, Message, RequestId

REFUSAL_TEXT: Final = 2048
REFUSAL_VALUES: Final = 12

RefusalCode = Annotated[str, Meta(max_length=40)]
RefusalValues = Annotated[
    dict[Annotated[str, Meta(max_length=40)], Annotated[str, Meta(max_length=REFUSAL_TEXT)] | int],
    Meta(max_length=REFUSAL_VALUES),
]
Reference = Annotated[str, Meta(max_length=40)]


class Reply(Message, frozen=True):
    """What a server answers to the request of that id."""

    id: RequestId


class Refusal(Reply, frozen=True, tag=60):
    """The rule that refused: a stable code, values for its words, the reference in the server's log."""

    code: RefusalCode
    values: RefusalValues
    ref: Reference = ""

    @classmethod
    def of(cls, request_id: int, error: RequestError) -> Refusal:
        """Write down an error; what would be too long for the wire is cut, so that every request is answered."""
        return cls(request_id, error.code, clipped(error.values, REFUSAL_TEXT), error.ref)


def clipped(values: Mapping[str, Value], most: int) -> dict[str, Value]:
    """Cut the texts of a refusal to what its reader accepts."""
    return {
        name: value if isinstance(value, int) else _text(value)[:most]
        for name, value in list(values.items())[:REFUSAL_VALUES]
    }


def _text(value: str) -> str:
    # A name read from the disk may hold lone surrogates, which no UTF-8 can.
    return value.encode("utf-8", "replace").decode("utf-8")


class Done(Reply, frozen=True, tag=61):
    """It was done, or was so already (``changed`` False)."""

    changed: bool = True


class FolderPage(Reply, frozen=True, tag=62):
    """Answers ListFolder."""

    page: Page


class NamesFound(Reply, frozen=True, tag=94):
    """Answers SearchNames: so much of it as was looked through; a page that is not the last may be empty."""

    page: Page


class FileShown(Reply, frozen=True, tag=63):
    """Answers ShowFile, with the receipt if its author asked for it; also Move, Restore and SetExpiry of a file."""

    file: File
    receipt: ReceiptText = ""
    evidence: Evidence | None = None


class FilesShown(Reply, frozen=True, tag=93):
    """Answers ShowFiles: one result for each of the first so many files, in order, and one evidence for all that are shown."""

    results: Annotated[tuple[ShownFile | RefusedFile, ...], Meta(min_length=1, max_length=BATCH_FILES)]
    evidence: Evidence | None = None


class FileStored(Reply, frozen=True, tag=64):
    """Answers CommitUpload: durable, with the receipt."""

    stored: Stored


class FileBegins(Reply, frozen=True, tag=66):
    """Answers GetFile; Data frames follow as credit allows."""

    file: File
    evidence: Evidence | None = None


class FileDeleted(Reply, frozen=True, tag=67):
    """Answers Delete."""

    deleted: Deleted


class OwnerChanged(Reply, frozen=True, tag=100):
    """Whose a file or folder is now."""

    change: OwnerChange


class TrashListed(Reply, frozen=True, tag=68):
    """Answers ListTrash."""

    page: TrashPage


class TrashedShown(Reply, frozen=True, tag=96):
    """Answers ShowTrashed: a file with its newest version, or else a folder."""

    file: File | None = None
    folder: TrashedFolder | None = None


class FolderReturned(Reply, frozen=True, tag=69):
    """Answers Restore of a folder."""

    folder: RestoredFolder


class TrashDestroyed(Reply, frozen=True, tag=95):
    """Answers DestroyTrashed."""

    destroyed: Destroyed


class SelfShown(Reply, frozen=True, tag=70):
    """Answers ShowSelf."""

    user: User
    server: ServerInfo


class UserList(Reply, frozen=True, tag=71):
    """Answers ListUsers; the evidence has the slots of the users of this page."""

    page: UserPage
    evidence: Evidence | None = None


class UserShown(Reply, frozen=True, tag=72):
    """Answers ShowUser and every act on a user; ``before`` is the role that it had, ``files_to`` whose its files are now."""

    user: User
    before: ShortText = ""
    evidence: Evidence | None = None
    files_to: PersonName = ""


class QuotaShown(Reply, frozen=True, tag=98):
    """Answers ShowQuota."""

    quota: QuotaReport


class InvitationShown(Reply, frozen=True, tag=73):
    """Answers MakeInvitation."""

    invitation: Invitation
    server: ServerInfo


class InvitationList(Reply, frozen=True, tag=74):
    """Answers ListInvitations."""

    invitations: Annotated[tuple[Invitation, ...], Meta(max_length=LIST_ENTRIES)]


class ServerShown(Reply, frozen=True, tag=80):
    """Answers ShowServer."""

    server: ServerInfo


class SessionList(Reply, frozen=True, tag=81):
    """Answers ListSessions."""

    sessions: Annotated[tuple[SessionInfo, ...], Meta(max_length=LIST_ENTRIES)]


class StatusShown(Reply, frozen=True, tag=104):
    """Answers ShowStatus; ``live`` where sessions were asked for, as many as one frame holds."""

    status: ServerStatus
    live: LiveStatus | None = None


class HookTested(Reply, frozen=True, tag=108):
    """Answers TestHook; ``problem`` is empty where it was taken."""

    problem: ShortText


class BackupBegun(Reply, frozen=True, tag=109):
    """Answers BeginBackup; by ``mac`` it is proved later that the settings in the backup were this server's."""

    mac: Bytes32


class VaultChecked(Reply, frozen=True, tag=82):
    """Answers CheckVault, RotateMasterKey, CollectTrash and RebuildVault."""

    report: VaultReport


class VaultShown(Reply, frozen=True, tag=101):
    """Answers ShowVault."""

    status: VaultStatus


class FilesFound(Reply, frozen=True, tag=83):
    """Answers FindFiles; ``next`` is 0 at the end."""

    files: Annotated[tuple[File, ...], Meta(max_length=LIST_ENTRIES)]
    next: Count = 0


class UploadFound(Reply, frozen=True, tag=84):
    """Answers FindUpload: after how many chunks it can go on, and until when it is kept."""

    chunks: ContentChunks
    expires_at: Seconds


class RefusedFile(Record, frozen=True, tag=0):
    """One file of several that was refused: the fields of a Refusal."""

    code: RefusalCode
    values: RefusalValues
    ref: Reference = ""

    @classmethod
    def of(cls, error: RequestError, most: int = REFUSAL_TEXT) -> RefusedFile:
        """Write down an error; its texts are cut to ``most`` characters."""
        return cls(error.code, clipped(error.values, most), error.ref)


class StoredFile(Record, frozen=True, tag=1):
    """One file of several that is durable; ``unchanged`` where the same bytes were there already, as this version."""

    version: VersionNumber
    unchanged: bool = False


class FileContent(Record, frozen=True, tag=1):
    """One file of several with its whole content."""

    file: File
    content: Annotated[bytes, Meta(max_length=SMALL_FILE_BYTES)]


class ShownFile(Record, frozen=True, tag=1):
    """One file of several."""

    file: File


class FilesStored(Reply, frozen=True, tag=85):
    """Answers PutFiles: one result a file, in order, and one receipt with a line for each that is durable."""

    results: Annotated[tuple[StoredFile | RefusedFile, ...], Meta(max_length=BATCH_FILES)]
    receipt: Annotated[str, Meta(max_length=FRAME_BYTES)] = ""


class FilesContent(Reply, frozen=True, tag=86):
    """Answers GetFiles, in several frames: results for the first so many files, in order, and first what proves them all.

    Attributes:
        more: another frame of this answer follows.
    """

    results: Annotated[tuple[FileContent | RefusedFile, ...], Meta(max_length=BATCH_FILES)]
    evidence: Evidence | None = None
    more: bool = False


class LogPage(Reply, frozen=True, tag=87):
    """Answers ReadLog."""

    page: LoggedPage


class RecordShown(Reply, frozen=True, tag=88):
    """Answers ReadRecord; None where there is no such part, or not any more."""

    part: PartBytes | None


class LeafProved(Reply, frozen=True, tag=89):
    """Answers ProveLeaf."""

    leaf: ProvedLeaf


class ReadersListed(Reply, frozen=True, tag=92):
    """Answers ListReaders."""

    page: ReaderPage


class Notice(Message, frozen=True, tag=90):
    """The server tells a session something unasked: its role changed, it is being ended, somebody joined."""

    kind: Annotated[str, Meta(max_length=40)]
    values: Annotated[
        dict[Annotated[str, Meta(max_length=40)], Annotated[str, Meta(max_length=255)] | int], Meta(max_length=8)
    ]


class LogHead(Message, frozen=True, tag=91):
    """The newest head of the server's log, a signed note, with its consistency from the one told before: unasked."""

    note: HeadText
    consistency: LogProof
