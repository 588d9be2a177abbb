"""How much of a content arrives, held against what its signature announced."""

from __future__ import annotations

from collections.abc import Sequence

from sft.errors import SignatureBadError


class Measure:
    """Counts what arrives, and what is there already, against what was announced."""

    def __init__(self, path: str, author: str, size: int, there: int = 0) -> None:
        self._path = path
        self._author = author
        self._size = size
        self.received = there

    def add(self, chunks: Sequence[bytes]) -> None:
        """Count; more than announced is refused before it is written."""
        self.received += sum(map(len, chunks))
        if self.received > self._size:
            raise self._fault()

    def finish(self) -> None:
        """Refuse less than announced."""
        if self.received != self._size:
            raise self._fault()

    def _fault(self) -> SignatureBadError:
        return SignatureBadError(f"{self.received} bytes instead of {self._size}", path=self._path, author=self._author)
