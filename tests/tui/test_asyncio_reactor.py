from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from twisted.logger import globalLogPublisher

from tui.runtime.asyncio_reactor import QuickReactor
from tui.runtime.input_priority import InputPriority


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def priority(loop) -> InputPriority:
    return InputPriority(loop.time)


@pytest.fixture
def reactor(loop, priority) -> Iterator[QuickReactor]:
    reactor = QuickReactor(loop, priority)
    yield reactor
    for reader in reactor.removeAll():
        reader.connectionLost(None)


def one_turn(loop) -> None:
    loop.call_soon(loop.stop)
    loop.run_forever()


def test_what_comes_back_from_a_thread_runs_in_the_next_turn(loop, reactor):
    came = []
    reactor.callFromThread(came.append, 1)
    reactor.callFromThread(came.append, 2)
    assert came == []
    one_turn(loop)
    assert came == [1, 2]


def test_what_fails_goes_to_the_log_and_stops_nothing(loop, reactor):
    came, told = [], []
    globalLogPublisher.addObserver(told.append)
    reactor.callFromThread(lambda: 1 / 0)
    reactor.callFromThread(came.append, 1)
    one_turn(loop)
    globalLogPublisher.removeObserver(told.append)
    assert came == [1]
    assert [event["log_failure"].type for event in told] == [ZeroDivisionError]


def test_beside_a_key_one_call_goes_and_the_others_follow_in_their_order(loop, reactor, priority, monkeypatch):
    now = 100.0
    monkeypatch.setattr(loop, "time", lambda: now)
    monkeypatch.setattr(priority, "clock", lambda: now)
    priority.keys = SimpleNamespace(last_key_at=now)
    came: list[int] = []
    for number in range(3):
        reactor.callFromThread(came.append, number)
    one_turn(loop)
    assert came == [0]
    now += 0.009
    one_turn(loop)
    assert came == [0]
    now += 0.002
    one_turn(loop)
    one_turn(loop)
    assert came == [0, 1]
    now += 0.1  # the key is answered
    one_turn(loop)
    one_turn(loop)
    assert came == [0, 1, 2]
