from __future__ import annotations

import io

from twisted.internet.task import Clock

from sft.cli.console import Console
from sft.cli.waiting import LOOK_SECONDS, wait_told
from sft.limits import QUIET_SECONDS


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_silence_is_said_once_each_time_and_nothing_is_left_behind():
    clock, seconds, error = Clock(), [0.0], io.StringIO()
    with wait_told(Console(io.StringIO(), error, {}), clock, "acme", lambda: seconds[0]):
        clock.advance(LOOK_SECONDS)
        assert error.getvalue() == ""
        for quiet in (1, QUIET_SECONDS, QUIET_SECONDS + 2, 0, QUIET_SECONDS):
            seconds[0] = quiet
            clock.advance(LOOK_SECONDS)
    assert error.getvalue() == "No answer from acme for 10 s; still waiting.\n" * 2
    assert clock.getDelayedCalls() == []


def test_a_terminal_shows_within_a_second_what_is_waited_for_and_is_clean_again():
    clock, error = Clock(), Screen()
    console = Console(io.StringIO(), error, {})
    with wait_told(console, clock, "ac\x1bme"):
        clock.advance(LOOK_SECONDS)
        clock.advance(LOOK_SECONDS)
        assert console.open_line == "waiting for ac\\u{1b}me, 1 s"
        clock.advance(QUIET_SECONDS)
        assert "No answer from" in error.getvalue()
        assert console.open_line.endswith(" 11 s"), "it goes on"
    assert console.open_line == ""


def test_a_bar_that_is_drawn_stays():
    clock, error = Clock(), Screen()
    console = Console(io.StringIO(), error, {})
    with wait_told(console, clock, "acme"):
        console.draw("working: 3 versions")
        clock.advance(2)
        assert console.open_line == "working: 3 versions"
    assert console.open_line == "working: 3 versions"


def test_what_takes_long_for_another_reason_is_said_so():
    clock, error = Clock(), io.StringIO()
    with wait_told(Console(io.StringIO(), error, {}), clock, "x", late="It is still being opened."):
        clock.advance(QUIET_SECONDS)
    assert error.getvalue() == "It is still being opened.\n"
