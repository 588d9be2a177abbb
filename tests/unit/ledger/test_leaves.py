"""Leaves: one encoding each, nothing else is read, and every one fits an entry bundle."""

import hashlib
import random
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sft import limits
from sft.crypto.comment import MOST
from sft.errors import LedgerFormatError
from sft.ledger.leaves import ChangedSlot, LeafKind, LogLeaf, StateRoot, StateTreeKind, slot_hash

NUMBERS = st.integers(0, MOST)
HASHES = st.binary(min_size=32, max_size=32)
SLOTS = st.dictionaries(st.tuples(st.integers(1, 255), NUMBERS), HASHES, max_size=5).map(
    lambda each: tuple(ChangedSlot(*place, each[place]) for place in sorted(each))
)
ROOTS = st.dictionaries(st.integers(1, 255), st.tuples(NUMBERS, HASHES), min_size=1, max_size=3).map(
    lambda each: tuple(StateRoot(kind, *each[kind]) for kind in sorted(each))
)
LEAVES = st.builds(
    LogLeaf,
    kind=st.sampled_from(LeafKind),
    time=NUMBERS,
    slots=SLOTS,
    state_roots=ROOTS,
    facts=HASHES,
    personal=st.none() | HASHES,
)


def of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


LEAF = LogLeaf(
    kind=LeafKind.FILE_COMMITTED,
    time=1_700_000_000,
    slots=(ChangedSlot(StateTreeKind.USERS, 9, of("user")), ChangedSlot(StateTreeKind.FILES, 3, of("file"))),
    state_roots=(StateRoot(StateTreeKind.USERS, 10, of("users")), StateRoot(StateTreeKind.FILES, 7, of("files"))),
    facts=of("facts"),
    personal=of("personal"),
)
DATA = LEAF.encode()


@given(LEAVES)
def test_every_leaf_reads_back(leaf: LogLeaf) -> None:
    assert LogLeaf.decode(leaf.encode()) == leaf


def test_the_bytes_are_those_of_the_page() -> None:
    head = struct.pack(">BBQH", 1, 16, 1_700_000_000, 2)
    slots = struct.pack(">BQ", 1, 9) + of("user") + struct.pack(">BQ", 2, 3) + of("file")
    roots = struct.pack(">BBQ", 2, 1, 10) + of("users") + struct.pack(">BQ", 2, 7) + of("files")
    assert head + slots + roots + of("facts") + b"\1" + of("personal") == DATA
    assert replace(LEAF, personal=None).encode() == DATA[:-33] + b"\0"


def test_hashes_are_rfc_6962s() -> None:
    assert LEAF.hash() == hashlib.sha256(b"\0" + DATA).digest()
    assert slot_hash(b"record") == hashlib.sha256(b"\0record").digest()


def test_numbers_of_kinds_are_those_of_the_page_and_none_twice() -> None:
    assert len({int(kind) for kind in LeafKind}) == len(LeafKind.__members__)
    assert max(LeafKind) < 256


def test_the_largest_leaf_fits_an_entry_bundle() -> None:
    largest = LogLeaf(
        kind=LeafKind.FILES_PURGED,
        time=MOST,
        slots=tuple(ChangedSlot(255, number, bytes(32)) for number in range(limits.LEAF_SLOTS)),
        state_roots=tuple(StateRoot(kind + 1, MOST, bytes(32)) for kind in range(limits.STATE_TREES)),
        facts=bytes(32),
        personal=bytes(32),
    )
    data = largest.encode()
    assert len(data) < 1 << 16  # what the bundle's length can say
    assert LogLeaf.decode(data) == largest
    with pytest.raises(ValueError, match="too many"):
        replace(largest, slots=(*largest.slots, ChangedSlot(255, limits.LEAF_SLOTS, bytes(32))))
    with pytest.raises(ValueError, match="too many"):
        replace(largest, state_roots=(*largest.state_roots, StateRoot(99, 0, bytes(32))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"time": -1},
        {"time": MOST + 1},
        {"slots": LEAF.slots[::-1]},
        {"slots": LEAF.slots[:1] * 2},
        {"slots": (ChangedSlot(1, -1, bytes(32)),)},
        {"slots": (ChangedSlot(1, MOST + 1, bytes(32)),)},
        {"slots": (ChangedSlot(0, 1, bytes(32)),)},
        {"slots": (ChangedSlot(256, 1, bytes(32)),)},
        {"slots": (ChangedSlot(1, 1, bytes(31)),)},
        {"state_roots": ()},
        {"state_roots": LEAF.state_roots * 2},
        {"state_roots": (StateRoot(2, 0, bytes(32)), StateRoot(1, 0, bytes(32)))},
        {"state_roots": (StateRoot(0, 0, bytes(32)),)},
        {"state_roots": (StateRoot(256, 0, bytes(32)),)},
        {"state_roots": (StateRoot(1, -1, bytes(32)),)},
        {"state_roots": (StateRoot(1, 0, bytes(33)),)},
        {"facts": bytes(31)},
        {"personal": b""},
    ],
)
def test_values_without_an_encoding_are_a_bug(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(LEAF, **wrong)


def test_every_cut_and_every_addition_is_refused() -> None:
    for length in range(len(DATA)):
        with pytest.raises(LedgerFormatError):
            LogLeaf.decode(DATA[:length])
    for added in (b"\0", DATA, bytes(32)):
        with pytest.raises(LedgerFormatError):
            LogLeaf.decode(DATA + added)


@pytest.mark.parametrize(
    ("place", "byte"),
    [
        (0, 0),
        (0, 2),
        (1, 0),
        (1, 255),
        (2, 0x80),
        (11, 1),
        (11, 3),
        (12, 0),
        (94, 0),
        (94, 3),
        (95, 0),
        (-33, 0),
        (-33, 2),
    ],
)
def test_bytes_that_say_another_form_are_refused(place: int, byte: int) -> None:
    changed = bytearray(DATA)
    changed[place] = byte
    with pytest.raises(LedgerFormatError):
        LogLeaf.decode(bytes(changed))


def test_a_leaf_of_another_version_says_so() -> None:
    with pytest.raises(LedgerFormatError, match="version 2"):
        LogLeaf.decode(b"\2" + DATA[1:])


def test_slots_out_of_order_are_refused_though_all_else_holds() -> None:
    head, first, second, rest = DATA[:12], DATA[12:53], DATA[53:94], DATA[94:]
    assert LogLeaf.decode(head + first + second + rest) == LEAF
    for slots in (second + first, first + first):
        with pytest.raises(LedgerFormatError, match="rising"):
            LogLeaf.decode(head + slots + rest)


def test_a_leaf_without_a_personal_part_has_no_bytes_of_one() -> None:
    with pytest.raises(LedgerFormatError, match="encoding"):
        LogLeaf.decode(DATA[:-33] + b"\0" + bytes(32))
    with pytest.raises(LedgerFormatError, match="encoding"):
        LogLeaf.decode(DATA[:-33] + b"\1")


def test_a_state_tree_that_is_not_known_is_passed_over() -> None:
    joined = replace(LEAF, state_roots=(*LEAF.state_roots, StateRoot(200, 1, bytes(32))))
    assert LogLeaf.decode(joined.encode()).state_root(StateTreeKind.FILES) == LEAF.state_roots[1]
    without = replace(LEAF, state_roots=(StateRoot(200, 1, bytes(32)),))
    with pytest.raises(LedgerFormatError, match="FILES"):
        without.state_root(StateTreeKind.FILES)


def test_no_random_change_reads_as_the_same_leaf() -> None:
    seed = 20_261_130
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(5000):
        changed = bytearray(DATA)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
        changed = changed[: rng.choice([len(changed), rng.randrange(len(changed))])]
        if changed == DATA:
            continue
        try:
            leaf = LogLeaf.decode(bytes(changed))
        except LedgerFormatError:
            continue
        assert leaf != LEAF
        assert leaf.encode() == changed
