"""State files of another program: a newer one's are refused, and what it adds within a format stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sft.client.pins import Pins
from sft.client.profiles import Profiles
from sft.errors import LocalFileError
from tests.unit.client.memory_server import ADA_KEY, MAX_KEY, user


def changed(state, name, change):
    document = json.loads(state.read(name))
    change(document)
    state.write(name, json.dumps(document).encode())
    return document


def pins_name(profile):
    return f"pins/{profile.server_id.hex()[:32]}.json"


def test_every_file_says_its_format(state, profile):
    Profiles(state).add(profile)
    Pins(state, profile.server_id).learn([user(7, "ada", ADA_KEY)], now=1)
    for name in ("profiles.json", pins_name(profile)):
        assert json.loads(state.read(name))["format"] == 1


def test_what_a_newer_program_adds_to_a_profile_survives_every_change(state, profile):
    profiles = Profiles(state)
    profiles.add(profile)
    profiles.add(profile)

    def add(document):
        document["servers"][0]["spaces"] = ["a", {"b": 1}]
        document["theme"] = "dark"

    changed(state, "profiles.json", add)
    profiles.update("acme", role="admin")
    profiles.set_default("acme-2")
    profiles.add(profile)
    profiles.forget("acme-2")
    document = json.loads(state.read("profiles.json"))
    assert document["theme"] == "dark"
    assert document["servers"][0]["spaces"] == ["a", {"b": 1}]
    assert document["servers"][0]["role"] == "admin"
    assert "spaces" not in document["servers"][1]


def test_what_a_newer_program_adds_to_a_pin_survives(state, profile):
    pins = Pins(state, profile.server_id)
    pins.learn([user(7, "ada", ADA_KEY)], now=1)
    changed(state, pins_name(profile), lambda document: document["people"][0].update(proof="x"))
    pins = Pins(state, profile.server_id)
    pins.load()
    pins.learn([user(8, "max", MAX_KEY)], now=2)
    people = json.loads(state.read(pins_name(profile)))["people"]
    assert [one.get("proof") for one in people] == ["x", None]
    again = Pins(state, profile.server_id)
    again.load()
    assert again.people == pins.people


@pytest.mark.parametrize("name", ["profiles", "pins"])
def test_a_newer_format_is_refused_and_left_as_it_is(state, profile, name):
    profiles, pins = Profiles(state), Pins(state, profile.server_id)
    profiles.add(profile)
    pins.learn([user(7, "ada", ADA_KEY)], now=1)
    name = "profiles.json" if name == "profiles" else pins_name(profile)
    changed(state, name, lambda document: document.update(format=2, servers="whatever", people="else"))
    before = state.read(name)
    acts = (
        (profiles.all, lambda: profiles.add(profile), lambda: profiles.forget("acme"))
        if name == "profiles.json"
        else (pins.load, lambda: pins.learn([user(8, "max", MAX_KEY)], now=2))
    )
    for act in acts:
        with pytest.raises(LocalFileError) as caught:
            act()
        assert "newer" in str(caught.value.values["problem"])
        assert caught.value.values["path"] == str(Path(state.path(name)))
    assert state.read(name) == before


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"null", b'{"format": true, "servers": []}', b'{"format": 0, "servers": []}']
)
def test_what_has_no_format_is_damaged(state, profile, data):
    state.write("profiles.json", data)
    with pytest.raises(LocalFileError) as caught:
        Profiles(state).all()
    assert "damaged" in str(caught.value.values["problem"])
