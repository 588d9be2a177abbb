"""What twistd reads: ``twistd sft`` and the service that it makes.

Rules. ``makeService`` only reads options. A command other than those that serve runs while twistd reads its options: before it
forks, logs or writes a pid file; it prints to standard output and leaves with its exit status.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twisted.application.service import IService
from twisted.python import usage

from sft.operator.commands import Call, RunCommand, run_program
from sft.operator.home import HomeSettings

if TYPE_CHECKING:
    from sft.operator.process import ProcessService


class Options(usage.Options):
    """The words after ``twistd sft``, which ``sft.operator.commands`` reads: twistd's own parser never sees them."""

    def __init__(self, run_command: RunCommand | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.call = Call(run_command)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read what is to be served; run and leave with the status (SystemExit) where it is something else."""
        status = run_program(list(options or []), self.call)
        if self.call.serves is None:
            raise SystemExit(status)
        twistd: Any = self.parent
        if twistd is None or not twistd.get("nodaemon"):
            return
        # A pid file in the folder where it was started would keep a second server from starting there.
        if twistd.get("pidfile") == "twistd.pid":
            twistd["pidfile"] = ""
        if not (twistd.get("logger") or twistd.get("syslog")) and twistd.get("logfile") in {None, "", "-"}:
            twistd["logger"] = "sft.operator.log_stream.standard_output"


def makeService(options: Options) -> IService:
    from twisted.internet import reactor as default_reactor

    from sft.operator.process import exit_with_status_of, stay_on_hangup, stop_well_on_sigterm

    reactor: Any = default_reactor
    # Twisted times its calls by the wall clock, which an administrator or NTP may set: a step back of an hour would stall
    # every deadline for an hour, one forward would end every session. Before its first timer.
    reactor.seconds = time.monotonic
    # Whatever makes a file and says nothing of its mode, be it a library: closed to others.
    os.umask(0o077)
    service = _service(reactor, options.call)
    exit_with_status_of(service)
    stop_well_on_sigterm(reactor)
    stay_on_hangup(reactor)
    return service


def _service(reactor: Any, call: Call) -> ProcessService:
    from sft.operator.next_steps import steps_at

    kind, given = call.serves or ("", {})
    if kind == "witness":
        from sft.operator.witness import FOLDER, WitnessService

        folder, logs, name = call.home.path / FOLDER, given["log"], given["name"]
        return WitnessService(reactor, folder, steps_at(call.named), listen=given["listen"], logs=logs, name=name)
    from sft.operator.service import ServerService

    return ServerService(reactor, call.home, steps_at(call.named), lambda kept: merged(kept, given), given["listen"])


def merged(kept: HomeSettings, given: dict[str, Any]) -> HomeSettings:
    """Return the settings that the home has kept, with those that were given at this start."""
    return HomeSettings(
        master_key=given["master_key"] or kept.master_key,
        public=given["public"] or kept.public,
        registration=given["registration"] or kept.registration,
        name=given["name"] or kept.name,
        exempt=given["exempt"] or kept.exempt,
        data=given["data"] or kept.data,
    )


def run_sftd() -> None:
    """Run ``sftd``: the same as ``twistd -n sft``, for installers that link only our own scripts.

    It stays in the foreground and leaves no pid file.
    """
    from twisted.scripts import twistd

    runner: Any = twistd  # its names are not exported for type checkers
    config = runner.ServerOptions()
    config.parseOptions(["--nodaemon", "--pidfile=", "sft", *sys.argv[1:]])
    sys.argv[0] = "sftd"
    runner.runApp(config)
