"""Every byte of a handshake, changed: nobody is ever established on a transcript that the other end does not share."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sft.errors import RemoteProtocolError
from sft.wire.connection import Connection
from sft.wire.events import LoginRequested, ServerProved, Welcomed
from tests.wire_pairs.pair import JOIN, LOGIN, SERVER_KEY, USER_KEY, WELCOME, copied, entropy, new_client, new_server

# Each so many bytes are changed: each single one takes long.
steps = pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.long)])


def flips(data: bytes, more: int, seed: int, step: int) -> Iterator[bytes]:
    """Change every byte once, or every so many, in a bit of its own choice, and then so many random bits more."""
    chance = random.Random(seed)
    places = [*range(0, len(data), step), *(chance.randrange(len(data)) for _ in range(more // step))]
    for at in places:
        changed = bytearray(data)
        changed[at] ^= 1 << chance.randrange(8)
        yield bytes(changed)


def refused_or_waiting(end: Connection, data: bytes, forbidden: type) -> None:
    """Feed changed bytes: a fault of the peer, or (a longer length) a wait for more; never an event."""
    try:
        events = end.receive(data)
    except RemoteProtocolError:
        assert end.dead
    else:
        assert not [event for event in events if isinstance(event, forbidden)]
    assert not end.established


@steps
@pytest.mark.parametrize("claim", [LOGIN, JOIN], ids=["login", "join"])
def test_a_changed_m1_is_answered_to_nobody(claim, step):
    client = new_client(claim)
    m1 = client.data_to_send()
    answered = 0
    for number, changed in enumerate(flips(m1, 200, seed=11, step=step)):
        server = new_server(seed=number)
        try:
            server.receive(changed)
        except RemoteProtocolError:
            continue
        answer = server.data_to_send()
        if not answer:
            continue  # a longer length: it waits
        answered += 1
        if number % 4:
            continue  # a client costs as much as the rest; a quarter of them shows the same
        fresh = new_client(claim)
        assert fresh.data_to_send() == m1
        with pytest.raises(RemoteProtocolError):
            fresh.receive(answer)
        assert not fresh.established
    assert answered > 500 // step  # randoms and keys: changed, and read nevertheless


@steps
def test_a_changed_m2_or_m3_proves_nothing(step):
    first, server = new_client(), new_server()
    server.receive(first.data_to_send())
    answer = server.data_to_send()
    first.receive(answer)
    assert first.data_to_send()
    for changed in flips(answer, 500, seed=12, step=step):
        client = new_client()
        client.data_to_send()
        refused_or_waiting(client, changed, ServerProved)
        if not client.dead:
            assert client.data_to_send() == b""


@steps
@pytest.mark.parametrize("claim", [LOGIN, JOIN], ids=["login", "join"])
def test_a_changed_m4_logs_nobody_in(claim, step):
    client, server = new_client(claim), new_server()
    server.receive(client.data_to_send())
    client.receive(server.data_to_send())
    m4 = client.data_to_send()
    for changed in flips(m4, 300, seed=13, step=step):
        refused_or_waiting(copied(server), changed, LoginRequested)
    assert server.receive(m4) == [LoginRequested(claim)]


@steps
def test_a_changed_m5_welcomes_nobody(step):
    client, server = new_client(), new_server()
    server.receive(client.data_to_send())
    client.receive(server.data_to_send())
    server.receive(client.data_to_send())
    m5 = server.welcome(WELCOME)
    for changed in flips(m5, 300, seed=14, step=step):
        refused_or_waiting(copied(client), changed, Welcomed)
    assert client.receive(m5) == [Welcomed(WELCOME)]


def test_the_recording_itself_is_accepted_once_more_by_the_same_ends():
    # What is copied and made again above is the very same end: unchanged bytes do establish.
    client, server = new_client(), new_server()
    m1 = client.data_to_send()
    server.receive(m1)
    answer = server.data_to_send()
    again = Connection.client(SERVER_KEY.public, LOGIN, USER_KEY, entropy=entropy(1))
    assert again.data_to_send() == m1
    assert again.receive(answer) == [ServerProved(SERVER_KEY.public)]
    waiting = copied(server)
    assert waiting.receive(again.data_to_send()) == [LoginRequested(LOGIN)]
