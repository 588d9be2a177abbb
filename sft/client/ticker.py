"""Something called a few times a second while a block runs: progress is looked at, never pushed from another thread."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall

_SECONDS: Final = 0.1  # nobody sees more than ten steps a second


class Ticker:
    """Calls while its block runs, once at its beginning.

    Args:
        reactor: its clock times the calls.
    """

    def __init__(self, reactor: Any, call: Callable[[], None]) -> None:
        self._reactor = reactor
        self._call = call
        self._next: IDelayedCall | None = None

    def __enter__(self) -> None:
        self._tick()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._next is not None and self._next.active():
            self._next.cancel()

    def _tick(self) -> None:
        self._next = self._reactor.callLater(_SECONDS, self._tick)
        self._call()
