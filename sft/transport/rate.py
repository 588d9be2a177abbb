"""How fast content moves over one connection, both ways together: a token bucket on the reactor's monotonic clock.

Rules. What is moved is spent when it moves, whole, also where it overdraws: the next waits until that is paid back. So the
average holds for units of any size, and no more than a tenth of a second, or one chunk, goes at once after a rest. Whoever
waits goes in the order of asking. Only content waits: questions, answers without content, and cancelling never do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from sft.limits import CHUNK_BYTES

_BURST_SECONDS: Final = 0.1


class RateLimit:
    """A bucket of bytes.

    Args:
        clock: ``seconds`` and ``callLater``, as a reactor has them.
        bytes_per_second: how fast it fills.
    """

    def __init__(self, clock: Any, bytes_per_second: int) -> None:
        self._clock = clock
        self._rate = bytes_per_second
        self._most = max(float(CHUNK_BYTES), bytes_per_second * _BURST_SECONDS)
        self._left = self._most
        self._filled_at = float(clock.seconds())
        self._waiting: deque[Callable[[], object]] = deque()
        self._timer: Any = None

    @property
    def ready(self) -> bool:
        """Whether something may move now, and nobody waited for it before."""
        return not self._waiting and self._filled() > 0

    def spend(self, size_bytes: int) -> None:
        """Note that so much moves."""
        self._filled()
        self._left -= size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Return what was spent and did not move."""
        self._left = min(self._most, self._left + size_bytes)
        self._serve()

    def affordable_chunks(self) -> int:
        """Return how many chunks may go at once, at least one."""
        return max(1, int(self._filled()) // CHUNK_BYTES)

    def when_ready(self, call: Callable[[], object]) -> None:
        """Call once something may move: now, or in turn; what moves then is the caller's to spend."""
        self._waiting.append(call)
        self._serve()

    def end(self) -> None:
        """Limit nothing more: all that waits is called."""
        self._rate, self._left = 0, float("inf")
        self._most = float("inf")
        self._serve()

    def _filled(self) -> float:
        now = float(self._clock.seconds())
        if self._rate:
            self._left = min(self._most, self._left + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return self._left

    def _serve(self) -> None:
        while self._waiting and self._filled() > 0:
            self._waiting.popleft()()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if self._waiting:
            # A little more than nothing, whatever a float rounds.
            self._timer = self._clock.callLater((1 - self._left) / self._rate, self._serve)
