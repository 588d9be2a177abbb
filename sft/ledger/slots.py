"""Slots: what stands now of a user, a folder and a file, as clients check it (LEDGER.md §4).

A record is an array in MessagePack whose first element says of what: 1 user, 2 folder, 3 file. The state tree holds the hash of
each, and leaves say which ones changed.

Rules. One encoding per record: a reader encodes again and compares. Each has 16 random bytes of salt, drawn with the
slot: everybody reads the hashes, and nobody can try out names with them. "When" is the index of a leaf, never a clock.
A slot is never taken out: a removed user's keeps the public keys, a purged file's or folder's has no name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final, get_args

import msgspec
from msgspec import Meta, Struct

from sft import limits
from sft.crypto.comment import MOST
from sft.errors import LedgerFormatError
from sft.ledger.hashing import leaf_hash
from sft.ledger.proofs import verify_inclusion
from sft.model.access import Role
from sft.model.decoding import decode_as, tag_in, tag_of
from sft.model.records import Bytes16, Bytes32, Digest, KeyEnd, PathText, PersonName, PublicKeyBytes, Size, UserState

SlotNumber = Annotated[int, Meta(ge=0, le=MOST)]
LeafIndex = Annotated[int, Meta(ge=0, le=MOST)]
RowNumber = Annotated[int, Meta(ge=1, le=MOST)]


class FolderState(StrEnum):
    """Where a folder stands."""

    LIVE = "live"
    TRASHED = "trashed"
    PURGING = "purging"  # it comes back no more, and holds something still
    PURGED = "purged"


class FileState(StrEnum):
    """Where a file stands of itself; one in a folder that is in the trash is there with it."""

    LIVE = "live"
    TRASHED = "trashed"
    PURGING = "purging"  # it comes back no more, and versions of it are there still
    PURGED = "purged"


class _Part(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A value within a slot."""


class SlotRole(_Part, frozen=True):
    """A role, from a leaf on."""

    role: Role
    start: LeafIndex


class SlotKey(_Part, frozen=True):
    """A key in minisign's 42 bytes, for ever this user's.

    Args:
        start: leaf from which on it signs.
        end: leaf from which on it does not; None while it does.
        cut_off: of a key that was stolen: leaf from which on it may have been the thief who signed.
        reason: why it ended.

    Raises:
        ValueError: one that ends before it starts, or of a theft without a cut-off within its time.
    """

    public_key: PublicKeyBytes
    start: LeafIndex
    end: LeafIndex | None = None
    cut_off: LeafIndex | None = None
    reason: KeyEnd | None = None

    def __post_init__(self) -> None:
        if (self.end is None) != (self.reason is None) or (self.end is not None and self.end <= self.start):
            raise ValueError("a key ends after its start, for a reason")
        if (self.cut_off is not None) != (self.reason is KeyEnd.COMPROMISED):
            raise ValueError("a stolen key, and no other, has a cut-off")
        if self.cut_off is not None and self.end is not None and not self.start <= self.cut_off <= self.end:
            raise ValueError("a cut-off lies between start and end")


class SlotVersion(_Part, frozen=True):
    """A version of a file: its number, the leaf of its commit, digest (64 bytes) and size of the content."""

    number: Annotated[int, Meta(ge=1, le=2**31)]
    commit: LeafIndex
    digest: Digest
    size: Size

    def hash(self) -> bytes:
        """Its hash among the versions of its file, as of a leaf: number, commit, digest and size, big-endian."""
        return leaf_hash(
            self.number.to_bytes(8, "big") + self.commit.to_bytes(8, "big") + self.digest + self.size.to_bytes(8, "big")
        )


class LostVersions(_Part, frozen=True):
    """Versions of a file, by their numbers from first to last, of which nothing is known."""

    first: Annotated[int, Meta(ge=1, le=2**31)]
    last: Annotated[int, Meta(ge=1, le=2**31)]

    @property
    def count(self) -> int:
        return self.last - self.first + 1


def check_lost(lost: Sequence[LostVersions], newest: int) -> int:
    """Return how many versions were lost; ValueError unless they rise to a newest one, with one between them that was not."""
    if len(lost) > limits.LOST_VERSIONS_RANGES:
        raise ValueError(f"at most {limits.LOST_VERSIONS_RANGES} ranges of lost versions")
    before = -1
    for each in lost:
        if not before + 1 < each.first <= each.last < newest:
            raise ValueError("lost versions lie before the newest, each range once and in order")
        before = each.last
    return sum(each.count for each in lost)


def position_of(number: int, lost: Sequence[LostVersions]) -> int:
    """Return where a version stands among those that are kept, from 0 for the oldest; ValueError for one that was lost."""
    position = number - 1
    for each in lost:
        if each.first <= number <= each.last:
            raise ValueError(f"version {number} was lost")
        position -= each.count if each.last < number else 0
    return position


def after_lost(number: int, lost: Sequence[LostVersions]) -> int:
    """Return the first number from one on that was not lost."""
    return next((each.last + 1 for each in lost if each.first <= number <= each.last), number)


def number_at(position: int, lost: Sequence[LostVersions]) -> int:
    """Return the number of the version that stands at a position."""
    number = position + 1
    for each in lost:
        number += each.count if each.first <= number else 0
    return number


class UserSlot(Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True, tag=1):
    """A user: a removed one too, for ever.

    Args:
        id: the user's.
        roles: all that the user had, by rising start.
        keys: all that the user had, by rising start, each once.

    Raises:
        ValueError: as said above.
    """

    salt: Bytes16
    id: RowNumber
    name: PersonName
    state: UserState
    roles: tuple[SlotRole, ...]
    keys: tuple[SlotKey, ...]

    def __post_init__(self) -> None:
        starts = [each.start for each in self.roles]
        if not starts or starts != sorted(set(starts)):
            raise ValueError("a user's roles follow one another")
        keys = [each.start for each in self.keys]
        if keys != sorted(keys) or len({each.public_key for each in self.keys}) != len(keys):
            raise ValueError("a user's keys stand by their starts, each once")

    @property
    def role(self) -> Role:
        """The newest one."""
        return self.roles[-1].role

    def key(self, public_key: bytes) -> SlotKey | None:
        """Find a key by all of its 42 bytes."""
        return next((each for each in self.keys if each.public_key == public_key), None)


class FolderSlot(Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True, tag=2):
    """A folder.

    Args:
        id: the folder's row number.
        parent: slot of the folder that it is in; None for the root, and unless it is live.
        name: within its parent; empty for the root, and when it was purged.
        trashed_from: the path that it had; empty unless it is in the trash.

    Raises:
        ValueError: a state that these do not fit.
    """

    salt: Bytes16
    id: RowNumber
    parent: SlotNumber | None
    name: PathText
    state: FolderState
    trashed_from: PathText = ""

    def __post_init__(self) -> None:
        if self.parent is not None and self.state is not FolderState.LIVE:
            raise ValueError("only a live folder has a parent")
        is_root = self.parent is None and self.state is FolderState.LIVE
        _check_names(self.name, self.trashed_from, self.state, nameless=is_root)


class FileSlot(Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True, tag=3):
    """A file.

    Args:
        id: 16 bytes, the same in every version's signature.
        owner: the user's id.
        folder: slot of the folder that it is in; None unless it is live.
        name: within its folder; empty when it was purged.
        trashed_from: the path that it had; empty unless it is in the trash.
        newest: the version that is served.
        versions_kept: how many there are.
        versions_root: RFC 6962's root over them, oldest first, each hashed as ``SlotVersion.hash`` says.
        versions_lost: numbers before the newest of which nothing is known here since the index was made again.

    Raises:
        ValueError: a state that these do not fit.
    """

    salt: Bytes16
    id: Bytes16
    owner: RowNumber
    folder: SlotNumber | None
    name: PathText
    state: FileState
    trashed_from: PathText = ""
    newest: SlotVersion
    versions_kept: Annotated[int, Meta(ge=0, le=2**31)]
    versions_root: Bytes32
    versions_lost: tuple[LostVersions, ...] = ()

    def __post_init__(self) -> None:
        if (self.folder is None) == (self.state is FileState.LIVE):
            raise ValueError("a live file, and no other, is in a folder")
        _check_names(self.name, self.trashed_from, self.state)
        if check_lost(self.versions_lost, self.newest.number) != self.newest.number - self.versions_kept:
            raise ValueError("what is not lost is kept")

    def check_version(self, version: SlotVersion, proof: Sequence[bytes]) -> None:
        """Check that a version is kept, at the position that follows from its number.

        Raises:
            ProofInvalidError: this does not prove it.
            ValueError: it is one of those that were lost.
        """
        position = position_of(version.number, self.versions_lost)
        verify_inclusion(version.hash(), position, self.versions_kept, proof, self.versions_root)


Slot = UserSlot | FolderSlot | FileSlot

_KINDS: Final[Mapping[int | None, type[Slot]]] = {tag_of(kind): kind for kind in get_args(Slot)}
_ENCODER: Final = msgspec.msgpack.Encoder()


def encode_slot(slot: Slot) -> bytes:
    """Write the one encoding; ValueError over ``SLOT_BYTES``."""
    data = _ENCODER.encode(slot)
    if len(data) > limits.SLOT_BYTES:
        raise ValueError(f"a slot has at most {limits.SLOT_BYTES} bytes")
    return data


def decode_slot(data: bytes) -> Slot:
    """Read what ``encode_slot`` writes and nothing else; LedgerFormatError for any other bytes."""
    kind = _KINDS.get(tag_in(data))
    if kind is None:
        raise LedgerFormatError("not a slot")
    try:
        slot: Slot = decode_as(kind, data)
        written = encode_slot(slot)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as fault:
        raise LedgerFormatError(f"not a slot: {fault}") from fault
    if written != data:
        raise LedgerFormatError("a slot of another encoding")
    return slot


def _check_names(name: str, trashed_from: str, state: StrEnum, *, nameless: bool = False) -> None:
    if bool(name) == (nameless or state == "purged"):
        raise ValueError("the root and what was purged have no name, and all else has one")
    if bool(trashed_from) != (state == "trashed"):
        raise ValueError("what is in the trash has a path that it had, and nothing else has")
