"""Records: two parts under two hashes, and what erasing leaves."""

import hashlib

import pytest
from msgspec.structs import replace

from sft import limits
from sft.errors import LedgerFormatError
from sft.ledger.leaves import LeafKind, LogLeaf, StateRoot
from sft.ledger.records import LeafRecord, RecordPart

FACTS = RecordPart(bytes(range(16)), b"user 7, key RW")
PERSONAL = RecordPart(bytes(range(16, 32)), b"Ada Lovelace")
RECORD = LeafRecord(FACTS, PERSONAL)


def leaf_of(record: LeafRecord) -> LogLeaf:
    return LogLeaf(
        kind=LeafKind.USER_JOINED,
        time=0,
        state_roots=(StateRoot(1, 0, bytes(32)),),
        facts=record.facts_hash(),
        personal=record.personal_hash(),
    )


LEAF = leaf_of(RECORD)


def test_the_hashes_are_those_of_the_page() -> None:
    assert LEAF.facts == hashlib.sha256(b"sft/1 log facts\0" + FACTS.salt + FACTS.body).digest()
    assert LEAF.personal == hashlib.sha256(b"sft/1 log personal\0" + PERSONAL.salt + PERSONAL.body).digest()


def test_a_record_fits_its_leaf_whole_and_erased() -> None:
    RECORD.check(LEAF)
    erased = RECORD.erased()
    assert erased == LeafRecord(FACTS, None)
    erased.check(LEAF)
    LeafRecord(FACTS).check(leaf_of(LeafRecord(FACTS)))


@pytest.mark.parametrize(
    "wrong",
    [
        LeafRecord(replace(FACTS, salt=bytes(16)), PERSONAL),
        LeafRecord(replace(FACTS, body=b"user 8, key RW"), PERSONAL),
        LeafRecord(FACTS, replace(PERSONAL, salt=bytes(16))),
        LeafRecord(FACTS, replace(PERSONAL, body=b"Eve")),
        LeafRecord(FACTS, FACTS),
        LeafRecord(PERSONAL, FACTS),
        LeafRecord(PERSONAL, PERSONAL),
    ],
)
def test_another_record_is_refused(wrong: LeafRecord) -> None:
    with pytest.raises(LedgerFormatError, match="leaf's"):
        wrong.check(LEAF)


def test_a_personal_part_that_no_leaf_names_is_refused() -> None:
    with pytest.raises(LedgerFormatError, match="personal"):
        RECORD.check(leaf_of(LeafRecord(FACTS)))


def test_salt_and_body_are_bounded() -> None:
    for salt, body in ((bytes(15), b""), (bytes(17), b""), (bytes(16), bytes(limits.RECORD_BYTES + 1))):
        with pytest.raises(ValueError, match="salt"):
            RecordPart(salt, body)
