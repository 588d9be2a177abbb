"""What a log's facts say, held against one another and against the slots: ids are given once, keys are known, people signed.

    user joined       begins exactly the next slot of users, whose number is the user's id less one
    key               is registered by the facts that name it first, for ever that user's; one that ended signs no more
    stolen key        what it vouched for from its cut-off on ends with it
    file committed    begins a slot, and its id was no file's before; it, and what replaces it, is by no key that had ended
    statement         is by the key, of the user, that the facts name as who did it; of the file or folder, the version, the
                      places and moments that they name; for this server, and never used before
    move, new owner   has a statement: only people move and hand over files and folders
    handed over       what follows a removal, or a folder that was handed over, goes to whom that named

Rules. The facts were found to be the leaf's before. A statement names what was asked for in a text that is erased with names:
where it is gone it is written again from the facts, or, of acts whose facts do not hold all of it, its comment is checked
alone. What facts say beside that is the server's word, and no business here.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_kept_statement
from sft.crypto.statement import JOIN, StatementComment
from sft.errors import CryptoError, LedgerFormatError, SftError
from sft.ledger.facts import Facts, Personal
from sft.ledger.leaves import LeafKind
from sft.ledger.records import LeafRecord
from sft.ledger.stated_facts import require_said

_VOUCHED: Final = frozenset({LeafKind.KEY_ADDED, LeafKind.KEY_ROTATED})
_STORED: Final = frozenset({LeafKind.FILE_COMMITTED, LeafKind.FILE_REPLACED})
_JOINED: Final = frozenset({LeafKind.USER_JOINED})
_BY_PEOPLE: Final = frozenset(  # which the operator may not do
    {LeafKind.FILE_MOVED, LeafKind.FOLDER_MOVED, LeafKind.OWNER_CHANGED, LeafKind.FOLDER_OWNER_CHANGED}
)

# By which kinds of leaf an act is told; one that is not here yet stands for any.
ACT_KINDS: Final[Mapping[str, frozenset[LeafKind]]] = MappingProxyType(
    {
        JOIN: frozenset({LeafKind.USER_JOINED, LeafKind.KEY_RESET}),  # the second of who comes back by a link
        "add": _JOINED,
        "invite": frozenset({LeafKind.INVITATION_MADE}),
        "withdraw": frozenset({LeafKind.INVITATION_WITHDRAWN}),
        "role": frozenset({LeafKind.ROLE_CHANGED}),
        "disable": frozenset({LeafKind.USER_DISABLED}),
        "enable": frozenset({LeafKind.USER_ENABLED}),
        "remove": frozenset({LeafKind.USER_REMOVED}),
        "quota": frozenset({LeafKind.QUOTA_CHANGED}),
        "move": frozenset({LeafKind.FILE_MOVED, LeafKind.FOLDER_MOVED}),
        "owner": frozenset({LeafKind.OWNER_CHANGED, LeafKind.FOLDER_OWNER_CHANGED}),
        "make-folder": frozenset({LeafKind.FOLDER_MADE}),
        "delete": frozenset({LeafKind.FILE_DELETED, LeafKind.FOLDER_DELETED}),
        "restore": frozenset({LeafKind.FILE_RESTORED, LeafKind.FOLDER_RESTORED}),
        "expire": frozenset({LeafKind.EXPIRY_CHANGED}),
        "destroy": frozenset({LeafKind.FILE_PURGE_BEGUN, LeafKind.FOLDER_PURGE_BEGUN}),
        "destroy-version": frozenset({LeafKind.VERSIONS_DESTROYED}),
        "received": frozenset({LeafKind.DOWNLOAD_RECEIVED}),
        "key-add": frozenset({LeafKind.KEY_ADDED}),
        "key-rotate": frozenset({LeafKind.KEY_ROTATED}),
        "key-revoke": frozenset({LeafKind.KEY_ENDED}),
        "key-reset": frozenset({LeafKind.KEY_RESET}),
        "key-reset-link": frozenset({LeafKind.KEY_ENDED}),
    }
)


class SlotsBegun(Struct, frozen=True):
    """The numbers of the slots that a leaf began, of each state tree."""

    users: range
    files: range


class _Vouched(Struct, frozen=True):
    key: int
    start: int


class _Key(Struct, frozen=True):
    user: int
    public: bytes


class ReplayedFacts:
    """What the facts so far have said.

    Attributes:
        statements: how many were checked.
    """

    def __init__(self) -> None:
        self.statements = 0
        self._keys: dict[int, _Key] = {}
        self._ended: set[int] = set()
        self._vouched: dict[int, list[_Vouched]] = {}  # by the key that did
        self._fallen: dict[int, int] = {}  # cut-offs of stolen keys
        self._files: set[bytes] = set()
        self._heirs: dict[int, int] = {}  # of the removed
        self._new_owners: dict[int, int] = {}  # of folders that were handed over
        self._server_id: bytes | None = None
        # By their first byte, to be sorted one by one: of ten million statements 80 MB.
        self._nonces = [array("Q") for _ in range(256)]

    def faults(self, number: int, kind: LeafKind, record: LeafRecord, begun: SlotsBegun | None) -> Iterator[str]:
        """Take what the next facts say.

        Args:
            number: of the leaf, for words.
            begun: None where nothing can be said of slots any more.

        Yields:
            What does not hold, in words.
        """
        try:
            facts = Facts.decode(record.facts.body)
            personal = Personal() if record.personal is None else Personal.decode(record.personal.body)
        except LedgerFormatError as fault:
            yield f"its record cannot be read: {fault.detail}"
            return
        if number == 0 and facts.server_id is not None:
            self._server_id = _bytes(facts.server_id)
        yield from self._of_people(kind, facts, begun)
        yield from self._of_files(kind, facts, begun)
        if kind in _STORED and facts.by.key in self._ended:
            yield f"key {facts.by.key} had ended, and stores a file"
        if facts.statement:
            self.statements += 1
            try:
                self._check_statement(kind, facts, personal.statement_text)
            except SftError as fault:
                yield f"the statement of user {facts.by.user} does not hold: {fault.detail}"
        elif kind in _BY_PEOPLE:
            yield "something was moved or handed over, and nobody signed that"
        yield from self._of_owners(kind, facts)
        yield from self._of_theft(number, kind, facts)
        self._ended.update(facts.ended_key_ids)

    def used_again(self) -> list[str]:
        """Say which statements stood for two acts; asked once, at the end."""
        again = [one for nonces in self._nonces for one, after in pairwise(sorted(nonces)) if one == after]
        return [f"a statement stands for two acts: its nonce is {nonce:016x}" for nonce in dict.fromkeys(again)]

    def _of_people(self, kind: LeafKind, facts: Facts, begun: SlotsBegun | None) -> Iterator[str]:
        if begun is not None:
            joined = [] if kind is not LeafKind.USER_JOINED else [(facts.user_id or 0) - 1]
            if joined != list(begun.users):
                yield f"it begins the slots of users {list(begun.users)}, and its facts say {joined}"
        if facts.key_id is None or facts.public_key is None or facts.user_id is None:
            return
        key = _Key(facts.user_id, _bytes(facts.public_key))
        if self._keys.setdefault(facts.key_id, key) != key:
            yield f"key {facts.key_id} is another than it was"

    def _of_theft(self, number: int, kind: LeafKind, facts: Facts) -> Iterator[str]:
        """Follow who vouched for whom: what a stolen key vouched for from its cut-off on ends with it."""
        if kind in _VOUCHED and facts.key_id is not None and facts.by.key is not None:
            self._vouched.setdefault(facts.by.key, []).append(_Vouched(facts.key_id, number))
        if facts.cut_off is None:
            return
        stolen = [(each, facts.cut_off) for each in facts.ended_key_ids]
        while stolen:
            key, cut_off = stolen.pop()
            self._fallen[key] = min(cut_off, self._fallen.get(key, cut_off))
            for vouched in self._vouched.get(key, ()):
                if vouched.start < cut_off or self._fallen.get(vouched.key, number) <= vouched.start:
                    continue
                if vouched.key not in facts.ended_key_ids:
                    yield f"key {vouched.key} stays, for which stolen key {key} vouched at {vouched.start:,}"
                self._fallen[vouched.key] = vouched.start
                stolen.append((vouched.key, vouched.start))

    def _of_files(self, kind: LeafKind, facts: Facts, begun: SlotsBegun | None) -> Iterator[str]:
        if kind is not LeafKind.FILE_COMMITTED or facts.file_id is None:
            return
        file_id = _bytes(facts.file_id)
        if file_id in self._files:
            yield f"file {file_id.hex()} was there already: it has a second slot"
        self._files.add(file_id)
        if begun is not None and not begun.files:
            yield f"file {file_id.hex()} is new, and no slot begins"

    def _of_owners(self, kind: LeafKind, facts: Facts) -> Iterator[str]:
        """Hold what was handed over to who was to get it: of whoever was removed since, it is whom that removal named."""
        if kind is LeafKind.FOLDER_OWNER_CHANGED and facts.folder_id is not None and facts.owner_id is not None:
            self._new_owners[facts.folder_id] = facts.owner_id
        elif kind is LeafKind.USER_REMOVED and facts.user_id is not None and facts.files_to is not None:
            self._heirs[facts.user_id] = facts.files_to
            for waiting in (self._heirs, self._new_owners):
                waiting.update({each: facts.files_to for each, to in waiting.items() if to == facts.user_id})
        elif kind is LeafKind.HANDED_OVER:
            decided = self._heirs.get(facts.user_id or 0)
            if facts.folder_id is not None:
                decided = self._new_owners.get(facts.folder_id)
            if decided is None or decided != facts.files_to:
                yield f"files were handed over to user {facts.files_to}, and nobody decided that"

    def _check_statement(self, kind: LeafKind, facts: Facts, text: str) -> None:
        key = self._keys.get(facts.by.key or 0)
        if key is None or key.user != facts.by.user:
            raise CryptoError(f"key {facts.by.key} was never registered as theirs")
        if facts.by.key in self._ended:
            raise CryptoError(f"key {facts.by.key} had ended")
        signature, public = FileSignature.parse(facts.statement.encode()), PublicKey.decode(key.public)
        comment = verify_kept_statement(public, signature, text or None)
        self._require_place(kind, facts, comment)
        require_said(kind, facts, public, signature, comment, text)
        self._nonces[comment.nonce[0]].append(int.from_bytes(comment.nonce))

    def _require_place(self, kind: LeafKind, facts: Facts, comment: StatementComment) -> None:
        if comment.user != (0 if comment.act == JOIN else facts.by.user):
            raise CryptoError(f"it is user {comment.user}'s")
        if kind not in ACT_KINDS.get(comment.act, {kind}):
            raise CryptoError(f"it asks for {comment.act}, and the leaf tells of {kind.name.lower()}")
        if self._server_id is not None and comment.server_id != self._server_id:
            raise CryptoError("it was given to another server")


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text.encode()
