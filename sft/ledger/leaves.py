"""One leaf of the log: that something happened, the same bytes for everybody (LEDGER.md §2).

    1 version, 1    1 kind    8 time    2 slots, how many       each: 1 kind of tree, 8 number, 32 hash of its record after this
    1 state roots, how many         each: 1 kind of tree, 8 size, 32 root after this leaf
    32 hash of the facts    1 personal part, 0 or 1             32 its hash where there is one

Rules. Numbers are big-endian. One encoding per leaf: slots and roots stand in rising order, each once, and a reader encodes
again and compares. A leaf names nobody: ids and words stand in its record (``sft.ledger.records``), whose hashes are salted.
An unknown version or kind is refused; an unknown kind of state tree is not, so that one can join.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

from msgspec import Struct

from sft import limits
from sft.crypto.comment import MOST
from sft.errors import LedgerFormatError
from sft.ledger.hashing import HASH_BYTES, leaf_hash

VERSION: Final = 1

_HEAD: Final = struct.Struct(">BBQH")
_SLOT: Final = struct.Struct(f">BQ{HASH_BYTES}s")
_ROOT: Final = struct.Struct(f">BQ{HASH_BYTES}s")
_BYTE: Final = 255


class LeafKind(IntEnum):
    """What happened. A number is never used again for anything else."""

    USER_JOINED = 1
    KEY_ADDED = 2
    KEY_ENDED = 3
    ROLE_CHANGED = 4
    USER_DISABLED = 5
    USER_ENABLED = 6
    USER_REMOVED = 7
    INVITATION_MADE = 8
    INVITATION_WITHDRAWN = 10
    KEY_ROTATED = 11
    KEY_RESET = 12
    FILE_COMMITTED = 16
    FILE_REPLACED = 17
    FILE_MOVED = 18
    FILE_DELETED = 19
    FILE_RESTORED = 20
    FILES_PURGED = 21
    HANDED_OVER = 22
    OWNER_CHANGED = 23
    VERSIONS_DESTROYED = 24
    FILE_EXPIRED = 25
    FILE_PURGE_BEGUN = 26
    EXPIRY_CHANGED = 27
    FOLDER_MADE = 32
    FOLDER_MOVED = 33
    FOLDER_DELETED = 34
    FOLDER_RESTORED = 35
    FOLDER_PURGE_BEGUN = 36
    FOLDERS_PURGED = 37
    FOLDER_OWNER_CHANGED = 38
    DOWNLOAD_BEGUN = 48
    DOWNLOAD_RECEIVED = 49
    LOGIN_FAILURES = 64
    SERVER_KEY_CHANGED = 80
    MASTER_KEY_ROTATED = 81
    ROW_KEY_CHANGED = 82
    SETTINGS_CHANGED = 83
    QUOTA_CHANGED = 84
    BACKUP_TAKEN = 85
    DAMAGE_FOUND = 86
    LOG_STARTED = 96
    LOG_RESTARTED = 97


class StateTreeKind(IntEnum):
    """The trees of what stands now, whose roots every leaf names."""

    USERS = 1
    FILES = 2  # and folders


class ChangedSlot(Struct, frozen=True, gc=False, order=True):
    """A slot by tree and number, and the hash of its record after this leaf; ``tree`` may be a kind that is not known here."""

    tree: int
    number: int
    record_hash: bytes


class StateRoot(Struct, frozen=True, gc=False):
    """A state tree after this leaf; ``kind`` may be one that is not known here."""

    kind: int
    size: int
    root: bytes


class LogLeaf(Struct, frozen=True, kw_only=True):
    """One leaf.

    Args:
        kind: what happened.
        time: Unix seconds, by the server's clock; no verdict rests on it.
        slots: that it changed, by tree and rising number; at most ``LEAF_SLOTS``.
        state_roots: after it, by rising kind; one at least.
        facts: hash of the record's facts.
        personal: hash of the record's personal part; None where it has none.

    Raises:
        ValueError: a value that has no encoding.
    """

    kind: LeafKind
    time: int
    slots: tuple[ChangedSlot, ...] = ()
    state_roots: tuple[StateRoot, ...]
    facts: bytes
    personal: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.time <= MOST:
            raise ValueError(f"time {self.time} is out of range")
        if len(self.slots) > limits.LEAF_SLOTS or not 1 <= len(self.state_roots) <= limits.STATE_TREES:
            raise ValueError("too many slots, or none or too many state roots")
        # Plain loops: one of these is made for every file that is stored.
        before = (0, 0)  # a kind is 1 at least
        for slot in self.slots:
            _check(slot.tree, slot.number, slot.record_hash)
            place = slot.tree, slot.number
            if place <= before:
                raise ValueError("slots stand in rising order, each once")
            before = place
        kind = 0
        for root in self.state_roots:
            _check(root.kind, root.size, root.root)
            if root.kind <= kind:
                raise ValueError("state roots stand in rising order, each once")
            kind = root.kind
        if len(self.facts) != HASH_BYTES or (self.personal is not None and len(self.personal) != HASH_BYTES):
            raise ValueError(f"a hash has {HASH_BYTES} bytes")

    def encode(self) -> bytes:
        """Write the one encoding: below 64 KiB, so it fits an entry bundle."""
        parts = [_HEAD.pack(VERSION, self.kind, self.time, len(self.slots))]
        parts += [_SLOT.pack(each.tree, each.number, each.record_hash) for each in self.slots]
        parts.append(bytes([len(self.state_roots)]))
        parts += [_ROOT.pack(each.kind, each.size, each.root) for each in self.state_roots]
        parts += [self.facts, b"\x00" if self.personal is None else b"\x01" + self.personal]
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> LogLeaf:
        """Read what ``encode`` writes and nothing else; LedgerFormatError for any other bytes."""
        try:
            version, kind, time, count = _HEAD.unpack_from(data)
            if version != VERSION:
                raise LedgerFormatError(f"a leaf of version {version}")
            roots_at = _HEAD.size + count * _SLOT.size
            # A slice that is cut short is no multiple of a slot, or leaves no byte after it.
            slots = tuple(ChangedSlot(*each) for each in _SLOT.iter_unpack(data[_HEAD.size : roots_at]))
            facts_at = roots_at + 1 + data[roots_at] * _ROOT.size
            roots = tuple(StateRoot(*each) for each in _ROOT.iter_unpack(data[roots_at + 1 : facts_at]))
            personal_at = facts_at + HASH_BYTES + 1
            leaf = cls(
                kind=LeafKind(kind),
                time=time,
                slots=slots,
                state_roots=roots,
                facts=data[facts_at : personal_at - 1],
                personal=data[personal_at:] or None,
            )
        except (struct.error, IndexError, ValueError) as fault:
            raise LedgerFormatError(f"not a leaf: {fault}") from fault
        if leaf.encode() != data:
            raise LedgerFormatError("a leaf of another encoding")
        return leaf

    def hash(self) -> bytes:
        """Its hash in the log."""
        return leaf_hash(self.encode())

    def state_root(self, kind: StateTreeKind) -> StateRoot:
        """Return a state tree's root; LedgerFormatError where the leaf names none."""
        for each in self.state_roots:
            if each.kind == kind:
                return each
        raise LedgerFormatError(f"a leaf without a root of {kind.name}")


def _check(kind: int, number: int, node: bytes) -> None:
    if not 1 <= kind <= _BYTE:
        raise ValueError("a kind of state tree is 1 to 255")
    if not 0 <= number <= MOST:
        raise ValueError(f"slot or size {number} is out of range")
    if len(node) != HASH_BYTES:
        raise ValueError(f"a hash has {HASH_BYTES} bytes")


def slot_hash(record: bytes) -> bytes:
    """Hash a slot's record, as the state tree has it."""
    return leaf_hash(record)
