"""The only module that starts the reactor: it runs the app and the network on one loop of ours.

Rules. The reactor is installed on our loop before anything can choose another; it owns the loop, the app is one
coroutine on it. Timers use the monotonic clock. A signal ends the app in order, so that the terminal is left as it was
found; a second one, or one that nothing follows, ends it at once, and the terminal is left so too. What Twisted would
print goes to the log.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Final, Protocol

from sft.errors import SftError
from tui.runtime import asyncio_reactor
from tui.runtime.idle_gc import collect_while_idle
from tui.runtime.input_priority import InputPriority, InputPrioritySelector
from tui.runtime.key_queue import KeyQueue
from tui.runtime.scrollbars import draw_soon

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_END_SECONDS: Final = 15.0  # an orderly close waits 5 s; what takes longer hangs


class RunnableApp(Protocol):
    """The app, as far as it is run and ended from here."""

    key_queue: KeyQueue

    async def run_async(self) -> int | None:
        """Run to the end; None if a fault of our own ended it."""

    def exit(self, result: int) -> None:
        """End it in order."""

    def end_at_once(self, status: int) -> None:
        """End the process, leaving a sane terminal."""

    @property
    def last_words(self) -> str:
        """What is written on the terminal at the end."""


def run(make_app: Callable[[Any], RunnableApp], log: Callable[[str], object]) -> int:
    """Run an app until it ends; once per process.

    Args:
        make_app: given the reactor.
        log: gets what Twisted has to say of faults that nobody caught.

    Returns:
        The exit status.
    """
    priority = InputPriority()
    loop = asyncio.SelectorEventLoop(InputPrioritySelector(priority))
    draw_soon()
    asyncio.set_event_loop(loop)
    asyncio_reactor.install(loop, priority)
    from twisted.internet import reactor as installed
    from twisted.internet.defer import Deferred

    reactor: Any = installed
    reactor.seconds = time.monotonic
    _log_faults_to(log)
    loop.set_exception_handler(lambda _, context: log(_said_of(context)))
    outcome: list[int | BaseException] = []

    async def main() -> None:
        app = make_app(reactor)
        priority.keys = app.key_queue
        _end_by_signals(loop, app)
        collecting = asyncio.ensure_future(collect_while_idle(app.key_queue))
        try:
            result = await app.run_async()
        finally:
            collecting.cancel()
        # Only a fault of our own ends it without a status.
        outcome.append(SftError.exit_status if result is None else result)
        if app.last_words:
            sys.stderr.write(f"{app.last_words}\n")

    def ended(result: object) -> None:
        error = getattr(result, "value", None)
        if isinstance(error, BaseException):
            outcome.append(error)
        reactor.stop()

    def begin() -> None:
        Deferred.fromFuture(asyncio.ensure_future(main(), loop=loop)).addBoth(ended)

    reactor.callWhenRunning(begin)
    # Twisted's own handlers would stop the reactor under the app, and leave the terminal as it is then.
    reactor.run(installSignalHandlers=False)
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _end_by_signals(loop: asyncio.AbstractEventLoop, app: RunnableApp) -> None:
    came: list[int] = []

    def end(number: int) -> None:
        if came:
            app.end_at_once(128 + number)
        came.append(number)
        loop.call_later(_END_SECONDS, app.end_at_once, 128 + number)
        app.exit(128 + number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, end, number)


def _said_of(context: dict[str, Any]) -> str:
    """Write down what no task or callback was asked about: asyncio's own way is standard error, which the app swallows."""
    fault = context.get("exception")
    details = "".join(traceback.format_exception(fault)) if isinstance(fault, BaseException) else ""
    return f"{context.get('message', '')}\n{details}"


def _log_faults_to(log: Callable[[str], object]) -> None:
    from twisted.logger import ILogObserver, LogEvent, LogLevel, eventAsText, globalLogBeginner
    from zope.interface import provider

    @provider(ILogObserver)
    def record(event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.critical:
            log(eventAsText(event, includeTraceback=True))

    # Until a log has begun, Twisted prints faults with their tracebacks on the terminal.
    globalLogBeginner.beginLoggingTo([record], discardBuffer=True, redirectStandardIO=False)
