"""The catalogue of control messages: who sends which, what answers which, and how their bodies are written.

Rules. Encode and decode only; nothing here decides. Every message can be imported from here. A new message gets a line
in one of the two unions and, if it is a request, one in ``ANSWERS``. What may be sent and what is read is a version's
``Codec``; the version of a connection says which (``sft.wire.versions``). Catalogue and layout: PROTOCOL.md §8.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, get_args

import msgspec

from sft.crypto.sealing import TAG_BYTES
from sft.errors import LocalProtocolError, RemoteProtocolError
from sft.limits import FRAME_BYTES
from sft.model.decoding import decode_as, tag_in, tag_of
from sft.model.records import Record
from sft.wire.configuration_messages import ConfigurationShown, ShowConfiguration
from sft.wire.ending_requests import CollectTrash, DestroyTrashed, DestroyVersion, SetExpiry, ShowTrashed
from sft.wire.operator_requests import (
    BeginBackup,
    CheckVault,
    EndBackup,
    FindFiles,
    KickSession,
    ListSessions,
    RebuildVault,
    RotateMasterKey,
    ShowServer,
    ShowStatus,
    ShowVault,
    TestHook,
)
from sft.wire.quota_requests import ChangeQuota, ShowQuota
from sft.wire.replies import (
    BackupBegun,
    Done,
    FileBegins,
    FileContent,
    FileDeleted,
    FilesContent,
    FilesFound,
    FileShown,
    FilesShown,
    FilesStored,
    FileStored,
    FolderPage,
    FolderReturned,
    HookTested,
    InvitationList,
    InvitationShown,
    LeafProved,
    LogHead,
    LogPage,
    NamesFound,
    Notice,
    OwnerChanged,
    QuotaShown,
    ReadersListed,
    RecordShown,
    Refusal,
    RefusedFile,
    Reply,
    SelfShown,
    ServerShown,
    SessionList,
    ShownFile,
    StatusShown,
    StoredFile,
    TrashDestroyed,
    TrashedShown,
    TrashListed,
    UploadFound,
    UserList,
    UserShown,
    VaultChecked,
    VaultShown,
)
from sft.wire.requests import (
    AddKey,
    AddUser,
    BeginUpload,
    Cancel,
    ChangeOwner,
    ChangeRole,
    Chunks,
    CommitUpload,
    ConfirmReceived,
    Credit,
    Delete,
    DisableUser,
    EnableUser,
    FindUpload,
    GetFile,
    GetFiles,
    ListFolder,
    ListInvitations,
    ListReaders,
    ListTrash,
    ListUsers,
    MakeFolder,
    MakeInvitation,
    Message,
    Move,
    OfferReset,
    ProveLeaf,
    PutFiles,
    ReadLog,
    ReadRecord,
    RemoveUser,
    Request,
    RequestId,
    ResetKey,
    Restore,
    ResumePoint,
    RevokeKey,
    RotateKey,
    SearchNames,
    ShowFile,
    ShowFiles,
    ShowSelf,
    ShowUser,
    SmallPut,
    WantedFile,
    WithdrawInvitation,
)
from sft.wire.rights_messages import (
    AllowedListed,
    ExplainRight,
    GrantedRight,
    ListAllowed,
    RefusedRight,
    Right,
    RightExplained,
)

__all__ = [
    "ANSWERS",
    "CODEC",
    "MESSAGE_BYTES",
    "AddKey",
    "AddUser",
    "AllowedListed",
    "BackupBegun",
    "BeginBackup",
    "BeginUpload",
    "Cancel",
    "ChangeOwner",
    "ChangeQuota",
    "ChangeRole",
    "CheckVault",
    "Chunks",
    "ClientMessage",
    "Codec",
    "CollectTrash",
    "CommitUpload",
    "ConfigurationShown",
    "ConfirmReceived",
    "Credit",
    "Delete",
    "DestroyTrashed",
    "DestroyVersion",
    "DisableUser",
    "Done",
    "EnableUser",
    "EndBackup",
    "ExplainRight",
    "FileBegins",
    "FileContent",
    "FileDeleted",
    "FileShown",
    "FileStored",
    "FilesContent",
    "FilesFound",
    "FilesShown",
    "FilesStored",
    "FindFiles",
    "FindUpload",
    "FolderPage",
    "FolderReturned",
    "GetFile",
    "GetFiles",
    "GrantedRight",
    "HookTested",
    "InvitationList",
    "InvitationShown",
    "KickSession",
    "LeafProved",
    "ListAllowed",
    "ListFolder",
    "ListInvitations",
    "ListReaders",
    "ListSessions",
    "ListTrash",
    "ListUsers",
    "LogHead",
    "LogPage",
    "MakeFolder",
    "MakeInvitation",
    "Message",
    "Move",
    "NamesFound",
    "Notice",
    "OfferReset",
    "OwnerChanged",
    "ProveLeaf",
    "PutFiles",
    "QuotaShown",
    "ReadLog",
    "ReadRecord",
    "ReadersListed",
    "RebuildVault",
    "RecordShown",
    "Refusal",
    "RefusedFile",
    "RefusedRight",
    "RemoveUser",
    "Reply",
    "Request",
    "RequestId",
    "ResetKey",
    "Restore",
    "ResumePoint",
    "RevokeKey",
    "Right",
    "RightExplained",
    "RotateKey",
    "RotateMasterKey",
    "SearchNames",
    "SelfShown",
    "ServerMessage",
    "ServerShown",
    "SessionList",
    "SetExpiry",
    "ShowConfiguration",
    "ShowFile",
    "ShowFiles",
    "ShowQuota",
    "ShowSelf",
    "ShowServer",
    "ShowStatus",
    "ShowTrashed",
    "ShowUser",
    "ShowVault",
    "ShownFile",
    "SmallPut",
    "StatusShown",
    "StoredFile",
    "TestHook",
    "TrashDestroyed",
    "TrashListed",
    "TrashedShown",
    "UploadFound",
    "UserList",
    "UserShown",
    "VaultChecked",
    "VaultShown",
    "WantedFile",
    "WithdrawInvitation",
    "encode",
    "encoded_bytes",
    "fits",
]

MESSAGE_BYTES: Final = FRAME_BYTES - TAG_BYTES - 1  # without the frame's type

ClientMessage = (
    ListFolder | ListTrash | ShowFile | ShowFiles | MakeFolder | Move | Delete | Restore | BeginUpload | CommitUpload | GetFile
    | PutFiles | GetFiles | Cancel | Credit | ShowSelf | ListUsers | ShowUser | AddUser | ChangeRole | DisableUser | EnableUser
    | RemoveUser | MakeInvitation | ListInvitations | WithdrawInvitation | ShowServer | ListSessions | KickSession
    | ShowVault | RebuildVault
    | CheckVault | RotateMasterKey | CollectTrash | FindFiles | FindUpload | ReadLog | ReadRecord | ProveLeaf
    | AddKey | RotateKey | RevokeKey | ResetKey | OfferReset | ShowStatus | SetExpiry
    | ConfirmReceived | ListReaders | SearchNames | ChangeOwner | BeginBackup | EndBackup | DestroyVersion | DestroyTrashed
    | ShowTrashed | ShowConfiguration
    | ShowQuota | ChangeQuota | ExplainRight | ListAllowed | TestHook
)  # fmt: skip
ServerMessage = (
    Refusal | Done | FolderPage | FileShown | FilesShown | FileStored | FileBegins | FileDeleted | TrashListed
    | FolderReturned | SelfShown | UserList | UserShown | InvitationShown | InvitationList | ServerShown | SessionList
    | VaultShown
    | VaultChecked | FilesFound | UploadFound | FilesStored | FilesContent | LogPage | RecordShown | LeafProved | ReadersListed
    | StatusShown | Credit | Notice | LogHead | NamesFound | OwnerChanged | TrashDestroyed | TrashedShown | QuotaShown
    | RightExplained | AllowedListed | HookTested | BackupBegun | ConfigurationShown
)  # fmt: skip

# What may answer a request, besides Refusal. Done answers a transfer only after its Cancel; FileBegins alone is no end.
ANSWERS: Final[Mapping[type[Request], frozenset[type[Reply]]]] = MappingProxyType(
    {
        ListFolder: frozenset({FolderPage}),
        ListTrash: frozenset({TrashListed}),
        SearchNames: frozenset({NamesFound}),
        ShowFile: frozenset({FileShown}),
        ShowFiles: frozenset({FilesShown}),
        MakeFolder: frozenset({Done}),
        Move: frozenset({FileShown, Done}),
        Delete: frozenset({FileDeleted}),
        ChangeOwner: frozenset({OwnerChanged}),
        Restore: frozenset({FileShown, FolderReturned}),
        DestroyVersion: frozenset({Done}),
        SetExpiry: frozenset({FileShown}),
        DestroyTrashed: frozenset({TrashDestroyed}),
        ShowTrashed: frozenset({TrashedShown}),
        BeginUpload: frozenset({FileStored, Done}),
        GetFile: frozenset({FileBegins, Done}),
        PutFiles: frozenset({FilesStored}),
        GetFiles: frozenset({FilesContent}),
        ShowSelf: frozenset({SelfShown}),
        ListUsers: frozenset({UserList}),
        ShowUser: frozenset({UserShown}),
        AddUser: frozenset({UserShown}),
        ChangeRole: frozenset({UserShown}),
        DisableUser: frozenset({UserShown}),
        EnableUser: frozenset({UserShown}),
        RemoveUser: frozenset({UserShown}),
        ShowQuota: frozenset({QuotaShown}),
        ChangeQuota: frozenset({UserShown}),
        ExplainRight: frozenset({RightExplained}),
        ListAllowed: frozenset({AllowedListed}),
        MakeInvitation: frozenset({InvitationShown}),
        ListInvitations: frozenset({InvitationList}),
        WithdrawInvitation: frozenset({Done}),
        AddKey: frozenset({UserShown}),
        RotateKey: frozenset({UserShown}),
        RevokeKey: frozenset({UserShown}),
        ResetKey: frozenset({UserShown}),
        OfferReset: frozenset({InvitationShown}),
        ShowServer: frozenset({ServerShown}),
        ListSessions: frozenset({SessionList}),
        ShowStatus: frozenset({StatusShown}),
        ShowConfiguration: frozenset({ConfigurationShown}),
        TestHook: frozenset({HookTested}),
        KickSession: frozenset({Done}),
        ShowVault: frozenset({VaultShown}),
        CheckVault: frozenset({VaultChecked}),
        RebuildVault: frozenset({VaultChecked}),
        RotateMasterKey: frozenset({VaultChecked}),
        CollectTrash: frozenset({VaultChecked}),
        BeginBackup: frozenset({BackupBegun}),
        EndBackup: frozenset({Done}),
        FindFiles: frozenset({FilesFound}),
        FindUpload: frozenset({UploadFound}),
        ReadLog: frozenset({LogPage}),
        ReadRecord: frozenset({RecordShown}),
        ProveLeaf: frozenset({LeafProved}),
        ConfirmReceived: frozenset({Done}),
        ListReaders: frozenset({ReadersListed}),
    }
)

_encoder: Final = msgspec.msgpack.Encoder()


class Codec:
    """The messages of one version of the protocol: what each side may send, what answers what, how bodies are read.

    Args:
        client: union of the messages of a client.
        server: union of those of a server.
        answers: what may answer each request, besides Refusal.
    """

    def __init__(self, client: Any, server: Any, answers: Mapping[type[Request], frozenset[type[Reply]]]) -> None:
        self.client_messages: Final[frozenset[type[Message]]] = frozenset(get_args(client))
        self.server_messages: Final[frozenset[type[Message]]] = frozenset(get_args(server))
        self.answers: Final = answers
        self._from_client = {tag_of(kind): kind for kind in self.client_messages}
        self._from_server = {tag_of(kind): kind for kind in self.server_messages}

    def from_client(self, body: bytes) -> ClientMessage:
        """Read what a client sent; RemoteProtocolError if it is not exactly one message of a client."""
        message: ClientMessage = _decode(self._from_client, body, "a client")
        return message

    def from_server(self, body: bytes) -> ServerMessage:
        """Read what a server sent; RemoteProtocolError if it is not exactly one message of a server."""
        message: ServerMessage = _decode(self._from_server, body, "a server")
        return message


CODEC: Final = Codec(ClientMessage, ServerMessage, ANSWERS)


def encode(message: Message) -> bytes:
    """Write a message's body; LocalProtocolError if the format cannot hold it, or it is over ``MESSAGE_BYTES``."""
    body = _encode(message)
    if len(body) > MESSAGE_BYTES:
        raise LocalProtocolError(f"{type(message).__name__} of {len(body)} bytes fits no frame")
    return body


def fits(message: Message) -> bool:
    """Return whether a message fits one frame: a small file with a very long path may not."""
    return encoded_bytes(message) <= MESSAGE_BYTES


def encoded_bytes(message: Message | Record) -> int:
    """Count what a message takes of a frame, or a record of a message."""
    return len(_encode(message))


def _encode(message: Message | Record) -> bytes:
    try:
        return _encoder.encode(message)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise LocalProtocolError(f"cannot encode {type(message).__name__}") from error


def _decode(kinds: Mapping[Any, type[Message]], body: bytes, whose: str) -> Any:
    kind = kinds.get(tag_in(body))
    if kind is None:
        raise RemoteProtocolError(f"not a message of {whose}")
    try:
        return decode_as(kind, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"not a message of {whose}") from error
