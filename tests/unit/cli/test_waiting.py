from __future__ import annotations

import io

from twisted.internet.task import Clock

from sft.cli.console import Console
from sft.cli.waiting import LOOK_SECONDS, silence_told
from sft.limits import QUIET_SECONDS


class Silent:
    server_name = "acme"
    quiet_seconds = 0.0


def test_a_silence_is_said_once_each_time_and_nothing_is_left_behind():
    clock, connection, error = Clock(), Silent(), io.StringIO()
    with silence_told(Console(io.StringIO(), error, {}), clock, connection):
        clock.advance(LOOK_SECONDS)
        assert error.getvalue() == ""
        for quiet in (QUIET_SECONDS, QUIET_SECONDS + 2, 0, QUIET_SECONDS):
            connection.quiet_seconds = quiet
            clock.advance(LOOK_SECONDS)
    assert error.getvalue().count("No answer from acme for 10 s; still waiting.") == 2
    assert clock.getDelayedCalls() == []
