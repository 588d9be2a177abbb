"""The keys of people: what may be added, followed, ended and reset by whom; and what a slot then says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sft.crypto.keys import SigningKey
from sft.crypto.signatures import FileSignature, verify_statement
from sft.crypto.statement import ActStatement, StatementComment
from sft.errors import (
    BadRequestError,
    CutOffError,
    KeyTakenError,
    LastKeyError,
    LoginRefusedError,
    NoKeyLeftError,
    NotFoundError,
    RequestError,
    RoleForbidsError,
    TooManyKeysError,
    UserNameNotAllowedError,
)
from sft.ledger.slots import UserSlot, decode_slot
from sft.ledger.verdicts import SignatureVerdict, VerdictNote, judge_signature
from sft.limits import FRAME_BYTES, HEAD_BYTES, KEYS_MOST, LEAF_BYTES, USER_NAME_BYTES, VOUCHED_KEYS_MOST
from sft.model.access import Caller, Role
from sft.model.events import KeyAdded, KeyReset, KeyRevoked, KeyRotated
from sft.model.records import DeviceKey, KeyEnd, User
from sft.service import accounts, keys, login
from sft.service.files import show_file
from sft.service.folders import MakeFolderInput, make_folder
from sft.service.key_resets import OfferResetInput, offer_reset
from sft.service.keys import AddKeyInput, ResetKeyInput, RevokeKeyInput, RotateKeyInput
from sft.service.log.evidence import EvidenceBuilder
from sft.service.log.slots import SlotRecords
from sft.store.users import key_by_public, user_by_id
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, NOW, OPERATOR, SERVER_KEY, Person, ServiceFixture

RETIRED, COMPROMISED = KeyEnd


def new_key(number: int) -> SigningKey:
    return SigningKey.from_seed(bytes([100 + number]) * 32, bytes([number]) * 8)


PHONE, DESK, EVIL = new_key(1), new_key(2), new_key(3)


def shown(services: ServiceFixture, who: Person) -> User:
    return services.ask(accounts.show_user, ADA, user_id=who.id)


def keys_of(services: ServiceFixture, who: Person) -> list[DeviceKey]:
    return list(shown(services, who).keys)


def add(services: ServiceFixture, who: Person, key: SigningKey, device: str = "phone") -> Person:
    """Add a key as its person does; return the person with it."""
    services.act(keys.add_key, AddKeyInput(who.caller, key.public.encode(), device))
    return with_key(services, who, key)


def with_key(services: ServiceFixture, who: Person, key: SigningKey) -> Person:
    with services.reading() as reading:
        row = key_by_public(reading, key.public.encode())
    assert row is not None
    return Person(replace(who.caller, key_id=row.id), key)


def revoke(services: ServiceFixture, who: Person, key: SigningKey, reason: KeyEnd = RETIRED, cut_off: int = 0) -> None:
    services.act(keys.revoke_key, RevokeKeyInput(who.caller, key.public.encode(), reason, cut_off))


def refused(services: ServiceFixture, kind: type[RequestError], act: Any, item: Any) -> dict[str, Any]:
    """Ask for something that is refused and leaves no trace."""
    before, told = [shown(services, each) for each in (ADA, MAX, GUS)], len(services.events)
    with pytest.raises(kind) as refusal:
        services.act(act, item)
    assert [shown(services, each) for each in (ADA, MAX, GUS)] == before
    assert len(services.events) == told
    return refusal.value.values


def leaf(services: ServiceFixture) -> int:
    """Give the number of the next leaf."""
    with services.transaction() as transaction:
        return transaction.next_leaf


def slot(services: ServiceFixture, who: Person) -> UserSlot:
    with services.reading() as reading:
        row = user_by_id(reading, who.id)
        assert row is not None
        (record,) = SlotRecords(reading).users([row])
    decoded = decode_slot(record)
    assert isinstance(decoded, UserSlot)
    return decoded


def log_in(services: ServiceFixture, name: str, key: SigningKey) -> Caller:
    with services.reading() as reading:
        return login.login(reading, login.LoginInput(name, key.public.encode()))


# -- one more -----------------------------------------------------------------------------------------


def test_a_second_key_lets_its_person_in_and_keeps_who_vouched_for_it(services: ServiceFixture) -> None:
    begins = leaf(services)
    add(services, MAX, PHONE)
    first, second = keys_of(services, MAX)
    assert (second.public_key, second.device, second.start_leaf) == (PHONE.public.encode(), "phone", begins)
    assert (second.end_leaf, second.end_reason, first.endorsement) == (None, None, b"")
    signature = FileSignature.parse(second.endorsement)
    comment = StatementComment.parse(signature.comment)
    assert comment.act == "key-add"
    said = ActStatement(comment, {"key": second.public_key, "device": second.device})
    verify_statement(MAX.key.public, said, signature)
    (event,) = services.events
    assert isinstance(event, KeyAdded)
    assert (event.user_id, event.public_key, event.statement) == (MAX.id, second.public_key, second.endorsement)
    assert log_in(services, "max", PHONE).user_id == MAX.id
    assert log_in(services, "max", MAX.key).user_id == MAX.id


def test_a_second_key_stores_files_as_its_person(services: ServiceFixture) -> None:
    phone = add(services, MAX, PHONE)
    services.put(phone, "a")
    version = services.ask(show_file, MAX, path="a").version
    assert (version.author_id, version.public_key) == (MAX.id, phone.public_key)


def test_adding_the_same_again_changes_nothing(services: ServiceFixture) -> None:
    add(services, MAX, PHONE)
    before, told = shown(services, MAX), len(services.events)
    add(services, MAX, PHONE, device="tablet")
    assert (shown(services, MAX), len(services.events)) == (before, told)


@pytest.mark.parametrize("act", ["add", "rotate", "reset"])
def test_a_key_is_nobody_elses_nor_of_another_form(services: ServiceFixture, act: str) -> None:
    def item(public_key: bytes, device: str = "phone") -> tuple[Any, Any]:
        if act == "reset":
            return keys.reset_key, ResetKeyInput(ADA.caller, "max", public_key, device, RETIRED)
        if act == "rotate":
            return keys.rotate_key, RotateKeyInput(MAX.caller, public_key, device)
        return keys.add_key, AddKeyInput(MAX.caller, public_key, device)

    same_point = SigningKey.from_seed(GUS.key.seed, b"another!").public.encode()
    server = b"Ed" + b"12345678" + SERVER_KEY.public.point
    for taken in (GUS.public_key, same_point, server):
        refused(services, KeyTakenError, *item(taken))
    refused(services, BadRequestError, *item(b"Ed" + bytes(40)))
    refused(services, UserNameNotAllowedError, *item(PHONE.public.encode(), " phone"))


@pytest.mark.parametrize("act", ["add", "rotate", "reset"])
def test_a_key_that_has_ended_does_not_come_back(services: ServiceFixture, act: str) -> None:
    add(services, MAX, PHONE)
    revoke(services, MAX, PHONE)
    ended = PHONE.public.encode()
    if act == "reset":
        refused(services, KeyTakenError, keys.reset_key, ResetKeyInput(ADA.caller, "max", ended, "phone", RETIRED))
    elif act == "rotate":
        refused(services, KeyTakenError, keys.rotate_key, RotateKeyInput(MAX.caller, ended, "phone"))
    else:
        refused(services, KeyTakenError, keys.add_key, AddKeyInput(MAX.caller, ended, "phone"))


@pytest.mark.long
def test_a_person_adds_so_many_keys_ended_ones_too_and_is_let_in_again_all_the_same(services: ServiceFixture) -> None:
    device = "d" * USER_NAME_BYTES
    for number in range(1, VOUCHED_KEYS_MOST + 1):
        add(services, MAX, new_key(number), device)
        if number % 2:
            revoke(services, MAX, new_key(number))
    one_more = new_key(99).public.encode()
    refused(services, TooManyKeysError, keys.add_key, AddKeyInput(MAX.caller, one_more, "phone"))
    refused(services, TooManyKeysError, keys.rotate_key, RotateKeyInput(MAX.caller, one_more, "phone"))
    while (had := len(keys_of(services, MAX))) < KEYS_MOST:
        again = new_key(had + 1).public.encode()
        services.act(keys.reset_key, ResetKeyInput(ADA.caller, "max", again, device, COMPROMISED, 1))
        assert [key.public_key for key in keys_of(services, MAX) if key.end_leaf is None] == [again]
    refused(services, TooManyKeysError, keys.reset_key, ResetKeyInput(ADA.caller, "max", one_more, "phone", RETIRED))
    offer = OfferResetInput(ADA.caller, "max", bytes(32), RETIRED)
    refused(services, TooManyKeysError, offer_reset, offer)
    # All of them still fit a slot, and an answer beside the largest leaf; nobody's list of people ends before them.
    assert len(slot(services, MAX).keys) == KEYS_MOST
    builder = EvidenceBuilder()
    page = services.ask(accounts.list_users, GUS, after=MAX.id - 1, builder=builder)
    assert [user.name for user in page.users] == ["max"]
    slots = sum(len(each.record) for each in builder._slots.values())
    assert len(msgspec.msgpack.encode(page)) + slots + LEAF_BYTES + HEAD_BYTES // 4 < FRAME_BYTES
    assert services.ask(accounts.list_users, GUS, after=MAX.id).users[0].name == "mia"


def test_the_operator_has_no_keys(services: ServiceFixture) -> None:
    public = PHONE.public.encode()
    for act, item in (
        (keys.add_key, AddKeyInput(OPERATOR, public, "phone")),
        (keys.rotate_key, RotateKeyInput(OPERATOR, public, "phone")),
        (keys.revoke_key, RevokeKeyInput(OPERATOR, MAX.public_key, RETIRED)),
    ):
        refused(services, RoleForbidsError, act, item)


# -- one that follows another -------------------------------------------------------------------------


def test_a_key_follows_another_one_in_the_same_leaf(services: ServiceFixture) -> None:
    begins = leaf(services)
    services.act(keys.rotate_key, RotateKeyInput(MAX.caller, DESK.public.encode(), "desk"))
    old, new = keys_of(services, MAX)
    assert (old.end_leaf, old.ended_at, old.end_reason, old.cut_off_leaf) == (begins, NOW, RETIRED, None)
    assert (new.start_leaf, new.end_leaf, new.device) == (begins, None, "desk")
    signature = FileSignature.parse(new.endorsement)
    comment = StatementComment.parse(signature.comment)
    assert comment.act == "key-rotate"
    verify_statement(MAX.key.public, ActStatement(comment, {"key": new.public_key, "device": "desk"}), signature)
    (event,) = services.events
    assert isinstance(event, KeyRotated)
    assert event.ended_key_ids == (old.id,)
    assert log_in(services, "max", DESK).user_id == MAX.id
    with pytest.raises(LoginRefusedError):
        log_in(services, "max", MAX.key)


def test_an_ended_key_asks_for_nothing_any_more(services: ServiceFixture) -> None:
    pending = services.pend(MAX, "in flight", b"begun before")
    services.act(keys.rotate_key, RotateKeyInput(MAX.caller, DESK.public.encode(), "desk"))
    refused(services, LoginRefusedError, make_folder, MakeFolderInput(MAX.caller, "d"))
    refused(services, LoginRefusedError, keys.add_key, AddKeyInput(MAX.caller, PHONE.public.encode(), "phone"))
    with pytest.raises(LoginRefusedError):
        services.commit(pending)
    with pytest.raises(LoginRefusedError):
        services.ask(show_file, MAX, path="a")


def test_two_that_ask_to_follow_the_same_key_are_one(services: ServiceFixture) -> None:
    first, second = (RotateKeyInput(MAX.caller, key.public.encode(), "desk") for key in (DESK, PHONE))
    _, refusal = services.act_each(keys.rotate_key, first, second)
    assert isinstance(refusal, LoginRefusedError)
    assert [key.public_key for key in keys_of(services, MAX)] == [MAX.public_key, DESK.public.encode()]


# -- one that is over ---------------------------------------------------------------------------------


def test_a_key_is_revoked_by_any_other_of_its_person(services: ServiceFixture) -> None:
    phone = add(services, MAX, PHONE)
    ends = leaf(services)
    revoke(services, phone, MAX.key)
    old, new = keys_of(services, MAX)
    assert (old.end_leaf, old.end_reason, old.cut_off_leaf, new.end_leaf) == (ends, RETIRED, None, None)
    event = services.events[-1]
    assert isinstance(event, KeyRevoked)
    assert (event.ended_key_ids, event.reason, event.cut_off) == ((old.id,), RETIRED, None)
    with pytest.raises(LoginRefusedError):
        log_in(services, "max", MAX.key)
    told = len(services.events)
    revoke(services, phone, MAX.key)
    assert len(services.events) == told


def test_whoever_has_a_key_that_ended_is_told_and_no_stranger_is(services: ServiceFixture) -> None:
    phone = add(services, MAX, PHONE)
    revoke(services, phone, MAX.key)
    told: dict[str, str] = {}
    for who, name, key in (("its owner", "max", MAX.key), ("a stranger", "max", EVIL), ("another", "max", GUS.key)):
        with pytest.raises(LoginRefusedError) as refusal:
            log_in(services, name, key)
        told[who] = refusal.value.code
        if who == "its owner":
            assert refusal.value.values["ended_at"] == NOW
    assert told == {"its owner": "KEY_REVOKED", "a stranger": "LOGIN_REFUSED", "another": "LOGIN_REFUSED"}
    services.act(accounts.disable, accounts.DisableInput(ADA.caller, "max"))
    with pytest.raises(LoginRefusedError) as refusal:
        log_in(services, "max", MAX.key)
    assert refusal.value.code == "LOGIN_REFUSED"


def test_the_last_key_is_not_revoked(services: ServiceFixture) -> None:
    item = RevokeKeyInput(MAX.caller, MAX.public_key, RETIRED)
    assert refused(services, LastKeyError, keys.revoke_key, item) == {"name": "max"}
    stolen = replace(item, reason=COMPROMISED, cut_off=1)
    refused(services, LastKeyError, keys.revoke_key, stolen)
    add(services, MAX, PHONE)
    revoke(services, MAX, PHONE)
    refused(services, LastKeyError, keys.revoke_key, item)


def test_nobody_revokes_anothers_key_not_even_an_admin(services: ServiceFixture) -> None:
    for who in (ADA, GUS):
        values = refused(services, NotFoundError, keys.revoke_key, RevokeKeyInput(who.caller, MAX.public_key, RETIRED))
        assert values["what"] == "key"
    refused(services, NotFoundError, keys.revoke_key, RevokeKeyInput(MAX.caller, EVIL.public.encode(), RETIRED))


def test_a_cut_off_is_within_the_time_of_a_stolen_key(services: ServiceFixture) -> None:
    phone = add(services, MAX, PHONE)
    services.put(phone, "a")
    (_, key), now = keys_of(services, MAX), leaf(services)
    for wrong in (key.start_leaf - 1, now + 1, 0):
        item = RevokeKeyInput(MAX.caller, phone.public_key, COMPROMISED, wrong)
        values = refused(services, CutOffError, keys.revoke_key, item)
        assert values == {"cut_off": wrong, "start": key.start_leaf, "now": now}
    retired = RevokeKeyInput(MAX.caller, phone.public_key, RETIRED, key.start_leaf)
    refused(services, CutOffError, keys.revoke_key, retired)
    revoke(services, MAX, PHONE, COMPROMISED, key.start_leaf)
    assert keys_of(services, MAX)[1].cut_off_leaf == key.start_leaf


def test_a_theft_is_said_later_and_only_ever_earlier(services: ServiceFixture) -> None:
    phone = add(services, MAX, PHONE)
    start = keys_of(services, MAX)[1].start_leaf
    services.put(phone, "a")
    revoke(services, MAX, PHONE)
    ended = keys_of(services, MAX)[1].end_leaf
    assert ended is not None
    late = RevokeKeyInput(MAX.caller, phone.public_key, COMPROMISED, ended + 1)
    refused(services, CutOffError, keys.revoke_key, late)
    revoke(services, MAX, PHONE, COMPROMISED, ended)
    revoke(services, MAX, PHONE, COMPROMISED, start)
    told = len(services.events)
    revoke(services, MAX, PHONE, COMPROMISED, ended)
    revoke(services, MAX, PHONE)
    key = keys_of(services, MAX)[1]
    assert (key.end_leaf, key.cut_off_leaf, key.end_reason, len(services.events)) == (ended, start, COMPROMISED, told)


# -- what a stolen one vouched for ----------------------------------------------------------------------


def test_what_a_stolen_key_vouched_for_since_falls_with_it_in_the_same_leaf(services: ServiceFixture) -> None:
    laptop = add(services, MAX, PHONE, "notebook")
    add(services, laptop, new_key(4), "before")
    stolen_since = leaf(services)
    thief = add(services, laptop, EVIL, "thief")
    add(services, thief, DESK, "thief-2")
    add(services, MAX, new_key(5), "other")
    services.act(keys.rotate_key, RotateKeyInput(thief.caller, new_key(6).public.encode(), "thief-3"))
    falls, told = leaf(services), len(services.events)
    revoke(services, MAX, PHONE, COMPROMISED, stolen_since)
    by_device = {key.device: key for key in keys_of(services, MAX)}
    first = keys_of(services, MAX)[0].device
    active = {device for device, key in by_device.items() if key.end_leaf is None}
    assert active == {first, "before", "other"}
    for device in ("thief", "thief-2", "thief-3"):
        key = by_device[device]
        assert (key.cut_off_leaf, key.end_reason) == (key.start_leaf, COMPROMISED), device
    assert by_device["thief-3"].end_leaf == by_device["notebook"].end_leaf == falls
    assert by_device["thief"].end_leaf == by_device["thief-3"].start_leaf, "one that had ended keeps its end"
    (event,) = services.events[told:]
    assert isinstance(event, KeyRevoked)
    assert event.ended_key_ids[0] == by_device["notebook"].id
    assert set(event.ended_key_ids) == {by_device[each].id for each in by_device if each not in active}
    assert judge_signature(slot(services, MAX), DESK.public.encode(), falls - 1).verdict is SignatureVerdict.SUSPECT
    # The same again changes nothing; said to have been earlier, what it vouched for before falls too.
    revoke(services, MAX, PHONE, COMPROMISED, stolen_since)
    assert len(services.events) == told + 1
    revoke(services, MAX, PHONE, COMPROMISED, by_device["notebook"].start_leaf)
    assert {key.device for key in keys_of(services, MAX) if key.end_leaf is None} == {first, "other"}


def test_nobody_says_of_a_theft_what_would_leave_them_no_key(services: ServiceFixture) -> None:
    start = shown(services, MAX).keys[0].start_leaf
    phone = add(services, MAX, PHONE)
    item = RevokeKeyInput(phone.caller, MAX.public_key, COMPROMISED, start)
    assert refused(services, NoKeyLeftError, keys.revoke_key, item) == {"name": "max", "cut_off": start}
    revoke(services, phone, MAX.key, COMPROMISED, leaf(services))  # stolen only after it had vouched


def test_a_reset_after_a_theft_ends_what_had_ended_as_the_thiefs_too(services: ServiceFixture) -> None:
    stolen_since = leaf(services)
    add(services, MAX, EVIL, "thief")
    revoke(services, MAX, EVIL)
    item = ResetKeyInput(ADA.caller, "max", DESK.public.encode(), "desk", COMPROMISED, stolen_since)
    services.act(keys.reset_key, item)
    first, evil, _ = keys_of(services, MAX)
    assert (first.cut_off_leaf, evil.cut_off_leaf, evil.end_reason) == (stolen_since, evil.start_leaf, COMPROMISED)
    assert isinstance(services.events[-1], KeyReset)
    assert services.events[-1].ended_key_ids == (first.id, evil.id)


# -- one that was lost --------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [ADA.caller, OPERATOR], ids=["admin", "operator"])
def test_a_reset_ends_every_key_and_nobody_vouches_for_the_new_one(services: ServiceFixture, by: Caller) -> None:
    add(services, MAX, PHONE)
    begins = leaf(services)
    services.act(keys.reset_key, ResetKeyInput(by, "max", DESK.public.encode(), "desk", RETIRED))
    first, second, new = keys_of(services, MAX)
    assert {(key.end_leaf, key.end_reason) for key in (first, second)} == {(begins, RETIRED)}
    assert (new.start_leaf, new.endorsement, new.public_key) == (begins, b"", DESK.public.encode())
    event = services.events[-1]
    assert isinstance(event, KeyReset)
    assert (event.by.name, event.user_id, event.ended_key_ids) == (by.name, MAX.id, (first.id, second.id))
    assert log_in(services, "max", DESK).role is Role.MAINTAINER
    told = len(services.events)
    services.act(keys.reset_key, ResetKeyInput(by, "max", DESK.public.encode(), "desk", RETIRED))
    assert len(services.events) == told


def test_whoever_was_reset_joins_again_by_the_servers_link(services: ServiceFixture) -> None:
    joining = login.JoinInput("max", DESK.public.encode(), "desk")
    with pytest.raises(RequestError):
        services.act(login.join, joining)
    services.act(keys.reset_key, ResetKeyInput(ADA.caller, "max", DESK.public.encode(), "desk", RETIRED))
    assert services.act(login.join, joining).user_id == MAX.id


def test_a_reset_is_an_admins_and_of_somebody_who_is_here(services: ServiceFixture) -> None:
    public = DESK.public.encode()
    for who in (MAX, GUS):
        refused(services, RoleForbidsError, keys.reset_key, ResetKeyInput(who.caller, "mia", public, "desk", RETIRED))
    refused(services, NotFoundError, keys.reset_key, ResetKeyInput(ADA.caller, "nobody", public, "desk", RETIRED))
    services.act(accounts.remove, accounts.RemoveUserInput(ADA.caller, "mia"))
    refused(services, NotFoundError, keys.reset_key, ResetKeyInput(ADA.caller, MIA.caller.name, public, "d", RETIRED))


def test_a_reset_after_a_theft_says_since_when(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    phone = add(services, MAX, PHONE)
    services.put(phone, "b")
    stolen_since = leaf(services) - 2
    future = ResetKeyInput(ADA.caller, "max", DESK.public.encode(), "desk", COMPROMISED, leaf(services) + 1)
    refused(services, CutOffError, keys.reset_key, future)
    services.act(keys.reset_key, replace(future, cut_off=stolen_since))
    first, second, _ = keys_of(services, MAX)
    assert (first.cut_off_leaf, second.cut_off_leaf) == (stolen_since, max(stolen_since, second.start_leaf))


# -- what old signatures are worth --------------------------------------------------------------------


def test_files_are_judged_by_the_order_of_the_log(services: ServiceFixture) -> None:
    phone = add(services, MAX, PHONE)
    for name in ("before", "between"):
        services.put(phone, name)
    before, between = (services.ask(show_file, MAX, path=name).version.leaf for name in ("before", "between"))
    revoke(services, MAX, PHONE, COMPROMISED, between)
    judged = slot(services, MAX)
    valid = judge_signature(judged, phone.public_key, before)
    assert (valid.verdict, valid.notes) == (SignatureVerdict.VALID, (VerdictNote.KEY_STOLEN_LATER,))
    assert judge_signature(judged, phone.public_key, between).verdict is SignatureVerdict.SUSPECT
    assert judge_signature(judged, phone.public_key, leaf(services)).verdict is SignatureVerdict.BAD
    assert judge_signature(judged, EVIL.public.encode(), before).verdict is SignatureVerdict.UNKNOWN
    services.act(accounts.remove, accounts.RemoveUserInput(ADA.caller, "max"))
    removed = slot(services, MAX)
    assert [key.public_key for key in removed.keys] == [MAX.public_key, phone.public_key]
    notes = judge_signature(removed, MAX.public_key, before).notes
    assert notes == (VerdictNote.USER_REMOVED_SINCE,)
