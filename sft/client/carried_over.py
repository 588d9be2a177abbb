"""What a lost connection cut off, held open in this process: the next session goes on with it, and reads nothing again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

_MOST: Final = 16  # twice what two jobs have at work; each holds a descriptor or three


class Leavable(Protocol):
    """A transfer that was cut off."""

    def leave(self) -> None:
        """Leave it to a later process (blocks)."""


T = TypeVar("T", bound=Leavable)


class CarriedOver:
    """The transfers that are carried over to the next session."""

    def __init__(self) -> None:
        self._transfers: list[Leavable] = []

    def add(self, transfer: Leavable) -> list[Leavable]:
        """Carry one over, and return those that are too many now, the oldest: the caller leaves them."""
        self._transfers.append(transfer)
        too_many, self._transfers = self._transfers[:-_MOST], self._transfers[-_MOST:]
        return too_many

    def take(self, kind: type[T], fits: Callable[[T], bool]) -> T | None:
        """Take one that fits: it is carried over no more."""
        for transfer in self._transfers:
            if isinstance(transfer, kind) and fits(transfer):
                self._transfers.remove(transfer)
                return transfer
        return None

    def leave(self) -> None:
        """Leave all of them (blocks)."""
        while self._transfers:
            self._transfers.pop().leave()
