"""Reading at a pace: so many bytes a second at most, and none while others need the disk.

Rules. The clock and the pause are given. It waits in short steps, between which it asks whether it is to end: nobody waits for
a pause. What was not read in time is not caught up with: a second of rest gives no second of haste.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

STEP_SECONDS: Final = 0.25
_BURST_SECONDS: Final = 1.0

_NEVER: Final = threading.Event()


def pause(seconds: float) -> None:
    """Wait, on a thread of its own."""
    _NEVER.wait(seconds)


class ReadingPace:
    """The pace of one work; on its thread.

    Args:
        bytes_per_second: 0 for no limit.
        require: raises where the work is to end.
        is_busy: whether others need the disk now; read nothing then, for ``patience`` seconds at a time at most.
    """

    def __init__(
        self,
        bytes_per_second: int,
        require: Callable[[], None],
        *,
        is_busy: Callable[[], bool] = lambda: False,
        patience: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = pause,
    ) -> None:
        self._rate = bytes_per_second
        self._require = require
        self._is_busy = is_busy
        self._patience = patience
        self._clock = clock
        self._pause = pause
        self._due = clock()  # when all that was read may have been read

    def __call__(self, count: int) -> None:
        """Wait until so many bytes that were read just now were due."""
        if self._rate:
            now = self._clock()
            self._due = max(self._due, now - _BURST_SECONDS) + count / self._rate
            while (early := self._due - self._clock()) > 0:
                self._wait(min(early, STEP_SECONDS))
        until = self._clock() + self._patience
        while self._is_busy() and self._clock() < until:
            self._wait(STEP_SECONDS)

    def _wait(self, seconds: float) -> None:
        self._require()
        self._pause(seconds)
