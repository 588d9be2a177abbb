from __future__ import annotations

import pytest

from sft.client.pins import Pins, learned, pinned_everywhere
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


def test_servers_are_kept_apart(state):
    Pins(state, SERVER_ID).learn([ADA], now=1000)
    other = Pins(state, bytes(32))
    other.load()
    assert other.people == {}
    found = dict(pinned_everywhere(state, [SERVER_ID, bytes(32)]))
    assert [pin.name for pin in found[SERVER_ID]] == ["ada"]
    assert found[bytes(32)] == []


def test_a_damaged_file_is_said_never_taken_for_an_empty_one(state):
    pins = Pins(state, SERVER_ID)
    pins.learn([ADA], now=1000)
    (file,) = (state.data / "pins").iterdir()
    file.write_bytes(b"[{}]")
    with pytest.raises(LocalFileError):
        pins.load()
