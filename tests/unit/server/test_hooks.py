"""The hooks of a server, one changed as it stops: nothing of it goes on behind that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import Logger

from sft.model.hooks import Hook
from sft.server.event_log import EventLog
from sft.server.hooks import Hooks
from sft.service.maintenance.hooks import HookPage

HOOK = Hook(name="chat", events=("all",), run=("/bin/true",))


def test_a_stop_waits_for_a_feed_that_a_change_is_ending() -> None:
    reads: list[Deferred[HookPage]] = []

    def read(*_: Any, **__: Any) -> Deferred[HookPage]:
        reads.append(Deferred())
        return reads[-1]

    ledger: Any = SimpleNamespace(head=SimpleNamespace(size=0))
    hooks = Hooks(
        Clock(),
        ledger,
        read=read,
        act=lambda _, item: succeed(dict.fromkeys(item.names, 0)),
        event_log=EventLog(Logger(observer=lambda _: None)),
        now=lambda: 0,
    )
    Deferred.fromCoroutine(hooks.change([HOOK]))
    assert len(reads) == 1
    changing, stopping = Deferred.fromCoroutine(hooks.change([])), Deferred.fromCoroutine(hooks.stop())
    assert (changing.called, stopping.called) == (False, False)
    reads[0].callback(HookPage([], 0))
    assert (changing.called, stopping.called, len(reads), hooks.status) == (True, True, 1, ())
