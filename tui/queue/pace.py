"""How fast a job moves, over the last seconds, and how long it will take yet."""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW_SECONDS: Final = 4.0
STALLED_SECONDS: Final = 5.0  # as OpenSSH says it


class Pace:
    """Samples of one running job.

    Args:
        total_bytes: of everything that it moves.
    """

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self._samples: deque[tuple[float, int]] = deque()
        self._moved_at = 0.0

    def sample(self, now: float, done_bytes: int) -> None:
        """Note where things stand."""
        if not self._samples or done_bytes != self._samples[-1][1]:
            self._moved_at = now
        self._samples.append((now, done_bytes))
        while len(self._samples) > 1 and now - self._samples[1][0] >= WINDOW_SECONDS:
            self._samples.popleft()

    @property
    def rate(self) -> float:
        """Bytes a second."""
        if not self._samples:
            return 0.0
        (since, before), (now, done) = self._samples[0], self._samples[-1]
        return max(done - before, 0) / (now - since) if now > since else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long yet; None while nobody can say."""
        rate = self.rate
        if rate <= 0 or not self._samples:
            return None
        return max(self.total_bytes - self._samples[-1][1], 0) / rate

    @property
    def stalled(self) -> bool:
        """Say whether nothing has moved for a while."""
        return bool(self._samples) and self._samples[-1][0] - self._moved_at >= STALLED_SECONDS
