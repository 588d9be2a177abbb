"""Transfers that lose their connection in the middle: how often it is tried again, and what is moved then."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from sft.cli import again
from sft.cli.again import ReconnectingSession
from sft.cli.invocation import Environment, Invocation
from sft.client.carried_over import CarriedOver
from sft.client.coming_back import PAUSES_SECONDS
from sft.client.transfers.batch import PutResult
from sft.client.transfers.plan import PutItem
from sft.client.transfers.progress import Progress, Resumption, TransferStage
from sft.errors import (
    ConnectionLostError,
    NotFoundError,
    ServerKeyChangedError,
    TamperedError,
    TransferEndedError,
    UnreachableError,
    UsageError,
)

LOST = ConnectionLostError()
DONE = None


class FakeSession:
    def __init__(self, clock):
        self.connection = SimpleNamespace(reactor=clock, farewell=None)
        self.profile = SimpleNamespace(name="acme")
        self.pool = SimpleNamespace(run=lambda function: succeed(function()))
        self.carried_over = CarriedOver()
        self.closed = False

    def abort(self):
        self.closed = True

    async def close(self):
        self.closed = True


class Desk:
    """A command whose moves end as a test says: by item, one error or None for each try."""

    def __init__(self, monkeypatch, ends, dials=(), tries=None):
        self.clock, self.err = Clock(), io.StringIO()
        environ = {} if tries is None else {"SFT_TRIES": tries}
        self.invocation = Invocation(Environment(environ, io.StringIO(), io.StringIO(), self.err))
        self.first = FakeSession(self.clock)
        self.sessions, self.moves, self.steps = [self.first], [], []
        self.ends = [list(each) for each in ends]
        self.dials = iter(dials)
        self.resumed = []  # bytes that are there already, at each move

        async def log_in_again(_reactor, before):
            error = next(self.dials, None)
            if error is not None:
                raise error
            assert before is self.sessions[-1]
            self.sessions.append(FakeSession(self.clock))
            return self.sessions[-1]

        monkeypatch.setattr(again, "log_in_again", log_in_again)

    async def move(self, session, items, report):
        there = self.resumed.pop(0) if self.resumed else 0
        self.moves.append((self.sessions.index(session), [item.path for item in items]))
        results = []
        for index, item in enumerate(items):
            error = self.ends[int(item.path)].pop(0)
            stage = TransferStage.STORED if error is None else TransferStage.FAILED
            report(Progress(index, item.path, stage, 1, 1))
            results.append(PutResult(item, stage, error=error, resumption=Resumption(there, 7)))
        return results

    def run(self, times=1):
        items = [PutItem(None, str(number), 1) for number in range(len(self.ends))]

        async def act():
            async with ReconnectingSession(self.invocation, self.first) as reconnecting:
                for _ in range(times - 1):
                    await reconnecting.move(items, self.move, self.steps.append)
                return await reconnecting.move(items, self.move, self.steps.append)

        ended = []
        Deferred.fromCoroutine(act()).addBoth(ended.append)
        for _ in range(200):
            if ended:
                break
            self.clock.advance(0.5)
        if hasattr(ended[0], "raiseException"):
            ended[0].raiseException()
        self.results = ended[0]
        return [result.error for result in ended[0]]


def test_what_was_cut_off_moves_again_and_nothing_else(monkeypatch):
    desk = Desk(monkeypatch, [[DONE], [LOST, DONE], [NotFoundError(what="file", name="x")], [LOST, LOST, DONE]])
    errors = desk.run()
    assert [type(error) for error in errors] == [type(None), type(None), NotFoundError, type(None)]
    assert desk.moves == [(0, ["0", "1", "2", "3"]), (1, ["1", "3"]), (2, ["3"])]
    assert [(step.index, step.stage.value) for step in desk.steps] == [
        (0, "stored"), (1, "stored"), (3, "stored"), (2, "failed"),
    ]  # fmt: skip
    assert [session.closed for session in desk.sessions] == [False, True, True]
    assert desk.results[3].resumption == Resumption(0, 21)


@pytest.mark.parametrize(("tries", "moves"), [(None, 5), ("0", 1), ("2", 3), ("7", 8)])
def test_it_is_tried_a_few_times(monkeypatch, tries, moves):
    desk = Desk(monkeypatch, [[LOST] * 9], tries=tries)
    assert desk.run() == [LOST]
    assert len(desk.moves) == moves
    assert desk.steps[-1].stage is TransferStage.FAILED
    assert desk.err.getvalue().splitlines()[:1] == (
        ["The connection to acme is lost. Trying again in 1 s."] if moves > 1 else []
    )


def test_a_server_that_cannot_be_reached_is_waited_for(monkeypatch):
    away = UnreachableError(address="x:1", reason="connection refused", profile="acme")
    desk = Desk(monkeypatch, [[LOST, DONE]], dials=[away, LOST, None])
    assert desk.run() == [DONE]
    assert desk.clock.seconds() == sum(PAUSES_SECONDS[:3])


def test_what_has_moved_begins_the_pauses_anew(monkeypatch):
    desk = Desk(monkeypatch, [[LOST] * 9 + [DONE]])
    desk.resumed = list(range(10))
    assert desk.run() == [DONE]


@pytest.mark.parametrize("there", [[0, 25, 25, 25], [25, 25, 25], [0, 25, 0, 25]], ids=["once", "never", "to and fro"])
def test_what_was_there_at_a_try_before_has_not_moved_since(monkeypatch, there):
    desk = Desk(monkeypatch, [[LOST] * 9], tries="2")
    desk.resumed = [*there, *[25] * 9]
    assert desk.run() == [LOST]
    assert len(desk.moves) == (4 if 0 in there else 3)


@pytest.mark.parametrize("error", [TamperedError(), NotFoundError(what="file", name="x")], ids=["tampered", "absent"])
def test_what_no_new_connection_mends_is_not_tried_again(monkeypatch, error):
    desk = Desk(monkeypatch, [[error]])
    assert desk.run() == [error]
    assert len(desk.moves) == 1


def test_a_server_that_stops_is_come_back_to(monkeypatch):
    assert Desk(monkeypatch, [[TransferEndedError(problem="it stops"), DONE]]).run() == [DONE]


def test_a_session_that_an_admin_ended_is_not_begun_again(monkeypatch):
    desk = Desk(monkeypatch, [[LOST, DONE]])
    desk.first.connection.farewell = object()
    assert desk.run() == [LOST]


def test_what_was_done_is_reported_where_coming_back_is_refused(monkeypatch):
    refused = ServerKeyChangedError(server="acme")
    desk = Desk(monkeypatch, [[DONE], [LOST, DONE], [LOST, DONE]], dials=[LOST, refused])
    assert desk.run() == [None, refused, refused]
    assert desk.invocation.ended is refused
    assert [(step.index, step.stage.value) for step in desk.steps] == [(0, "stored"), (1, "failed"), (2, "failed")]


def test_nobody_comes_back_to_a_server_that_refused(monkeypatch):
    refused = ServerKeyChangedError(server="acme")
    desk = Desk(monkeypatch, [[LOST, LOST, DONE]], dials=[refused])
    assert desk.run(times=2) == [refused]
    assert [number for number, _ in desk.moves] == [0, 0]


@pytest.mark.parametrize("error", [LOST, NotFoundError(what="folder", name="x")], ids=["lost", "absent"])
def test_what_ends_a_further_move_as_a_whole_loses_no_result(monkeypatch, error):
    desk = Desk(monkeypatch, [[DONE], [LOST, DONE]])
    move, faults = desk.move, [None, error]

    async def failing(session, items, report):
        if faults and (fault := faults.pop(0)) is not None:
            raise fault
        return await move(session, items, report)

    desk.move = failing
    assert desk.run() == [None, None if error is LOST else error]


def test_what_is_no_number_is_wrong_use(monkeypatch):
    with pytest.raises(UsageError):
        Desk(monkeypatch, [[DONE]], tries="often").run()
