"""How far a transfer is: bytes, files, rate and time left, and one line that says it.

Rules. Pure: the moment comes as an argument. The rate is that of the last seconds, and what has not moved for five is told as
stalled. An item that failed, or was there already, counts as done for the percentage, and moves no bytes for the rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.cli.columns import cells, cut
from sft.client.transfers.progress import Progress, Rate, TransferStage
from sft.model.names import safe
from sft.model.text import count_text, left_text, part_text, rate_text, size_text

BAR_LEAST: Final = 8
BAR_MOST: Final = 42
# Nothing moves over the line then: what was there is told, or told off.
_STILL: Final = frozenset({TransferStage.PROVING, TransferStage.RESUMED, TransferStage.RESTARTED})
_CLOSING: Final = frozenset({TransferStage.STORING, TransferStage.VERIFYING})


class Meter:
    """Counts what the items of one command report.

    Args:
        title: what is moved.
        totals: bytes of each item; None where nobody knows yet.
    """

    def __init__(self, title: str, totals: Sequence[int | None]) -> None:
        self.title = title
        self.files = len(totals)
        self.done_files = 0
        self.moved_bytes = 0
        self.stage = TransferStage.WAITING
        self.total_bytes = None if None in totals else sum(total or 0 for total in totals)
        self._totals = list(totals)
        self._settled = [0] * len(totals)
        self._moved = [0] * len(totals)
        self._ended: set[int] = set()
        self.settled_bytes = 0
        self._rate = Rate()

    def report(self, progress: Progress) -> None:
        index, done = progress.index, progress.done_bytes
        self.stage = progress.stage
        if progress.stage not in _STILL:
            self.moved_bytes += done - self._moved[index]
        self._moved[index] = done
        settled = done
        if progress.stage.ended:
            settled = self._totals[index] or done
            if index not in self._ended:
                self._ended.add(index)
                self.done_files += 1
        self.settled_bytes += settled - self._settled[index]
        self._settled[index] = settled

    @property
    def percent(self) -> int | None:
        """Hundredths of all bytes that are settled; None while the total is unknown."""
        if self.total_bytes is None:
            return None
        if not self.total_bytes:
            return 100 * self.done_files // self.files if self.files else 100
        return min(100 * self.settled_bytes // self.total_bytes, 100)

    def sample(self, now: float) -> None:
        """Note where things stand, for the rate."""
        self._rate.sample(now, self.moved_bytes)

    def rate(self) -> float:
        """Bytes a second over the last seconds."""
        return self._rate.bytes_per_second

    def stalled(self) -> bool:
        """Return whether nothing has moved for a while, though something should."""
        return self.stage not in _CLOSING and self._rate.stalled

    def seconds_left(self) -> float | None:
        """Estimate how long it will take yet."""
        if self.total_bytes is None:
            return None
        return self._rate.seconds_for(self.total_bytes - self.settled_bytes)

    def parts(self) -> list[str]:
        """Return it in words: percentage, files, bytes, rate, time left."""
        said = []
        percent = self.percent
        if percent is not None:
            said.append(f"{percent} %")
        if self.files > 1:
            said.append(f"{count_text(self.done_files)}/{count_text(self.files)} files")
        if self.total_bytes is None:
            said.append(size_text(self.settled_bytes))
        else:
            said.append(part_text(self.settled_bytes, self.total_bytes))
        everything_moved = percent == 100  # noqa: PLR2004 - the whole
        if everything_moved and self.stage in _CLOSING:
            return [*said, self.stage.value]
        if self.stage is TransferStage.PROVING:
            return [*said, "reading again what is there"]
        if self.stalled():
            return [*said, "stalled"]
        said.append(rate_text(self.rate(), 1))
        left = self.seconds_left()
        if left is not None and not everything_moved:
            said.append(f"{left_text(left)} left")
        return said

    def line(self, width: int, full: str = "━", empty: str = "─") -> str:
        """Return it as one line with a bar, no wider than so many columns."""
        said = "  ".join(self.parts())
        title = cut(safe(self.title), max(width // 3, 8), "~")
        # The last column stays free: a terminal may wrap as soon as it is written.
        room = width - 1 - cells(title) - cells(said) - 4
        if self.percent is None or room < BAR_LEAST:
            return cut(f"{title}  {said}", width - 1, "")
        length = min(room, BAR_MOST)
        done = length * self.percent // 100
        return f"{title}  {full * done}{empty * (length - done)}  {said}"
