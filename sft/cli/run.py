"""Run a command's coroutine on Twisted's reactor or a small loop, and end it well when a signal comes.

Rules. SIGINT and SIGTERM cancel what the command waits for; its own clean-up runs to the end (a transfer tells the server and
removes its parts), then the status is 128 plus the signal. A second signal ends the process at once. Twisted's own handlers are
not installed: they stop the reactor and abandon the work with status 0. What Twisted would print goes to the log.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, TypeVar

T = TypeVar("T")

Act = Callable[[Any], Coroutine[Any, Any, T]]
"""A coroutine function that is given the reactor, or the loop that stands for it."""

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
CLEAN_UP_SECONDS: Final = 15  # an orderly close waits 5 s; what takes longer hangs


class Interrupted(BaseException):
    """A signal, or a person, ended the command; its clean-up has run.

    Args:
        number: the signal; that of the interrupt key for a person who says no.
        message: what is said of it, in place of what the command says.
    """

    def __init__(self, number: int, message: str = "") -> None:
        super().__init__(number, message)
        self.exit_status = 128 + number
        self.message = message


def execute(act: Act[T], log: Callable[[str], object], clean_up_seconds: float = CLEAN_UP_SECONDS) -> T:
    """Run a coroutine on the default reactor until it is done; once per process.

    Args:
        act: the coroutine function.
        log: gets what Twisted has to say of faults that nobody caught.
        clean_up_seconds: how long a clean-up may take before the process ends without it.

    Raises:
        Interrupted: SIGINT or SIGTERM came meanwhile.
        BaseException: whatever the coroutine raised.
    """
    from twisted.internet import reactor as default_reactor
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    _collect_again()
    reactor: Any = default_reactor
    # Twisted times its calls by the wall clock; one that is set back would stall them all.
    reactor.seconds = time.monotonic
    _log_faults_to(log)
    signals = _Signals(reactor, clean_up_seconds)
    outcome: list[T | Failure] = []

    def start() -> None:
        deferred = Deferred.fromCoroutine(act(reactor))
        signals.cancels.append(deferred.cancel)
        deferred.addBoth(done)

    def done(result: T | Failure) -> None:
        outcome.append(result)
        reactor.stop()

    with handled(signals.came), _woken_by_signals(reactor):
        reactor.callWhenRunning(start)
        reactor.run(installSignalHandlers=False)
    result = outcome[0]
    if not isinstance(result, Failure):
        return result
    signals.require_none()
    raise result.value or RuntimeError(result.getErrorMessage())


def execute_plain(act: Act[T], log: Callable[[str], object], clean_up_seconds: float = CLEAN_UP_SECONDS) -> T:  # noqa: ARG001 - as ``execute``
    """Run a coroutine as ``execute`` does, on a small loop that starts sooner: for what ends by itself."""
    from sft.client.loop.poll import PollLoop

    _collect_again()
    with PollLoop() as loop:
        signals = _Signals(loop, clean_up_seconds)
        with handled(signals.came), _wakeup(loop.wake_descriptor):
            try:
                return loop.run(act(loop), signals.cancels.append)
            except BaseException:
                signals.require_none()
                raise


def _collect_again() -> None:
    """Have the collector work again: it rested while everything was imported (``sft.cli.entry``), all of which stays."""
    gc.freeze()
    gc.enable()


class _Signals:
    """SIGINT and SIGTERM while a coroutine runs: the first cancels it, the second ends the process."""

    def __init__(self, reactor: Any, clean_up_seconds: float) -> None:
        self.cancels: list[Callable[[], object]] = []
        self._reactor = reactor
        self._clean_up_seconds = clean_up_seconds
        self._number = 0

    def came(self, number: int, _frame: FrameType | None) -> None:
        if self._number:
            os._exit(128 + number)
        self._number = number
        self._reactor.callFromThread(self._cancel)

    def require_none(self) -> None:
        if self._number:
            raise Interrupted(self._number) from None

    def _cancel(self) -> None:
        self._reactor.callLater(self._clean_up_seconds, os._exit, 128 + self._number)
        for cancel in self.cancels:
            cancel()


@contextmanager
def handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have SIGINT and SIGTERM go to a handler meanwhile."""
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def _woken_by_signals(reactor: Any) -> Iterator[None]:
    """Have a signal end the reactor's wait: one that comes just before it would be heard only after it."""
    from twisted.internet.interfaces import IReadDescriptor
    from zope.interface import implementer

    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)

    @implementer(IReadDescriptor)
    class _Wakeup:
        def fileno(self) -> int:
            return reading

        def logPrefix(self) -> str:  # noqa: N802 - Twisted's name
            return "signals"

        def doRead(self) -> None:  # noqa: N802 - Twisted's name
            os.read(reading, 4096)

        def connectionLost(self, reason: object) -> None:  # noqa: N802 - Twisted's name
            del reason

    reactor.addReader(_Wakeup())
    try:
        with _wakeup(writing):
            yield
    finally:
        os.close(reading)
        os.close(writing)


@contextmanager
def _wakeup(descriptor: int) -> Iterator[None]:
    """Have each signal write a byte meanwhile."""
    before = signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise Interrupted where they come: for a question on the terminal, which blocks."""

    def raise_it(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number)

    with handled(raise_it):
        yield


def _log_faults_to(log: Callable[[str], object]) -> None:
    from twisted.logger import ILogObserver, LogEvent, LogLevel, eventAsText, globalLogBeginner
    from zope.interface import provider

    @provider(ILogObserver)
    def record(event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.critical:
            log(eventAsText(event, includeTraceback=True))

    # Until a log has begun, Twisted prints faults with their tracebacks on the terminal.
    globalLogBeginner.beginLoggingTo([record], discardBuffer=True, redirectStandardIO=False)
