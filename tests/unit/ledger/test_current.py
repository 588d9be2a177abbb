"""What a client demands: a log that goes on, its last leaf, and slots under it; each lie is refused."""

import pytest
from msgspec.structs import replace

from sft.errors import LedgerFormatError, ProofInvalidError
from sft.ledger.checkpoints import Checkpoint, Origin
from sft.ledger.current import check_last_leaf, check_slots, follow
from sft.ledger.hashing import EMPTY_ROOT, leaf_hash, range_root
from sft.ledger.leaves import ChangedSlot, LeafKind, LogLeaf, StateRoot, StateTreeKind, slot_hash
from sft.ledger.proofs import prove_consistency, prove_inclusion
from sft.ledger.slots import FolderSlot, FolderState, SlotRole, UserSlot, encode_slot
from sft.ledger.state import StateTree
from sft.model.access import Role
from sft.model.records import UserState

FILES = StateTreeKind.FILES
ORIGIN = Origin("files.example.org", "0a1b2c3d", 1)
SLOTS = [FolderSlot(salt=bytes([n]) * 16, id=n + 1, parent=0, name=f"f{n}", state=FolderState.LIVE) for n in range(9)]
RECORDS = [encode_slot(each) for each in SLOTS]


def leaves_of(records: list[bytes]) -> list[bytes]:
    """One leaf for each folder that is made."""
    made = []
    for number in range(len(records)):
        state = StateTree([slot_hash(each) for each in records[: number + 1]])
        leaf = LogLeaf(
            kind=LeafKind.FOLDER_MADE,
            time=number,
            slots=(ChangedSlot(StateTreeKind.FILES, number, slot_hash(records[number])),),
            state_roots=(StateRoot(StateTreeKind.FILES, number + 1, state.root()),),
            facts=bytes(32),
        )
        made.append(leaf.encode())
    return made


LEAVES = leaves_of(RECORDS)
LOG = StateTree([leaf_hash(each) for each in LEAVES])
OTHER = StateTree([leaf_hash(each) for each in [*LEAVES[:5], *LEAVES[4:]]])  # forks at the sixth leaf


def checkpoint(size: int, log: StateTree = LOG) -> Checkpoint:
    return Checkpoint(ORIGIN, size, range_root(0, size, log.node))


HEAD = checkpoint(9)


@pytest.mark.parametrize("before", range(10))
def test_a_log_that_goes_on_is_followed(before: int) -> None:
    follow(checkpoint(before), HEAD, prove_consistency(before, 9, LOG.node))


def test_a_log_that_has_shrunk_is_refused_whatever_it_shows() -> None:
    for proof in ([], prove_consistency(8, 9, LOG.node)):
        with pytest.raises(ProofInvalidError, match="shrunk"):
            follow(HEAD, checkpoint(8), proof)
    with pytest.raises(ProofInvalidError, match="shrunk"):
        follow(HEAD, Checkpoint(ORIGIN, 0, EMPTY_ROOT), [])


@pytest.mark.parametrize("before", range(6, 10))
def test_a_fork_is_refused(before: int) -> None:
    for log in (LOG, OTHER):
        with pytest.raises(ProofInvalidError):
            follow(checkpoint(before, OTHER), HEAD, prove_consistency(before, 9, log.node))


def test_two_roots_of_one_size_are_a_fork() -> None:
    with pytest.raises(ProofInvalidError):
        follow(checkpoint(9, OTHER), HEAD, [])


@pytest.mark.parametrize("change", [{"epoch": 2}, {"host": "other.example.org"}, {"server": "0a1b2c3e"}])
def test_another_log_goes_on_nothing(change: dict[str, object]) -> None:
    other = replace(HEAD, origin=replace(ORIGIN, **change))
    with pytest.raises(ProofInvalidError, match="another log"):
        follow(HEAD, other, [])
    with pytest.raises(ProofInvalidError, match="another log"):
        follow(replace(HEAD, origin=replace(ORIGIN, **change), size=0, root=EMPTY_ROOT), HEAD, [])


@pytest.mark.parametrize("size", range(1, 10))
def test_the_last_leaf(size: int) -> None:
    read = check_last_leaf(checkpoint(size), LEAVES[size - 1], prove_inclusion(size - 1, size, LOG.node))
    assert read.time == size - 1


def test_an_older_leaf_is_not_the_last_though_it_is_in_the_log() -> None:
    for index in range(8):
        with pytest.raises(ProofInvalidError):
            check_last_leaf(HEAD, LEAVES[index], prove_inclusion(index, 9, LOG.node))
        with pytest.raises(ProofInvalidError):
            check_last_leaf(HEAD, LEAVES[index], prove_inclusion(8, 9, LOG.node))
    with pytest.raises(ProofInvalidError):
        check_last_leaf(Checkpoint(ORIGIN, 0, EMPTY_ROOT), LEAVES[0], [])


def test_a_last_leaf_of_another_form_is_refused() -> None:
    with pytest.raises(LedgerFormatError):
        check_last_leaf(Checkpoint(ORIGIN, 1, leaf_hash(b"?")), b"?", [])


LAST = LogLeaf.decode(LEAVES[-1])
STATE = StateTree([slot_hash(each) for each in RECORDS])


@pytest.mark.parametrize("numbers", [[0], [8], [2, 5], range(9)])
def test_slots_under_the_last_leaf(numbers: list[int]) -> None:
    found = check_slots(LAST, FILES, {number: RECORDS[number] for number in numbers}, STATE.prove(numbers))
    assert found == {number: SLOTS[number] for number in numbers}


def test_another_record_another_slot_and_an_older_state_are_refused() -> None:
    proof = STATE.prove([2, 5])
    changed = encode_slot(replace(SLOTS[5], name="other"))
    for records in ({2: RECORDS[2], 5: changed}, {2: RECORDS[5], 5: RECORDS[2]}, {2: RECORDS[2], 6: RECORDS[5]}, {}):
        with pytest.raises(ProofInvalidError):
            check_slots(LAST, FILES, records, proof)
    with pytest.raises(ProofInvalidError):
        check_slots(LogLeaf.decode(LEAVES[-2]), FILES, {2: RECORDS[2], 5: RECORDS[5]}, proof)


def test_a_slot_of_another_form_is_refused_though_it_is_proved() -> None:
    state = StateTree([slot_hash(b"?")])
    leaf = replace(LAST, slots=(), state_roots=(StateRoot(StateTreeKind.FILES, 1, state.root()),))
    with pytest.raises(LedgerFormatError):
        check_slots(leaf, FILES, {0: b"?"}, [])


def test_another_trees_root_is_not_taken_for_the_slots() -> None:
    leaf = replace(LAST, state_roots=(StateRoot(StateTreeKind.USERS, 9, STATE.root()),))
    with pytest.raises(LedgerFormatError, match="FILES"):
        check_slots(leaf, FILES, {0: RECORDS[0]}, STATE.prove([0]))


def test_a_users_slot_is_no_files_and_the_reverse() -> None:
    user = UserSlot(salt=bytes(16), id=1, name="ada", state=UserState.ACTIVE, roles=(SlotRole(Role.GUEST, 0),), keys=())
    records = {0: encode_slot(user)}
    root = StateTree([slot_hash(records[0])]).root()
    leaf = replace(LAST, slots=(), state_roots=(StateRoot(StateTreeKind.USERS, 1, root), StateRoot(FILES, 1, root)))
    assert check_slots(leaf, StateTreeKind.USERS, records, []) == {0: user}
    with pytest.raises(LedgerFormatError, match="among"):
        check_slots(leaf, FILES, records, [])
    both = StateTree([slot_hash(records[0]), slot_hash(RECORDS[1])])
    leaf = replace(LAST, slots=(), state_roots=(StateRoot(StateTreeKind.USERS, 2, both.root()),))
    with pytest.raises(LedgerFormatError, match="among"):
        check_slots(leaf, StateTreeKind.USERS, {0: records[0], 1: RECORDS[1]}, [])
