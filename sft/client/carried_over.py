"""What a lost connection left in this process: the next session of the same person goes on with it, and reads nothing again."""

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
    """The transfers that wait for a session."""

    def __init__(self) -> None:
        self._waiting: list[Leavable] = []

    def add(self, transfer: Leavable) -> list[Leavable]:
        """Let one wait, and return those that are too many now, the oldest: the caller leaves them."""
        self._waiting.append(transfer)
        too_many, self._waiting = self._waiting[:-_MOST], self._waiting[-_MOST:]
        return too_many

    def take(self, kind: type[T], fits: Callable[[T], bool]) -> T | None:
        """Take one that fits; it waits no more."""
        for transfer in self._waiting:
            if isinstance(transfer, kind) and fits(transfer):
                self._waiting.remove(transfer)
                return transfer
        return None

    def leave(self) -> None:
        """Leave all of them (blocks)."""
        while self._waiting:
            self._waiting.pop().leave()
