"""Input before the network: a key that is being answered goes first on the one loop.

Rules. A key is answered in a dozen short steps, each in a turn of its own. Were every turn to move a quarter of a megabyte
too, a full-speed transfer would hold up each key a dozen times. So for a moment after a key sockets are polled, and what
threads have sealed or opened is taken from them, once in a while only. Beside nobody who types, a transfer loses nothing.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from typing import Final, Protocol

_ANSWER_SECONDS: Final = 0.05
PAUSE_SECONDS: Final = 0.01  # so long at most the network waits in one go


class Typed(Protocol):
    """What knows when the last key came, by the clock of the loop."""

    last_key_at: float


class InputPriority:
    """Whether a key goes before what the network has.

    Args:
        clock: seconds, as the loop counts them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.keys: Typed | None = None
        self.clock = clock

    def goes_first(self, since: float) -> bool:
        """Whether what had its turn at ``since``, by the clock, waits now."""
        now, keys = self.clock(), self.keys
        if keys is None or now - keys.last_key_at >= _ANSWER_SECONDS:
            return False
        return now - since < PAUSE_SECONDS


class InputPrioritySelector(selectors.DefaultSelector):
    """A selector that lets the loop answer a key before it hears of the network."""

    def __init__(self, priority: InputPriority) -> None:
        super().__init__()
        self._priority = priority
        self._polled_at = float("-inf")

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for the network; no time to wait means that the loop has work: then poll once in a while only."""
        if timeout is not None and timeout <= 0 and self._priority.goes_first(self._polled_at):
            return []
        found = super().select(timeout)
        self._polled_at = self._priority.clock()
        return found
