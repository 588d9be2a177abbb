"""Damage that is met while people are served: noted whoever met it, and whatever became of their session.

    vault, on any thread → reactor → the act that notes it, once an object → the event, which is a warning in the event log

Rules. It is noted where the content did not open, not where somebody is told: a session that is closed meanwhile hides nothing.
Where the database cannot take it, as on a full disk, the warning is written all the same. In one process an object is asked
about once, so that nobody keeps the writer busy by asking for the same again and again.
"""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.server.event_log import EventLog
from sft.service.maintenance.damage import Damage, note_damage
from sft.service.storage import DamagedContent

REMEMBERED: Final = 10_000


class DamageNotes:
    """Notes of one server.

    Args:
        act: has the writer do an act.
    """

    def __init__(self, reactor: Any, event_log: EventLog, act: Any) -> None:
        self._reactor = reactor
        self._event_log = event_log
        self._act = act
        self._asked: set[bytes] = set()

    def met(self, found: DamagedContent) -> None:
        """Take a damage; from any thread."""
        self._reactor.callFromThread(self._note, found)

    def _note(self, found: DamagedContent) -> None:
        if found.object_id in self._asked:
            return
        if len(self._asked) >= REMEMBERED:
            self._asked.clear()
        self._asked.add(found.object_id)
        noted: Deferred[bool] = self._act(note_damage, Damage(found))
        noted.addErrback(self._warn, found)

    def _warn(self, _failure: Failure, found: DamagedContent) -> None:
        """Say it without the event that could not be kept; the next who meets it has it noted."""
        self._asked.discard(found.object_id)
        said = {"path": found.path, "version": found.number, "object": found.object_id.hex()}
        self._event_log.warn("damage-found", **said, problem=found.problem, noted="no")
