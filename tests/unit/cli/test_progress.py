from __future__ import annotations

import io
import json

import pytest
from twisted.internet.task import Clock

from sft.cli.console import Console
from sft.cli.invocation import Environment, Invocation
from sft.cli.meter import Meter
from sft.cli.progress import ProgressShown, showing
from sft.client.transfers.progress import Progress, TransferStage
from sft.limits import SEGMENT_BYTES
from tests.json_shapes import faults


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(style: str | None, *, terminal: bool = True, quiet: bool = False, **environ: str):
    err = Terminal() if terminal else io.StringIO()
    console = Console(io.StringIO(), err, environ)
    console.quiet = quiet
    clock = Clock()
    return ProgressShown(console, Meter("a.bin", [1000]), style, clock), clock, err


def test_a_bar_is_redrawn_ten_times_a_second_and_leaves_no_trace():
    progress, clock, err = shown(None)
    with progress:
        for done in range(0, 1000, 10):
            progress.report(Progress(0, "a.bin", TransferStage.SENDING, done, 1000))
            clock.advance(0.02)
    drawn = err.getvalue().split("\r")
    assert 18 <= len(drawn) <= 22
    assert drawn[-1] == "\x1b[K"
    assert "a.bin  ━" in err.getvalue()
    assert not clock.getDelayedCalls()


def test_what_is_over_at_once_draws_nothing():
    progress, clock, err = shown(None)
    with progress:
        clock.advance(0.05)
    assert not err.getvalue()


@pytest.mark.parametrize(
    "style, terminal, quiet, environ",
    [
        (None, False, False, {}),
        ("bar", False, False, {}),
        (None, True, True, {}),
        ("plain", True, True, {}),
        ("json", False, True, {}),
        (None, True, False, {"CI": "true"}),
        (None, True, False, {"TERM": "dumb"}),
    ],
)
def test_nothing_is_drawn_where_nobody_looks(style, terminal, quiet, environ):
    progress, clock, err = shown(style, terminal=terminal, quiet=quiet, **environ)
    with progress:
        progress.report(Progress(0, "a.bin", TransferStage.SENDING, 500, 1000))
        clock.pump([1.0] * 15)
    assert not err.getvalue()


def test_plain_is_a_line_in_ten_seconds():
    progress, clock, err = shown("plain", terminal=False)
    with progress:
        progress.report(Progress(0, "a.bin", TransferStage.SENDING, 500, 1000))
        clock.pump([1.0] * 25)
    lines = err.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("a.bin  50 %  500/1000 B  ")
    assert lines[1].endswith("stalled")


def test_events_are_json_a_line_each():
    progress, clock, err = shown("json", terminal=False)
    with progress:
        progress.report(Progress(0, "a.bin", TransferStage.SENDING, 0, 1000))
        progress.report(Progress(0, "a.bin", TransferStage.SENDING, 500, 1000))
        clock.advance(0.5)
        progress.report(Progress(0, "a.bin", TransferStage.STORED, 1000, 1000))
    events = [json.loads(line) for line in err.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["item", "progress", "item"]
    for event, kind in zip(events, ("ItemProgress", "Progress", "ItemProgress"), strict=True):
        assert faults(event, kind) == []
    assert events[0]["stage"] == "sending"
    assert events[1]["done_bytes"] == 500
    assert events[1]["total_bytes"] == 1000
    assert events[2] == {
        "event": "item", "index": 0, "name": "a.bin", "stage": "stored", "done_bytes": 1000, "total_bytes": 1000,
    }  # fmt: skip


def test_the_time_that_it_took_is_kept():
    progress, clock, _ = shown(None)
    with progress:
        clock.advance(2.5)
    assert progress.seconds == 2.5


def test_where_an_item_goes_on_is_told_and_why_it_begins_again():
    progress, _, err = shown(None, terminal=False)
    with progress:
        progress.report(Progress(0, "a.bin", TransferStage.RESUMED, 614, 1000))
        progress.report(Progress(0, "a.bin", TransferStage.RESTARTED, 0, 1000, "the source changed"))
    assert err.getvalue().splitlines() == [
        "a.bin goes on from 61 %: 614 B there, which is proved first.",
        "a.bin begins again: the source changed.",
    ]


def test_what_goes_on_is_an_event_of_its_own():
    progress, _, err = shown("json", terminal=False)
    with progress:
        progress.report(Progress(0, "a.bin", TransferStage.PROVING, 100, 1000))
        progress.report(Progress(0, "a.bin", TransferStage.RESUMED, 614, 1000))
    events = [json.loads(line) for line in err.getvalue().splitlines()]
    assert [faults(event, "ItemProgress") for event in events] == [[], []]
    assert [event["stage"] for event in events] == ["proving", "resumed"]


def test_an_interrupt_tells_until_when_it_is_kept():
    environment = Environment({}, io.StringIO(), io.StringIO(), io.StringIO(), now=lambda: 1_777_816_800.0)
    invocation = Invocation(environment)
    invocation.reactor = Clock()
    with showing(invocation, "a.bin", [SEGMENT_BYTES + 1]) as progress:
        progress.report(Progress(0, "a.bin", TransferStage.SENDING, SEGMENT_BYTES // 2, SEGMENT_BYTES + 1))
    assert invocation.stopped() == (
        "Stopped at 49 %. Nobody sees a partial file. The same command goes on from there (kept until 10 May)."
    )


def test_an_interrupt_of_what_is_kept_nowhere_promises_nothing():
    invocation = Invocation(Environment({}, io.StringIO(), io.StringIO(), io.StringIO()))
    invocation.reactor = Clock()
    with showing(invocation, "a.bin", [SEGMENT_BYTES + 1], keeps=False) as progress:
        progress.report(Progress(0, "a.bin", TransferStage.SENDING, SEGMENT_BYTES // 2, SEGMENT_BYTES + 1))
    assert invocation.stopped().endswith("The same command again starts over.")


def test_an_interrupt_tells_how_far_it_came():
    environment = Environment({}, io.StringIO(), io.StringIO(), io.StringIO())
    invocation = Invocation(environment)
    invocation.reactor = Clock()
    assert invocation.stopped() == "Stopped."
    with showing(invocation, "a.bin", [1000]) as progress:
        progress.report(Progress(0, "a.bin", TransferStage.SENDING, 614, 1000))
    assert invocation.stopped() == ("Stopped at 61 %. Nobody sees a partial file. The same command again starts over.")
