"""Which head of the log a session was told, and what has to be said before an answer that rests on a newer one.

    each answer: step (any thread) → take → LogHead or None, sent before the answer

Rules. A session's heads go only forwards, each with its consistency from the one told before. ``step`` may read old tiles and
so belongs to another thread; ``take`` is the reactor's, in the same turn in which the answer is sent, and drops a step that
another answer has overtaken. What authors signed to have seen is proved with every answer anew: what a session remembered
of it would grow without bound, and the other end would have to remember the same. PROTOCOL.md §10.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from sft.model.evidence import ProvedHead
from sft.wire.messages import LogHead


class ProvingLog(Protocol):
    """The server's log, as far as it proves itself; for any thread."""

    def head(self) -> tuple[str, int]:
        """Return the newest signed head and its size."""

    def consistency(self, old_size: int, new_size: int) -> Sequence[bytes]:
        """Prove that the log of one size goes on that of another; recent ones without reading anything."""


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

    __slots__ = ("_log", "_told_size")

    def __init__(self, log: ProvingLog, told_size: int) -> None:
        self._log = log
        self._told_size = told_size

    @property
    def told_size(self) -> int:
        return self._told_size

    def step(self, head: tuple[str, int] | None = None) -> HeadStep | None:
        """Make the way to the head that evidence is under, or to the newest; None where the session knows that or a newer one.

        Evidence under an older head than ``told_size`` is to be made again.
        """
        old_size = self._told_size
        note, new_size = self._log.head() if head is None else head
        if new_size <= old_size:
            return None
        return HeadStep(old_size, new_size, LogHead(note, tuple(self._log.consistency(old_size, new_size))))

    def take(self, step: HeadStep | None) -> LogHead | None:
        """Return what is to be sent now, as told; None where there is nothing, or the session has heard more meanwhile."""
        if step is None or step.old_size != self._told_size:
            return None
        self._told_size = step.new_size
        return step.message


def heads_proved(log: ProvingLog, sizes: Iterable[int], size: int) -> tuple[ProvedHead, ...]:
    """Prove that heads of these sizes are of this log, under the head of ``size``: each once, by size.

    None is for an empty log, for the head itself, or for one that is not there yet.
    """
    older = sorted(old for old in set(sizes) if 0 < old < size)
    return tuple(ProvedHead(old, tuple(log.consistency(old, size))) for old in older)
