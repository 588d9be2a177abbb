from __future__ import annotations

from sft.transport.outbox import Outbox


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
    outbox = Outbox(Seal(), wire, lambda: told.append((outbox.paused, outbox.waiting_bytes)))
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
    assert told == [(True, 0), (True, 100), (True, 200), (False, 0)]


def test_nothing_is_written_after_the_end():
    outbox, wire, _ = box()
    outbox.attach(Chunks(1, 5))
    outbox.stopProducing()
    outbox.send(b"late")
    outbox.write(b"late")
    outbox.wake()
    assert wire.written == []
