"""The server's log: one structured line an event, every value escaped, no secret ever.

Rules. A line is ``event key=value …``; values of peers pass ``safe`` and are quoted where they hold
blanks. What one session did to several files in one commit is one line, which names each: writing a line
cost more than what is in it. No line is so long that a service that keeps logs would cut it, for what follows
a cut begins a line. Keys, links, passphrases, contents and signatures never come here: callers pass ids, names,
codes and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Final, NamedTuple

from twisted.logger import Logger
from twisted.python.failure import Failure

from sft.limits import LOG_LINE_CHARACTERS
from sft.model.access import Caller
from sft.model.events import DomainEvent, FileCommitted, FileReplaced
from sft.model.names import safe
from sft.model.text import new_reference

_BARE: Final = re.compile(r"[!#-<>-\[\]-~]+")  # printable ASCII without blank, quotation mark, "=" and backslash
_LINE_NAME: Final = re.compile(r"(?<!^)(?=[A-Z])")  # FileMoved → file-moved


def line(event: str, values: dict[str, object]) -> str:
    """Write one line of the log."""
    return event + _shown(values)


class LogFields(NamedTuple):
    """What a line says, by name: for logs that are no text.

    Attributes:
        each: several things of the kind, beside what they have in common.
        goes_on: the line belongs to the one before, which says all of it.
    """

    event: str
    common: dict[str, object]
    each: Sequence[dict[str, object]] = ()
    goes_on: bool = False


def lines(
    event: str, common: dict[str, object], each: Iterable[dict[str, object]]
) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Write several things of a kind, in as few lines as may be; each line says what they have in common.

    Returns:
        Each line, and which of the things are in it.
    """
    head = text = line(event, common)
    within: list[dict[str, object]] = []
    for values in each:
        shown = _shown(values)
        if len(text) + len(shown) > LOG_LINE_CHARACTERS and text != head:
            yield text, within
            text, within = head, []
        text += shown
        within.append(values)
    yield text, within


def _shown(values: dict[str, object]) -> str:
    return "".join([f" {key}={_value(value)}" for key, value in values.items()])


def _value(value: object) -> str:
    text = str(value)
    if type(value) is int:
        return text
    if _BARE.fullmatch(text):
        return text
    # Before what ``safe`` escapes: a backslash of the value is told from one that begins an escape.
    shown = safe(text.replace("\\", "\\\\").replace('"', '\\"'))
    return f'"{shown}"' if not text or any(mark in text for mark in ' "=\\') else shown


@cache
def event_name(kind: type[DomainEvent]) -> str:
    """Return what an event is called in the log: ``file-moved``."""
    return _LINE_NAME.sub("-", kind.__name__).lower()


def _who(by: Caller) -> dict[str, object]:
    return {"session": by.session_id, "by": by.name} if by.session_id else {"by": by.name}


def _what(event: DomainEvent) -> dict[str, object]:
    """Pick what a line says of an event beside who did it: everything but bytes; of many ids their number."""
    said: dict[str, object] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name != "by" and value is not None and not isinstance(value, bytes):
            said[name] = len(value) if isinstance(value, tuple) else value
    return said


def _told_with(event: DomainEvent) -> object:
    """Return what is equal of events that share a line."""
    return (type(event), event.by) if isinstance(event, FileCommitted | FileReplaced) else event


class EventLog:
    """Writes the log through Twisted's logger."""

    def __init__(self, logger: Logger | None = None) -> None:
        self._logger = logger or Logger(namespace="sft")

    def tell(self, events: Sequence[DomainEvent]) -> None:
        """Log what acts did; steps of maintenance are too many for a line each."""
        told = (event for event in events if not event.routine)
        for _, together in groupby(told, key=_told_with):
            alike = list(together)
            first = alike[0]
            if first.warning:
                self.warn(event_name(type(first)), **_what(first))
            else:
                self.note_each(event_name(type(first)), _who(first.by), map(_what, alike))

    def note(self, event: str, **values: object) -> None:
        self._logger.info("{line}", line=line(event, values), fields=LogFields(event, values))

    def note_each(self, event: str, common: dict[str, object], each: Iterable[dict[str, object]]) -> None:
        """Log several things of a kind, which costs little more than one."""
        for said, within in lines(event, common, each):
            self._logger.info("{line}", line=said, fields=LogFields(event, common, within))

    def warn(self, event: str, **values: object) -> None:
        fields = LogFields(event, values)
        self._logger.warn("{line}", line=line(event, values), fields=fields)  # noqa: G010 - the name in Twisted

    def fault(self, event: str, failure: Failure, **values: object) -> str:
        """Log an unexpected exception with its traceback; returns the reference that finds it."""
        reference = new_reference()
        said = {"ref": reference, **values, "error": type(failure.value).__name__}
        # The traceback has code lines but no values of variables: nothing of a user stands in it.
        rows = failure.getTraceback(elideFrameworkCode=True, detail="brief").splitlines()
        fields = LogFields(event, said | {"traceback": rows})
        self._logger.error("{line}", line=line(event, said), fields=fields)
        for row in rows:
            self._logger.error("{line}", line=f"  {reference} {safe(row)}", fields=fields._replace(goes_on=True))
        return reference

    def failed(self, failure: Failure, event: str) -> None:
        """Log an unexpected exception where nobody waits for an answer (an errback)."""
        self.fault(event, failure)
