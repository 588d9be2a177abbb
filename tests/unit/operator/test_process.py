"""What the one service of a process says of its start and its end."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from sft.cli.interrupts import end_at_once, raise_again
from sft.errors import HomeError
from sft.operator.next_steps import NEXT_STEPS
from sft.operator.process import ProcessService, stop_on_interrupt
from tests.loop import run


class _Reactor:
    def callWhenRunning(self, _call: Any) -> None: ...


class _Service(ProcessService):
    def __init__(self, refusal: Exception | None) -> None:
        super().__init__(_Reactor(), NEXT_STEPS)
        self.refusal = refusal
        self.noted: list[str] = []
        self._event_log.note = lambda event, **_values: self.noted.append(event)

    async def _start(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def _stop(self) -> None:
        return None


@pytest.mark.parametrize(
    ("refusal", "noted"),
    [
        (None, ["stopping", "stopped"]),
        (HomeError(home="/x", problem="another server runs on it", remedy="Stop it"), []),
    ],
)
def test_of_a_start_that_was_refused_no_end_is_told(refusal, noted):
    service = _Service(refusal)
    service.startService()

    async def ended() -> None:
        await service.stopService()

    run(ended())
    assert service.noted == noted


def test_an_interrupt_ends_the_process_until_its_reactor_runs_and_stops_that_then():
    before = signal.getsignal(signal.SIGINT)
    reactor = SimpleNamespace(sigInt=lambda *_: None)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop_on_interrupt(reactor)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "Twisted's own to set"
        end_at_once()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        stop_on_interrupt(reactor)
        assert signal.getsignal(signal.SIGINT) is reactor.sigInt
        raise_again()
        end_at_once()
        assert signal.getsignal(signal.SIGINT) is reactor.sigInt
    finally:
        signal.signal(signal.SIGINT, before)
