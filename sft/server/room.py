"""Room in what is bounded: for answers that a peer has not taken, for acts that wait for the writer."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred


class Room:
    """Promises room: who has none waits in order.

    Args:
        most: in all; what comes alone may be larger.
        besides: returns how much of it is taken by what was not promised here.
    """

    def __init__(self, most: int, besides: Callable[[], int] = lambda: 0) -> None:
        self._most = most
        self._besides = besides
        self._promised = 0
        self._waiting: list[tuple[int, Deferred[None]]] = []

    def take(self, size: int) -> Deferred[None]:
        """Promise room; fires when there is."""
        taken: Deferred[None] = Deferred()
        self._waiting.append((size, taken))
        self.look()
        return taken

    def give_back(self, size: int) -> None:
        """Note that so much of it is needed no more."""
        self._promised -= size
        self.look()

    def look(self) -> None:
        """Let on whoever has room now."""
        while self._waiting:
            size, taken = self._waiting[0]
            held = self._promised + self._besides()
            if held and held + size > self._most:
                return
            del self._waiting[0]
            self._promised += size
            taken.callback(None)

    def close(self, error: Exception) -> None:
        """Tell who waits that there will be none."""
        waiting, self._waiting = self._waiting, []
        for _, taken in waiting:
            taken.errback(error)
