"""A part file that can be gone on with: its mark, and the record of it.

Rules. Every segment the part is synced, and then the record says how far it is good, with the digest of those bytes. Whoever
goes on after a death reads them again: the digest must be that one, whatever else lies in the file. After a connection alone
was lost the open part waits in this process with its running digest, and nothing is read again. One that did not hold is
never kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from sft.client.transfers.part_file import PartFile
from sft.client.transfers.unfinished import DownloadRecord, HeldRecord
from sft.limits import SEGMENT_BYTES


class ResumablePart:
    """One part and its record.

    Args:
        now: Unix seconds.
    """

    def __init__(self, part: PartFile, held: HeldRecord[DownloadRecord], now: Callable[[], float]) -> None:
        self._part = part
        self._held = held
        self._now = now

    @property
    def record(self) -> DownloadRecord:
        return self._held.record

    @property
    def intact(self) -> bool:
        """Whether the part still has its one name."""
        return self._part.intact

    def write(self, chunks: Sequence[bytes]) -> None:
        self._part.write(chunks)

    def reached(self, done: int, digest: Callable[[], bytes]) -> None:
        """Set the mark, where a segment has come since the last one and more is to come."""
        if done - self.record.done >= SEGMENT_BYTES and done < self.record.size:
            self._mark(done, digest())

    def finish(self, *, dated_at: int, signature: bytes) -> tuple[Path, Path | None]:
        placed = self._part.finish(dated_at=dated_at, signature=signature)
        self._held.forget()
        return placed

    def discard(self) -> None:
        self._part.discard()
        self._held.forget()

    def leave(self, done: int, digest: bytes) -> None:
        """Leave it to a later run: as far as was written, if that digest is known; else to the last mark."""
        try:
            if digest and done > self.record.done:
                self._mark(done, digest)
        finally:
            self._part.leave()
            self._held.let_go()

    def _mark(self, done: int, digest: bytes) -> None:
        self._part.sync()
        self._held.save(done=done, prefix=digest, saved_at=int(self._now()))


class WaitingPart(Struct, frozen=True):
    """A part whose connection was lost, with the digest that runs over it.

    Args:
        again: bytes that had arrived after those, and will again.
    """

    part: ResumablePart
    running: hashlib.blake2b
    done: int
    again: int

    def leave(self) -> None:
        self.part.leave(self.done, self.running.digest())
