"""Input before the network: a key that is being answered goes first on the one loop.

Rules. A key is answered in a dozen short steps, each in a turn of its own. Were every turn to move a quarter of a megabyte too,
a full-speed transfer would hold up each key a dozen times. So for a moment after a key sockets are polled only where nothing
else is to be done, or once in a while. Beside nobody who types, a transfer loses nothing.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from typing import Final, Protocol

_ANSWER_SECONDS: Final = 0.05
_MOST_SECONDS: Final = 0.01  # so long at most the network waits in one go


class Typed(Protocol):
    """What knows when the last key came, by the clock of the loop."""

    last_key_at: float


class InputPrioritySelector(selectors.DefaultSelector):
    """A selector that lets the loop answer a key before it hears of the network.

    Args:
        clock: seconds, as the loop counts them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.keys: Typed | None = None
        self._clock = clock
        self._polled_at = float("-inf")

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for the network; no time to wait means that the loop has work: then poll once in a while only."""
        if timeout is not None and timeout <= 0 and self._is_answering():
            return []
        found = super().select(timeout)
        self._polled_at = self._clock()
        return found

    def _is_answering(self) -> bool:
        now, keys = self._clock(), self.keys
        if keys is None or now - keys.last_key_at >= _ANSWER_SECONDS:
            return False
        return now - self._polled_at < _MOST_SECONDS
