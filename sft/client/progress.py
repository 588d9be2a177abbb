"""What a transfer tells of itself while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class TransferStage(StrEnum):
    """Where a file is on its way."""

    WAITING = "waiting"
    SENDING = "sending"
    STORING = "storing"
    STORED = "stored"
    UNCHANGED = "unchanged"
    RECEIVING = "receiving"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of one item.

    Args:
        index: of the item, in the order in which it was given.
        name: as the person named it.
        total_bytes: None while nobody knows (a pipe).
    """

    index: int
    name: str
    stage: TransferStage
    done_bytes: int
    total_bytes: int | None


Report = Callable[[Progress], None]


class Reporter:
    """Tells of one item, with what does not change filled in."""

    def __init__(
        self, report: Report | None, index: int, name: str, total_bytes: int | None
    ) -> None:
        self._report = report
        self._index = index
        self._name = name
        self.total_bytes = total_bytes
        self.done_bytes = 0

    def __call__(self, stage: TransferStage, done_bytes: int | None = None) -> None:
        """Tell where the item is; the bytes done stay unless given."""
        if done_bytes is not None:
            self.done_bytes = done_bytes
        if self._report is not None:
            self._report(
                Progress(self._index, self._name, stage, self.done_bytes, self.total_bytes)
            )
