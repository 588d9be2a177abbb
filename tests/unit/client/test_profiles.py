from __future__ import annotations

import msgspec
import pytest

from sft.client.profiles import Profiles
from sft.errors import LinkIncompleteError, LocalFileError, NotJoinedError, ProfileUnknownError, UsageError
from sft.model.links import ServerLink


@pytest.fixture
def profiles(state):
    return Profiles(state)


def test_without_any_profile_nothing_is_joined(profiles):
    assert profiles.all() == []
    assert profiles.default_name() == ""
    with pytest.raises(NotJoinedError):
        profiles.choose()


def test_a_profile_is_kept_as_it_was_given(profiles, profile):
    assert profiles.add(profile) == profile
    assert profiles.choose() == profile
    assert profiles.choose("acme") == profile
    assert profile.address == "files.acme.example:7361"


def test_names_are_made_unique_and_the_first_is_the_default(profiles, profile):
    names = [profiles.add(profile).name for _ in range(3)]
    assert names == ["acme", "acme-2", "acme-3"]
    assert profiles.default_name() == "acme"


def test_one_that_was_never_acknowledged_is_not_used_unless_named(profiles, profile):
    profiles.add(msgspec.structs.replace(profile, user_id=0))
    with pytest.raises(NotJoinedError):
        profiles.choose()
    assert not profiles.choose("acme").joined
    profiles.add(msgspec.structs.replace(profile, name="other"))
    assert profiles.choose().name == "other"


def test_another_default_is_remembered_until_it_is_forgotten(profiles, profile):
    profiles.add(profile)
    profiles.add(profile)
    profiles.set_default("acme-2")
    assert profiles.choose().name == "acme-2"
    profiles.forget("acme-2")
    assert profiles.choose().name == "acme"


def test_an_unknown_name_is_said(profiles, profile):
    profiles.add(profile)
    for act in (profiles.choose, profiles.set_default, profiles.forget):
        with pytest.raises(ProfileUnknownError):
            act("nope")


def test_a_forgotten_profiles_key_is_put_aside_never_destroyed(profiles, profile, state):
    for content in (b"first", b"second"):
        state.write(profile.key_file, content)
        profiles.add(profile)
        profiles.forget("acme")
        assert state.read(profile.key_file) is None
    assert state.read("keys/forgotten/ada.key.1") == b"first"
    assert state.read("keys/forgotten/ada.key.2") == b"second"


def test_a_key_that_another_profile_uses_stays(profiles, profile, state):
    state.write(profile.key_file, b"key")
    profiles.add(profile)
    profiles.add(profile)
    profiles.forget("acme")
    assert state.read(profile.key_file) == b"key"


def test_a_new_address_changes_nothing_else(profiles, profile):
    profiles.add(profile)
    moved = profiles.set_address("acme", "[2001:db8::1]:9000")
    assert (moved.host, moved.port) == ("2001:db8::1", 9000)
    assert moved == profiles.choose()
    assert msgspec.structs.replace(moved, host=profile.host, port=profile.port) == profile
    with pytest.raises(UsageError):
        profiles.set_address("acme", "nowhere")


def test_a_server_link_replaces_a_changed_key(profiles, profile):
    profiles.add(profile)
    key = bytes(range(32, 64))
    link = ServerLink("files2.acme.example", 9000, key, "acme-files", server_id=profile.server_id).text()
    accepted = profiles.accept_link("acme", link, now=6000)
    assert profiles.choose() == accepted
    assert (accepted.server_key, accepted.address) == (key, "files2.acme.example:9000")
    assert accepted.server_id == profile.server_id
    assert (accepted.pinned_at, accepted.user_name) == (6000, "ada")


def test_a_server_link_with_the_same_key_only_moves_it(profiles, profile):
    profiles.add(profile)
    link = ServerLink("files2.acme.example", 9000, profile.server_key, "acme-files", server_id=profile.server_id).text()
    accepted = profiles.accept_link("acme", link, now=6000)
    assert (accepted.server_id, accepted.pinned_at) == (profile.server_id, profile.pinned_at)


def test_a_link_of_another_server_or_none_is_refused(profiles, profile):
    profiles.add(profile)
    others = [("other", profile.server_id), ("acme-files", bytes(32)), ("other", bytes(32))]
    for name, server_id in others:
        link = ServerLink("a.example", 1, profile.server_key, name, server_id=server_id).text()
        with pytest.raises(UsageError):
            profiles.accept_link("acme", link, now=1)
    with pytest.raises(LinkIncompleteError):
        profiles.accept_link("acme", "sft://a.example:1/s#AAAA", now=1)
    assert profiles.choose() == profile


def test_an_update_keeps_what_another_process_changed(profiles, profile):
    profiles.add(profile)
    profiles.set_address("acme", "a.example:1")
    assert profiles.update("acme", role="admin").address == "a.example:1"


def test_a_damaged_file_is_said_and_left_alone(profiles, profile, state):
    profiles.add(profile)
    state.write("profiles.json", b'{"servers": [{"name": 5}]}')
    with pytest.raises(LocalFileError):
        profiles.all()
    with pytest.raises(LocalFileError):
        profiles.add(profile)
    assert state.read("profiles.json") == b'{"servers": [{"name": 5}]}'
