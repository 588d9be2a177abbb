"""Damage that is met while people are served."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from sft.errors import ServerFullError
from sft.server.damage_notes import DamageNotes
from sft.service.storage import DamagedContent

FOUND = DamagedContent(b"o" * 16, b"f" * 16, 3, "d/a b", "it is cut")


class _Reactor:
    def callFromThread(self, function: Any, *args: Any) -> None:
        function(*args)


class _Log:
    def __init__(self) -> None:
        self.warnings: list[dict[str, Any]] = []

    def warn(self, event: str, **values: Any) -> None:
        self.warnings.append({"event": event, **values})


def test_an_object_is_noted_once_however_often_it_is_met() -> None:
    asked: list[DamagedContent] = []

    def act(_act: Any, item: Any) -> Deferred[bool]:
        asked.append(item.content)
        return succeed(True)

    notes = DamageNotes(_Reactor(), _Log(), act)  # type: ignore[arg-type]
    for _ in range(3):
        notes.met(FOUND)
    assert asked == [FOUND]


def test_what_the_database_cannot_take_is_a_warning_and_is_tried_again() -> None:
    log, outcomes = _Log(), [fail(ServerFullError(size_bytes=0)), succeed(True)]
    notes = DamageNotes(_Reactor(), log, lambda _act, _item: outcomes.pop(0))  # type: ignore[arg-type]
    for _ in range(3):
        notes.met(FOUND)
    assert outcomes == []
    (said,) = log.warnings
    assert said == {
        "event": "damage-found", "path": "d/a b", "version": 3, "object": (b"o" * 16).hex(), "problem": "it is cut",
        "noted": "no",
    }  # fmt: skip
