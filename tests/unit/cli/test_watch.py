"""How a watch comes back when its connection is lost; what it sends is tested in ``tests/integration/test_watch.py``."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from sft.cli.commands import watch
from sft.cli.commands.watch import _over_and_over, _WatchReport
from sft.cli.invocation import Environment, Invocation
from sft.client.carried_over import CarriedOver
from sft.client.versions_seen import VersionsSeen
from sft.errors import (
    ConnectionLostError,
    LockedOutError,
    LoginRefusedError,
    RemovedError,
    SessionEndedError,
    UnreachableError,
)
from sft.wire.messages import Notice
from tests.unit.cli.cli_fixture import Known, TableSession

LOST = ConnectionLostError()
AWAY = UnreachableError(address="x:1", reason="refused", profile="acme")


class Watching:
    """A watch whose connections, and what ends each, are a list: an error in place of a connection, or after it."""

    def __init__(self, cli, *fates) -> None:
        self.cli, self.fates = cli, list(fates)
        self.clock, self.err = Clock(), io.StringIO()
        self.tries = []
        environ = {"SFT_HOME": str(cli.home)}
        environment = Environment(environ, io.StringIO(), io.StringIO(), self.err, connect=self.connect)
        self.invocation = Invocation(environment)
        self.ended, self.carried_over, self.handed_on = [], CarriedOver(), []
        report = _WatchReport(self.invocation)
        working = _over_and_over(self.invocation, self.clock, self, report, None, self.carried_over)
        Deferred.fromCoroutine(working).addErrback(lambda failure: self.ended.append(failure.value))

    async def connect(self, _reactor, _state, profile, *, ask, unknown_keys=False, looking=False, on_notice=None):
        self.tries.append(self.clock.seconds())
        if not isinstance(self.fates[0], tuple):
            raise self.fates.pop(0)
        return TableSession(profile, {}, Known({}), versions_seen=VersionsSeen(self.cli.state, profile.server_id))

    async def over(self, session):
        self.handed_on.append(session.carried_over is self.carried_over)
        (fault, *said) = self.fates.pop(0)
        session.connection = SimpleNamespace(farewell=said[0] if said else None)
        raise fault


def test_a_server_that_is_away_is_tried_again_with_growing_pauses_and_told_once(cli):
    watching = Watching(cli, (LOST,), AWAY, AWAY, (LOST,), (SessionEndedError(by="ada"),))
    watching.clock.pump([0.5] * 30)
    assert watching.tries == [0, 1, 3, 7, 8]
    assert isinstance(watching.ended[0], SessionEndedError)
    assert watching.handed_on == [True] * 3  # what was cut off
    said = watching.err.getvalue().splitlines()
    assert said[0] == "Watching for acme-files. Ctrl-C ends it."
    assert [line for line in said if line == "acme-files is back."] == ["acme-files is back."] * 2
    assert sum("It is tried again." in line for line in said) == 2


@pytest.mark.parametrize(
    ("why", "error"), [("kicked", SessionEndedError), ("disabled", LockedOutError), ("removed", RemovedError)]
)
def test_who_was_put_out_does_not_come_back_by_itself(cli, why, error):
    watching = Watching(cli, (LOST, Notice("ended", {"why": why, "by": "ada"})))
    watching.clock.pump([0.5] * 10)
    assert isinstance(watching.ended[0], error)
    assert watching.ended[0].values["by"] == "ada"
    assert len(watching.tries) == 1


def test_what_was_cut_off_is_left_to_a_later_process_at_the_end(cli, monkeypatch):
    left = []

    async def cut_off(*given):
        given[-1].add(SimpleNamespace(leave=lambda: left.append("left")))
        raise LOST

    monkeypatch.setattr(watch, "_over_and_over", cut_off)
    cli.run("watch", str(cli.home), "inbox")
    assert left == ["left"]


@pytest.mark.parametrize(
    "fates", [(AWAY,), ((LOST,), LoginRefusedError(server="acme-files"))], ids=["first", "refused"]
)
def test_a_first_connection_that_fails_and_a_refusal_end_it(cli, fates):
    watching = Watching(cli, *fates)
    watching.clock.pump([0.5] * 10)
    assert len(watching.ended) == 1
    assert not watching.fates
