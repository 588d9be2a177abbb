"""However the network cuts and shortens the stream."""

from __future__ import annotations

import random

import pytest

from sft.errors import LocalProtocolError, RemoteProtocolError, StreamTruncatedError
from sft.limits import CHUNK_BYTES
from sft.wire.events import DataReceived, MessageReceived, PeerClosed
from sft.wire.messages import BeginUpload, CommitUpload, ListFolder, PutFiles, SmallPut
from tests.wire_pairs.pair import JOIN, LOGIN, WELCOME, copied, deliver, join, new_client, new_server

CONTENT = random.Random(7).randbytes(3 * CHUNK_BYTES + 12_345)


def upload(client):
    """A small conversation of every kind of frame."""
    chunks = [CONTENT[at : at + CHUNK_BYTES] for at in range(0, len(CONTENT), CHUNK_BYTES)]
    sent = client.send(ListFolder(1, "docs")) + client.send(PutFiles(2, (SmallPut("a", b"sig", b"content"),)))
    sent += client.send(BeginUpload(3, "b", bytes(16), 1, len(CONTENT), 8, bytes(16))) + client.rekey()
    for chunk in chunks[:-1]:
        sent += client.send_data(3, chunk, last=False)
    sent += client.send_data(3, chunks[-1], last=True)
    return sent + client.send(CommitUpload(3, bytes(64), b"sig")) + client.close()


@pytest.mark.parametrize("claim", [LOGIN, JOIN], ids=["login", "join"])
@pytest.mark.parametrize("segment", [1, 2, 3, 5, 1024])
def test_a_handshake_in_small_pieces(claim, segment):
    whole, cut = join(claim), join(claim, segment=segment)
    assert cut.client_events == whole.client_events
    assert cut.server_events == whole.server_events
    assert cut.client.established
    assert cut.server.established


@pytest.mark.parametrize("segment", [1, 7, 4096, 65_536, 262_144, 0])
def test_a_conversation_in_pieces(segment):
    joined = join()
    events = deliver(joined.server, upload(joined.client), segment)
    data = [event for event in events if isinstance(event, DataReceived)]
    assert b"".join(event.chunk for event in data) == CONTENT
    assert [event.last for event in data] == [False, False, False, True]
    assert [type(event).__name__ for event in events if not isinstance(event, DataReceived)] == [
        *["MessageReceived"] * 4,
        "PeerClosed",
    ]


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.long)])
def test_a_handshake_cut_anywhere_establishes_nothing(step):
    for flight in ("M1", "M2 and M3", "M4", "M5"):
        length = _cut_in(flight, None)
        for at in range(0, length, step):
            _cut_in(flight, at)


def _cut_in(flight: str, at: int | None) -> int:
    """Run up to a flight, deliver so much of it and then the end of the stream."""
    client, server = new_client(), new_server()
    data, receiver = client.data_to_send(), server
    if flight != "M1":
        server.receive(data)
        data, receiver = server.data_to_send(), client
        if flight != "M2 and M3":
            client.receive(data)
            data, receiver = client.data_to_send(), server
            if flight == "M5":
                server.receive(data)
                data, receiver = server.welcome(WELCOME), client
    if at is not None:
        receiver.receive(data[:at])
        with pytest.raises(StreamTruncatedError):
            receiver.receive_eof()
        assert not receiver.established
    return len(data)


def test_a_conversation_cut_anywhere_delivers_only_what_is_whole():
    joined = join()
    client = joined.client
    first, second = client.send(ListFolder(1, "docs")), client.send(PutFiles(2, (SmallPut("a", b"s", b"c"),)))
    stream = first + second + client.close()
    for at in range(len(stream)):
        server = copied(joined.server)
        events = server.receive(stream[:at])
        expected = (at >= len(first)) + (at >= len(first) + len(second))
        assert len(events) == expected
        assert all(isinstance(event, MessageReceived) for event in events)
        with pytest.raises(StreamTruncatedError):
            server.receive_eof()
        with pytest.raises(LocalProtocolError):
            server.receive(stream[at:])
    server = copied(joined.server)
    assert server.receive(stream)[-1] == PeerClosed()
    server.receive_eof()


def test_a_byte_after_close_is_refused():
    joined = join()
    with pytest.raises(RemoteProtocolError):
        joined.server.receive(joined.client.close() + b"\x00")
