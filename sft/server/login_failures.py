"""Refused logins, counted until the log is told of them all together.

Rules. The first one begins an hour, whose end has the ledger say how many there were; so does the end of the server. Sources
are counted up to a bound, however many a stranger finds; the event log has a line of each, within its own bounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed

from sft.limits import LOGIN_FAILURES_NAMED, LOGIN_FAILURES_SECONDS, LOGIN_FAILURES_SOURCES
from sft.model.access import operator_caller
from sft.server.event_log import EventLog
from sft.service.login_failures import LoginFailuresInput, note_login_failures


class FailureCount:
    """Counts those of one server.

    Args:
        reactor: its clock ends the hours.
        act: does an act; fires when it is durable.
        clock: Unix seconds.
    """

    def __init__(
        self, event_log: EventLog, reactor: Any, act: Callable[..., Deferred[Any]], clock: Callable[[], float]
    ) -> None:
        self._event_log = event_log
        self._reactor = reactor
        self._act = act
        self._clock = clock
        self._sources: Counter[str] = Counter()
        self._failures = 0
        self._since = 0
        self._end: Any = None

    def count(self, source: str) -> None:
        if self._end is None:
            self._since = int(self._clock())
            self._end = self._reactor.callLater(LOGIN_FAILURES_SECONDS, self._say)
        self._failures += 1
        if source in self._sources or len(self._sources) < LOGIN_FAILURES_SOURCES:
            self._sources[source] += 1

    def stop(self) -> Deferred[None]:
        """Have the log say what was counted so far; fires when it does."""
        if self._end is None:
            return succeed(None)
        self._end.cancel()
        return self._say()

    def _say(self) -> Deferred[None]:
        named = tuple(source for source, _ in self._sources.most_common(LOGIN_FAILURES_NAMED))
        said = LoginFailuresInput(operator_caller(), self._since, self._failures, len(self._sources), named)
        self._sources, self._failures, self._end = Counter(), 0, None
        return self._act(note_login_failures, said).addErrback(self._event_log.failed, "login-failures-fault")
