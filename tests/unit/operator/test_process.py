"""What the one service of a process says of its start and its end."""

from __future__ import annotations

from typing import Any

import pytest

from sft.errors import HomeError
from sft.operator.next_steps import NEXT_STEPS
from sft.operator.process import ProcessService
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
