"""The record of a leaf: what happened in words and ids, in two parts that the leaf names by hash (LEDGER.md §3).

    facts       ids, keys, digests, indices, statements: they stay
    personal    display names, addresses: they can be erased

A part's hash is SHA-256 of a label, 16 random bytes of salt, and the body. So label, salt and body together are an addendum of
C2SP tlog-addenda, kept by its digest beside the log's tiles.

Rules. Each part has a salt of its own: who reads the log cannot try out names, and with the personal part goes its salt, after
which nobody can. A part does not pass for the other, nor a hash of either for one of a tree. A part that was erased is no
damage; a part that does not fit its hash is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from sft import limits
from sft.errors import LedgerFormatError
from sft.ledger.leaves import LogLeaf

SALT_BYTES: Final = 16

ADDENDUM_BYTES: Final = limits.RECORD_BYTES + 64  # with label and salt

_FACTS: Final = b"sft/1 log facts\x00"
_PERSONAL: Final = b"sft/1 log personal\x00"


class RecordPart(Struct, frozen=True, gc=False):
    """One part of a record: 16 random bytes of salt, and a body of at most ``RECORD_BYTES``; else ValueError."""

    salt: bytes
    body: bytes

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES or len(self.body) > limits.RECORD_BYTES:
            raise ValueError(f"a salt has {SALT_BYTES} bytes, a body at most {limits.RECORD_BYTES}")


class LeafRecord(Struct, frozen=True, gc=False):
    """What a leaf is about."""

    facts: RecordPart
    personal: RecordPart | None = None

    def facts_hash(self) -> bytes:
        return _hash(_FACTS, self.facts)

    def personal_hash(self) -> bytes | None:
        """Hash the personal part; None where there is none, or none any more."""
        return None if self.personal is None else _hash(_PERSONAL, self.personal)

    def check(self, leaf: LogLeaf) -> None:
        """Raise LedgerFormatError unless this is the record of a leaf; its personal part may have been erased."""
        if self.facts_hash() != leaf.facts:
            raise LedgerFormatError("other facts than the leaf's")
        if self.personal is not None and self.personal_hash() != leaf.personal:
            raise LedgerFormatError("another personal part than the leaf's")

    def erased(self) -> LeafRecord:
        """Return the record without its personal part, whose salt goes with it."""
        return LeafRecord(self.facts)

    def addenda(self) -> Iterator[tuple[bytes, bytes]]:
        """Give each part as a store of addenda has it: its digest, and the bytes of which it is."""
        for label, part in ((_FACTS, self.facts), (_PERSONAL, self.personal)):
            if part is not None:
                yield _hash(label, part), label + part.salt + part.body

    @classmethod
    def of_addenda(cls, leaf: LogLeaf, read: Callable[[bytes], bytes | None]) -> LeafRecord | None:
        """Read the record of a leaf from a store of addenda.

        Args:
            read: gives what the store has under a digest; None where there is nothing.

        Returns:
            The record, without a personal part that is not there; None without facts.

        Raises:
            LedgerFormatError: something else lies under a digest.
        """
        facts = _part(_FACTS, leaf.facts, read)
        personal = None if leaf.personal is None else _part(_PERSONAL, leaf.personal, read)
        return None if facts is None else cls(facts, personal)


def addendum_path(digest: bytes) -> str:
    """Say where a store keeps an addendum, below the log's own prefix."""
    name = digest.hex()
    return f"addenda/{name[:2]}/{name[2:4]}/{name}"


def _part(label: bytes, digest: bytes, read: Callable[[bytes], bytes | None]) -> RecordPart | None:
    addendum = read(digest)
    if addendum is None:
        return None
    if hashlib.sha256(addendum).digest() != digest:
        raise LedgerFormatError("an addendum of another digest")
    salted = addendum.removeprefix(label)
    if len(salted) == len(addendum) or len(salted) < SALT_BYTES:
        raise LedgerFormatError("an addendum that is no part of a record")
    return RecordPart(salted[:SALT_BYTES], salted[SALT_BYTES:])


def _hash(label: bytes, part: RecordPart) -> bytes:
    return hashlib.sha256(label + part.salt + part.body).digest()
