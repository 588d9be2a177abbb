"""Work of which one run is under way at a time: what is asked for meanwhile is one more run behind it.

Rules. A server that stops ends a run early, and the next start goes on: that is no fault. One that failed is logged, and
what was asked for meanwhile is run all the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from sft.errors import TransferEndedError
from sft.server.context import ServerContext


class Coalesced:
    """One kind of work of a server.

    Args:
        run: one run of it.
        fault: what its log calls a run that failed.
    """

    def __init__(self, context: ServerContext, run: Callable[[], Awaitable[None]], *, fault: str) -> None:
        self._context = context
        self._work = run
        self._fault = fault
        self._runs = False
        self._asked = False

    def ask(self) -> Deferred[None]:
        """Ask for a run; fires when no more are asked for, or at once where one is under way."""
        self._asked = True
        if self._runs:
            return succeed(None)
        self._runs = True
        return Deferred.fromCoroutine(self._run()).addErrback(self._failed)

    def _failed(self, failure: Failure) -> Deferred[None]:
        self._context.event_log.failed(failure, self._fault)
        return self.ask() if self._asked else succeed(None)

    async def _run(self) -> None:
        try:
            with suppress(TransferEndedError):
                while self._asked and not self._context.stopping:
                    self._asked = False
                    await self._work()
        finally:
            self._runs = False
