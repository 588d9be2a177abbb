from __future__ import annotations

import msgspec
import pytest

from sft.client.pins import Pin, Pins, learned, own_pin, pinned_everywhere
from sft.client.profiles import Profiles
from sft.crypto.keys import SigningKey
from sft.errors import LocalFileError
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
    people = learned({}, [ADA], now=1)
    (pin,) = learned(people, [user(8, "eve", ADA_KEY, MALLORY_KEY)], now=2).values()
    assert (pin.keys, pin.shown_later) == ({MALLORY_POINT: 2}, {ADA_POINT: 2})
    # Nor when both come in one page.
    both = learned({}, [ADA, user(8, "eve", ADA_KEY)], now=1)
    assert both[8].keys == {}


@pytest.mark.parametrize("name", ["ada", "ADA", "\uff41da"])
def test_a_name_of_one_person_is_never_another_ones(name):
    people = learned({}, [ADA], now=1)
    (pin,) = learned(people, [user(8, name, MALLORY_KEY)], now=2).values()
    assert (pin.keys, pin.shown_later) == ({}, {MALLORY_POINT: 2})


def test_a_person_without_a_key_is_not_pinned_yet():
    assert learned({}, [user(7, "ada")], now=1) == {}


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
    assert pins.people[7] == own_pin(profile)
    assert pins.people[7].keys == {ADA_POINT: profile.joined_at}
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
    (pin,) = learned({}, [user(66, name, MALLORY_KEY)], now=1).values()
    assert (pin.keys, pin.shown_later) == ({}, {MALLORY_POINT: 1})


def test_what_a_server_shows_stays_below_what_can_be_read():
    keys = [SigningKey.from_seed(number.to_bytes(32, "big"), b"12345678") for number in range(40)]
    people = {7: Pin(7, "ada", {ADA_POINT: 1})}
    for now, key in enumerate(keys, 2):
        people.update(learned(people, [user(7, "ada", key)], now=now))
    assert len(people[7].shown_later) == 8
    (many,) = learned({}, [user(7, "ada", *keys)], now=1).values()
    assert (len(many.keys), len(many.shown_later)) == (8, 8)
    crowd = learned({}, (user(number, f"u{number}", keys[0]) for number in range(1, 13_000)), now=1)
    assert len(crowd) == 12_000


def test_a_damaged_file_is_said_never_taken_for_an_empty_one(state):
    pins = Pins(state, SERVER_ID)
    pins.learn([ADA], now=1000)
    (file,) = (state.data / "pins").iterdir()
    file.write_bytes(b"[{}]")
    with pytest.raises(LocalFileError):
        pins.load()
