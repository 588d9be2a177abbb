"""The operator's commands: words, options and arguments in, a command's module out; the same for ``sftd`` and ``twistd sft``.

Rules. Whatever is called ends with a status of the table, here and in one place, but for what is to be served: that is kept for
whoever runs it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import click

from sft import __version__
from sft.cli.console import Console
from sft.cli.failures import report
from sft.cli.limit_type import SIZE, SIZE_ABOUT
from sft.cli.rights_output import TO_ABOUT
from sft.cli.run import Interrupted
from sft.cli.transfer_options import RateType
from sft.cli.usage import STATUSES, asks_json, usage_of
from sft.errors import SftError, UsageError
from sft.model.rights import ASKED_RIGHTS
from sft.operator import completing, installing
from sft.operator.command_groups import CONFIG, FILE, HOOK, INVITE, LOG, NUMBER, SESSION, USER, VAULT, WHO
from sft.operator.command_line import Call, OperatorGroup, argument, flag, leaf, option
from sft.operator.listening import WITNESS_LISTEN, endpoint_of
from sft.operator.next_steps import steps_at
from sft.operator.options import BY_NAME, OPTIONS, Flag, OneOf, ServerOption, problem_of

PROGRAM: Final = "sftd"


def _serving(call: Call, /, **options: Any) -> None:
    name = str(click.get_current_context().info_name)
    call.data = options.get("data") or ""
    call.serves = name, {each: value for each, value in options.items() if value is not None}


def _witness(call: Call, /, *, show_key: bool, **options: Any) -> int:
    if show_key:
        from sft.operator import witness

        return witness.show_key(call.home.path / witness.FOLDER, options["name"], options["url"])
    _serving(call, **options)
    return 0


# -- what options and arguments may say ----------------------------------------------------------------


def _endpoint(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    endpoint_of(value)
    return value


def _judged(_context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    """Return what an option of the server's configuration says; UsageError where it cannot be that."""
    if value is None:
        return None
    named = BY_NAME[str(parameter.name)]
    try:
        return named.kind.read(value)
    except (ValueError, SftError) as error:
        problem, remedy = problem_of(named, error)
        raise UsageError(problem=problem, remedy=remedy) from error


def _absolute(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    # Without ".." in what is said of it.
    return _judged(context, parameter, None if value is None else os.path.abspath(value))  # noqa: PTH100


def _of_serve(named: ServerOption) -> click.Option:
    about = f"{named.about} {_REMEMBERED}" if named.flag is Flag.KEPT else named.about
    choice = click.Choice(named.kind.words) if isinstance(named.kind, OneOf) else None
    judge = _absolute if named.name == "data" else _judged
    offers = completing.folders_here if named.name == "data" else None
    return option(named.flag_name, about, metavar=named.metavar, type=choice, callback=judge, shell_complete=offers)


_REMEMBERED: Final = "Kept in HOME/sft.toml for later starts."

_RIGHT: Final = (
    argument(
        "ACT", f"What they would do: {', '.join(ASKED_RIGHTS)}.", type=click.Choice([*ASKED_RIGHTS]), metavar="ACT"
    ),
    argument(
        "ABOUT",
        "Its path, or the person whom it is about.",
        required=False,
        default="",
        shell_complete=completing.about,
    ),
    option("--size", SIZE_ABOUT, type=SIZE, default=0, metavar="SIZE"),
    option("--to", TO_ABOUT, default="", metavar="NAME", shell_complete=completing.people),
)

_SERVE: Final = click.Command(
    "serve",
    params=[_of_serve(each) for each in OPTIONS if each.flag is not Flag.NONE],
    callback=click.pass_obj(_serving),
    help="Run the server; the first start makes what is missing.",
)

_WITNESS: Final = click.Command(
    "witness",
    params=[
        option(
            "--listen",
            "Where to listen, as HOST:PORT; or an endpoint of Twisted's.",
            metavar="HOST:PORT",
            default=WITNESS_LISTEN,
            show_default=True,
            callback=_endpoint,
        ),
        option("--name", "At the first start: its name in policies, such as witness.example.org/w1.", default=""),
        option(
            "--log",
            "The key of a log to witness, beside the log lines of HOME/witness/policy; again for more.",
            metavar="NAME+HASH+KEY",
            multiple=True,
        ),
        option("--url", "Where others reach it, for --show-key.", default=""),
        flag("--show-key", "Print what others write into their policies, and end."),
    ],
    callback=click.pass_obj(_witness),
    help="Run a witness, which cosigns the logs of other servers.",
)

_BACKUP: Final = leaf(
    "backup",
    "backups.command:backup",
    "Copy everything but the master key into a folder, while the server serves; again adds what is new.",
    argument(
        "DIR", "A folder on another disk, for this server's backups alone.", shell_complete=completing.folders_here
    ),
    option(
        "--keep",
        "How many backups stay, with this one; older ones go.",
        type=NUMBER,
        metavar="NUMBER",
        default=7,
        show_default=True,
    ),
    option("--limit", "Copy no more than that a second: 20M, 500K, or bytes.", type=RateType(), metavar="RATE"),
)

_RESTORE: Final = leaf(
    "restore",
    "backups.restore_command:restore",
    "Put a backup back into an empty home, verified before it can be served.",
    argument("DIR", "The folder of backups.", shell_complete=completing.folders_here),
    flag("--list", "Name the backups in it, and do nothing."),
    flag("--verify", "Read one of them whole where it lies, as a restore would, and put nothing back."),
    option("--limit", "With --verify: read no more than that a second.", type=RateType(), metavar="RATE"),
    option("--snapshot", "Which of them; the newest unless told.", metavar="NAME", shell_complete=completing.snapshots),
    *(_of_serve(each) for each in OPTIONS if each.name in ("master_key", "data")),
    option("--reason", "Why; everybody reads it.", default="", metavar="TEXT"),
    flag("--nothing-since", "Nothing happened after the backup: the log goes on, and nobody is asked anything."),
    flag("--despite-faults", "Put back what holds, also where something does not."),
    local=True,
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
        USER,
        leaf("status", "status:show", "Show how the server is."),
        leaf("why", "rights:why", "Say whether somebody may do something, and by which rule.", WHO, *_RIGHT),
        leaf("who-can", "rights:who_can", "List who may do something, and why.", *_RIGHT),
        leaf("link", "people:link", "Print the server's link: address and key, no secret."),
        INVITE,
        FILE,
        SESSION,
        LOG,
        CONFIG,
        HOOK,
        VAULT,
        _BACKUP,
        _RESTORE,
        *installing.COMMANDS,
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
            shell_complete=completing.folders_here,
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
    except (click.Abort, KeyboardInterrupt):
        console.warn("Stopped.")
        return 128 + signal.SIGINT
    except Interrupted as interrupted:
        console.warn("Stopped.")
        return interrupted.exit_status
    except click.ClickException as error:
        console.json = asks_json(list(arguments))
        return report(console, usage_of(error, PROGRAM), now=time.time(), steps=steps_at(call.named))
    except SftError as error:
        return report(console, error, now=time.time(), steps=steps_at(call.named))
