"""The table of verdicts, line by line, over every order of commit, start, cut-off and end."""

import itertools

import pytest

from sft.ledger.slots import SlotKey, SlotRole, UserSlot
from sft.ledger.verdicts import Judgement, SignatureVerdict, VerdictNote, judge_signature
from sft.model.access import Role
from sft.model.records import KeyEnd, UserState

KEY = bytes(range(42))
VALID, BAD, SUSPECT, UNKNOWN = SignatureVerdict


def slot(*keys: SlotKey, state: UserState = UserState.ACTIVE) -> UserSlot:
    return UserSlot(salt=bytes(16), id=1, name="ada", state=state, roles=(SlotRole(Role.GUEST, 0),), keys=keys)


ACTIVE = SlotKey(KEY, 10)
RETIRED = SlotKey(KEY, 10, 30, None, KeyEnd.RETIRED)
STOLEN = SlotKey(KEY, 10, 30, 20, KeyEnd.COMPROMISED)
LATER, SINCE = (VerdictNote.KEY_STOLEN_LATER,), (VerdictNote.KEY_RETIRED_SINCE,)


@pytest.mark.parametrize(
    ("key", "commit", "verdict", "notes"),
    [
        (ACTIVE, 9, BAD, ()),
        (ACTIVE, 10, VALID, ()),
        (ACTIVE, 1 << 60, VALID, ()),
        (RETIRED, 9, BAD, ()),
        (RETIRED, 10, VALID, SINCE),
        (RETIRED, 29, VALID, SINCE),
        (RETIRED, 30, BAD, ()),
        (RETIRED, 31, BAD, ()),
        (STOLEN, 9, BAD, ()),
        (STOLEN, 10, VALID, LATER),
        (STOLEN, 19, VALID, LATER),
        (STOLEN, 20, SUSPECT, ()),
        (STOLEN, 29, SUSPECT, ()),
        (STOLEN, 30, BAD, ()),
        (STOLEN, 31, BAD, ()),
    ],
)
def test_the_table(key: SlotKey, commit: int, verdict: SignatureVerdict, notes: tuple[VerdictNote, ...]) -> None:
    assert judge_signature(slot(key), KEY, commit) == Judgement(verdict, notes)


def test_a_key_that_is_not_in_the_slot_is_unknown() -> None:
    other = KEY[:41] + b"?"
    assert judge_signature(slot(ACTIVE), other, 11) == Judgement(UNKNOWN)
    assert judge_signature(slot(), KEY, 11) == Judgement(UNKNOWN)
    assert judge_signature(slot(SlotKey(other, 1), ACTIVE), KEY, 5) == Judgement(BAD)


def test_a_removed_users_signatures_stay_valid_and_it_is_said() -> None:
    removed = (VerdictNote.USER_REMOVED_SINCE,)
    for key, notes in ((ACTIVE, removed), (RETIRED, SINCE + removed), (STOLEN, LATER + removed)):
        assert judge_signature(slot(key, state=UserState.REMOVED), KEY, 11) == Judgement(VALID, notes)
    assert judge_signature(slot(STOLEN, state=UserState.REMOVED), KEY, 25) == Judgement(SUSPECT)
    assert judge_signature(slot(ACTIVE, state=UserState.DISABLED), KEY, 11) == Judgement(VALID)


def test_every_order_agrees_with_the_sentence_of_the_design() -> None:
    for start, cut_off, end, commit in itertools.product(range(6), repeat=4):
        if not (start < end and start <= cut_off <= end):
            continue
        stolen = SlotKey(KEY, start, end, cut_off, KeyEnd.COMPROMISED)
        if commit < start or commit >= end:
            expected = BAD
        elif cut_off <= commit:
            expected = SUSPECT
        else:
            expected = VALID
        assert judge_signature(slot(stolen), KEY, commit).verdict is expected
