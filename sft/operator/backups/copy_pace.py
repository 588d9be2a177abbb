"""How fast a backup may be: so many bytes a second at most, and an end when somebody asks for it.

Rules. The clock and what waits are given. What was not used of a second is not saved for later ones.
"""

from __future__ import annotations

from collections.abc import Callable

from sft.errors import TransferEndedError


class CopyPace:
    """Slows down who reports to it.

    Args:
        bytes_per_second: None: as fast as it goes.
        clock: monotonic seconds.
        wait: waits for so many seconds, or less where it is to end; returns whether it is.
    """

    def __init__(self, bytes_per_second: int | None, clock: Callable[[], float], wait: Callable[[float], bool]) -> None:
        self._rate = bytes_per_second
        self._clock = clock
        self._wait = wait
        self._free_at = clock()

    def each(self, count: int) -> None:
        """Take so many bytes that were moved; wait until the next ones may be.

        Raises:
            TransferEndedError: somebody asked for the end.
        """
        seconds = 0.0
        if self._rate is not None:
            now = self._clock()
            self._free_at = max(self._free_at, now) + count / self._rate
            seconds = self._free_at - now
        if self._wait(seconds):
            raise TransferEndedError(problem="it was interrupted")
