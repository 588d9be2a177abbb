"""What twistd reads: the options of ``twistd sft`` and the service that they make.

Rules. ``makeService`` only reads options. A subcommand other than ``serve`` runs in
``postOptions``: before twistd forks, logs or writes a pid file; it prints to standard output and
leaves with its exit status.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.application.service import IService
from twisted.python import usage

from sft.operator.home import REGISTRATIONS, Home, HomeSettings
from sft.operator.options import (
    FileOptions,
    InviteOptions,
    LinkOptions,
    LogOptions,
    SessionOptions,
    UpgradeOptions,
    UserOptions,
    VaultOptions,
    outermost,
)

if TYPE_CHECKING:
    from sft.operator.process import ProcessService

LISTEN = "tcp:7361:interface=127.0.0.1"
WITNESS_LISTEN = "tcp:7362:interface=127.0.0.1"

RunCommand = Callable[[Home, Any, Any], int]
"""Runs a subcommand's function over an operator's session; return the exit status. See ``sft.operator.control``."""


class ServeOptions(usage.Options):
    """Options of ``serve``."""

    optParameters: ClassVar[list[list[Any]]] = [
        ["listen", None, LISTEN, "where to listen: a Twisted endpoint; loopback only unless told"],
        ["public", None, None, "HOST:PORT that links shall say; kept"],
        ["registration", None, None, "who may join: invite (the default), open or closed; kept"],
        ["name", None, None, "the server's name in links; kept"],
        ["exempt", None, None, "networks, by commas, that no limit per source touches; kept"],
        ["data", None, None, "a folder for what is stored, such as a disk of its own; for the first start; kept"],
        ["master-key", None, None, "file[:PATH], credential:NAME, passphrase[:FILE] or command:PROGRAM; kept"],
    ]

    def postOptions(self) -> None:
        if self["registration"] not in (None, *REGISTRATIONS):
            raise usage.UsageError("--registration is invite, open or closed")
        try:
            HomeSettings(exempt=self["exempt"] or "").exempt_networks()
        except ValueError as error:
            raise usage.UsageError("--exempt is such as 10.1.0.0/16,2001:db8::/32") from error
        if self["public"] is not None:
            from sft.errors import UsageError
            from sft.model.links import parse_address

            try:
                parse_address(self["public"])
            except UsageError as error:
                raise usage.UsageError("--public is HOST:PORT") from error


class WitnessOptions(usage.Options):
    """Options of ``witness``."""

    optParameters: ClassVar[list[list[Any]]] = [
        ["listen", None, WITNESS_LISTEN, "where to listen: a Twisted endpoint; loopback only unless told"],
        ["name", None, "", "for the first start: its name in policies, such as witness.example.org/w1"],
        ["url", None, "", "where others reach it, for --show-key"],
    ]
    optFlags: ClassVar[list[list[Any]]] = [["show-key", None, "print what others write into their policies, and end"]]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.logs: list[str] = []

    def opt_log(self, key: str) -> None:
        """KEY of a log to witness (NAME+HASH+KEY), beside the log lines of HOME/witness/policy; again for more."""
        self.logs.append(key)

    def postOptions(self) -> None:
        if self["show-key"]:
            from sft.operator.witness import FOLDER, show_key

            raise SystemExit(show_key(outermost(self).home.path / FOLDER, self["name"], self["url"]))


class Options(usage.Options):
    """Options of ``twistd sft``."""

    synopsis = "[--home DIR] [serve | witness | user | link | invite | file | session | log | vault | upgrade] ..."
    optParameters: ClassVar[list[list[Any]]] = [
        ["home", None, None, "where the server lives (default: SFT_SERVER_HOME, else the platform's data folder)"]
    ]
    subCommands: ClassVar[list[list[Any]]] = [
        ["serve", None, ServeOptions, "run the server; the first start creates what is missing"],
        ["witness", None, WitnessOptions, "run a witness, which cosigns the logs of other servers"],
        ["user", None, UserOptions, "list | show | role | disable | enable | remove | add"],
        ["link", None, LinkOptions, "print the server's link: address and key, no secret"],
        ["invite", None, InviteOptions, "make an invitation and print its link; also: list | withdraw"],
        ["file", None, FileOptions, "list | show | delete"],
        ["session", None, SessionOptions, "list | kick"],
        ["log", None, LogOptions, "show | export | verify | key | witnesses"],
        ["vault", None, VaultOptions, "check | rotate-key | collect | quarantine"],
        ["upgrade", None, UpgradeOptions, "bring the database to this program's version"],
    ]
    defaultSubCommand = "serve"

    def __init__(self, run_command: RunCommand | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._run_command = run_command

    def postOptions(self) -> None:
        # A pid file in the folder where it was started would keep a second server from starting there.
        twistd: Any = self.parent
        if twistd is not None and twistd.get("nodaemon") and twistd.get("pidfile") == "twistd.pid":
            twistd["pidfile"] = ""

    @property
    def run_command(self) -> RunCommand:
        """What runs a subcommand to its end: on a reactor of its own, unless another way was given."""
        if self._run_command is not None:
            return self._run_command
        from sft.operator.control import run_command

        return run_command

    @property
    def home(self) -> Home:
        """The home that was named, or the default one."""
        named = self["home"] or os.environ.get("SFT_SERVER_HOME")
        if named:
            path = Path(named).absolute()
        else:
            import platformdirs

            path = Path(platformdirs.user_data_dir("sft-server"))
        data = getattr(self, "subOptions", {}).get("data")
        return Home(path, Path(data).absolute() if data else None)


def makeService(options: Options) -> IService:
    from twisted.internet import reactor as default_reactor

    from sft.operator.process import exit_with_failure_of, stay_on_hangup, stop_well_on_sigterm

    reactor: Any = default_reactor
    # Twisted times its calls by the wall clock, which an administrator or NTP may set: a step back of an hour would stall
    # every deadline for an hour, one forward would end every session. Before its first timer.
    reactor.seconds = time.monotonic
    # Whatever makes a file and says nothing of its mode, be it a library: closed to others.
    os.umask(0o077)
    service = _witness(reactor, options) if options.subCommand == "witness" else _server(reactor, options)
    exit_with_failure_of(service)
    stop_well_on_sigterm(reactor)
    stay_on_hangup(reactor)
    return service


def _server(reactor: Any, options: Options) -> ProcessService:
    from sft.operator.service import ServerService

    given: Any = options.subOptions
    return ServerService(reactor, options.home, lambda kept: merged(kept, given), given["listen"])


def _witness(reactor: Any, options: Options) -> ProcessService:
    from sft.operator.witness import FOLDER, WitnessService

    given: Any = options.subOptions
    folder = options.home.path / FOLDER
    return WitnessService(reactor, folder, listen=given["listen"], logs=given.logs, name=given["name"])


def merged(kept: HomeSettings, given: Any) -> HomeSettings:
    """Return the settings that the home has kept, with those that were given at this start."""
    return HomeSettings(
        master_key=given["master-key"] or kept.master_key,
        public=given["public"] or kept.public,
        registration=given["registration"] or kept.registration,
        name=given["name"] or kept.name,
        exempt=given["exempt"] or kept.exempt,
        data=str(Path(given["data"]).absolute()) if given["data"] else kept.data,
    )


def run_sftd() -> None:
    """Run ``sftd``: the same as ``twistd -n sft``, for installers that link only our own scripts.

    It stays in the foreground and leaves no pid file; a mistake in the options ends with status 2, as everywhere in sft.
    """
    from twisted.scripts import twistd

    runner: Any = twistd  # its names are not exported for type checkers
    config = runner.ServerOptions()
    try:
        config.parseOptions(["--nodaemon", "--pidfile=", "sft", *sys.argv[1:]])
    except usage.error as error:
        print(f"sftd: {error}", file=sys.stderr)
        print("      sftd --help shows what there is", file=sys.stderr)
        raise SystemExit(2) from None
    sys.argv[0] = "sftd"
    runner.runApp(config)
