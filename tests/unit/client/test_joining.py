from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from sft.client.identity import passphrase_from
from sft.client.joining import join, pending, suggested_device_name, suggested_passphrase, suggested_user_name
from sft.client.profiles import Profiles
from sft.crypto import key_file
from sft.crypto.keys import InvitationKey, ServerKey
from sft.crypto.succession import sign_succession
from sft.crypto.words import wordlist
from sft.errors import (
    InviteExpiredError,
    InviteUnknownError,
    InviteUsedError,
    InviteWithdrawnError,
    KeyFormatError,
    KeyLockedError,
    NameTakenError,
    NotJoinedError,
    ServerKeyChangedError,
    UnreachableError,
    UserNameNotAllowedError,
)
from sft.model.access import Role
from sft.model.links import InvitationLink, ServerLink
from sft.wire.connection import Connection
from tests.unit.client.memory_server import ADA_KEY, SERVER, SERVER_KEY

SEED = bytes(range(100, 132))
LINK = InvitationLink(
    host="192.0.2.1",
    port=7361,
    server_key=SERVER_KEY.public.point,
    server_name="acme-files",
    seed=SEED,
    role=Role.GUEST,
    expires_at=10**10,
    server_id=SERVER_KEY.public.server_id(),
)
NOBODY = passphrase_from({}, None)


def joined(dialing, state, link=LINK, *, name="ada", passphrase=None, ask=NOBODY, **options):
    return dialing.run(
        join(
            dialing.reactor,
            state,
            link,
            user_name=name,
            device="laptop",
            passphrase=passphrase,
            ask=ask,
            pool=dialing.pool,
            random=lambda: 0.5,
            clock=lambda: 5000,
            **options,
        )
    )


def keys_of(state):
    return sorted((state.data / "keys").glob("*.key"))


def test_joining_makes_a_key_a_profile_and_a_claim_signed_by_both(dialing, state):
    server = dialing.server()
    result = joined(dialing, state)
    (claim,) = server.claims
    assert (claim.kind, claim.user_name, claim.device) == ("join", "ada", "laptop")
    assert claim.invitation == InvitationKey.from_seed(SEED).point
    assert claim.public_key == result.profile.public_key
    kept = Profiles(state).choose()
    assert kept == result.profile
    assert (kept.name, kept.user_id, kept.joined_at, kept.pinned_at) == ("acme-files", 7, 5000, 5000)
    assert result.user.name == "ada"
    (file,) = keys_of(state)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert key_file.decode(file.read_text(), str).public.encode() == claim.public_key


def test_a_passphrase_protects_the_new_key(dialing, state):
    dialing.server()
    joined(dialing, state, passphrase="open sesame")
    (file,) = keys_of(state)
    assert key_file.is_encrypted(file.read_text())
    assert key_file.decode(file.read_text(), lambda: "open sesame")


def test_the_same_invitation_goes_on_with_the_same_key_after_a_lost_line(dialing, state):
    for _ in range(4):
        dialing.server(hangs_up=True)
    with pytest.raises(UnreachableError):
        joined(dialing, state)
    before = pending(state, LINK)
    assert not before.joined
    with pytest.raises(NotJoinedError):
        Profiles(state).choose()
    server = dialing.server()
    after = joined(dialing, state).profile
    assert after.public_key == before.public_key == server.claims[0].public_key
    assert (after.name, len(keys_of(state)), len(Profiles(state).all())) == (before.name, 1, 1)


def test_a_taken_name_spends_nothing_and_another_goes_with_the_same_key(dialing, state):
    first = dialing.server(refuse_login=NameTakenError(name="ada", server="acme-files"))
    with pytest.raises(NameTakenError):
        joined(dialing, state)
    second = dialing.server()
    assert joined(dialing, state, name="ada2").user.name == "ada2"
    assert first.claims[0].public_key == second.claims[0].public_key
    assert len(keys_of(state)) == 1


@pytest.mark.long
def test_going_on_with_a_protected_key_asks_for_its_passphrase(dialing, state):
    dialing.server(refuse_login=NameTakenError(name="ada", server="acme-files"))
    with pytest.raises(NameTakenError):
        joined(dialing, state, passphrase="open sesame")
    with pytest.raises(KeyLockedError):
        joined(dialing, state, passphrase="ignored")

    async def ask():
        return "open sesame"

    dialing.server()
    assert joined(dialing, state, ask=ask).profile.joined


def test_a_key_that_an_earlier_try_left_unprotected_gets_the_passphrase_of_the_next(dialing, state):
    dialing.server(refuse_login=NameTakenError(name="ada", server="acme-files"))
    with pytest.raises(NameTakenError):
        joined(dialing, state)
    (file,) = keys_of(state)
    assert not key_file.is_encrypted(file.read_text())
    dialing.server()
    joined(dialing, state, passphrase="pw")
    assert keys_of(state) == [file]
    assert key_file.is_encrypted(file.read_text())


@pytest.mark.parametrize(
    "refusal",
    [
        InviteUsedError(used_at=1),
        InviteExpiredError(expired_at=1, maker="ada"),
        InviteWithdrawnError(),
        InviteUnknownError(server="acme-files"),
    ],
    ids=lambda refusal: refusal.code,
)
def test_what_was_made_for_an_invitation_that_is_void_is_put_aside(dialing, state, refusal):
    dialing.server(refuse_login=refusal)
    with pytest.raises(type(refusal)):
        joined(dialing, state)
    assert Profiles(state).all() == []
    (kept,) = (state.data / "keys" / "forgotten").glob("*.key.1")
    assert key_file.decode(kept.read_text(), str).public
    dialing.server()
    assert joined(dialing, state, replace(LINK, seed=bytes(32))).profile.name == "acme-files"


def test_another_invitation_makes_another_key_and_profile(dialing, state):
    import dataclasses

    dialing.server()
    joined(dialing, state)
    dialing.server(me=8)
    other = dataclasses.replace(LINK, seed=bytes(32))
    assert joined(dialing, state, other, name="eva").profile.name == "acme-files-2"
    assert len(keys_of(state)) == 2
    assert Profiles(state).choose().name == "acme-files"


def test_a_key_file_is_copied_as_it_is(dialing, state, tmp_path):
    text = key_file.encode(ADA_KEY, "pw", opslimit=32768, memlimit=1 << 20)
    (tmp_path / "my.key").write_text(text)
    (tmp_path / "my.key").chmod(0o600)

    async def ask():
        return "pw"

    server = dialing.server()
    joined(dialing, state, key_file=tmp_path / "my.key", ask=ask)
    assert server.claims[0].public_key == ADA_KEY.public.encode()
    (file,) = keys_of(state)
    assert file.read_text() == text
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_key_is_refused_before_anything_is_stored(dialing, state, tmp_path):
    (tmp_path / "my.key").write_text("not a key\n")
    (tmp_path / "my.key").chmod(0o600)
    with pytest.raises(KeyFormatError):
        joined(dialing, state, key_file=tmp_path / "my.key")
    assert Profiles(state).all() == []


def test_a_name_that_is_none_is_refused_before_anything_is_stored(dialing, state):
    with pytest.raises(UserNameNotAllowedError):
        joined(dialing, state, name="a/b")
    assert Profiles(state).all() == []


def test_a_server_link_joins_without_an_invitation(dialing, state):
    link = ServerLink(LINK.host, LINK.port, LINK.server_key, LINK.server_name, server_id=LINK.server_id)
    server = dialing.server()
    assert joined(dialing, state, link).profile.joined
    assert (server.claims[0].kind, server.claims[0].invitation) == ("join", None)


def test_a_link_that_is_older_than_the_servers_key_still_joins(dialing, state):
    new = ServerKey.from_seed(bytes([1]) * 32)
    note = sign_succession(SERVER_KEY, LINK.server_id, new.public, made_at=4000)
    info = msgspec.structs.replace(SERVER, public_key=new.public.point)
    dialing.server(wire=Connection.server(new, successions=[note]), info=info, key=new)
    profile = joined(dialing, state).profile
    assert (profile.server_key, profile.server_id) == (new.public.point, LINK.server_id)


def test_a_link_names_the_server_that_answers(dialing, state):
    dialing.server()
    with pytest.raises(ServerKeyChangedError):
        joined(dialing, state, replace(LINK, server_id=bytes(32)))


def test_names_are_offered_where_they_fit():
    assert suggested_user_name({"USER": "ada"}) == "ada"
    assert suggested_user_name({"LOGNAME": "a/b", "USER": "ada"}) == "ada"
    assert suggested_user_name({}) == ""
    assert suggested_device_name()


def test_a_passphrase_is_five_words_of_the_list_and_another_one_each_time():
    first, second = suggested_passphrase(), suggested_passphrase()
    assert len(first.split("-")) == 5
    assert set(first.split("-")) <= set(wordlist())
    assert first != second
