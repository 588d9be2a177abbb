"""How a server's process ends: 0 after SIGTERM, 1 where it could not start or had to stop.

Twisted's runner gives services no say in the status: it ends with 0, or by the very signal that stopped it, which supervisors
and scripts count as a failure. What ``atexit`` registers runs after its own clean-up (pid file, log), so a status can be set
there; and a handler of our own for SIGTERM stops the reactor as Twisted's does, without marking it as killed.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from typing import Any, Protocol

from twisted.internet.error import ReactorNotRunning


class MayFail(Protocol):
    """A service that knows whether it failed."""

    failed: bool


def exit_with_failure_of(service: MayFail) -> None:
    """End the process with status 1 if the service failed."""

    def leave() -> None:
        if service.failed:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(1)

    atexit.register(leave)


def stop_well_on_sigterm(reactor: Any) -> None:
    """Make SIGTERM a clean stop with status 0, once the reactor runs: it installs its own handlers before."""

    def stop() -> None:
        with contextlib.suppress(ReactorNotRunning):  # a second signal: it stops already
            reactor.stop()

    def asked(_number: int, _frame: object) -> None:
        reactor.callFromThread(stop)

    reactor.callWhenRunning(signal.signal, signal.SIGTERM, asked)
