"""The operator's commands that stand under one word: people, invitations, files, sessions, the log, options, hooks, the vault.

Rules. Words, options and arguments alone; what stands beside these groups is ``sft.operator.commands``'.
"""

from __future__ import annotations

from typing import Final

import click

from sft.cli.limit_type import BYTES, BYTES_ABOUT, FILES, FILES_ABOUT
from sft.cli.role_argument import RoleType, require_role
from sft.cli.transfer_options import LIMIT_HELP, RateType
from sft.model.access import Role
from sft.operator import completing
from sft.operator.command_line import InviteGroup, OperatorGroup, argument, flag, leaf, option

_ROLES: Final = click.Choice([role.value for role in Role])
WHO: Final = argument("NAME", "The person's name.", shell_complete=completing.people)
_ONE: Final = argument("NAME", "The person's name.", required=False, shell_complete=completing.people)
_LISTED: Final = option(
    "--from-file", "Everybody whom a list names, one a line.", metavar="FILE", shell_complete=completing.files_here
)
_KEY_ABOUT: Final = "The key (RW...), or the file of sft key export."
NUMBER: Final = click.IntRange(min=1)
_YES: Final = flag("--yes", "Do not ask.")

USER: Final = OperatorGroup(
    "user",
    "People: who is there, and what they may do.",
    [
        leaf("list", "people:list_users", "List who is there."),
        leaf("show", "people:show_user", "Show one person, with keys.", WHO),
        leaf(
            "role",
            "people:change_role",
            "Give somebody another role.",
            WHO,
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
            WHO,
            option("--bytes", BYTES_ABOUT, type=BYTES, metavar="SIZE"),
            option("--files", FILES_ABOUT, type=FILES, metavar="N"),
        ),
        leaf("disable", "people:disable", "Lock somebody out, keeping everything.", _ONE, _LISTED),
        leaf("enable", "people:enable", "Let somebody in again.", WHO),
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
            WHO,
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

INVITE: Final = InviteGroup(
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
            argument("NUMBER", "Its number; see sftd invite list.", type=NUMBER, shell_complete=completing.invitations),
        ),
    ],
)

_PATH: Final = argument("PATH", "Its path on the server.", shell_complete=completing.paths)
FILE: Final = OperatorGroup(
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

SESSION: Final = OperatorGroup(
    "session",
    "Who is connected.",
    [
        leaf("list", "people:list_sessions", "List who is connected."),
        leaf(
            "kick",
            "people:kick",
            "End a session.",
            argument("NUMBER", "Its number; see sftd session list.", type=NUMBER),
        ),
    ],
)

LOG: Final = OperatorGroup(
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
            option("-n", "So many.", metavar="NUMBER", type=NUMBER, default=50, show_default=True, also=("--n",)),
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

CONFIG: Final = OperatorGroup(
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

HOOK: Final = OperatorGroup(
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
VAULT: Final = OperatorGroup(
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
