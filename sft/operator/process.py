"""What twistd runs, whatever it serves: how its start is told, what a failure says, and how the process ends.

Rules. twistd forks between making the service and starting it: so everything begins in ``startService``. A Deferred that
fails there would be silent: it is caught and said, the reactor stops, and the process ends with the error's status.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.python.failure import Failure

from sft.cli.failures import error_lines
from sft.cli.next_steps import NextSteps
from sft.errors import SftError
from sft.server.event_log import EventLog


class ProcessService(Service):
    """A service that is its process's only one: it starts or ends it."""

    what = "server"  # as a fault of the start names it

    def __init__(self, reactor: Any, steps: NextSteps) -> None:
        self._reactor = reactor
        self._steps = steps
        self._event_log = EventLog()
        self.status = 0  # with which the process ends
        self._has_begun = True  # but for a start that failed, of which the refusal says all
        self._starting: Deferred[None] = Deferred()

    @abstractmethod
    async def _start(self) -> None:
        """Start; what it raises is said, and ends the process."""

    @abstractmethod
    async def _stop(self) -> None:
        """Stop what was started."""

    def reread(self) -> None:
        """Read the configuration anew; nothing where there is none."""

    def startService(self) -> None:
        """Start; a failure is printed and stops the reactor."""
        super().startService()  # type: ignore[no-untyped-call]
        self._starting = Deferred.fromCoroutine(self._start()).addErrback(self._start_failed)

    def stopService(self) -> Deferred[None]:
        super().stopService()  # type: ignore[no-untyped-call]
        self._note_end("stopping")
        # A start that is under way ends first: what it opens could not be closed otherwise.
        started: Deferred[None] = Deferred()
        self._starting.addBoth(lambda _: started.callback(None))
        stopping = started.addCallback(lambda _: Deferred.fromCoroutine(self._stop()))
        stopping.addErrback(self._event_log.failed, "stop-fault")
        return stopping.addCallback(lambda _: self._note_end("stopped"))

    def _note_end(self, event: str) -> None:
        if self._has_begun:
            self._event_log.note(event)

    def _say(self, *lines: str) -> None:
        for line in lines:
            if on_terminal() and sys.__stdout__ is not None:
                print(line, file=sys.__stdout__, flush=True)
            else:
                self._event_log.note("start", says=line)

    def _start_failed(self, failure: Failure) -> None:
        error = failure.value
        self._has_begun = False
        self.status = error.exit_status if isinstance(error, SftError) else SftError.exit_status
        if isinstance(error, SftError):
            for line in error_lines(error, now=time.time(), steps=self._steps):
                print(line, file=sys.__stderr__, flush=True)
        else:
            reference = self._event_log.fault("start-fault", failure)
            print(f"sft: the {self.what} could not start (ref {reference})", file=sys.__stderr__)
        # It may have failed at once, before the reactor runs: then it could not be stopped yet.
        self._reactor.callWhenRunning(self._stop_reactor)

    def _stop_reactor(self) -> None:
        with contextlib.suppress(ReactorNotRunning):  # a signal stops it already
            self._reactor.stop()

    def _end_with(self, event: str, error: BaseException) -> None:
        """Stop at once: what the disk no longer confirms must not be acknowledged; the next start recovers."""
        self._event_log.fault(event, Failure(error))
        self.status = SftError.exit_status
        self._reactor.callWhenRunning(self._stop_reactor)


def on_terminal() -> bool:
    return sys.__stdout__ is not None and sys.__stdout__.isatty()


# -- how the process ends: 0 after SIGTERM, else with the status of what kept it from starting, or made it stop
#
# Twisted's runner gives services no say in the status: it ends with 0, or by the very signal that stopped it, which supervisors
# and scripts count as a failure. What ``atexit`` registers runs after its own clean-up (pid file, log), so a status can be set
# there; and a handler of our own for SIGTERM stops the reactor as Twisted's does, without marking it as killed.


def exit_with_status_of(service: ProcessService) -> None:
    """End the process with the status of its service, where that failed."""

    def leave() -> None:
        if service.status:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(service.status)

    atexit.register(leave)


def stop_well_on_sigterm(reactor: Any) -> None:
    """Make SIGTERM a clean stop with status 0, once the reactor runs: it installs its own handlers before."""

    def stop() -> None:
        with contextlib.suppress(ReactorNotRunning):  # a second signal: it stops already
            reactor.stop()

    def asked(_number: int, _frame: object) -> None:
        reactor.callFromThread(stop)

    reactor.callWhenRunning(signal.signal, signal.SIGTERM, asked)


def stop_on_interrupt(reactor: Any) -> None:
    """Have Ctrl-C stop a reactor that runs, in order: until then it ended the process (``sft.cli.interrupts``)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, reactor.sigInt)


def reread_on_hangup(reactor: Any, reread: Callable[[], None]) -> None:
    """Have SIGHUP read the configuration anew, and SIGUSR1 end nothing, once the reactor runs.

    Twisted's own use of SIGUSR1, to begin another log file, stays; so does SIGHUP ignored, as ``nohup`` has it.
    """

    def asked(_number: int, _frame: object) -> None:
        reactor.callFromThread(reread)

    def listen() -> None:
        for number, what in ((signal.SIGHUP, asked), (signal.SIGUSR1, signal.SIG_IGN)):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, what)

    reactor.callWhenRunning(listen)
