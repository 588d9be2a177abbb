"""Twisted's reactor on asyncio, with a shorter way back from threads.

Rules. Its own way takes three turns of the loop: a call, a timer of no time, the timer's run. A transfer comes back from a
thread for every half megabyte and waits for it each time: 0.3 ms there, 0.08 ms here (measured beside a busy machine).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.main import installReactor
from twisted.logger import Logger

_LOG: Final = Logger()


class QuickReactor(AsyncioSelectorReactor):
    """Runs in the next turn what a thread asks for.

    Args:
        loop: it runs on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._loop = loop

    def callFromThread(  # type: ignore[override]  # noqa: N802 - Twisted's name; its bases disagree on the first
        self,
        callable: Callable[..., Any],  # noqa: A002 - Twisted's name
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Have something called on the loop; what it raises goes to the log, as from any call of the reactor's."""

        def call() -> None:
            try:
                callable(*args, **kwargs)
            except Exception:  # noqa: BLE001 - nobody is there to hear of it
                _LOG.failure("a call from a thread failed")

        self._loop.call_soon_threadsafe(call)


def install(loop: asyncio.AbstractEventLoop) -> None:
    """Make it the reactor of this process, before anything chooses another."""
    installReactor(QuickReactor(loop))
