"""A second version of the protocol stands beside the first in one attempt."""

from __future__ import annotations

import pytest

from sft.errors import LocalProtocolError, RemoteProtocolError, VersionUnknownError
from sft.wire.connection import Connection
from sft.wire.events import LoginRequested, MessageReceived, Welcomed
from sft.wire.framing import frame
from sft.wire.hello import ML_KEM_768, X25519
from sft.wire.messages import ANSWERS, ClientMessage, Codec, ServerMessage
from sft.wire.replies import Reply
from sft.wire.requests import Request
from sft.wire.versions import VERSIONS, ProtocolVersion
from tests.wire_pairs.pair import LOGIN, SERVER_KEY, USER_KEY, WELCOME, cut, entropy


class Hail(Request, tag=120):
    greeting: str


class Hailed(Reply, tag=121):
    greeting: str


(V1,) = VERSIONS
V2 = ProtocolVersion(
    2, (X25519, ML_KEM_768), Codec(ClientMessage | Hail, ServerMessage | Hailed, {**ANSWERS, Hail: frozenset({Hailed})})
)
NEITHER = ProtocolVersion(77, V1.groups, V1.codec)
HUNGRY = ProtocolVersion(3, (X25519, ML_KEM_768, 0x6399), V1.codec)


def client_of(*versions: ProtocolVersion) -> Connection:
    return Connection.client(SERVER_KEY.public, LOGIN, USER_KEY, entropy=entropy(1), versions=versions)


def server_of(*versions: ProtocolVersion) -> Connection:
    return Connection.server(SERVER_KEY, entropy=entropy(2), versions=versions)


def joined(client: Connection, server: Connection) -> tuple[Connection, Connection]:
    server.receive(client.data_to_send())
    client.receive(server.data_to_send())
    (asked,) = server.receive(client.data_to_send())
    assert isinstance(asked, LoginRequested)
    (welcomed,) = client.receive(server.welcome(WELCOME))
    assert isinstance(welcomed, Welcomed)
    return client, server


@pytest.mark.parametrize(
    "offered,spoken,chosen",
    [
        ((V2, V1), (V2, V1), 2),
        ((V2, V1), (V1, V2), 2),  # what the client likes best
        ((V1, V2), (V2, V1), 1),
        ((V2, V1), (V1,), 1),
        ((V1,), (V2, V1), 1),
        ((NEITHER, V2), (V2, V1), 2),
    ],
)
def test_one_attempt_finds_the_best_version_of_both(offered, spoken, chosen):
    client, server = client_of(*offered), server_of(*spoken)
    assert (client.version, server.version) == (0, 0)
    joined(client, server)
    assert (client.version, server.version) == (chosen, chosen)


def test_both_versions_begin_with_the_same_hello():
    assert client_of(V2, V1).data_to_send() == client_of(V2, V1).data_to_send()
    m1 = client_of(V2, V1).data_to_send()
    for spoken, chosen in (((V1,), 1), ((V2, V1), 2)):
        server = server_of(*spoken)
        server.receive(m1)
        assert server.version == chosen


def test_messages_are_those_of_the_version_that_is_spoken():
    client, server = joined(client_of(V2, V1), server_of(V2, V1))
    (heard,) = server.receive(client.send(Hail(1, "hello")))
    assert isinstance(heard, MessageReceived)
    assert heard.message == Hail(1, "hello")
    (answered,) = client.receive(server.send(Hailed(1, "good day")))
    assert isinstance(answered, MessageReceived)
    assert answered.message == Hailed(1, "good day")


def test_a_version_does_not_know_the_messages_of_another():
    client, server = joined(client_of(V2, V1), server_of(V1))
    with pytest.raises(LocalProtocolError):
        client.send(Hail(1, "hello"))
    with pytest.raises(LocalProtocolError):
        server.send(Hailed(1, "good day"))
    client._speaks = V2
    with pytest.raises(RemoteProtocolError):
        server.receive(client.send(Hail(1, "hello")))


def offers(m1: bytes, versions: bytes) -> bytes:
    (body,) = cut(m1)
    end = 5 + 2 * body[4]
    return frame(body[:4] + bytes([len(versions) // 2]) + versions + body[end:])


@pytest.mark.parametrize("versions", [b"\x00\x01", b"\x00\x01\x00\x02", b"\x00\x02\x00\x01\x00\x63"])
def test_offers_that_were_changed_on_the_way_end_the_attempt(versions):
    client, server = client_of(V2, V1), server_of(V2, V1)
    server.receive(offers(client.data_to_send(), versions))
    with pytest.raises(RemoteProtocolError):
        client.receive(server.data_to_send())
    assert not client.established
    assert not client._outgoing  # nobody was named


def test_a_choice_that_was_changed_on_the_way_ends_the_attempt():
    client, server = client_of(V2, V1), server_of(V2, V1)
    server.receive(client.data_to_send())
    m2, m3 = cut(server.data_to_send())
    with pytest.raises(RemoteProtocolError):
        client.receive(frame(b"\x00\x01" + m2[2:]) + frame(m3))
    assert client.dead


def test_a_key_share_that_was_added_on_the_way_ends_the_attempt():
    client, server = client_of(V1), server_of(V1)
    (m1,) = cut(client.data_to_send())
    server.receive(frame(m1 + b"\x63\x99\x00\x03abc"))  # of a group that this server does not know
    with pytest.raises(RemoteProtocolError):
        client.receive(server.data_to_send())


@pytest.mark.parametrize("number", [0, 2, 256, 65535])
def test_a_client_refuses_a_version_that_it_did_not_offer(number):
    client, server = client_of(V1), server_of(V1)
    server.receive(client.data_to_send())
    m2, _ = cut(server.data_to_send())
    with pytest.raises(VersionUnknownError) as caught:
        client.receive(frame(number.to_bytes(2, "big") + m2[2:]))
    assert caught.value.values == {"theirs": str(number), "ours": "1"}


def test_without_a_version_in_common_the_server_says_nothing():
    server = server_of(V1)
    with pytest.raises(VersionUnknownError) as caught:
        server.receive(client_of(V2, NEITHER).data_to_send())
    assert caught.value.values == {"theirs": "2, 77", "ours": "1"}
    assert server.dead
    assert not server._outgoing


def test_a_version_needs_its_key_shares():
    with pytest.raises(RemoteProtocolError):
        server_of(HUNGRY).receive(client_of(HUNGRY).data_to_send())
