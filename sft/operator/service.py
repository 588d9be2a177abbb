"""The service that twistd runs: starting it, saying its first words, and what it says when it cannot.

Rules. twistd forks between making the service and starting it: so everything begins in ``startService``. A Deferred that
fails there would be silent: it is caught and said, the reactor stops, and the process ends with status 1.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.python.failure import Failure

from sft.cli.failures import error_lines
from sft.errors import RowForgedError, SftError
from sft.model.access import Role
from sft.model.events import DomainEvent, UserJoined
from sft.model.text import shell_name
from sft.operator.bootstrap import OpenedHome
from sft.operator.home import Home, HomeSettings
from sft.operator.next_steps import NEXT_STEPS
from sft.operator.server import Server
from sft.server.event_log import EventLog
from sft.service import invitations

SIGN_SECONDS: Final = 1.0  # a start that takes longer says what it is at


class ServerService(Service):
    """What twistd runs.

    Args:
        given: makes the settings of this start out of those that the home has kept.
        listen: a Twisted endpoint string.
    """

    def __init__(self, reactor: Any, home: Home, given: Callable[[HomeSettings], HomeSettings], listen: str) -> None:
        self._reactor = reactor
        self._home = home
        self._event_log = EventLog()
        self._given = given
        self._listen = listen
        self._server: Server | None = None
        self.failed = False
        self._starting: Deferred[None] = Deferred()

    def startService(self) -> None:
        """Start; a failure is printed and stops the reactor."""
        super().startService()  # type: ignore[no-untyped-call]
        self._starting = Deferred.fromCoroutine(self._start()).addErrback(self._start_failed)

    def stopService(self) -> Deferred[None]:
        super().stopService()  # type: ignore[no-untyped-call]
        # A start that is under way ends first: what it opens could not be closed otherwise.
        started: Deferred[None] = Deferred()
        self._starting.addBoth(lambda _: started.callback(None))
        stopping = started.addCallback(lambda _: Deferred.fromCoroutine(self._stop()))
        return stopping.addErrback(self._event_log.failed, "stop-fault")

    async def _start(self) -> None:
        settings = self._given(self._home.settings())
        server = self._server = Server(
            self._reactor, self._home, settings, listen=self._listen, event_log=self._event_log, on_fatal=self._fatal
        )
        # Not into the line on which a passphrase is asked for.
        asks = settings.master_key == "passphrase" and _terminal()
        slow = None if asks else self._reactor.callLater(SIGN_SECONDS, self._say, f"Opening {self._home.path} …")
        try:
            await server.start()
        finally:
            if slow is not None and slow.active():
                slow.cancel()
        opened = server.opened
        if opened is None:
            return
        info = opened.context.info
        for note in opened.notes:
            self._event_log.note("recovered", what=note)
        self._say_first_words(opened, await server.first_admin())
        await self._say_who_is_missing(opened)
        # The last line of a start: whoever waits for it finds everything done.
        self._event_log.note("listening", at=self._listen, links_say=info.address, joining=info.registration)

    async def _stop(self) -> None:
        if self._server is not None:
            await self._server.stop()

    def _say_first_words(self, opened: OpenedHome, link: str | None) -> None:
        info = opened.context.info
        words = opened.context.server_key.public.words()
        lines = []
        if opened.is_new:
            lines.append(f"{info.name} is new. Home {self._home.path}, closed to others. Server key {words}.")
        joining = {
            "invite": "People join by invitation only.",
            "open": "ANYBODY WHO HAS THE SERVER'S LINK CAN JOIN AND READ EVERY FILE (--registration open).",
            "closed": "Only an admin adds people.",
        }[info.registration]
        lines.append(f"Listening on {self._listen}; invitations will say {info.address}. {joining}")
        self._say(*lines)
        if link is not None and _terminal():
            self._say(f"First invitation (admin, once, for a day): {link}")
        elif link is not None:
            self._home.write_private(self._home.first_admin.name, link.encode() + b"\n")

    async def _say_who_is_missing(self, opened: OpenedHome) -> None:
        """Say, at every start until there is an admin, how one comes in and what must not be lost."""
        try:
            missing, invited = await opened.context.read(invitations.missing_admin)
        except RowForgedError as error:
            self._event_log.warn("admins-changed", what=str(error), look="vault check")
            missing, invited = False, False
        file = self._home.first_admin
        if missing and invited and file.exists():
            self._say(opened.advice, f"No admin yet. The first invitation (admin, once, for a day) is in {file}")
        elif missing:
            command = f"sftd --home {shell_name(str(self._home.path))} invite --role admin"
            self._say(opened.advice, f"No admin yet. Invite one: {command}")
        if not (missing and invited):
            self._home.drop_first_admin()
        elif file.exists():
            opened.context.watchers.append(self._watch)

    def _watch(self, events: Sequence[DomainEvent]) -> None:
        """Remove the first invitation from the disk once it is spent."""
        opened = self._server.opened if self._server is not None else None
        if opened is not None and any(isinstance(event, UserJoined) and event.role is Role.ADMIN for event in events):
            opened.context.watchers.remove(self._watch)
            gone = opened.context.pool.run(self._home.drop_first_admin)
            gone.addErrback(self._event_log.failed, "first-admin-fault")

    def _say(self, *lines: str) -> None:
        for line in lines:
            if _terminal() and sys.__stdout__ is not None:
                print(line, file=sys.__stdout__, flush=True)
            else:
                self._event_log.note("start", says=line)

    def _start_failed(self, failure: Failure) -> None:
        self.failed = True
        error = failure.value
        if isinstance(error, SftError):
            _say_error(error)
        else:
            reference = self._event_log.fault("start-fault", failure)
            print(f"sft: the server could not start (ref {reference})", file=sys.__stderr__)
        # It may have failed at once, before the reactor runs: then it could not be stopped yet.
        self._reactor.callWhenRunning(self._stop_reactor)

    def _stop_reactor(self) -> None:
        with contextlib.suppress(ReactorNotRunning):  # a signal stops it already
            self._reactor.stop()

    def _fatal(self, error: BaseException) -> None:
        """Stop at once: what the disk no longer confirms must not be acknowledged; the next start recovers."""
        self._event_log.fault("database-fault", Failure(error))
        self.failed = True
        self._reactor.callWhenRunning(self._stop_reactor)


def _say_error(error: SftError) -> None:
    for line in error_lines(error, now=time.time(), steps=NEXT_STEPS):
        print(line, file=sys.__stderr__, flush=True)


def _terminal() -> bool:
    return sys.__stdout__ is not None and sys.__stdout__.isatty()


# -- how the process ends: 0 after SIGTERM, 1 where it could not start or had to stop
#
# Twisted's runner gives services no say in the status: it ends with 0, or by the very signal that stopped it, which supervisors
# and scripts count as a failure. What ``atexit`` registers runs after its own clean-up (pid file, log), so a status can be set
# there; and a handler of our own for SIGTERM stops the reactor as Twisted's does, without marking it as killed.


def exit_with_failure_of(service: ServerService) -> None:
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


def stay_on_hangup(reactor: Any) -> None:
    """Have the signals that ask other servers to read something anew end nothing, once the reactor runs.

    Twisted's own use of SIGUSR1, to begin another log file, stays.
    """

    def stay() -> None:
        for number in (signal.SIGHUP, signal.SIGUSR1):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.SIG_IGN)

    reactor.callWhenRunning(stay)
