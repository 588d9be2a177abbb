"""Slots: one encoding each, and only what can be."""

import hashlib
import random
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sft import limits
from sft.errors import LedgerFormatError, ProofInvalidError
from sft.ledger.hashing import EMPTY_ROOT
from sft.ledger.proofs import prove_inclusion
from sft.ledger.slots import (
    FileSlot,
    FileState,
    FolderSlot,
    FolderState,
    LostVersions,
    Slot,
    SlotKey,
    SlotRole,
    SlotVersion,
    UserSlot,
    after_lost,
    decode_slot,
    encode_slot,
    number_at,
    position_of,
)
from sft.ledger.state import StateTree
from sft.model.access import Role
from sft.model.records import KeyEnd, UserState
from tests.unit.ledger.stored import versions_root

SALT = bytes(range(16))
KEYS = [bytes([number]) * 42 for number in range(3)]
VERSIONS = [SlotVersion(number, 10 * number, bytes([number]) * 64, 7 * number) for number in (1, 2, 4, 5, 9)]
ROOT = versions_root(VERSIONS)
LOST = (LostVersions(3, 3), LostVersions(6, 8))
USER = UserSlot(
    salt=SALT,
    id=7,
    name="ada",
    state=UserState.ACTIVE,
    roles=(SlotRole(Role.GUEST, 3), SlotRole(Role.ADMIN, 9)),
    keys=(
        SlotKey(KEYS[0], 3, 20, 12, KeyEnd.COMPROMISED),
        SlotKey(KEYS[1], 3, 21, None, KeyEnd.RETIRED),
        SlotKey(KEYS[2], 20),
    ),
)
FOLDER = FolderSlot(salt=SALT, id=1, parent=0, name="reports", state=FolderState.LIVE)
FILE = FileSlot(
    salt=SALT,
    id=bytes(range(16)),
    owner=7,
    folder=4,
    name="März.pdf",
    state=FileState.LIVE,
    newest=VERSIONS[-1],
    versions_kept=len(VERSIONS),
    versions_root=versions_root(VERSIONS),
    versions_lost=LOST,
)
SLOTS: list[Slot] = [
    USER,
    replace(USER, state=UserState.REMOVED, keys=()),
    FOLDER,
    replace(FOLDER, parent=None, name=""),
    replace(FOLDER, parent=None, state=FolderState.TRASHED, trashed_from="old/reports"),
    replace(FOLDER, parent=None, state=FolderState.PURGING),
    replace(FOLDER, parent=None, state=FolderState.PURGED, name=""),
    FILE,
    replace(FILE, state=FileState.TRASHED, folder=None, trashed_from="reports/März.pdf"),
    replace(FILE, state=FileState.PURGED, folder=None, name=""),
    replace(FILE, newest=VERSIONS[1], versions_kept=2, versions_root=versions_root(VERSIONS[:2]), versions_lost=()),
]


def test_a_user_with_every_role_and_key_fits_however_they_end() -> None:
    late = limits.LOG_LEAVES
    roles = tuple(SlotRole(Role.MAINTAINER, late + number) for number in range(limits.ROLES_MOST))
    key = SlotKey(KEYS[0], late, late + 2, late + 1, KeyEnd.COMPROMISED)
    keys = tuple(replace(key, public_key=bytes([number]) * 42) for number in range(limits.KEYS_MOST))
    name = "ä" * (limits.USER_NAME_BYTES // 2)
    encode_slot(UserSlot(salt=SALT, id=late, name=name, state=UserState.DISABLED, roles=roles, keys=keys))


@pytest.mark.parametrize("slot", SLOTS)
def test_every_slot_reads_back(slot: Slot) -> None:
    data = encode_slot(slot)
    assert decode_slot(data) == slot
    assert type(decode_slot(data)) is type(slot)


def test_the_arrays_are_those_of_the_page() -> None:
    version = [9, 90, b"\x09" * 64, 63]
    arrays: list[tuple[Slot, list[Any]]] = [
        (FOLDER, [2, SALT, 1, 0, "reports", "live", ""]),
        (FILE, [3, SALT, bytes(range(16)), 7, 4, "März.pdf", "live", "", version, 5, ROOT, [[3, 3], [6, 8]]]),
        (
            USER,
            [
                *(1, SALT, 7, "ada", "active", [["guest", 3], ["admin", 9]]),
                [
                    [KEYS[0], 3, 20, 12, "compromised"],
                    [KEYS[1], 3, 21, None, "retired"],
                    [KEYS[2], 20, None, None, None],
                ],
            ],
        ),
    ]
    for slot, array in arrays:
        assert msgspec.msgpack.decode(encode_slot(slot)) == array
        assert encode_slot(slot) == msgspec.msgpack.encode(array)


@pytest.mark.parametrize("slot", SLOTS)
def test_every_cut_every_addition_and_every_other_encoding_is_refused(slot: Slot) -> None:
    data = encode_slot(slot)
    for length in range(len(data)):
        with pytest.raises(LedgerFormatError):
            decode_slot(data[:length])
    array = msgspec.msgpack.decode(data)
    longer = msgspec.msgpack.encode([*array, None])
    as_bytes_16 = data.replace(b"\xc4\x10" + SALT, b"\xc5\x00\x10" + SALT)  # the same salt, its length in two bytes
    tag_in_two = data[:1] + b"\xcc" + data[1:]
    for wrong in (data + b"\xc0", longer, msgspec.msgpack.encode(array[:-1]), as_bytes_16, tag_in_two):
        with pytest.raises(LedgerFormatError):
            decode_slot(wrong)


@pytest.mark.parametrize("tag", [0, 4, 255, "1", None])
def test_other_kinds_are_refused(tag: object) -> None:
    array = msgspec.msgpack.decode(encode_slot(FOLDER))
    with pytest.raises(LedgerFormatError):
        decode_slot(msgspec.msgpack.encode([tag, *array[1:]]))


@pytest.mark.parametrize(
    ("slot", "wrong"),
    [
        (USER, {"roles": ()}),
        (USER, {"roles": USER.roles[::-1]}),
        (USER, {"roles": (SlotRole(Role.GUEST, 3), SlotRole(Role.ADMIN, 3))}),
        (USER, {"keys": USER.keys[::-1]}),
        (USER, {"keys": (SlotKey(KEYS[0], 3), SlotKey(KEYS[0], 4))}),
        (FOLDER, {"name": ""}),
        (FOLDER, {"parent": None}),
        (FOLDER, {"parent": None, "state": FolderState.PURGED}),
        (FOLDER, {"parent": None, "state": FolderState.TRASHED}),
        (FOLDER, {"trashed_from": "a"}),
        (FOLDER, {"parent": 3, "state": FolderState.TRASHED, "trashed_from": "a"}),
        (FILE, {"name": ""}),
        (FILE, {"folder": None}),
        (FILE, {"state": FileState.TRASHED, "trashed_from": "a"}),
        (FILE, {"state": FileState.TRASHED, "folder": None}),
        (FILE, {"state": FileState.PURGED, "folder": None}),
        (FILE, {"trashed_from": "a"}),
    ],
)
def test_what_cannot_be_is_a_bug_and_is_not_read(slot: Slot, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(slot, **wrong)
    values = {name: getattr(slot, name) for name in slot.__struct_fields__} | wrong
    array = [slot.__struct_config__.tag, *values.values()]
    with pytest.raises(LedgerFormatError):
        decode_slot(msgspec.msgpack.encode(array))


@pytest.mark.parametrize(
    ("start", "end", "cut_off", "reason"),
    [
        (3, 3, None, KeyEnd.RETIRED),
        (3, 2, None, KeyEnd.RETIRED),
        (3, 9, None, None),
        (3, None, None, KeyEnd.RETIRED),
        (3, 9, 5, KeyEnd.RETIRED),
        (3, 9, None, KeyEnd.COMPROMISED),
        (3, None, 5, KeyEnd.COMPROMISED),
        (3, None, 5, None),
        (3, 9, 2, KeyEnd.COMPROMISED),
        (3, 9, 10, KeyEnd.COMPROMISED),
    ],
)
def test_a_key_whose_times_contradict_one_another(
    start: int, end: int | None, cut_off: int | None, reason: KeyEnd | None
) -> None:
    with pytest.raises(ValueError, match=r"key|cut-off"):
        SlotKey(KEYS[0], start, end, cut_off, reason)


@pytest.mark.parametrize("field", range(1, 11))
def test_fields_are_bounded(field: int) -> None:
    array = msgspec.msgpack.decode(encode_slot(FILE))
    long: list[Any] = [bytes(17), bytes(15), 0, -1, "x" * 1025, "dead", "x" * 1025, [0, 0, bytes(64), 0], -1, bytes(31)]
    array[field] = long[field - 1]
    with pytest.raises(LedgerFormatError):
        decode_slot(msgspec.msgpack.encode(array))


def test_a_slot_fits_a_frame() -> None:
    keys = tuple(SlotKey(struct.pack(">Q34x", number), number) for number in range(200))
    with pytest.raises(ValueError, match="at most"):
        encode_slot(replace(USER, keys=keys))
    assert decode_slot(encode_slot(replace(USER, keys=keys[:120]))) == replace(USER, keys=keys[:120])
    with pytest.raises(LedgerFormatError):
        decode_slot(msgspec.msgpack.encode(replace(USER, keys=keys)))
    assert limits.SLOT_BYTES < limits.CHUNK_BYTES


def test_a_users_role_is_the_newest_and_a_key_is_found_whole() -> None:
    assert USER.role is Role.ADMIN
    assert USER.key(KEYS[1]) == USER.keys[1]
    assert USER.key(KEYS[1][:41] + b"?") is None


def test_an_older_version_can_be_proved() -> None:
    for position, version in enumerate(VERSIONS):
        proof = prove_inclusion(position, len(VERSIONS), StateTree([each.hash() for each in VERSIONS]).node)
        FILE.check_version(version, proof)
        for wrong in (
            replace(version, number=10),
            replace(version, commit=1),
            replace(version, digest=bytes(64)),
            replace(version, size=0),
        ):
            with pytest.raises(ProofInvalidError):
                FILE.check_version(wrong, proof)
        with pytest.raises(ProofInvalidError):
            FILE.check_version(VERSIONS[(position + 1) % 5], proof)
    with pytest.raises(ValueError, match="version 7 was lost"):
        FILE.check_version(replace(VERSIONS[0], number=7), [])


def test_positions_follow_from_what_was_lost() -> None:
    numbers = [each.number for each in VERSIONS]
    assert [position_of(number, LOST) for number in numbers] == [0, 1, 2, 3, 4]
    assert [number_at(position, LOST) for position in range(6)] == [*numbers, 10]
    assert [after_lost(number, LOST) for number in range(1, 11)] == [1, 2, 4, 4, 5, 9, 9, 9, 9, 10]
    assert (position_of(4, ()), number_at(4, ())) == (3, 5)


@pytest.mark.parametrize(
    ("lost", "kept"),
    [
        (LOST, 4),
        (LOST, 6),
        ((), 5),
        (LOST[::-1], 5),
        ((LostVersions(3, 5), LostVersions(6, 6)), 5),  # one range, said as two
        ((LostVersions(6, 8), LostVersions(6, 6)), 5),
        ((LostVersions(4, 3), *LOST), 5),
        ((LostVersions(6, 9),), 5),  # the newest is there
        (tuple(LostVersions(2 * n, 2 * n) for n in range(1, limits.LOST_VERSIONS_RANGES + 2)), 66),
    ],
)
def test_what_is_not_lost_is_kept(lost: tuple[LostVersions, ...], kept: int) -> None:
    newest = VERSIONS[-1] if kept < 10 else replace(VERSIONS[-1], number=131)
    array = msgspec.msgpack.decode(encode_slot(FILE))
    with pytest.raises(ValueError, match="lost"):
        replace(FILE, newest=newest, versions_kept=kept, versions_lost=lost)
    array[-4], array[-3], array[-1] = newest, kept, lost
    with pytest.raises(LedgerFormatError):
        decode_slot(msgspec.msgpack.encode(array))


def test_as_many_ranges_as_there_may_be_fit_a_slot() -> None:
    late = 2**31 - 1
    lost = tuple(LostVersions(late - 2 * n, late - 2 * n) for n in range(limits.LOST_VERSIONS_RANGES, 0, -1))
    slot = replace(
        FILE, newest=replace(VERSIONS[-1], number=late), versions_kept=late - len(lost), versions_lost=lost,
        folder=None, state=FileState.TRASHED, trashed_from="x" * limits.PATH_BYTES, name="x" * limits.NAME_BYTES,
    )  # fmt: skip
    assert decode_slot(encode_slot(slot)) == slot


def test_versions_are_hashed_as_leaves() -> None:
    entry = struct.pack(">QQ", 9, 90) + b"\x09" * 64 + struct.pack(">Q", 63)
    assert VERSIONS[-1].hash() == hashlib.sha256(b"\0" + entry).digest()
    assert versions_root(VERSIONS[:1]) == VERSIONS[0].hash()
    assert versions_root([]) == EMPTY_ROOT
    assert versions_root(VERSIONS) == StateTree([each.hash() for each in VERSIONS]).root()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        slot = decode_slot(data)
    except LedgerFormatError:
        return
    assert encode_slot(slot) == data


def test_no_random_change_reads_as_the_same_slot() -> None:
    seed = 20_261_133
    print(f"seed {seed}")
    rng = random.Random(seed)
    for slot in SLOTS:
        data = encode_slot(slot)
        for _ in range(700):
            changed = bytearray(data)
            for _ in range(rng.randint(1, 3)):
                changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
            if changed == data:
                continue
            try:
                read = decode_slot(bytes(changed))
            except LedgerFormatError:
                continue
            assert read != slot
            assert encode_slot(read) == changed
