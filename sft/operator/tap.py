"""What twistd reads: ``twistd sft`` and the service that it makes.

Rules. ``makeService`` only reads options. A command other than those that serve runs while twistd reads its options: before it
forks, logs or writes a pid file; it prints to standard output and leaves with its exit status. While what serves is
loaded Ctrl-C ends the process without a word: there is nothing to be let go in order.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sft.cli.interrupts import end_at_once, raise_again

if Path(sys.argv[0]).name in {"sftd", "twistd"}:  # only there this is the first that is loaded
    end_at_once()

from twisted.application.service import IService
from twisted.python import usage

from sft.cli.completion_scripts import variable_of
from sft.cli.console import Console
from sft.cli.failures import report
from sft.errors import HomeError
from sft.operator.command_line import Call, RunCommand
from sft.operator.commands import run_program
from sft.operator.next_steps import steps_at

if TYPE_CHECKING:
    from sft.operator.process import ProcessService


_PID_FILE = "twistd.pid"  # as twistd calls it, unless told


class Options(usage.Options):
    """The words after ``twistd sft``, which ``sft.operator.commands`` reads: twistd's own parser never sees them."""

    def __init__(self, run_command: RunCommand | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.call = Call(run_command)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read what is to be served; run and leave with the status (SystemExit) where it is something else."""
        raise_again()
        status = run_program(list(options or []), self.call)
        if self.call.serves is None:
            raise SystemExit(status)
        if self.parent is not None:
            end_at_once()
            self._settle_files(self.parent, self.call.serves[0])

    def _settle_files(self, twistd: Any, kind: str) -> None:
        """Have twistd leave nothing in the folder where it was started, which may be closed to it, or another server's too.

        Args:
            twistd: its own options.
            kind: what is served.
        """
        own_log = not (twistd.get("logger") or twistd.get("syslog"))
        if twistd.get("nodaemon"):
            if twistd.get("pidfile") == _PID_FILE:
                twistd["pidfile"] = ""
            if own_log and twistd.get("logfile") in {None, "", "-"}:
                twistd["logger"] = "sft.operator.log_stream.standard_output"
            return
        home = self.call.home
        if twistd.get("pidfile") == _PID_FILE:
            twistd["pidfile"] = str(home.path / f"{kind}.pid")
        if own_log and not twistd.get("logfile"):
            twistd["logfile"] = str(home.path / f"{kind}.log")
        try:
            home.make()
        except HomeError as error:
            console = Console(sys.stdout, sys.stderr, os.environ)
            raise SystemExit(report(console, error, now=time.time(), steps=steps_at(self.call.named))) from error


def makeService(options: Options) -> IService:
    from twisted.internet import reactor as default_reactor

    from sft.operator.process import exit_with_status_of, reread_on_hangup, stop_on_interrupt, stop_well_on_sigterm

    reactor: Any = default_reactor
    # Twisted times its calls by the wall clock, which an administrator or NTP may set: a step back of an hour would stall
    # every deadline for an hour, one forward would end every session. Before its first timer.
    reactor.seconds = time.monotonic
    # Whatever makes a file and says nothing of its mode, be it a library: closed to others.
    os.umask(0o077)
    service = _service(reactor, options.call)
    exit_with_status_of(service)
    stop_well_on_sigterm(reactor)
    reactor.callWhenRunning(stop_on_interrupt, reactor)
    reread_on_hangup(reactor, service.reread)
    return service


def _service(reactor: Any, call: Call) -> ProcessService:
    kind, given = call.serves or ("", {})
    if kind == "witness":
        from sft.operator.witness import FOLDER, WitnessService

        folder, logs, name = call.home.path / FOLDER, given["log"], given["name"]
        return WitnessService(reactor, folder, steps_at(call.named), listen=given["listen"], logs=logs, name=name)
    from sft.operator.service import ServerService

    return ServerService(reactor, call.home, steps_at(call.named), given)


def run_sftd() -> None:
    """Run ``sftd``: the same as ``twistd -n sft``, for installers that link only our own scripts.

    It stays in the foreground and leaves no pid file.
    """
    if variable_of("sftd") in os.environ:  # a shell that completes what is typed waits for nothing of twistd's
        raise SystemExit(run_program(sys.argv[1:], Call()))
    from twisted.scripts import twistd

    runner: Any = twistd  # its names are not exported for type checkers
    config = runner.ServerOptions()
    config.parseOptions(["--nodaemon", "--pidfile=", "sft", *sys.argv[1:]])
    sys.argv[0] = "sftd"
    runner.runApp(config)
