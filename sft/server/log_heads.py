"""Which head of the log a session was told, and the way from there to a newer one.

    each answer: step (any thread) → take → LogHead or None, sent before the answer

Rules. A session's heads go only forwards, each with its consistency from the one told before. ``step`` may read old tiles and
so belongs to another thread; ``take`` is the reactor's, in the same turn in which the answer is sent, and drops a step that
another answer has overtaken. PROTOCOL.md §10.
"""

from __future__ import annotations

from msgspec import Struct

from sft.service.log.ledger import Ledger, SignedHead
from sft.wire.messages import LogHead


class HeadStep(Struct, frozen=True):
    """From the head that a session was told to a newer one."""

    old_size: int
    new_size: int
    message: LogHead


class SessionHead:
    """The newest head that one session was told.

    Args:
        told_size: of the welcome's head.
    """

    __slots__ = ("_ledger", "_told_size")

    def __init__(self, ledger: Ledger, told_size: int) -> None:
        self._ledger = ledger
        self._told_size = told_size

    @property
    def told_size(self) -> int:
        return self._told_size

    def step(self, head: SignedHead) -> HeadStep | None:
        """Make the way to a head; None where the session knows that or a newer one.

        Evidence under an older head than ``told_size`` is to be made again.
        """
        old_size = self._told_size
        if head.size <= old_size:
            return None
        return HeadStep(old_size, head.size, LogHead(head.note, self._ledger.consistency(old_size, head.size)))

    def take(self, step: HeadStep | None) -> LogHead | None:
        """Return what is to be sent now, as told; None where there is nothing, or the session has heard more meanwhile."""
        if step is None or step.old_size != self._told_size:
            return None
        self._told_size = step.new_size
        return step.message
