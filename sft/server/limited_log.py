"""Lines of the log that others can cause at will: the first of each cause, then how many more there were.

Rules. Whoever can connect, or send a request, can cause a line. In a minute a cause (a source, a person, a path) has ten, and
all of them have a thousand; what is over is counted, and said once the minute is over. What is kept is bounded likewise,
however many causes somebody finds.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from sft.limits import LIMITED_LINES, LIMITED_LINES_PER_CAUSE, LIMITED_LINES_SECONDS
from sft.server.event_log import EventLog

NAMED: Final = 100  # causes whose number has a line of its own; the others share one


class LimitedLog:
    """Writes lines of one kind into the log.

    Args:
        reactor: its clock ends the minutes.
        kind: the event that says what was left out.
        cause: the key of what lines are counted by.
    """

    def __init__(self, event_log: EventLog, reactor: Any, kind: str, cause: str) -> None:
        self._event_log = event_log
        self._reactor = reactor
        self._kind = kind
        self._cause = cause
        self._written: Counter[str] = Counter()
        self._lines = 0
        self._more: Counter[str] = Counter()
        self._others = 0
        self._end: Any = None
        self._stopped = False

    def note(self, event: str, cause: str, *, warning: bool = False, **values: object) -> None:
        if self._end is None and not self._stopped:
            self._end = self._reactor.callLater(LIMITED_LINES_SECONDS, self._minute_over)
        if self._written[cause] < LIMITED_LINES_PER_CAUSE and self._lines < LIMITED_LINES:
            self._written[cause] += 1
            self._lines += 1
            write = self._event_log.warn if warning else self._event_log.note
            write(event, **{self._cause: cause}, **values)
        elif cause in self._more or len(self._more) < NAMED:
            self._more[cause] += 1
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
        for cause, lines in self._more.items():
            self._event_log.note(self._kind, **{self._cause: cause}, lines_left_out=lines)
        if self._others:
            self._event_log.note(self._kind, **{self._cause: "others"}, lines_left_out=self._others)
        self._written.clear()
        self._lines = 0
        self._more.clear()
        self._others = 0
