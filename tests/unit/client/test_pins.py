from __future__ import annotations

import msgspec
import pytest

from sft.client.pins import Pin, Pins, learned, own_pin, pinned_everywhere
from sft.client.profiles import Profiles
from sft.crypto.keys import SigningKey
from sft.crypto.signatures import sign_statement
from sft.crypto.statement import ActStatement, StatementComment
from sft.errors import LocalFileError
from sft.model.access import Role
from sft.model.records import DeviceKey, KeyEnd, User, UserState
from tests.unit.client.memory_server import ADA_KEY, MALLORY_KEY, user

ADA = user(7, "ada", ADA_KEY)
ADA_POINT = ADA_KEY.public.encode()
MALLORY_POINT = MALLORY_KEY.public.encode()
SERVER_ID = bytes(range(32))


def test_what_is_shown_first_is_pinned_with_its_time(state):
    pins = Pins(state, SERVER_ID)
    pins.learn([ADA], now=1000)
    again = Pins(state, SERVER_ID)
    again.load()
    assert again.people == pins.people
    assert again.people[7].keys == {ADA_POINT: 1000}
    again.learn([ADA, user(8, "max", MALLORY_KEY)], now=2000)
    assert ([pin.user_id for pin in pins.first_seen], [pin.user_id for pin in again.first_seen]) == ([7], [8])
    assert again.knows(7, ADA_POINT)
    assert not again.knows(7, MALLORY_POINT)
    assert not again.knows(8, ADA_POINT)


def test_what_is_shown_later_is_noted_never_taken(state):
    pins = Pins(state, SERVER_ID)
    pins.learn([ADA], now=1000)
    pins.learn([user(7, "ada", MALLORY_KEY)], now=2000)
    assert pins.people[7].keys == {ADA_POINT: 1000}
    assert pins.people[7].shown_later == {MALLORY_POINT: 2000}
    pins.learn([user(7, "ada", MALLORY_KEY)], now=3000)
    assert pins.people[7].shown_later == {MALLORY_POINT: 2000}


def test_a_key_of_one_person_is_never_another_ones():
    people = learned({}, [ADA], SERVER_ID, now=1)
    (pin,) = learned(people, [user(8, "eve", ADA_KEY, MALLORY_KEY)], SERVER_ID, now=2).values()
    assert (pin.keys, pin.shown_later) == ({MALLORY_POINT: 2}, {ADA_POINT: 2})
    # Nor when both come in one page.
    both = learned({}, [ADA, user(8, "eve", ADA_KEY)], SERVER_ID, now=1)
    assert both[8].keys == {}


@pytest.mark.parametrize("name", ["ada", "ADA", "\uff41da"])
def test_a_name_of_one_person_is_never_another_ones(name):
    people = learned({}, [ADA], SERVER_ID, now=1)
    (pin,) = learned(people, [user(8, name, MALLORY_KEY)], SERVER_ID, now=2).values()
    assert (pin.keys, pin.shown_later) == ({}, {MALLORY_POINT: 2})


def test_a_person_without_a_key_is_not_pinned_yet():
    assert learned({}, [user(7, "ada")], SERVER_ID, now=1) == {}


def test_nothing_is_written_where_nothing_is_new(state):
    pins = Pins(state, SERVER_ID)
    pins.learn([ADA], now=1000)
    (file,) = (state.data / "pins").iterdir()
    before = file.stat().st_mtime_ns, file.stat().st_ino
    pins.learn([ADA], now=2000)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


def test_what_another_process_pinned_meanwhile_stays(state):
    one, other = Pins(state, SERVER_ID), Pins(state, SERVER_ID)
    one.learn([ADA], now=1000)
    other.learn([user(8, "eve", MALLORY_KEY)], now=2000)
    assert set(other.people) == {7, 8}


def test_servers_are_kept_apart(state, profile):
    Pins(state, SERVER_ID).learn([ADA], now=1000)
    other = Pins(state, bytes(32))
    other.load()
    assert other.people == {}
    joining = {"user_id": 0, "user_name": ""}
    there = [msgspec.structs.replace(profile, server_id=server, **joining) for server in (SERVER_ID, bytes(32))]
    found = dict(pinned_everywhere(state, there))
    assert [pin.name for pin in found[SERVER_ID]] == ["ada"]
    assert found[bytes(32)] == []


def test_who_we_are_ourselves_no_server_and_no_file_says(state, profile):
    Pins(state, SERVER_ID).learn([user(7, "ada", MALLORY_KEY)], now=1000)
    pins = Pins(state, SERVER_ID, own_pin(profile))
    pins.load()
    pins.learn([user(7, "ada", MALLORY_KEY), user(8, "eve", MALLORY_KEY)], now=2000)
    assert pins.people[7].keys == own_pin(profile).keys == {ADA_POINT: profile.joined_at}
    assert pins.people[7].shown_later == {MALLORY_POINT: 2000}
    again = Pins(state, SERVER_ID, own_pin(profile))
    again.load()
    assert again.people == pins.people


def test_our_own_name_and_key_are_nobody_elses(state, profile):
    pins = Pins(state, SERVER_ID, own_pin(profile))
    pins.learn([user(8, "ADA", MALLORY_KEY), user(9, "eve", ADA_KEY)], now=1000)
    assert (pins.people[8].keys, pins.people[9].keys) == ({}, {})


def test_our_own_key_is_known_without_a_server(state, profile):
    Profiles(state).add(profile)
    assert dict(pinned_everywhere(state, Profiles(state).all())) == {profile.server_id: [own_pin(profile)]}


@pytest.mark.parametrize("name", ["\u0430da", "ada ", "a/b", ""])
def test_a_name_that_no_person_can_have_is_nobodys(name):
    (pin,) = learned({}, [user(66, name, MALLORY_KEY)], SERVER_ID, now=1).values()
    assert (pin.keys, pin.shown_later) == ({}, {MALLORY_POINT: 1})


def test_what_a_server_shows_stays_below_what_can_be_read(monkeypatch):
    keys = [SigningKey.from_seed(number.to_bytes(32, "big"), b"12345678") for number in range(40)]
    people = {7: Pin(7, "ada", {ADA_POINT: 1})}
    for now, key in enumerate(keys, 2):
        people.update(learned(people, [user(7, "ada", key)], SERVER_ID, now=now))
    assert len(people[7].shown_later) == 8
    (many,) = learned({}, [user(7, "ada", *keys)], SERVER_ID, now=1).values()
    assert (len(many.keys), len(many.shown_later)) == (40, 0)
    (other,) = learned({}, [user(7, "a/b", *keys)], SERVER_ID, now=1).values()
    assert (len(other.keys), len(other.shown_later)) == (0, 8)
    crowd = learned({}, (user(number, f"u{number}", keys[0]) for number in range(1, 13_000)), SERVER_ID, now=1)
    assert len(crowd) == 12_000
    monkeypatch.setattr("sft.client.pins._MOST_KEYS", 50)
    crowd = learned({}, (user(number, f"u{number}", *keys) for number in range(1, 9)), SERVER_ID, now=1)
    assert sum(len(pin.keys) + len(pin.shown_later) for pin in crowd.values()) == 40


def test_a_damaged_file_is_said_never_taken_for_an_empty_one(state):
    pins = Pins(state, SERVER_ID)
    pins.learn([ADA], now=1000)
    (file,) = (state.data / "pins").iterdir()
    file.write_bytes(b"[{}]")
    with pytest.raises(LocalFileError):
        pins.load()


# -- keys that others of the same person vouched for --------------------------------------------------


KEYS = [SigningKey.from_seed(bytes([number]) * 32, bytes([number]) * 8) for number in range(1, 6)]
FIRST, SECOND, THIRD, FOURTH, FIFTH = (key.public.encode() for key in KEYS)


def vouched(by, key, act="key-add", device="phone", server_id=SERVER_ID, user_id=7):
    """The statement by which one key asks for another."""
    comment = StatementComment(act=act, server_id=server_id, user=user_id, ts=1, nonce=bytes(8))
    said = ActStatement(comment, {"key": key.public.encode(), "device": device})
    return sign_statement(by, said).encode()


def device(number, start, endorsement=b"", **fields):
    """One of the keys, as the registry shows it; begun with a leaf."""
    said = {"id": number, "public_key": KEYS[number].public.encode(), "device": "phone", "added_at": 0}
    return DeviceKey(**{**said, "start_leaf": start, "endorsement": endorsement, **fields})


def person(*keys):
    return User(7, "ada", Role.MAINTAINER, UserState.ACTIVE, 1000, keys)


def later(*keys, known=(FIRST,)):
    """What is taken and what is noted of a person whose keys are pinned, when the registry shows these."""
    people = {7: Pin(7, "ada", dict.fromkeys(known, 1))}
    pin = {**people, **learned(people, [person(*keys)], SERVER_ID, now=2)}[7]
    return set(pin.keys) - set(known), set(pin.shown_later)


def test_a_key_that_a_pinned_one_vouched_for_is_taken_silently():
    assert later(device(0, 1), device(1, 5, vouched(KEYS[0], KEYS[1]))) == ({SECOND}, set())


def test_one_that_follows_begins_where_the_other_ends():
    old = device(0, 1, ended_at=9, end_leaf=5, end_reason=KeyEnd.RETIRED)
    assert later(old, device(1, 5, vouched(KEYS[0], KEYS[1], "key-rotate"))) == ({SECOND}, set())
    assert later(old, device(1, 6, vouched(KEYS[0], KEYS[1], "key-rotate"))) == (set(), {SECOND})


def test_vouching_goes_on_from_key_to_key_in_any_order_of_the_list():
    chain = [device(0, 1), device(1, 5, vouched(KEYS[0], KEYS[1])), device(2, 7, vouched(KEYS[1], KEYS[2]))]
    assert later(*reversed(chain)) == ({SECOND, THIRD}, set())
    assert later(chain[0], chain[2]) == (set(), {THIRD})


@pytest.mark.parametrize(
    "endorsement",
    [
        b"",
        b"x",
        vouched(KEYS[3], KEYS[1]),
        vouched(KEYS[1], KEYS[1]),
        vouched(KEYS[0], KEYS[2]),
        vouched(KEYS[0], KEYS[1], device="desk"),
        vouched(KEYS[0], KEYS[1], server_id=bytes(32)),
        vouched(KEYS[0], KEYS[1], user_id=8),
    ],
)
def test_any_other_word_is_none(endorsement):
    assert later(device(0, 1), device(1, 5, endorsement), device(3, 2)) == (set(), {SECOND, FOURTH})


def test_a_reset_in_an_admins_name_is_no_word_of_the_persons():
    comment = StatementComment(act="key-reset", server_id=SERVER_ID, user=7, ts=1, nonce=bytes(8))
    fields = {"name": "ada", "key": SECOND, "device": "phone", "cut_off": 0, "reason": "retired"}
    said = sign_statement(KEYS[0], ActStatement(comment, fields)).encode()
    assert later(device(0, 1), device(1, 5, said)) == (set(), {SECOND})


def test_a_key_that_came_before_needs_a_word_as_well():
    assert later(device(0, 5), device(1, 2)) == (set(), {SECOND})


def test_nobody_vouches_for_another_persons_key():
    people = {7: Pin(7, "ada", {FIRST: 1}), 8: Pin(8, "max", {SECOND: 1})}
    assert learned(people, [person(device(0, 1), device(1, 5, vouched(KEYS[0], KEYS[1])))], SERVER_ID, now=2) == {}


def test_of_a_file_only_what_was_kept_of_our_own_keys_counts(state, profile):
    Pins(state, SERVER_ID).learn([user(7, "ada", ADA_KEY, MALLORY_KEY)], now=1)
    pins = Pins(state, SERVER_ID, own_pin(profile))
    pins.load()
    assert set(pins.people[7].keys) == {ADA_POINT}
    pins.learn([user(8, "max", KEYS[0])], now=1)
    joined_anew = Pins(state, SERVER_ID, own_pin(msgspec.structs.replace(profile, public_key=SECOND)))
    joined_anew.load()
    assert set(joined_anew.people[7].keys) == {SECOND}


def test_a_thief_vouches_for_nobody():
    stolen = device(0, 1, ended_at=9, end_leaf=9, cut_off_leaf=5, end_reason=KeyEnd.COMPROMISED)
    assert later(stolen, device(1, 4, vouched(KEYS[0], KEYS[1]))) == ({SECOND}, set())
    assert later(stolen, device(1, 5, vouched(KEYS[0], KEYS[1]))) == (set(), {SECOND})


@pytest.mark.parametrize(("cut_off", "falls"), [(5, {SECOND, THIRD}), (6, set())])
def test_what_was_taken_by_the_word_of_a_stolen_key_is_noted_again(cut_off, falls):
    """Whether a server ends such keys too or not; one that it shows as a thief's from its start on the log judges."""
    stolen = device(0, 1, ended_at=9, end_leaf=9, cut_off_leaf=cut_off, end_reason=KeyEnd.COMPROMISED)
    second, third = device(1, 5, vouched(KEYS[0], KEYS[1])), device(2, 7, vouched(KEYS[1], KEYS[2]))
    people = {7: Pin(7, "ada", dict.fromkeys((FIRST, SECOND, THIRD, FOURTH), 1))}
    for _ in range(2):
        people |= learned(people, [person(third, stolen, second, device(3, 8))], SERVER_ID, now=2)
        assert (set(people[7].shown_later), FIRST in people[7].keys, FOURTH in people[7].keys) == (falls, True, True)
    said = [msgspec.structs.replace(each, end_leaf=9, cut_off_leaf=each.start_leaf, end_reason=KeyEnd.COMPROMISED)
            for each in (second, third)]  # fmt: skip
    people = {7: Pin(7, "ada", dict.fromkeys((FIRST, SECOND, THIRD), 1))}
    assert learned(people, [person(stolen, *said)], SERVER_ID, now=2) == {}


def test_a_key_vouches_for_none_that_began_before_it():
    assert later(device(0, 5), device(1, 5, vouched(KEYS[0], KEYS[1]))) == (set(), {SECOND})


def test_a_key_that_was_noted_is_taken_once_somebody_vouches_or_a_person_says_so(state):
    pins = Pins(state, SERVER_ID)
    pins.learn([person(device(0, 1))], now=1)
    pins.learn([person(device(0, 1), device(1, 5), device(2, 6))], now=2)
    assert set(pins.people[7].shown_later) == {SECOND, THIRD}
    pins.learn([person(device(0, 1), device(1, 5, vouched(KEYS[0], KEYS[1])), device(2, 6))], now=3)
    assert (set(pins.people[7].keys), set(pins.people[7].shown_later)) == ({FIRST, SECOND}, {THIRD})
    again = Pins(state, SERVER_ID)
    assert again.accept("ADA") == [THIRD]
    assert again.accept("ada") == again.accept("nobody") == []
    pins.load()
    assert (set(pins.people[7].keys), pins.people[7].shown_later) == ({FIRST, SECOND, THIRD}, {})


def test_keys_of_ours_that_were_there_before_this_one_are_ours_and_later_ones_need_a_word(state, profile):
    ours = msgspec.structs.replace(profile, public_key=SECOND)
    pins = Pins(state, SERVER_ID, own_pin(ours))
    pins.load()
    vouched_for = device(1, 5, vouched(KEYS[0], KEYS[1]))
    pins.learn([person(device(0, 1), vouched_for, device(2, 6, vouched(KEYS[1], KEYS[2])), device(3, 7))], now=2)
    assert (set(pins.people[7].keys), set(pins.people[7].shown_later)) == ({FIRST, SECOND, THIRD}, {FOURTH})
    again = Pins(state, SERVER_ID, own_pin(ours))
    again.load()
    assert again.people == pins.people
    again.learn([person(device(4, 2), device(1, 5, vouched(KEYS[4], KEYS[1])))], now=3)
    assert FIFTH not in again.people[7].keys, "that was no first look"


@pytest.mark.parametrize(
    ("before", "is_ours"),
    [
        ([device(0, 1)], False),
        ([device(0, 1, ended_at=9, end_leaf=5, end_reason=KeyEnd.RETIRED)], True),  # an admin gave us ours for it
        ([device(0, 1), device(3, 2, vouched(KEYS[0], KEYS[3]))], False),
        ([device(0, 1), device(2, 2, vouched(KEYS[0], KEYS[2]))], True),
    ],
)
def test_a_key_before_ours_that_never_led_to_it_is_not_ours(state, profile, before, is_ours):
    """A server may have had one in our name before we joined: it would sign as us from the first day on."""
    pins = Pins(state, SERVER_ID, own_pin(msgspec.structs.replace(profile, public_key=SECOND)))
    pins.load()
    pins.learn([person(*before, device(1, 5, vouched(KEYS[2], KEYS[1])))], now=2)
    assert (FIRST in pins.people[7].keys) is is_ours
    assert (FIRST in pins.people[7].shown_later) is not is_ours


def test_what_a_key_of_ours_was_before_it_was_followed_stays_ours(state, profile):
    followed = msgspec.structs.replace(profile, public_key=SECOND, former_keys=(FIRST,))
    assert set(own_pin(followed).keys) == {FIRST, SECOND}
    pins = Pins(state, SERVER_ID, own_pin(msgspec.structs.replace(profile, public_key=FIRST)))
    pins.load()
    pins.learn([person(device(0, 1), device(2, 6, vouched(KEYS[0], KEYS[2])))], now=2)
    again = Pins(state, SERVER_ID, own_pin(followed))
    again.load()
    assert set(again.people[7].keys) == {FIRST, SECOND, THIRD}
