"""How the small loop finds the address that answers, among those of a host."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack

import pytest

from sft.client.concurrency import pause
from sft.client.loop import poll_socket
from tests.unit.client.both_loops import PassingClock, run_on_poll

SECONDS = 20


@pytest.fixture
def sockets():
    with ExitStack() as stack:
        yield stack


def address(handle):
    return socket.AF_INET, handle.getsockname()


@pytest.fixture
def answers(sockets):
    return sockets.enter_context(socket.create_server(("127.0.0.1", 0)))


@pytest.fixture
def refuses():
    with socket.create_server(("127.0.0.1", 0)) as handle:
        return address(handle)


@pytest.fixture
def says_nothing(sockets):
    """A server whose queue is full: what knocks is dropped."""
    server = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    sockets.enter_context(socket.create_connection(server.getsockname()))
    return address(server)


def race(addresses, clock):
    async def act(loop):
        with await poll_socket._Race(loop, addresses, SECONDS).winner() as handle:
            return handle.getpeername()

    return run_on_poll(act, clock)


def test_the_first_that_answers_is_taken(answers, refuses):
    assert race([address(answers), refuses], PassingClock()) == answers.getsockname()


def test_after_one_that_refuses_the_next_is_tried_at_once(answers, refuses):
    clock = PassingClock()
    assert race([refuses, refuses, address(answers)], clock) == answers.getsockname()
    assert clock.now == 1000


def test_beside_one_that_says_nothing_the_next_is_tried_a_moment_later(answers, says_nothing):
    clock = PassingClock()
    clock.grant(0.3)
    assert race([says_nothing, address(answers)], clock) == answers.getsockname()
    assert clock.now == pytest.approx(1000.3)


def test_one_that_says_nothing_is_waited_for_so_long(says_nothing):
    clock = PassingClock()
    clock.grant(SECONDS)
    with pytest.raises(TimeoutError):
        race([says_nothing], clock)
    assert clock.now == 1000 + SECONDS


def test_what_is_told_is_why_the_last_did_not_answer(refuses):
    with pytest.raises(ConnectionRefusedError):
        race([(socket.AF_INET, ("127.0.0.1", 0)), refuses], PassingClock())


def test_a_cancelled_one_leaves_nothing_open(says_nothing):
    clock = PassingClock()
    clock.grant(1)
    watched = []

    async def act(loop):
        ended = []
        cancel = loop.spawn(poll_socket._Race(loop, [says_nothing, says_nothing], SECONDS).winner(), ended.append)
        await pause(loop, 0.5)
        watched.append(len(loop._watched))
        cancel()
        watched.append(len(loop._watched))
        return isinstance(ended[0], loop.cancelled)

    assert run_on_poll(act, clock)
    assert watched == [3, 1]


class Loop:
    """Watches nothing: the test says what is ready."""

    def __init__(self):
        self.later = []

    def watch(self, descriptor, events, ready):
        self.ready = ready

    def unwatch(self, descriptor):
        pass

    def callLater(self, seconds, call, *args):
        self.later.append(call)


class Producer:
    def __init__(self):
        self.told = []

    def pauseProducing(self):
        self.told.append("pause")

    def resumeProducing(self):
        self.told.append("resume")


@pytest.mark.parametrize(
    ("streaming", "small", "large", "drained"),
    [
        pytest.param(False, ["resume"], [], ["resume"], id="one that pulls"),
        pytest.param(True, [], ["pause"], ["resume"], id="one that is pushed"),
    ],
)
def test_a_producer_is_told_what_its_kind_asks_for(sockets, streaming, small, large, drained):
    ours, theirs = map(sockets.enter_context, socket.socketpair())
    ours.setblocking(False)
    theirs.setblocking(False)
    loop, producer = Loop(), Producer()
    transport = poll_socket.PollTransport(loop, ours, None)
    transport.registerProducer(producer, streaming)
    transport.write(b"x")
    assert producer.told == small
    producer.told.clear()
    transport.write(bytes(4 << 20))
    assert producer.told == large
    producer.told.clear()
    while not producer.told:
        theirs.recv(4 << 20)
        loop.ready(select.POLLOUT)
    assert producer.told == drained


def test_a_peer_that_is_gone_is_told_once_and_nobody_is_asked_for_more(sockets):
    ours, theirs = socket.socketpair()
    sockets.enter_context(ours)
    theirs.close()
    loop, producer = Loop(), Producer()
    transport = poll_socket.PollTransport(loop, ours, None)
    transport.registerProducer(producer, streaming=False)
    for _ in range(3):
        transport.write(b"x")
    assert producer.told == []
    assert loop.later == [transport._lost]
