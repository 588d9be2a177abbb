"""What the log says of those who have not logged in: the first lines of each source, then how many more there were.

Rules. Whoever can connect can cause a line. So in a minute a source has ten and all of them have a thousand; what is over is
counted, and said once the minute is over. What is kept is bounded likewise, however many addresses somebody has.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from sft.limits import STRANGER_LINES, STRANGER_LINES_PER_SOURCE, STRANGER_LINES_SECONDS
from sft.server.event_log import EventLog

NAMED: Final = 100  # sources whose number has a line of its own; the others share one


class StrangerLog:
    """Writes lines of strangers into the log.

    Args:
        reactor: its clock ends the minutes.
    """

    def __init__(self, event_log: EventLog, reactor: Any) -> None:
        self._event_log = event_log
        self._reactor = reactor
        self._written: Counter[str] = Counter()
        self._more: Counter[str] = Counter()
        self._others = 0
        self._end: Any = None
        self._stopped = False

    def note(self, event: str, *, source: str, **values: object) -> None:
        if self._end is None and not self._stopped:
            self._end = self._reactor.callLater(STRANGER_LINES_SECONDS, self._minute_over)
        if self._written[source] < STRANGER_LINES_PER_SOURCE and self._written.total() < STRANGER_LINES:
            self._written[source] += 1
            self._event_log.note(event, source=source, **values)
        elif source in self._more or len(self._more) < NAMED:
            self._more[source] += 1
        else:
            self._others += 1

    def stop(self) -> None:
        """Say what was counted, and begin no further minute; idempotent."""
        self._stopped = True
        if self._end is not None:
            self._end.cancel()
            self._minute_over()

    def _minute_over(self) -> None:
        self._end = None
        for source, lines in self._more.items():
            self._event_log.note("strangers", source=source, lines_left_out=lines)
        if self._others:
            self._event_log.note("strangers", source="others", lines_left_out=self._others)
        self._written.clear()
        self._more.clear()
        self._others = 0
