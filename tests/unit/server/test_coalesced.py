"""One run at a time; what is asked for meanwhile is one more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.errors import TransferEndedError
from sft.server.coalesced import Coalesced


class Work:
    """Runs that end when they are told to."""

    def __init__(self) -> None:
        self.runs: list[Deferred[None]] = []
        self.faults: list[str] = []
        log = SimpleNamespace(failed=lambda failure, name: self.faults.append(f"{name} {failure.type.__name__}"))
        self.context: Any = SimpleNamespace(event_log=log, stopping=False)
        self.coalesced = Coalesced(self.context, self.run, fault="work-fault")

    async def run(self) -> None:
        self.runs.append(Deferred())
        await self.runs[-1]


def test_however_often_it_is_asked_for_meanwhile_is_one_more_run() -> None:
    work = Work()
    done = work.coalesced.ask()
    assert work.coalesced.ask().called
    work.coalesced.ask()
    assert len(work.runs) == 1
    work.runs[0].callback(None)
    assert len(work.runs) == 2
    assert not done.called
    work.runs[1].callback(None)
    assert done.called
    assert len(work.runs) == 2
    work.coalesced.ask()
    assert len(work.runs) == 3


def test_a_fault_is_logged_and_keeps_no_later_run() -> None:
    work = Work()
    work.coalesced.ask()
    work.runs[0].errback(Failure(ValueError()))
    assert work.faults == ["work-fault ValueError"]
    work.coalesced.ask()
    assert len(work.runs) == 2


def test_what_was_asked_for_while_one_failed_is_run() -> None:
    work, done = Work(), list[None]()
    work.coalesced.ask().addCallback(done.append)
    work.coalesced.ask()
    work.runs[0].errback(Failure(ValueError()))
    assert (len(work.runs), work.faults, done) == (2, ["work-fault ValueError"], [])
    work.runs[1].callback(None)
    assert (len(work.runs), done) == (2, [None])


def test_a_stop_begins_no_more_and_is_no_fault() -> None:
    work = Work()
    work.coalesced.ask()
    work.coalesced.ask()
    work.context.stopping = True
    work.runs[0].errback(Failure(TransferEndedError(problem="the server stops")))
    assert work.faults == []
    work.coalesced.ask()
    assert len(work.runs) == 1
