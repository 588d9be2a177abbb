"""The server's log on standard output: our own lines, and what Twisted has to say beyond its everyday."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from twisted.logger import (
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    LogEvent,
    LogLevel,
    PredicateResult,
    textFileLogObserver,
)
from zope.interface import provider

_EVERYDAY = ("twisted.", "log_legacy", "-")  # namespaces: that it starts, that a port is open, that its loop ended


@provider(ILogFilterPredicate)
def _is_told(event: LogEvent) -> Any:
    everyday = str(event.get("log_namespace", "")).startswith(_EVERYDAY)
    dropped = everyday and event.get("log_level") in {LogLevel.debug, LogLevel.info} and not event.get("isError")
    return PredicateResult.no if dropped else PredicateResult.yes


def standard_output(stream: TextIO | None = None) -> ILogObserver:
    """Return what writes the log to standard output, as twistd's ``--logger`` names one."""
    observer: Any = textFileLogObserver(stream or sys.stdout)
    told: ILogObserver = FilteringLogObserver(observer, [_is_told])
    return told
