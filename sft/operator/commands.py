"""The operator's commands: words, options and arguments in, a command's module out; the same for ``sftd`` and ``twistd sft``.

Rules. A command's module is loaded when it runs, never before: twistd reads this one for every command. Whatever is called ends
with a status of the table, here and in one place, but for what is to be served: that is kept for whoever runs it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final

import click

from sft import __version__
from sft.cli.console import Console
from sft.cli.failures import report
from sft.cli.lazy import LazyGroup
from sft.cli.usage import STATUSES, asks_json, usage_of
from sft.errors import SftError, UsageError
from sft.model.access import Role
from sft.model.links import parse_address
from sft.operator.home import REGISTRATIONS, Home, HomeSettings
from sft.operator.listening import LISTEN, WITNESS_LISTEN, endpoint_of
from sft.operator.next_steps import steps_at

PROGRAM: Final = "sftd"

RunCommand = Callable[[Home, Any, Any, str], int]
"""Runs a command's function over an operator's session; return the exit status. See ``sft.operator.control``."""


class Call:
    """One call of the program.

    Attributes:
        named: the home as ``--home`` names it; "" where nothing does.
        serves: what is to be served, with its options; None for a command that is over when it has been called.
    """

    def __init__(self, run_command: RunCommand | None = None) -> None:
        self.named = ""
        self.data = ""
        self.serves: tuple[str, dict[str, Any]] | None = None
        self._run_command = run_command

    @property
    def run_command(self) -> RunCommand:
        """What runs a command to its end: on a reactor of its own, unless another way was given."""
        if self._run_command is not None:
            return self._run_command
        from sft.operator.control import run_command

        return run_command

    @property
    def home(self) -> Home:
        """The home that was named, or the default one."""
        named = self.named or os.environ.get("SFT_SERVER_HOME")
        if named:
            path = Path(os.path.abspath(named))  # noqa: PTH100 - without ".." in what is said of it
        else:
            import platformdirs

            path = Path(platformdirs.user_data_dir("sft-server"))
        return Home(path, Path(self.data) if self.data else None)


class Leaf(click.Command):
    """A command that does one thing.

    Args:
        runs: ``module:function`` below ``sft.operator``: ``async (command) -> status``.
        local: it looks into the home itself: ``(home, options) -> status``.
    """

    def __init__(
        self, name: str, runs: str, about: str, parameters: Sequence[click.Parameter], *, local: bool = False
    ) -> None:
        json = click.Option(["--json"], is_flag=True, help="Print the result as JSON.")
        super().__init__(name, params=[*parameters, json], callback=click.pass_obj(self._run), help=about)
        self.runs = runs
        self._local = local

    def _run(self, call: Call, /, **options: Any) -> int:
        module, _, function = self.runs.partition(":")
        work = getattr(import_module(f"sft.operator.{module}"), function)
        if self._local:
            return int(work(call.home, options))
        return call.run_command(call.home, work, options, call.named)


class OperatorGroup(LazyGroup):
    """Commands under one word.

    Attributes:
        other_words: what is offered for a word that is none of theirs.
        first: the command that is meant where no word of theirs is given.
    """

    other_words: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            **dict.fromkeys(("start", "run"), "sftd serve"),
            **dict.fromkeys(("users", "people"), "sftd user list"),
            **dict.fromkeys(("sessions", "who", "status"), "sftd session list"),
            **dict.fromkeys(("files", "ls"), "sftd file list"),
            **dict.fromkeys(("check", "fsck"), "sftd vault check"),
            "invitations": "sftd invite list",
            "logs": "sftd log show",
            "migrate": "sftd upgrade",
        }
    )

    def __init__(self, name: str, about: str, commands: Sequence[click.Command], **settings: Any) -> None:
        table = {str(each.name): each.get_short_help_str(limit=100) for each in commands}
        settings |= {"package": "", "table": table, "shared": {}}
        self.first = str(commands[0].name)
        about = f"{about}\n\nWithout a command: {self.first}."
        super().__init__(name, commands={str(each.name): each for each in commands}, help=about, **settings)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        helps = ctx.help_option_names
        own = {each for parameter in self.params for each in parameter.opts} | set(helps)
        is_first = not args or (args[0].startswith("-") and args[0].partition("=")[0] not in own)
        rest = super().parse_args(ctx, [self.first, *args] if is_first else args)
        if not ctx._protected_args:  # noqa: SLF001 - click's own place for the word
            ctx._protected_args = [self.first]  # noqa: SLF001
        return rest


def _leaf(name: str, runs: str, about: str, *parameters: click.Parameter, local: bool = False) -> Leaf:
    return Leaf(name, runs, about, parameters, local=local)


def _serving(call: Call, /, **options: Any) -> None:
    name = str(click.get_current_context().info_name)
    call.data = options.get("data") or ""
    call.serves = name, options


def _witness(call: Call, /, *, show_key: bool, **options: Any) -> int:
    if show_key:
        from sft.operator import witness

        return witness.show_key(call.home.path / witness.FOLDER, options["name"], options["url"])
    _serving(call, **options)
    return 0


# -- what options and arguments may say ----------------------------------------------------------------


def _networks(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        HomeSettings(exempt=value or "").exempt_networks()
    except ValueError:
        raise UsageError(
            problem="--exempt is a list of networks", remedy="Such as --exempt 10.1.0.0/16,2001:db8::/32"
        ) from None
    return value


def _address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        parse_address(value)
    return value


def _endpoint(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    endpoint_of(value)
    return value


def _folder(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    return None if value is None else os.path.abspath(value)  # noqa: PTH100 - without ".." in what is said of it


def _option(name: str, about: str, **settings: Any) -> click.Option:
    return click.Option([name, *settings.pop("also", ())], help=about, **settings)


def _flag(name: str, about: str, *also: str) -> click.Option:
    return click.Option([name, *also], is_flag=True, help=about)


def _argument(name: str, about: str, **settings: Any) -> click.Argument:
    return click.Argument([name.lower()], metavar=settings.pop("metavar", name), help=about, **settings)


_ROLES: Final = click.Choice([role.value for role in Role])
_WHO: Final = _argument("NAME", "The person's name.")
_NUMBER: Final = click.IntRange(min=1)
_YES: Final = _flag("--yes", "Do not ask.")
_REMEMBERED: Final = "Remembered for later starts."

_SERVE: Final = click.Command(
    "serve",
    params=[
        _option(
            "--listen",
            "Where to listen, as HOST:PORT; everywhere: 0.0.0.0:7361 or [::]:7361. Or an endpoint of Twisted's, such as "
            "unix:/run/sft or systemd:domain=INET:index=0.",
            metavar="HOST:PORT",
            default=LISTEN,
            show_default=True,
            callback=_endpoint,
        ),
        _option(
            "--public", f"Where links say that the server is. {_REMEMBERED}", metavar="HOST:PORT", callback=_address
        ),
        _option(
            "--registration",
            f"Who may join: by invitation (unless told), whoever has the server's link, or nobody. {_REMEMBERED}",
            type=click.Choice(REGISTRATIONS),
        ),
        _option("--name", f"The server's name, in links. {_REMEMBERED}", metavar="NAME"),
        _option(
            "--exempt",
            f"Networks, by commas, that no limit per source touches. {_REMEMBERED}",
            metavar="NETWORKS",
            callback=_networks,
        ),
        _option(
            "--data",
            f"A folder for what is stored, such as a disk of its own; at the first start. {_REMEMBERED}",
            metavar="DIR",
            callback=_folder,
        ),
        _option(
            "--master-key",
            f"file[:PATH], credential:NAME, passphrase[:FILE] or command:PROGRAM. {_REMEMBERED}",
            metavar="SOURCE",
        ),
    ],
    callback=click.pass_obj(_serving),
    help="Run the server; the first start makes what is missing.",
)

_WITNESS: Final = click.Command(
    "witness",
    params=[
        _option(
            "--listen",
            "Where to listen, as HOST:PORT; or an endpoint of Twisted's.",
            metavar="HOST:PORT",
            default=WITNESS_LISTEN,
            show_default=True,
            callback=_endpoint,
        ),
        _option("--name", "At the first start: its name in policies, such as witness.example.org/w1.", default=""),
        _option(
            "--log",
            "The key of a log to witness, beside the log lines of HOME/witness/policy; again for more.",
            metavar="NAME+HASH+KEY",
            multiple=True,
        ),
        _option("--url", "Where others reach it, for --show-key.", default=""),
        _flag("--show-key", "Print what others write into their policies, and end."),
    ],
    callback=click.pass_obj(_witness),
    help="Run a witness, which cosigns the logs of other servers.",
)

_USER: Final = OperatorGroup(
    "user",
    "People: who is there, and what they may do.",
    [
        _leaf("list", "people:list_users", "List who is there."),
        _leaf("show", "people:show_user", "Show one person, with keys.", _WHO),
        _leaf(
            "role",
            "people:change_role",
            "Give somebody another role.",
            _WHO,
            _argument("ROLE", "What they are from now on.", type=_ROLES, metavar=None),
        ),
        _leaf("disable", "people:disable", "Lock somebody out, keeping everything.", _WHO),
        _leaf("enable", "people:enable", "Let somebody in again.", _WHO),
        _leaf(
            "remove",
            "people:remove",
            "Remove somebody for good; their files stay.",
            _WHO,
            _option("--files-to", "Who gets the files; the first admin unless told.", default="", metavar="NAME"),
            _YES,
        ),
        _leaf(
            "reset-key",
            "people:reset_key",
            "Let somebody in again who lost every key: by a link that is printed, or with a key that they gave you.",
            _WHO,
            _argument("PUBLIC_KEY", "The key (RW...), or the file of sft key export.", required=False, default=""),
            _option("--device", "What to call the device that has the key.", default="device", metavar="NAME"),
            _option(
                "--stolen-since", "The others were stolen: from this number of the log on, or start.", metavar="NUMBER"
            ),
            _YES,
        ),
        _leaf(
            "add",
            "people:add",
            "Register somebody by public key, without an invitation.",
            _WHO,
            _argument("PUBLIC_KEY", "The key (RW...), or the file of sft key export."),
            _option("--role", "What they are.", type=_ROLES, default=Role.GUEST.value, show_default=True),
            _option("--device", "What to call the device that has the key.", default="first", metavar="NAME"),
        ),
    ],
)

_INVITE: Final = OperatorGroup(
    "invite",
    "Invitations: make one and print its link, unless told otherwise.",
    [
        _leaf(
            "make",
            "people:invite",
            "Make an invitation and print its link.",
            _option("--role", "What they will be.", type=_ROLES, default=Role.GUEST.value, show_default=True),
            _option("--expires", "How long it can be used, such as 12h or 30d.", default="2d", show_default=True),
            _option("--user", "Only for this name; they choose one, unless told.", metavar="NAME"),
        ),
        _leaf("list", "people:list_invitations", "List what was made in the last month."),
        _leaf(
            "withdraw",
            "people:withdraw",
            "Make an open invitation void.",
            _argument("NUMBER", "Its number; see sftd invite list.", type=_NUMBER),
        ),
    ],
)

_PATH: Final = _argument("PATH", "Its path on the server.")
_FILE: Final = OperatorGroup(
    "file",
    "What is stored.",
    [
        _leaf("list", "files:list_files", "List all files, in order of creation."),
        _leaf("show", "files:show", "Show one file, with its signature.", _PATH),
        _leaf(
            "delete",
            "files:delete",
            "Move a file to the trash.",
            _PATH,
            _flag("--recursive", "A folder and all in it.", "-r"),
        ),
    ],
)

_SESSION: Final = OperatorGroup(
    "session",
    "Who is connected.",
    [
        _leaf("list", "people:list_sessions", "List who is connected."),
        _leaf(
            "kick",
            "people:kick",
            "End a session.",
            _argument("NUMBER", "Its number; see sftd session list.", type=_NUMBER),
        ),
    ],
)

_LOG: Final = OperatorGroup(
    "log",
    "What happened, and the log that proves it.",
    [
        _leaf(
            "show",
            "log_pages:show",
            "Show what happened, the newest lines.",
            _option("--user", "Who did it, or had it done to them.", metavar="NAME"),
            _option("--file", "What was done to this file.", metavar="PATH"),
            _option("--act", "What was done; several by commas.", metavar="ACT"),
            _option("--since", "From then on: 2d, 2026-05-03, or 2026-05-03T14:02:11Z.", metavar="WHEN"),
            _option("--until", "Before then.", metavar="WHEN"),
            _option("--after", "All that comes after this line.", metavar="NUMBER", type=click.IntRange(min=0)),
            _option("-n", "So many.", metavar="NUMBER", type=_NUMBER, default=50, show_default=True, also=("--n",)),
            _flag("--follow", "Go on with what happens; with --json one object a line.", "-f"),
        ),
        _leaf(
            "export",
            "log_pages:export",
            "Write the whole log as files of C2SP tlog-tiles, which other people's tools check.",
            _argument("DIR", "A folder of its own; an earlier export there is gone on with."),
            _flag("--without-records", "Without names, paths and who downloaded: to be published."),
        ),
        _leaf(
            "verify",
            "log_pages:verify",
            "Check the whole log, leaf by leaf.",
            _option("--folder", "An exported folder; the server's log unless told.", metavar="DIR"),
        ),
        _leaf("key", "log:show_key", "Print the log's name and key, for witnesses and policies.", local=True),
        _leaf("witnesses", "log:show_witnesses", "Show who has cosigned the log's heads, and when.", local=True),
        _leaf(
            "restart",
            "log_restart:restart",
            "Go on from a copy that was put back: every client stops until its person agrees.",
            _option("--reason", "Why what came later is gone; everybody reads it.", default="", metavar="TEXT"),
            _option("--name", "The server's name, for scripts: nothing is asked then.", default="", metavar="NAME"),
            local=True,
        ),
    ],
)

_VAULT: Final = OperatorGroup(
    "vault",
    "What is stored, as it lies on the disk.",
    [
        _leaf("check", "files:check", "Read every row and object, and name what does not hold."),
        _leaf(
            "rotate-key",
            "files:rotate",
            "Seal everything under a new master key.",
            _flag("--reencrypt", "Also new data keys and a new server key: after a leak."),
        ),
        _leaf("collect", "files:collect", "Destroy what was in the trash for its time."),
        OperatorGroup(
            "quarantine",
            "What no file names, put aside by a start.",
            [
                _leaf("list", "quarantine:show", "List it.", local=True),
                _leaf("drop", "quarantine:drop", "Delete all of it, for good.", local=True),
            ],
        ),
    ],
)


def _upgrade(call: Call, /) -> int:
    from sft.operator.control import upgrade

    return upgrade(call.home)


def _home_named(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value:
        _context.ensure_object(Call).named = value


program: Final = OperatorGroup(
    PROGRAM,
    "Run and look after a server of sft. `sftd` is `twistd -n sft`.",
    [
        _SERVE,
        _WITNESS,
        _USER,
        _leaf("link", "people:link", "Print the server's link: address and key, no secret."),
        _INVITE,
        _FILE,
        _SESSION,
        _LOG,
        _VAULT,
        click.Command(
            "upgrade", callback=click.pass_obj(_upgrade), help="Bring the database to this program's version."
        ),
    ],
    params=[
        click.Option(
            ["--home"],
            metavar="DIR",
            is_eager=True,
            expose_value=False,
            callback=_home_named,
            help="Where the server lives; unless told SFT_SERVER_HOME, else the platform's data folder.",
        )
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=STATUSES,
)
click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")(program)


def run_program(arguments: Sequence[str], call: Call) -> int:
    """Run one command; return its exit status. ``call.serves`` says afterwards whether something is to be served."""
    console = Console(sys.stdout, sys.stderr, os.environ)
    try:
        status = program.main(list(arguments), prog_name=PROGRAM, standalone_mode=False, obj=call)
        return status if isinstance(status, int) else 0
    except SystemExit:  # click's own: a reader of the help who went away
        return 0
    except click.ClickException as error:
        console.json = asks_json(list(arguments))
        return report(console, usage_of(error, PROGRAM), now=time.time(), steps=steps_at(call.named))
    except SftError as error:
        return report(console, error, now=time.time(), steps=steps_at(call.named))
