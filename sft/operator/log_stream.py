"""The server's log on standard output: our own lines, and what Twisted has to say beyond its everyday; as text or as JSON.

Rules. ``LOGGED`` says which form and from which level on, and may be changed while the process runs. As JSON each line is one
object: what a line says in words of our own, by name, never a text to be taken apart. No line is so long that a service which
keeps logs would cut it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TextIO

from twisted.logger import (
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    LogEvent,
    LogLevel,
    PredicateResult,
    formatEvent,
    textFileLogObserver,
)
from zope.interface import implementer, provider

from sft.limits import LOG_JSON_BYTES
from sft.model.text import utc_time
from sft.server.event_log import LogFields

_EVERYDAY = ("twisted.", "log_legacy", "-")  # namespaces: that it starts, that a port is open, that its loop ended
LEVELS: Final = {"debug": LogLevel.debug, "info": LogLevel.info, "warning": LogLevel.warn, "error": LogLevel.error}
_NAMES: Final = {level: name for name, level in LEVELS.items()} | {LogLevel.critical: "error"}


@dataclass(slots=True)
class LogForm:
    """What is written: in which form, and from which level on."""

    json: bool = False
    level: str = "info"

    def change(self, log_format: str, level: str) -> None:
        """Write otherwise from the next line on."""
        self.json, self.level = log_format == "json", level


LOGGED: Final = LogForm()
"""Of this process: twistd makes the observer, and gives it nothing."""


@provider(ILogFilterPredicate)
def _is_told(event: LogEvent) -> Any:
    level = event.get("log_level") or LogLevel.info
    everyday = str(event.get("log_namespace", "")).startswith(_EVERYDAY)
    dropped = everyday and level in {LogLevel.debug, LogLevel.info} and not event.get("isError")
    below = not event.get("isError") and level < LEVELS[LOGGED.level]
    return PredicateResult.no if dropped or below else PredicateResult.yes


@implementer(ILogObserver)
class _Observer:
    """Writes each event in the form that is wanted when it comes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._as_text: Any = textFileLogObserver(stream)

    def __call__(self, event: LogEvent) -> None:
        if not LOGGED.json:
            self._as_text(event)
            return
        for document in documents_of(event):
            self._stream.write(json.dumps(document, default=str) + "\n")
        self._stream.flush()


def documents_of(event: LogEvent) -> Iterator[dict[str, Any]]:
    """Return what a log event says, as one object or, where that would be too long, several."""
    head: dict[str, Any] = {
        "time": utc_time(event.get("log_time", 0.0)),
        "level": "error" if event.get("isError") else _NAMES[event.get("log_level") or LogLevel.info],
    }
    fields: LogFields | None = event.get("fields")
    if fields is None:
        failure = event.get("log_failure") or event.get("failure")
        said = {"event": "log", "from": str(event.get("log_namespace", "")), "message": formatEvent(event)}
        yield head | said | ({} if failure is None else {"traceback": failure.getTraceback().splitlines()})
    elif not fields.goes_on:
        yield from _within_bounds(head | {"event": fields.event} | fields.common, fields.each)


def _within_bounds(head: dict[str, Any], each: Sequence[dict[str, object]]) -> Iterator[dict[str, Any]]:
    document = head | (each[0] if len(each) == 1 else {"items": [*each]} if each else {})
    if len(each) > 1 and len(json.dumps(document, default=str)) > LOG_JSON_BYTES:
        half = len(each) // 2
        yield from _within_bounds(head, each[:half])
        yield from _within_bounds(head, each[half:])
    else:
        yield document


def standard_output(stream: TextIO | None = None) -> ILogObserver:
    """Return what writes the log to standard output, as twistd's ``--logger`` names one."""
    observer: Any = _Observer(stream or sys.stdout)
    told: ILogObserver = FilteringLogObserver(observer, [_is_told])
    return told
