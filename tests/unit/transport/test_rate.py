"""A rate that holds on the average, on a clock that a test moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from sft.limits import CHUNK_BYTES
from sft.transport.outbox import Outbox
from sft.transport.rate import RateLimit

SECOND = 4 * CHUNK_BYTES  # bytes a second of these tests


def limited(clock: Clock, rate: int = SECOND) -> RateLimit:
    return RateLimit(clock, rate)


def test_what_waits_goes_in_turn_when_what_went_before_is_paid_for():
    clock, told = Clock(), []
    rate = limited(clock)

    def take(name: str) -> None:
        told.append((name, clock.seconds()))
        rate.spend(CHUNK_BYTES)

    for name in "abc":
        rate.when_ready(lambda name=name: take(name))
    assert told == [("a", 0.0)]
    assert not rate.ready
    clock.pump([0.125] * 8)
    assert [name for name, _ in told] == ["a", "b", "c"]
    assert [round(at / 0.125) for _, at in told] == [0, 1, 3]
    assert not clock.getDelayedCalls()


def test_what_overdraws_is_waited_for():
    clock, told = Clock(), []
    rate = limited(clock)
    rate.spend(9 * CHUNK_BYTES)  # eight more than there are
    rate.when_ready(lambda: told.append(clock.seconds()))
    clock.pump([0.5] * 3)
    assert told == []
    clock.pump([0.5] * 2)
    assert told == [2.5]


def test_what_is_given_back_lets_the_next_go():
    clock, told = Clock(), []
    rate = limited(clock)
    rate.spend(2 * CHUNK_BYTES)
    rate.when_ready(lambda: told.append(1))
    rate.give_back(2 * CHUNK_BYTES)
    assert told == [1]


def test_the_end_keeps_nobody_waiting():
    clock, told = Clock(), []
    rate = limited(clock)
    rate.spend(100 * CHUNK_BYTES)
    rate.when_ready(lambda: told.append(1))
    rate.end()
    assert told == [1]
    assert rate.ready
    assert not clock.getDelayedCalls()


def at_once(rate: RateLimit) -> int:
    """Count the chunks that go without a wait."""
    count = 0
    while rate.ready:
        rate.spend(CHUNK_BYTES)
        count += 1
    return count


def test_after_a_rest_a_tenth_of_a_second_goes_at_once_however_long_it_was_and_whatever_was_given_back():
    clock = Clock()
    rate = limited(clock, 100 * CHUNK_BYTES)
    assert at_once(rate) == 10
    clock.advance(60)
    assert at_once(rate) == 10
    rate.give_back(50 * CHUNK_BYTES)
    assert at_once(rate) == 10


def test_nobody_goes_before_who_waits_on_a_clock_that_nobody_has_looked_at():
    clock = Clock()
    rate = limited(clock)
    rate.spend(2 * CHUNK_BYTES)
    rate.when_ready(lambda: None)
    clock.rightNow = 60.0
    assert not rate.ready
    clock.advance(0)
    assert rate.ready


@given(st.lists(st.integers(1, 3 * CHUNK_BYTES), min_size=1, max_size=30), st.sampled_from([16 * 1024, 10**6, 10**9]))
def test_no_more_moves_than_the_rate_allows_and_no_less(sizes, bytes_per_second):
    clock, moved = Clock(), []
    rate = RateLimit(clock, bytes_per_second)

    def take(size: int) -> None:
        rate.spend(size)
        moved.append((clock.seconds(), size))

    for size in sizes:
        rate.when_ready(lambda size=size: take(size))
    while clock.getDelayedCalls():
        clock.advance(clock.getDelayedCalls()[0].getTime() - clock.seconds())
    assert [size for _, size in moved] == sizes
    before = 0
    for at, size in moved:
        most = max(CHUNK_BYTES, bytes_per_second * 0.1)
        assert before <= most + bytes_per_second * at + 1
        before += size
    seconds = moved[-1][0]
    assert seconds <= sum(sizes) / bytes_per_second + 1e-3 * len(sizes)


class Wire:
    def __init__(self) -> None:
        self.written = []

    def send(self, message):
        return message

    def send_data(self, request_id, chunk, last):
        return chunk

    def write(self, data):
        self.written.append(data)


class Chunks:
    def __init__(self, letter: bytes, count: int) -> None:
        self.letter, self.left = letter, count

    def sent(self, *, last: bool) -> None:
        """Be told."""

    def next_chunk(self):
        if not self.left:
            return None
        self.left -= 1
        return 1, self.letter * CHUNK_BYTES, not self.left


def test_data_leaves_at_the_rate_and_control_at_once():
    clock, wire = Clock(), Wire()
    outbox = Outbox(wire, wire, lambda: None)
    outbox.rate = limited(clock)
    outbox.attach(Chunks(b"a", 5))
    outbox.attach(Chunks(b"b", 5))
    outbox.wake()
    outbox.send(b"list")
    assert [data[:1] for data in wire.written] == [b"a", b"l"]
    clock.pump([0.25] * 4)
    assert [data[:1] for data in wire.written] == [b"a", b"l", b"b", b"a", b"b", b"a"]
    outbox.stopProducing()
    clock.pump([0.25] * 8)
    assert len(wire.written) == 6
    assert not clock.getDelayedCalls()


def test_data_that_leave_have_their_turns_beside_others_who_wait():
    clock, wire = Clock(), Wire()
    outbox = Outbox(wire, wire, lambda: None)
    outbox.rate = rate = limited(clock)

    def other() -> None:
        wire.written.append(b"other")
        rate.spend(CHUNK_BYTES)
        rate.when_ready(other)

    outbox.attach(Chunks(b"a", 4))
    rate.when_ready(other)
    outbox.wake()
    clock.pump([0.25] * 8)
    assert sum(data == b"other" for data in wire.written) in {4, 5}
    assert sum(data[:1] == b"a" for data in wire.written) == 4
