"""Somebody in the middle, with every frame in their hands, or one of the two ends itself."""

from __future__ import annotations

import itertools

import pytest

from sft.crypto.keys import ServerKey, SigningKey
from sft.crypto.sealing import deliver_session_key
from sft.errors import HandshakeFailedError, RemoteProtocolError, ServerKeyMismatchError
from sft.wire.channel import Opener, Sealer
from sft.wire.connection import Connection
from sft.wire.events import LoginRequested, MessageReceived
from sft.wire.framing import frame
from sft.wire.handshake import Claim, ClientHandshake, ServerHandshake
from sft.wire.hello import X25519, ClientHello, ServerHello
from sft.wire.messages import ListFolder, Notice, ShowSelf
from tests.wire_pairs.pair import LOGIN, SERVER_KEY, USER_KEY, WELCOME, cut, entropy, join, new_client, new_server

MALLORY = ServerKey.from_seed(bytes(32))
MALLORY_USER = SigningKey.from_seed(bytes(32), b"mallory!")


def ordered(joined) -> list[bytes]:
    return [joined.client.send(ListFolder(number, "docs")) for number in range(1, 4)]


@pytest.mark.parametrize(
    "order",
    [
        order
        for count in range(1, 5)
        for order in itertools.product(range(3), repeat=count)
        if order != tuple(range(len(order)))
    ],
    ids=lambda order: "".join(map(str, order)),
)
@pytest.mark.sampled(5)
def test_frames_dropped_repeated_or_reordered_end_the_connection(order):
    joined = join()
    frames = ordered(joined)
    for place, index in enumerate(order):
        if index != place:
            with pytest.raises(RemoteProtocolError):
                joined.server.receive(frames[index])
            break
        assert len(joined.server.receive(frames[index])) == 1
    assert joined.server.dead


def test_a_frame_that_is_sent_back_ends_the_connection():
    joined = join()
    sent = joined.client.send(ShowSelf(1))
    with pytest.raises(RemoteProtocolError):
        joined.client.receive(sent)
    sent = joined.server.send(Notice("a", {}))
    with pytest.raises(RemoteProtocolError):
        joined.server.receive(sent)


def test_hellos_that_are_sent_back_end_the_connection():
    client, server = new_client(), new_server()
    m1 = client.data_to_send()
    with pytest.raises(RemoteProtocolError):
        client.receive(m1)
    server.receive(m1)
    m2, m3 = map(frame, cut(server.data_to_send()))
    with pytest.raises(RemoteProtocolError):
        server.receive(m3)
    other = new_server()
    with pytest.raises(RemoteProtocolError):
        other.receive(m2)


def test_frames_of_another_session_of_the_same_two_end_the_connection():
    first, second = join(), join()
    with pytest.raises(RemoteProtocolError):
        second.server.receive(first.client.send(ShowSelf(1)))
    with pytest.raises(RemoteProtocolError):
        second.client.receive(first.server.send(Notice("a", {})))


def test_a_recorded_session_cannot_be_played_to_a_server_again():
    recorded = join()
    stream = recorded.client_bytes + recorded.client.send(ShowSelf(1))
    server = new_server()  # even one that draws the same randoms
    m1 = frame(cut(stream)[0])
    server.receive(m1)
    with pytest.raises(RemoteProtocolError):
        server.receive(stream[len(m1) :])
    assert not server.established


def flights(client: Connection, server: Connection) -> tuple[bytes, bytes]:
    server.receive(client.data_to_send())
    m2, m3 = cut(server.data_to_send())
    return frame(m2), frame(m3)


@pytest.mark.parametrize("splice", ["M2", "M3", "both"])
def test_two_sessions_spliced_by_a_relay(splice):
    # The same client twice, down to its randoms, and the same server.
    clients = [new_client(), new_client()]
    servers = [new_server(seed=2), new_server(seed=3)]
    (m2, m3), (other_m2, other_m3) = map(flights, clients, servers)
    victim = clients[0]
    if splice == "both":
        # All of the other's answer: a relay may do that, and only moves whom it connects to whom.
        victim.receive(other_m2 + other_m3)
        with pytest.raises(RemoteProtocolError):
            servers[0].receive(victim.data_to_send())
        return
    with pytest.raises(RemoteProtocolError):
        victim.receive((other_m2 + m3) if splice == "M2" else (m2 + other_m3))
    assert not victim.established


def test_a_login_spliced_into_another_session_of_the_same_server():
    ends = [(new_client(seed=n), new_server(seed=10 + n)) for n in (1, 2)]
    for client, server in ends:
        client.receive(b"".join(flights(client, server)))
    with pytest.raises(RemoteProtocolError):
        ends[1][1].receive(ends[0][0].data_to_send())


def test_a_server_in_the_middle_is_stopped_by_the_pin_before_anybody_is_named():
    client = new_client()
    middle = Connection.server(MALLORY)
    middle.receive(client.data_to_send())
    with pytest.raises(ServerKeyMismatchError):
        client.receive(middle.data_to_send())
    assert client.dead


def test_a_server_in_the_middle_with_a_borrowed_proof_is_stopped():
    # Mallory answers the victim with keys of her own and shows the true server's proof from a session of hers.
    victim = new_client()
    (m1,) = cut(victim.data_to_send())
    mine = ServerHandshake(MALLORY, entropy(5), operator_allowed=False)
    m2, keys = mine.answer(m1)
    theirs = new_server()
    spy = ClientHandshake(SERVER_KEY.public, LOGIN, USER_KEY, None, entropy(6))
    theirs.receive(spy.hello)
    their_m2, their_m3 = cut(theirs.data_to_send())
    opened = Opener(spy.take_answer(their_m2).server_to_client).open(their_m3)
    with pytest.raises(HandshakeFailedError):
        victim.receive(m2 + Sealer(keys.server_to_client).seal(opened))
    assert not victim.established


def test_a_server_that_people_trust_cannot_log_in_elsewhere_as_them():
    # Mallory's server is trusted by ada, who logs in there. Mallory hands on what she got to the true server, in a
    # session of her own that uses the very session key that she gave ada.
    ada = Connection.client(MALLORY.public, LOGIN, USER_KEY, entropy=entropy(1))
    (m1,) = cut(ada.data_to_send())
    mallory = ServerHandshake(MALLORY, entropy(5), operator_allowed=False)
    m2, keys = mallory.answer(m1)
    ada.receive(m2 + Sealer(keys.server_to_client).seal(mallory.proof()))
    (box,) = cut(ada.data_to_send())
    m4 = Opener(keys.client_to_server).open(box)
    assert mallory.take_login(m4) == LOGIN  # here she is ada, as she should be

    victim = new_server()
    spy = ClientHandshake(SERVER_KEY.public, LOGIN, USER_KEY, None, entropy(6))
    victim.receive(spy.hello)
    their_m2, their_m3 = cut(victim.data_to_send())
    her_keys = spy.take_answer(their_m2)
    Opener(her_keys.server_to_client).open(their_m3)
    with pytest.raises(HandshakeFailedError):
        victim.receive(Sealer(her_keys.client_to_server).seal(m4))
    assert victim.dead


def test_one_session_key_in_two_sessions_does_not_make_them_one():
    # A malicious server gives two clients one session key and the same randoms.
    clients = [new_client(seed=1), new_client(seed=2)]
    proofs = []
    for client in clients:
        (m1,) = cut(client.data_to_send())
        hello = ClientHello.decode(m1)
        acme = ServerHandshake(SERVER_KEY, entropy(5), operator_allowed=False)
        m2, keys = acme.answer(m1)
        answer = ServerHello.decode(cut(m2)[0])
        sealed = deliver_session_key(hello.shares[X25519], bytes(32))
        assert len(sealed) == len(answer.sealed_key)
        proofs.append((m2, Sealer(keys.server_to_client).seal(acme.proof())))
    with pytest.raises(RemoteProtocolError):
        clients[0].receive(proofs[0][0] + proofs[1][1])
    clients[1].receive(proofs[1][0] + proofs[1][1])
    with pytest.raises(RemoteProtocolError):
        clients[1].receive(proofs[0][1])


def test_nobody_becomes_another_by_naming_their_key():
    # The claim names ada's key; mallory signs with her own.
    server = new_server()
    spy = ClientHandshake(SERVER_KEY.public, Claim.login("ada", MALLORY_USER.public), MALLORY_USER, None, entropy(6))
    server.receive(spy.hello)
    m2, m3 = cut(server.data_to_send())
    keys = spy.take_answer(m2)
    proof = Opener(keys.server_to_client).open(m3)
    m4 = spy.take_proof(proof)
    forged = m4.replace(MALLORY_USER.public.encode(), USER_KEY.public.encode())
    assert forged != m4
    with pytest.raises(HandshakeFailedError):
        server.receive(Sealer(keys.client_to_server).seal(forged))


def test_an_operator_comes_in_at_the_control_socket_alone():
    for allowed in (False, True):
        client = new_client(Claim.operator())
        server = new_server(operator_allowed=allowed)
        client.receive(b"".join(flights(client, server)))
        m4 = client.data_to_send()
        if allowed:
            assert server.receive(m4) == [LoginRequested(Claim.operator())]
        else:
            with pytest.raises(HandshakeFailedError):
                server.receive(m4)


def test_a_byte_between_m4_and_m5_ends_the_connection():
    client, server = new_client(), new_server()
    client.receive(b"".join(flights(client, server)))
    m4 = client.data_to_send()
    with pytest.raises(RemoteProtocolError):
        server.receive(m4 + b"\x00")
    assert server.dead


def test_what_a_relay_sees_holds_no_name_key_or_content():
    joined = join()
    stream = joined.client_bytes + joined.server_bytes
    stream += joined.client.send(ListFolder(1, "a very secret folder"))
    for secret in (
        b"ada",
        b"laptop",
        b"acme-files",
        b"secret",
        USER_KEY.public.encode(),
        USER_KEY.public.point,
        SERVER_KEY.public.point,
        WELCOME.server.server_id,
    ):
        assert secret not in stream


def test_nothing_is_delivered_of_a_segment_that_holds_a_bad_frame():
    joined = join()
    good = joined.client.send(ShowSelf(1))
    bad = bytearray(joined.client.send(ShowSelf(2)))
    bad[-1] ^= 1
    received: list[object] = []
    with pytest.raises(RemoteProtocolError):
        received += joined.server.receive(good + bytes(bad))
    assert not [event for event in received if isinstance(event, MessageReceived)]
