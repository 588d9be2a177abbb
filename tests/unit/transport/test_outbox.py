from __future__ import annotations

import socket

import pytest

from sft.transport.outbox import Outbox
from sft.wire.connection import DATA_FRAME_BYTES as FULL


class Seal:
    """Stands for a connection: marks what it seals."""

    def send(self, message):
        return b"control:" + message

    def send_data(self, request_id, chunk, last):
        return b"%d:%s:%d;" % (request_id, chunk, last)


class Wire:
    def __init__(self):
        self.written = []

    def write(self, data):
        self.written.append(data)


class Chunks:
    def __init__(self, request_id, count):
        self.request_id, self.left = request_id, count

    def sent(self, *, last):
        self.told = last

    def next_chunk(self):
        if not self.left:
            return None
        self.left -= 1
        return self.request_id, b"c", self.left == 0


def box():
    told = []
    wire = Wire()
    outbox = Outbox(Seal(), wire, lambda: told.append(outbox.waiting_bytes))
    return outbox, wire, told


def test_transfers_take_turns_chunk_by_chunk():
    outbox, wire, _ = box()
    outbox.attach(Chunks(1, 3))
    outbox.attach(Chunks(2, 3))
    outbox.wake()
    assert [data[:1] for data in wire.written] == [b"1", b"2", b"1", b"2", b"1", b"2"]


def test_control_goes_ahead_of_data_even_while_paused():
    outbox, wire, _ = box()
    outbox.attach(Chunks(1, 3))
    outbox.pauseProducing()
    outbox.wake()
    assert wire.written == []
    outbox.send(b"list")
    assert wire.written == [b"control:list"]
    outbox.resumeProducing()
    assert len(wire.written) == 4


def test_a_pause_in_the_middle_stops_data_at_once():
    outbox, _, _ = box()

    class Full(Wire):
        def write(self, data):
            super().write(data)
            outbox.pauseProducing()

    full = Full()
    outbox._transport = full
    outbox.attach(Chunks(1, 5))
    outbox.wake()
    assert len(full.written) == 1


def test_what_a_peer_does_not_take_is_counted_while_the_transport_is_full():
    outbox, _, told = box()
    outbox.send(b"x" * 92)
    assert told == []
    outbox.pauseProducing()
    outbox.send(b"x" * 92)
    outbox.write(b"x" * 100)
    outbox.resumeProducing()
    assert told == [FULL, FULL + 100, FULL + 200, 0]


def test_nothing_is_written_after_the_end():
    outbox, wire, _ = box()
    outbox.attach(Chunks(1, 5))
    outbox.stopProducing()
    outbox.send(b"late")
    outbox.write(b"late")
    outbox.wake()
    assert wire.written == []


# -- with a socket ----------------------------------------------------------------------------------------


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


class Large(Chunks):
    def next_chunk(self):
        found = super().next_chunk()
        return found and (found[0], bytes(65_536), found[2])


def direct_box(ours):
    told = []
    wire = Wire()
    outbox = Outbox(Seal(), wire, lambda: told.append(outbox.waiting_bytes), direct=ours)
    return outbox, wire, told


def test_a_chunk_that_the_socket_takes_never_lies_in_the_transport(ends):
    outbox, wire, told = direct_box(ends[0])
    outbox.attach(Chunks(1, 2))
    outbox.wake()
    assert ends[1].recv(100) == b"1:c:0;1:c:1;"
    assert (wire.written, told, outbox.waiting_bytes) == ([], [], 0)


def test_the_rest_of_a_chunk_waits_in_the_transport_and_no_data_follow_before_it_has_left(ends):
    outbox, wire, _ = direct_box(ends[0])
    source = Large(1, 1000)
    outbox.attach(source)
    outbox.wake()
    sent = 1000 - source.left
    assert 1 <= sent < 1000
    assert outbox.waiting_bytes == len(wire.written[0])
    outbox.wake()
    assert 1000 - source.left == sent
    ends[1].setblocking(False)
    taken = bytearray()
    while len(taken) + outbox.waiting_bytes < sent * len(Seal().send_data(1, bytes(65_536), last=False)):
        taken += ends[1].recv(1 << 20)
    whole = bytes(taken) + b"".join(wire.written)
    assert whole == Seal().send_data(1, bytes(65_536), last=False) * sent
    outbox.resumeProducing()
    assert 1000 - source.left > sent


def test_data_wait_for_a_control_message_that_the_transport_holds(ends):
    outbox, wire, _ = direct_box(ends[0])
    outbox.send(b"first")
    outbox.attach(Chunks(1, 1))
    outbox.wake()
    assert wire.written == [b"control:first"]
    outbox.resumeProducing()
    assert ends[1].recv(100) == b"1:c:1;"


def test_a_broken_socket_is_left_for_the_transport_to_meet(ends):
    outbox, wire, _ = direct_box(ends[0])
    ends[0].close()
    outbox.attach(Chunks(1, 2))
    outbox.wake()
    assert wire.written == [b"1:c:0;"]


def test_what_a_peer_does_not_take_is_counted_from_a_frame_on(ends):
    outbox, _, told = direct_box(ends[0])
    outbox.write(b"x" * 100)
    assert told == []
    outbox.write(b"x" * (FULL - 100))
    assert told == [FULL]
    outbox.resumeProducing()
    assert told == [FULL, 0]
