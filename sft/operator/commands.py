"""The operator's commands: words, options and arguments in, a command's module out; the same for ``sftd`` and ``twistd sft``.

Rules. Whatever is called ends with a status of the table, here and in one place, but for what is to be served: that is kept for
whoever runs it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import click

from sft import __version__
from sft.cli.console import Console
from sft.cli.failures import report
from sft.cli.limit_type import BYTES, BYTES_ABOUT, FILES, FILES_ABOUT, SIZE, SIZE_ABOUT
from sft.cli.rights_output import TO_ABOUT
from sft.cli.role_argument import RoleType, require_role
from sft.cli.transfer_options import LIMIT_HELP, RateType
from sft.cli.usage import STATUSES, asks_json, usage_of
from sft.errors import SftError, UsageError
from sft.model.access import Role
from sft.model.rights import ASKED_RIGHTS
from sft.operator import completing, installing
from sft.operator.command_line import Call, InviteGroup, OperatorGroup, argument, flag, leaf, option
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


_ROLES: Final = click.Choice([role.value for role in Role])
_WHO: Final = argument("NAME", "The person's name.", shell_complete=completing.people)
_ONE: Final = argument("NAME", "The person's name.", required=False, shell_complete=completing.people)
_LISTED: Final = option(
    "--from-file", "Everybody whom a list names, one a line.", metavar="FILE", shell_complete=completing.files_here
)
_KEY_ABOUT: Final = "The key (RW...), or the file of sft key export."
_NUMBER: Final = click.IntRange(min=1)
_YES: Final = flag("--yes", "Do not ask.")
_REMEMBERED: Final = "Kept in HOME/sft.toml for later starts."

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

_USER: Final = OperatorGroup(
    "user",
    "People: who is there, and what they may do.",
    [
        leaf("list", "people:list_users", "List who is there."),
        leaf("show", "people:show_user", "Show one person, with keys.", _WHO),
        leaf(
            "role",
            "people:change_role",
            "Give somebody another role.",
            _WHO,
            argument(
                "ROLE",
                "What they are from now on.",
                type=RoleType(),
                metavar="{admin|maintainer|guest}",
                required=False,
                callback=require_role,
            ),
        ),
        leaf(
            "quota",
            "people:quota",
            "Show how much somebody may own and what of it is taken, or say how much.",
            _WHO,
            option("--bytes", BYTES_ABOUT, type=BYTES, metavar="SIZE"),
            option("--files", FILES_ABOUT, type=FILES, metavar="N"),
        ),
        leaf("disable", "people:disable", "Lock somebody out, keeping everything.", _ONE, _LISTED),
        leaf("enable", "people:enable", "Let somebody in again.", _WHO),
        leaf(
            "remove",
            "people:remove",
            "Remove somebody for good; their files stay.",
            _ONE,
            _LISTED,
            option(
                "--files-to",
                "Who gets the files; the first admin unless told.",
                default="",
                metavar="NAME",
                shell_complete=completing.people,
            ),
            _YES,
        ),
        leaf(
            "reset-key",
            "people:reset_key",
            "Let somebody in again who lost every key: by a link, or with a key that they gave you.",
            _WHO,
            argument("PUBLIC_KEY", _KEY_ABOUT, required=False, default="", shell_complete=completing.files_here),
            option("--device", "What to call the device that has the key.", default="device", metavar="NAME"),
            option(
                "--stolen-since", "The others were stolen: from this number of the log on, or start.", metavar="NUMBER"
            ),
            _YES,
        ),
        leaf(
            "add",
            "people:add",
            "Register somebody by public key, without an invitation.",
            argument("NAME", "The person's name."),
            argument("PUBLIC_KEY", _KEY_ABOUT, shell_complete=completing.files_here),
            option("--role", "What they are.", type=_ROLES, default=Role.GUEST.value, show_default=True),
            option("--device", "What to call the device that has the key.", default="first", metavar="NAME"),
        ),
    ],
)

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

_INVITE: Final = InviteGroup(
    "invite",
    "Invitations: make one and print its link, unless told otherwise.",
    [
        leaf(
            "make",
            "people:invite",
            "Make an invitation and print its link.",
            option("--role", "What they will be.", type=_ROLES, default=Role.GUEST.value, show_default=True),
            option("--expires", "How long it can be used, such as 12h or 30d.", default="2d", show_default=True),
            option("--user", "Only for this name; they choose one, unless told.", metavar="NAME"),
        ),
        leaf("list", "people:list_invitations", "List what was made in the last month."),
        leaf(
            "withdraw",
            "people:withdraw",
            "Make an open invitation void.",
            argument(
                "NUMBER", "Its number; see sftd invite list.", type=_NUMBER, shell_complete=completing.invitations
            ),
        ),
    ],
)

_PATH: Final = argument("PATH", "Its path on the server.", shell_complete=completing.paths)
_FILE: Final = OperatorGroup(
    "file",
    "What is stored.",
    [
        leaf("list", "files:list_files", "List all files, in order of creation."),
        leaf("show", "files:show", "Show one file, with its signature.", _PATH),
        leaf(
            "delete",
            "files:delete",
            "Move a file to the trash.",
            _PATH,
            flag("--recursive", "A folder and all in it.", "-r"),
        ),
    ],
)

_SESSION: Final = OperatorGroup(
    "session",
    "Who is connected.",
    [
        leaf("list", "people:list_sessions", "List who is connected."),
        leaf(
            "kick",
            "people:kick",
            "End a session.",
            argument("NUMBER", "Its number; see sftd session list.", type=_NUMBER),
        ),
    ],
)

_LOG: Final = OperatorGroup(
    "log",
    "What happened, and the log that proves it.",
    [
        leaf(
            "show",
            "log_pages:show",
            "Show what happened, the newest lines.",
            option("--user", "Who did it, or had it done to them.", metavar="NAME", shell_complete=completing.people),
            option("--file", "What was done to this file.", metavar="PATH", shell_complete=completing.paths),
            option("--act", "What was done; several by commas.", metavar="ACT"),
            option("--since", "From then on: 2d, 2026-05-03, or 2026-05-03T14:02:11Z.", metavar="WHEN"),
            option("--until", "Before then.", metavar="WHEN"),
            option("--after", "All that comes after this line.", metavar="NUMBER", type=click.IntRange(min=0)),
            option("-n", "So many.", metavar="NUMBER", type=_NUMBER, default=50, show_default=True, also=("--n",)),
            flag("--follow", "Go on with what happens; with --json one object a line.", "-f"),
        ),
        leaf(
            "export",
            "log_pages:export",
            "Write the whole log as files of C2SP tlog-tiles, which other people's tools check.",
            argument(
                "DIR",
                "A folder of its own; an earlier export there is gone on with.",
                shell_complete=completing.folders_here,
            ),
            flag("--without-records", "Without names, paths and who downloaded: to be published."),
        ),
        leaf(
            "verify",
            "log_pages:verify",
            "Check the whole log, leaf by leaf.",
            option(
                "--folder",
                "An exported folder; the server's log unless told.",
                metavar="DIR",
                shell_complete=completing.folders_here,
            ),
        ),
        leaf("key", "log:show_key", "Print the log's name and key, for witnesses and policies.", local=True),
        leaf("witnesses", "log:show_witnesses", "Show who has cosigned the log's heads, and when.", local=True),
        leaf(
            "restart",
            "log_restart:restart",
            "Go on from a copy that was put back: every client stops until its person agrees.",
            option("--reason", "Why what came later is gone; everybody reads it.", default="", metavar="TEXT"),
            option("--name", "The server's name, for scripts: nothing is asked then.", default="", metavar="NAME"),
            local=True,
        ),
    ],
)

_CONFIG: Final = OperatorGroup(
    "config",
    "What the server runs with.",
    [
        leaf(
            "show",
            "config:show",
            "Show every option with its value and where that comes from, or all about one.",
            argument("OPTION", "One of them.", required=False, default="", shell_complete=completing.options),
            local=True,
            served="config:show_served",
        ),
        leaf(
            "check", "config:check", "Say what is wrong in HOME/sft.toml and in this shell's environment.", local=True
        ),
        leaf("example", "config:example", "Print a file that explains every option.", local=True),
    ],
)

_HOOK: Final = OperatorGroup(
    "hook",
    "Programs and webhooks that are told what happens.",
    [
        leaf("list", "hooks:show", "List them, and how each is."),
        leaf(
            "test",
            "hooks:test",
            "Give a hook the newest event that it is for, as a test.",
            argument("HOOK", "Its name; see sftd hook list.", shell_complete=completing.hooks),
        ),
    ],
)

_CLOCK_IS_RIGHT: Final = flag("--clock-is-right", "Doubt the server's clock no more: sftd status says if it is.")
_VAULT: Final = OperatorGroup(
    "vault",
    "What is stored, as it lies on the disk.",
    [
        leaf("status", "files:status", "Show what is stored, what is free, and when all was read last."),
        leaf(
            "check",
            "files:check",
            "Read every row, look at every object, and name what does not hold.",
            flag("--read-data", "Read every content whole; one that was stopped is gone on with."),
            option("--limit", LIMIT_HELP, metavar="RATE", type=RateType()),
            flag("--afresh", "Read from the first content on, whatever was read before."),
        ),
        leaf(
            "rotate-key",
            "files:rotate",
            "Seal everything under a new master key.",
            flag("--reencrypt", "Also new data keys and a new server key: after a leak."),
        ),
        leaf(
            "rebuild",
            "files:rebuild",
            "Make the index again of what lies beside the objects, where the database was lost.",
            option(
                "--export",
                "Write contents that find no place to files, readable.",
                default="",
                metavar="DIR",
                shell_complete=completing.folders_here,
            ),
            before="lost_database:make_again",
        ),
        leaf("collect", "files:collect", "Destroy what was in the trash for its time.", _CLOCK_IS_RIGHT),
        OperatorGroup(
            "quarantine",
            "What no file names, put aside by a start.",
            [
                leaf("list", "quarantine:show", "List it.", local=True),
                leaf("drop", "quarantine:drop", "Delete all of it, for good.", local=True),
            ],
        ),
    ],
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
        type=_NUMBER,
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
        _USER,
        leaf("status", "status:show", "Show how the server is."),
        leaf("why", "rights:why", "Say whether somebody may do something, and by which rule.", _WHO, *_RIGHT),
        leaf("who-can", "rights:who_can", "List who may do something, and why.", *_RIGHT),
        leaf("link", "people:link", "Print the server's link: address and key, no secret."),
        _INVITE,
        _FILE,
        _SESSION,
        _LOG,
        _CONFIG,
        _HOOK,
        _VAULT,
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
    except click.ClickException as error:
        console.json = asks_json(list(arguments))
        return report(console, usage_of(error, PROGRAM), now=time.time(), steps=steps_at(call.named))
    except SftError as error:
        return report(console, error, now=time.time(), steps=steps_at(call.named))
