"""Room for the answers of one session that its peer has not taken."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred


class AnswerRoom:
    """Promises room: who has none waits in order.

    Args:
        most: bytes in all; an answer alone may be larger.
        unsent: returns how many bytes of answers wait in a transport that is full.
    """

    def __init__(self, most: int, unsent: Callable[[], int]) -> None:
        self._most = most
        self._unsent = unsent
        self._promised = 0
        self._waiting: list[tuple[int, Deferred[None]]] = []

    def take(self, size_bytes: int) -> Deferred[None]:
        """Promise room for an answer; fires when there is."""
        taken: Deferred[None] = Deferred()
        self._waiting.append((size_bytes, taken))
        self.look()
        return taken

    def give_back(self, size_bytes: int) -> None:
        """Note that an answer was written, or will not be."""
        self._promised -= size_bytes
        self.look()

    def look(self) -> None:
        """Let on whoever has room now."""
        while self._waiting:
            size_bytes, taken = self._waiting[0]
            held = self._promised + self._unsent()
            if held and held + size_bytes > self._most:
                return
            del self._waiting[0]
            self._promised += size_bytes
            taken.callback(None)

    def close(self, error: Exception) -> None:
        """Tell who waits that nothing will be answered."""
        waiting, self._waiting = self._waiting, []
        for _, taken in waiting:
            taken.errback(error)
