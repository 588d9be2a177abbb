"""Credit of several transfers: who may hold how many chunks, over all that they have open, and in which order it is given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sft.limits import SESSION_CREDIT_CHUNKS


class CreditPool:
    """Chunks that somebody may hold over all their transfers.

    Args:
        parent: a pool that all of them share; what is taken here is taken there too.
    """

    def __init__(self, chunks: int = SESSION_CREDIT_CHUNKS, parent: CreditPool | None = None) -> None:
        self._left = chunks
        self._parent = parent
        self._queue: deque[tuple[int, Callable[[], None]]] = deque()

    @property
    def left(self) -> int:
        return self._left if self._parent is None else min(self._left, self._parent.left)

    def take(self, wanted: int, least: int) -> int:
        """Take up to ``wanted`` chunks of credit, but never fewer than ``least``, even where that overdraws."""
        taken = max(least, min(wanted, self.left))
        self._charge(taken)
        return taken

    def when_free(self, chunks: int, taken: Callable[[], None]) -> None:
        """Take so many chunks, no fewer, and call ``taken``: now, or when it is this caller's turn."""
        self._queue.append((chunks, taken))
        self._serve()

    def give_back(self, chunks: int) -> None:
        """Return credit that was worked off or never used."""
        self._charge(-chunks)
        self._serve()

    def _charge(self, chunks: int) -> None:
        self._left -= chunks
        if self._parent is not None:
            self._parent._charge(chunks)  # noqa: SLF001 - another of its own kind

    def _serve(self) -> None:
        while self._queue and self._queue[0][0] <= self._left:
            chunks, taken = self._queue.popleft()
            self._charge(chunks)
            taken()
