"""A client that moves content no faster than it was told to, on a clock that a test moves."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from sft.client.api.files import show_file
from sft.client.pace import Pace
from sft.client.transfers.batch import get_all, put_all
from sft.client.transfers.progress import TransferStage
from sft.errors import ConnectionLostError
from sft.limits import CHUNK_BYTES
from sft.transport.rate import RateLimit
from sft.wire.messages import Cancel, Credit
from tests.unit.client.test_transfers_in_memory import content_of, got_item, item, local, stored

RATE = 4 * CHUNK_BYTES


def ending(server, coroutine, *, most_seconds=120.0):
    """Run a coroutine to its end; return its result, and how many seconds it took."""
    ended = []
    Deferred.fromCoroutine(coroutine).addBoth(ended.append)
    began = server.clock.seconds()
    server.pump()
    while not ended and server.clock.seconds() - began < most_seconds:
        server.clock.advance(0.0625)
        server.pump()
    assert ended, "it does not end"
    return ended[0], server.clock.seconds() - began


def test_a_large_file_is_sent_at_the_rate_and_a_question_meanwhile_at_once(server, session, tmp_path):
    stored(server, b"asked for", "docs/asked")
    path = local(tmp_path, content_of(40 * CHUNK_BYTES))
    session.limit(RATE)
    ended = []
    Deferred.fromCoroutine(put_all(session, [item(path)])).addBoth(ended.append)
    server.pump()
    for _ in range(16):
        server.clock.advance(0.0625)
        server.pump()
    assert server.run(show_file(session, "docs/asked")).path == "docs/asked"
    assert not ended
    while not ended and server.clock.seconds() < 20:
        server.clock.advance(0.0625)
        server.pump()
    assert server.files["docs/a.bin"][1] == path.read_bytes()
    assert 39 / 4 - 0.5 <= server.clock.seconds() <= 39 / 4 + 0.5


def test_a_large_file_comes_at_the_rate(server, session, tmp_path):
    stored(server, content_of(40 * CHUNK_BYTES))
    session.limit(RATE)
    (result,), seconds = ending(server, get_all(session, [got_item(size=40 * CHUNK_BYTES)], to=tmp_path / "out"))
    assert result.stage is TransferStage.VERIFIED
    assert 39 / 4 - 0.5 <= seconds <= 39 / 4 + 0.5


@pytest.mark.parametrize("direction", ["put", "get"])
def test_small_files_move_at_the_rate(server, session, tmp_path, direction):
    contents = {f"docs/{n}": content_of(n) for n in range(40_000, 40_040)}
    total = sum(map(len, contents.values()))
    if direction == "put":
        items = [item(local(tmp_path, content, path[5:]), path) for path, content in contents.items()]
        moving = put_all(session, items)
    else:
        for n, (path, content) in enumerate(contents.items(), 1):
            stored(server, content, path, file_id=n.to_bytes(16))
        moving = get_all(
            session, [got_item(path, len(content)) for path, content in contents.items()], to=tmp_path / "out"
        )
    session.limit(RATE)
    results, seconds = ending(server, moving)
    assert [result.error for result in results] == [None] * 40
    assert total / RATE - 1 <= seconds <= total / RATE + 3


def test_what_was_cancelled_is_allowed_nothing_more():
    clock, sent = Clock(), []
    rate = RateLimit(clock, RATE)
    pace = Pace(rate, sent.append, Deferred)
    rate.spend(2 * CHUNK_BYTES)
    for number in (1, 2):
        assert pace.holds(Credit(id=number, chunks=1))
    assert not pace.holds(Cancel(id=1))
    clock.pump([0.25] * 8)
    assert sent == [Credit(id=2, chunks=1)]


def test_whoever_waits_for_the_rate_is_told_when_the_line_breaks_or_it_is_given_up(server, session, tmp_path):
    path = local(tmp_path, content_of(40_000))
    session.limit(RATE)
    first, second = [], []
    session.connection.protocol.outbox.rate.spend(100 * CHUNK_BYTES)
    Deferred.fromCoroutine(put_all(session, [item(path)])).addBoth(first.append)
    giving_up = Deferred.fromCoroutine(put_all(session, [item(path, "docs/b")]))
    giving_up.addBoth(second.append)
    server.pump()
    giving_up.cancel()
    server.pump()
    assert second[0].check(CancelledError)
    server.lose()
    assert isinstance(first[0][0].error, ConnectionLostError)
    assert not any(call.func.__name__ == "_serve" for call in server.clock.getDelayedCalls())
