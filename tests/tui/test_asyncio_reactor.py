from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from twisted.logger import globalLogPublisher

from tui.runtime.asyncio_reactor import QuickReactor


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def reactor(loop) -> Iterator[QuickReactor]:
    reactor = QuickReactor(loop)
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
