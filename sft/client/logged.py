"""Leaves of a server's log as people read them: who did what to what, out of a leaf and its record.

Rules. The record was found to be the leaf's. What it says stands here as it came: texts of strangers. A leaf whose record is
not ours to see, or that is of a later program, says its kind and time alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Struct

from sft.ledger.acts import ACTS
from sft.ledger.leaves import LeafKind, LogLeaf
from sft.ledger.records import LeafRecord

_WORDS: Final[Mapping[LeafKind, str]] = MappingProxyType(
    {
        LeafKind.USER_JOINED: "joined",
        LeafKind.KEY_ADDED: "added a key of",
        LeafKind.KEY_ROTATED: "changed the key of",
        LeafKind.KEY_ENDED: "ended a key of",
        LeafKind.KEY_RESET: "gave a new key to",
        LeafKind.ROLE_CHANGED: "changed the role of",
        LeafKind.USER_DISABLED: "disabled",
        LeafKind.USER_ENABLED: "enabled",
        LeafKind.USER_REMOVED: "removed",
        LeafKind.QUOTA_CHANGED: "changed the quota of",
        LeafKind.INVITATION_MADE: "invited",
        LeafKind.INVITATION_WITHDRAWN: "withdrew an invitation",
        LeafKind.FILE_COMMITTED: "stored",
        LeafKind.FILE_REPLACED: "replaced",
        LeafKind.FILE_MOVED: "moved",
        LeafKind.FILE_DELETED: "deleted",
        LeafKind.FILE_RESTORED: "restored",
        LeafKind.FILES_PURGED: "purged files",
        LeafKind.FILE_PURGE_BEGUN: "began to purge",
        LeafKind.EXPIRY_CHANGED: "changed the expiry of",
        LeafKind.FILE_EXPIRED: "moved to the trash, expired,",
        LeafKind.VERSIONS_DESTROYED: "destroyed versions of",
        LeafKind.HANDED_OVER: "handed over the files of",
        LeafKind.OWNER_CHANGED: "handed over",
        LeafKind.FOLDER_OWNER_CHANGED: "handed over the folder",
        LeafKind.FOLDER_MADE: "made the folder",
        LeafKind.FOLDER_MOVED: "moved the folder",
        LeafKind.FOLDER_DELETED: "deleted the folder",
        LeafKind.FOLDER_RESTORED: "restored the folder",
        LeafKind.FOLDER_PURGE_BEGUN: "began to purge the folder",
        LeafKind.FOLDERS_PURGED: "purged folders",
        LeafKind.DOWNLOAD_BEGUN: "downloaded",
        LeafKind.DOWNLOAD_RECEIVED: "verified what was downloaded",
        LeafKind.LOGIN_FAILURES: "refused logins",
        LeafKind.SERVER_KEY_CHANGED: "changed the server's key",
        LeafKind.MASTER_KEY_ROTATED: "rotated the master key",
        LeafKind.ROW_KEY_CHANGED: "changed the row key",
        LeafKind.SETTINGS_CHANGED: "changed the settings",
        LeafKind.BACKUP_TAKEN: "copied the server for a backup",
        LeafKind.DAMAGE_FOUND: "found damaged",
        LeafKind.LOG_STARTED: "started the log",
        LeafKind.LOG_RESTARTED: "put the server back to a copy",
    }
)
_BY_SERVER: Final = frozenset(
    {
        LeafKind.FILE_EXPIRED,
        LeafKind.LOG_STARTED,
        LeafKind.LOG_RESTARTED,
        LeafKind.FILES_PURGED,
        LeafKind.FOLDER_PURGE_BEGUN,
        LeafKind.VERSIONS_DESTROYED,
        LeafKind.FOLDERS_PURGED,
        LeafKind.HANDED_OVER,
        LeafKind.LOGIN_FAILURES,
        LeafKind.ROW_KEY_CHANGED,
        LeafKind.DAMAGE_FOUND,
    }
)
_FIRST_VERSION: Final = 1
_PAIR: Final = 2


class LogLine(Struct, frozen=True):
    """A leaf of the log that was proved, with what of its record is ours to see.

    Attributes:
        number: its index.
        record: checked against the leaf; None where it is not ours to see.
        facts: what the record says that stays; empty without one.
        personal: what it says that can be erased.
    """

    number: int
    leaf: LogLeaf
    record: LeafRecord | None
    facts: Mapping[str, Any]
    personal: Mapping[str, Any]

    @classmethod
    def of(cls, number: int, leaf: LogLeaf, record: LeafRecord | None) -> LogLine:
        if record is None:
            return cls(number, leaf, None, {}, {})
        personal = b"" if record.personal is None else record.personal.body
        return cls(number, leaf, record, _said(record.facts.body), _said(personal))

    @property
    def kind(self) -> LeafKind:
        return self.leaf.kind

    @property
    def time(self) -> int:
        """Unix seconds by the server's clock; no verdict rests on it."""
        return self.leaf.time

    @property
    def act(self) -> str:
        """What is typed after --act for such a leaf."""
        return next(act for act, kinds in ACTS.items() if self.kind in kinds)

    @property
    def words(self) -> str:
        """What happened, in the past tense."""
        return "handed over with a folder" if self.handed_over else _WORDS[self.kind]

    @property
    def actor_id(self) -> int | None:
        """Who did it, by user id; None for the operator, the server itself, and where that is not ours to see."""
        by = self.facts.get("by")
        return _number(by.get("user")) if isinstance(by, dict) else None

    @property
    def is_servers_own(self) -> bool:
        """Whether the server did it of itself: no act of the operator's, who is nobody either."""
        return self.actor_id is None and self.kind in _BY_SERVER

    @property
    def subject_id(self) -> int | None:
        """The user to whom it was done, by id; of what was handed over, the new owner."""
        to = self.facts.get("files_to") if self.handed_over else self.facts.get("owner_id")
        return _number(self.facts.get("user_id") if to is None else to)

    @property
    def subject(self) -> str:
        """The name that the record gives whom it was done to; empty where there is none, or not any more."""
        return _text(self.personal.get("name"))

    @property
    def handed_over(self) -> int:
        """How many files and folders followed a folder that was handed over."""
        if self.kind is not LeafKind.HANDED_OVER or _number(self.facts.get("folder_id")) is None:
            return 0
        return sum(len(each) for each in map(self.facts.get, ("files", "folder_ids")) if isinstance(each, list))

    @property
    def file_id(self) -> bytes | None:
        """The file that it was done to, where that is one."""
        files = self.versions
        return _id(self.facts.get("file_id")) or (files[0][0] if len(files) == 1 else None)

    @property
    def downloaded(self) -> list[tuple[bytes, int]]:
        """Of a download: the files that it was of, each with the number of a version."""
        return [] if self.grade is None else self.versions

    @property
    def versions(self) -> list[tuple[bytes, int]]:
        """Of a download, or of contents that were destroyed: the files that it was of, each with the number of a version."""
        versions = self.facts.get("versions")
        found = []
        for each in versions if isinstance(versions, list) else ():
            file_id, number = (
                (_id(each[0]), _number(each[1])) if isinstance(each, list) and len(each) == _PAIR else (None, 0)
            )
            if file_id and number:
                found.append((file_id, number))
        return found

    @property
    def path(self) -> str:
        """The path of what it was done to, as it was afterwards; empty where it is about no path."""
        return _text(self.facts.get("new")) or _text(self.facts.get("path"))

    @property
    def old_path(self) -> str:
        """The path before a move."""
        return _text(self.facts.get("old"))

    @property
    def version(self) -> int | None:
        """The version of the file that it was about."""
        if self.kind is LeafKind.FILE_COMMITTED:
            return _number(self.facts.get("version")) or _FIRST_VERSION
        files = self.versions
        return files[0][1] if len(files) == 1 else _number(self.facts.get("version"))

    @property
    def role(self) -> str:
        """The role that was given; empty for none."""
        return _text(self.facts.get("role"))

    @property
    def grade(self) -> str | None:
        """Of a download: ``sent`` is the server's word, ``verified`` the reader's signed one."""
        return {LeafKind.DOWNLOAD_BEGUN: "sent", LeafKind.DOWNLOAD_RECEIVED: "verified"}.get(self.kind)

    @property
    def failures(self) -> tuple[int, int] | None:
        """Of refused logins: how many there were, and from how many places."""
        if self.kind is not LeafKind.LOGIN_FAILURES or self.record is None:
            return None
        return _number(self.facts.get("failures")) or 0, _number(self.facts.get("sources")) or 0

    @property
    def is_signed(self) -> bool:
        """Whether the person who did it signed that."""
        return bool(_text(self.facts.get("statement")))


def _said(body: bytes) -> Mapping[str, Any]:
    try:
        said = msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _id(value: Any) -> bytes | None:
    try:
        return bytes.fromhex(_text(value)) or None
    except ValueError:
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
