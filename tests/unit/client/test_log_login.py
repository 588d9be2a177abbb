"""Logins of a server with a log: what this computer saw is asked for, and what does not go on it stops it for good."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sft.client import connecting, joining
from sft.client.connecting import log_in_again
from sft.client.connection import ServerConnection
from sft.client.heads import Head, Heads
from sft.client.pins import Pins, own_pin
from sft.client.profiles import Profiles
from sft.client.session import Session
from sft.client.statements import sign_act
from sft.crypto.comment import NO_HEAD
from sft.errors import (
    LocalProtocolError,
    LogForkedError,
    LogProofError,
    LogRestartedError,
    LogWentBackError,
    OwnKeyUnknownError,
)
from sft.ledger.slots import KeyEnd, SlotKey
from sft.model.access import Role
from sft.model.links import InvitationLink, LinkHead
from sft.model.records import DeviceKey, UserState
from tests.unit.client.log_in_memory import LogInMemory
from tests.unit.client.memory_server import ADA_KEY, MALLORY_KEY, SERVER, SERVER_KEY
from tests.unit.client.test_dialing import dial, known  # noqa: F401 - a fixture
from tests.unit.client.test_joining import LINK, joined


def grown(size, *, other_from=None, **fields):
    log = LogInMemory(SERVER_KEY, **fields)
    log.user(7, "ada", ADA_KEY.public.encode())
    while log.size < size:
        log.append(time=2000 if other_from is not None and log.size >= other_from else 1000)
    return log


def serve(dialing, log, **fields):
    """Let the next connection meet a server that goes on with a log."""
    server = dialing.server(**fields)
    server.log = log
    return server


def kept(state):
    return Heads(state, SERVER.server_id).read()


def head_of(log, size=None):
    return Head(log.checkpoint(size), log.note(size))


@pytest.fixture
def log():
    log = grown(4)
    log.user(7, "ada", ADA_KEY.public.encode())
    return log


def test_the_first_login_names_nothing_and_keeps_the_head(dialing, state, known, log):  # noqa: F811
    server = serve(dialing, log)
    session = dial(dialing, state, known)
    assert server.claims[0].log_sizes == ()
    assert kept(state) == [head_of(log)]
    assert session.head_text == log.checkpoint().head_text()


def test_the_next_one_names_it_and_keeps_the_newer_one_alone(dialing, state, known, log):  # noqa: F811
    serve(dialing, log)
    dial(dialing, state, known)
    at = log.size
    log.append()
    server = serve(dialing, log)
    dial(dialing, state, known)
    assert server.claims[0].log_sizes == (at,)
    assert kept(state) == [head_of(log)]


def test_two_sessions_side_by_side_are_both_proved_by_the_next_login(dialing, state, known, log):  # noqa: F811
    Heads(state, SERVER.server_id).keep(head_of(log, 2))
    Heads(state, SERVER.server_id).keep(head_of(log, 3))
    server = serve(dialing, log)
    dial(dialing, state, known)
    assert server.claims[0].log_sizes == (2, 3)
    assert kept(state) == [head_of(log)]


def test_a_session_that_lags_behind_what_another_one_keeps_is_no_alarm(dialing, state, known, log):  # noqa: F811
    serve(dialing, log)
    session = dial(dialing, state, known)
    before, at = head_of(log), log.size
    log.append()
    Heads(state, SERVER.server_id).keep(head_of(log), [before])  # another process, meanwhile
    dialing.run(session.keep_head())
    assert kept(state) == [head_of(log)]
    later = grown(4)
    assert later.size < at
    session.log.require_sound()


LIES = [
    (lambda log: log.size - 1, {}, LogWentBackError),
    (lambda log: log.size, {"other_from": 2}, LogForkedError),
    (lambda log: log.size + 3, {"other_from": 2}, LogProofError),
]


@pytest.mark.parametrize(("size", "fields", "error"), LIES)
def test_a_log_that_does_not_go_on_it_is_kept_as_evidence_and_stops_every_later_command(
    dialing, state, known, log, size, fields, error  # noqa: F811
):  # fmt: skip
    serve(dialing, log)
    dial(dialing, state, known)
    fork = grown(size(log), **fields)
    serve(dialing, fork)
    with pytest.raises(error) as caught:
        dial(dialing, state, known)
    text = Path(caught.value.values["evidence"]).read_text("utf-8")
    assert log.note() in text
    assert fork.note() in text
    assert kept(state) == [head_of(log)], "what was seen is not forgotten for it"
    honest = serve(dialing, log)
    with pytest.raises(error):
        dial(dialing, state, known)
    assert honest.claims == [], "nothing was sent"


def test_a_server_without_a_log_that_had_one_is_refused(dialing, state, known, log):  # noqa: F811
    serve(dialing, log)
    dial(dialing, state, known)
    serve(dialing, log, has_log=False)
    with pytest.raises(LogProofError):
        dial(dialing, state, known)


def test_a_server_without_a_log_is_refused_at_first_sight_too(dialing, state, known, log):  # noqa: F811
    serve(dialing, log, has_log=False)
    with pytest.raises(LogProofError):
        dial(dialing, state, known)


def test_another_epoch_stops_each_login_and_leaves_no_mark(dialing, state, known, log):  # noqa: F811
    serve(dialing, log)
    dial(dialing, state, known)
    for _ in range(2):
        serve(dialing, grown(9, epoch=2))
        with pytest.raises(LogRestartedError):
            dial(dialing, state, known)
    serve(dialing, log)
    dial(dialing, state, known)


def test_a_refused_login_keeps_no_head(dialing, state, known, log):  # noqa: F811
    wrong = msgspec.structs.replace(SERVER, server_id=bytes(32))
    serve(dialing, log, info=wrong)
    with pytest.raises(Exception, match="server"):
        dial(dialing, state, known)
    assert kept(state) == []


# -- joining ------------------------------------------------------------------------------------------


def invitation(log, size, **fields):
    seen = log.checkpoint(size)
    return msgspec_replace(LINK, head=LinkHead(seen.origin.epoch, seen.size, seen.root), **fields)


def msgspec_replace(link, **fields):
    import dataclasses

    return dataclasses.replace(link, **fields)


def test_who_joins_is_shown_no_shorter_log_than_the_invitation_names(dialing, state, log):
    server = serve(dialing, log)
    assert isinstance(LINK, InvitationLink)
    done = joined(dialing, state, invitation(log, 3))
    assert server.claims[0].log_sizes == (3,)
    assert done.profile.joined
    assert kept(state)[-1].checkpoint.size >= log.size - 1
    assert len(kept(state)) == 1


@pytest.mark.parametrize(
    ("shown", "error"),
    [
        (grown(2), LogWentBackError),
        (grown(3, other_from=1), LogForkedError),
        (grown(9, other_from=1), LogProofError),
        (grown(9, epoch=2), LogRestartedError),
    ],
)
def test_who_joins_is_shown_no_other_log_than_the_invitation_names(dialing, state, log, shown, error):
    serve(dialing, shown)
    with pytest.raises(error):
        joined(dialing, state, invitation(log, 3))
    assert kept(state) == []
    assert not any(profile.joined for profile in Profiles(state).all())
    assert joining.pending(state, LINK) is not None


def test_a_server_that_shows_no_log_to_whom_an_invitation_named_one_is_refused(dialing, state, log):
    serve(dialing, log, has_log=False)
    with pytest.raises(LogProofError):
        joined(dialing, state, invitation(log, 3))


# -- our own place --------------------------------------------------------------------------------------


MALLORY = MALLORY_KEY.public.encode()


def with_key(server, *keys):
    """Have the registry say the same of ada as the log."""
    server.users[7] = msgspec.structs.replace(server.users[7], keys=keys)


def second_device(leaf, endorsement=b""):
    first = DeviceKey(1, ADA_KEY.public.encode(), "laptop", 1000)
    return first, DeviceKey(2, MALLORY, "desktop", 1000, start_leaf=leaf, endorsement=endorsement)


def test_a_key_of_ours_that_nobody_vouches_for_is_an_alarm_at_each_login(dialing, state, known, log):  # noqa: F811
    leaf = log.size
    log.user(7, "ada", ADA_KEY.public.encode(), SlotKey(MALLORY, leaf))
    for _ in range(2):
        with_key(serve(dialing, log), *second_device(leaf))
        with pytest.raises(OwnKeyUnknownError) as caught:
            dial(dialing, state, known)
        assert caught.value.values["shown"] == MALLORY_KEY.public.words()
    with_key(serve(dialing, log), *second_device(leaf))
    session = dial(dialing, state, known, unknown_keys=True)
    assert [key.public_key for key in session.unknown_own_keys()] == [MALLORY]
    assert session.pins.accept("ada") == [MALLORY]
    serve(dialing, log)
    assert dial(dialing, state, known).unknown_own_keys() == []


def test_a_key_that_was_ours_for_a_while_without_our_knowing_is_an_alarm_too(dialing, state, known, log):  # noqa: F811
    """What it signed meanwhile is ours to everybody who never saw a key of ours."""
    leaf = log.size
    log.user(7, "ada", ADA_KEY.public.encode(), SlotKey(MALLORY, leaf, leaf + 1, None, KeyEnd.RETIRED))
    first, second = second_device(leaf)
    over = msgspec.structs.replace(second, ended_at=2000, end_leaf=leaf + 1, end_reason=KeyEnd.RETIRED)
    with_key(serve(dialing, log), first, over)
    with pytest.raises(OwnKeyUnknownError):
        dial(dialing, state, known)


def test_a_key_that_was_a_thiefs_from_the_beginning_signed_nothing_that_counts(dialing, state, known, log):  # noqa: F811
    leaf = log.size
    log.user(7, "ada", ADA_KEY.public.encode(), SlotKey(MALLORY, leaf, leaf + 1, leaf, KeyEnd.COMPROMISED))
    serve(dialing, log)
    assert dial(dialing, state, known).unknown_own_keys() == []


def test_who_comes_back_is_told_of_a_key_of_ours_that_appeared_meanwhile(dialing, state, known, log):  # noqa: F811
    serve(dialing, log)
    before = dial(dialing, state, known)
    leaf = log.size
    log.user(7, "ada", ADA_KEY.public.encode(), SlotKey(MALLORY, leaf))
    with_key(serve(dialing, log), *second_device(leaf))
    with pytest.raises(OwnKeyUnknownError):
        dialing.run(log_in_again(dialing.reactor, before))
    before.looks_at_keys = True
    with_key(serve(dialing, log), *second_device(leaf))
    assert dialing.run(log_in_again(dialing.reactor, before)).looks_at_keys


def test_a_key_of_ours_that_this_one_vouches_for_is_taken_and_said_once(dialing, state, known, log):  # noqa: F811
    leaf = log.size
    log.user(7, "ada", ADA_KEY.public.encode(), SlotKey(MALLORY, leaf))
    endorsement = sign_act(
        ADA_KEY, "key-add", {"key": MALLORY, "device": "desktop"},
        server_id=SERVER.server_id, user_id=7, now=1, head=NO_HEAD,
    )  # fmt: skip
    with_key(serve(dialing, log), *second_device(leaf, endorsement))
    session = dial(dialing, state, known)
    assert MALLORY in session.pins.people[7].keys
    assert [key.public_key for key in session.added_keys] == [MALLORY]
    with_key(serve(dialing, log), *second_device(leaf, endorsement))
    assert dial(dialing, state, known).added_keys == ()


@pytest.mark.parametrize(
    "slot",
    [
        {"name": "eve"},
        {"role": Role.ADMIN},
        {"state": UserState.DISABLED},
        {"keys": (MALLORY,)},
        {"keys": (SlotKey(ADA_KEY.public.encode(), 0, 2, None, KeyEnd.RETIRED),)},
    ],
)
def test_a_log_that_has_us_as_somebody_else_than_was_let_in_is_refused(dialing, state, known, log, slot):  # noqa: F811
    said = {"name": "ada", "keys": (ADA_KEY.public.encode(),), **slot}
    log.user(7, said.pop("name"), *said.pop("keys"), **said)
    serve(dialing, log)
    with pytest.raises(LogProofError):
        dial(dialing, state, known)


def test_a_login_without_our_own_place_is_refused(dialing, state, known):  # noqa: F811
    serve(dialing, LogInMemory(SERVER_KEY), has_everybody=False)
    with pytest.raises(LogProofError):
        dial(dialing, state, known)


def test_a_role_that_changed_is_said_once(dialing, state, known, log):  # noqa: F811
    known = Profiles(state).update(known.name, role="guest")
    serve(dialing, log)
    assert dial(dialing, state, known).role_before == "guest"
    serve(dialing, log)
    assert dial(dialing, state, Profiles(state).choose()).role_before == ""


def test_who_comes_back_looks_at_their_own_place_too(dialing, state, known, log):  # noqa: F811
    with_key(serve(dialing, log), *second_device(log.size)[:1])
    session = dial(dialing, state, known)
    leaf = log.size
    log.user(7, "ada", ADA_KEY.public.encode(), SlotKey(MALLORY, leaf))
    with_key(serve(dialing, log), *second_device(leaf))
    with pytest.raises(OwnKeyUnknownError):
        dialing.run(log_in_again(dialing.reactor, session, random=lambda: 0.5))


def test_who_comes_back_holds_the_server_to_all_that_the_lost_session_was_told(dialing, state, known, log):  # noqa: F811
    serve(dialing, log)
    session = dial(dialing, state, known)
    put_back, at = grown(log.size - 1), log.size
    put_back.user(7, "ada", ADA_KEY.public.encode())
    assert put_back.root(at) == log.root(at)
    log.append()
    session.log.follow(log.note(), log.consistency(at))
    serve(dialing, put_back)
    with pytest.raises(LogWentBackError):
        dialing.run(log_in_again(dialing.reactor, session, random=lambda: 0.5))


# -- without a log ------------------------------------------------------------------------------------------


def test_a_users_connection_that_follows_no_log_is_no_session(server, state, profile):
    """What would be proved by nothing is not asked for: nobody forgets to look."""
    connection = ServerConnection(server.clock, server.connection._wire, server.pool, log=None)
    pins = Pins(state, profile.server_id, own_pin(profile))
    with pytest.raises(LocalProtocolError):
        Session(connection, state, profile, ADA_KEY, pins, server.pool, owns_pool=False)


def test_only_the_operators_connection_follows_no_log(dialing, state, known, monkeypatch, log):  # noqa: F811
    made = connecting.ServerConnection
    without = lambda *arguments, **fields: made(*arguments, **{**fields, "log": None})
    monkeypatch.setattr(connecting, "ServerConnection", without)
    serve(dialing, log)
    with pytest.raises(LocalProtocolError, match="a user's session"):
        dial(dialing, state, known)
