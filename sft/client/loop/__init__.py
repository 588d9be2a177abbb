"""What runs a client: Twisted's reactor, or the small loop over poll(2) of a command.

    poll                the small loop: tasks, timers
    poll_socket         its connections
    poll_threads        its threads
    twisted_loop        Twisted's reactor in the same form

Rules. Session, connection and dialing name neither: they ask ``loop_of`` their reactor, so every deadline, error and close is
one code over both, with one table of tests (test_loops.py). Twisted is loaded where its reactor is given, and nowhere else: its
imports take longer than a login and a listing together.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from sft.client.loop.poll import PollLoop, running

T_co = TypeVar("T_co", covariant=True)


class Waiting(Awaitable[T_co], Protocol[T_co]):
    """One result or fault to come, for the one coroutine that awaits it; Twisted's Deferred is one."""

    called: bool

    def callback(self, result: Any, /) -> object:
        """Give the result: whoever awaits it goes on now."""

    def errback(self, fault: Any, /) -> object:
        """Raise an exception where it is awaited."""

    def addErrback(self, errback: Callable[[Any], Any], /) -> Any:
        """Call a function with the fault."""


class Tasks(Protocol):
    """Coroutines of one thread."""

    @property
    def cancelled(self) -> type[Exception]:
        """What a cancelled coroutine gets where it waits."""

    def waiting(self) -> Waiting[Any]:
        """Make something to wait for."""

    def spawn(self, coroutine: Coroutine[Any, Any, object], ended: Callable[[BaseException | None], object]) -> Any:
        """Run a coroutine beside the others, then call ``ended`` with its exception, if any; return what cancels it."""


class Loop(Tasks, Protocol):
    """All that a client needs."""

    async def connect_tcp(self, protocol: Any, host: str, port: int, seconds: float) -> None:
        """Connect a protocol: every address of the host is tried, each so long.

        Raises:
            OSError: none answers (the last one's reason); gaierror where there is none.
        """

    async def connect_unix(self, protocol: Any, path: str, seconds: float) -> None:
        """Connect a protocol to a socket of this computer; OSError if nobody serves it."""

    def new_pool(self) -> Any:
        """Return what runs what blocks (``start``, ``run``, ``compute``, ``stop``), as ``sft.transport.threads.Pool``."""


def loop_of(reactor: Any) -> Loop:
    """Return what a client needs of whatever runs it."""
    if isinstance(reactor, PollLoop):
        return reactor
    from sft.client.loop.twisted_loop import TwistedLoop

    return TwistedLoop(reactor)


def running_tasks() -> Tasks:
    """Return what runs the coroutine that calls this."""
    here = running()
    if here is not None:
        return here
    from sft.client.loop.twisted_loop import TwistedTasks

    return TwistedTasks()
