"""`sft`: the table of commands, and the one place where a command ends.

Rules. Whatever a command does, it ends here: with its status, with an error's words and status, or with 128 plus a signal.
Nothing that a command needs is imported before that command is called, and the process ends without taking its objects apart.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

import click
from msgspec.structs import replace

from sft import __version__
from sft.cli.commands.tui import open_screens
from sft.cli.completion_scripts import SHELLS, script_of, variable_of
from sft.cli.failures import no_text, report, unforeseen
from sft.cli.interrupts import raise_again
from sft.cli.invocation import Environment, Invocation
from sft.cli.lazy import LazyGroup
from sft.cli.meant import line_meant, unknown_command
from sft.cli.options import common
from sft.cli.run import Interrupted
from sft.cli.usage import STATUSES, asks_json, usage_of
from sft.errors import SftError, UsageError
from sft.hardening import keep_memory_private
from sft.model.names import safe

COMMANDS: Final = {
    "tui": "Open the full-screen UI, as sft alone does on a terminal.",
    "join": "Join a server with an invitation.",
    "put": "Upload files or folders.",
    "get": "Download files, verified before they have their name.",
    "sync": "Make a folder there like one here, or the other way round.",
    "watch": "Send what appears in a folder here, until interrupted.",
    "resume": "Go on with what was cut off, or list it.",
    "ls": "List files and folders.",
    "find": "Find files and folders by their names, wherever they lie.",
    "info": "Show one file: author, version, signature.",
    "mkdir": "Make a folder.",
    "mv": "Rename or move a file or folder.",
    "rm": "Delete files; they can be restored.",
    "owner": "Hand files or folders over to somebody.",
    "expire": "Have files go to the trash by themselves after a time.",
    "restore": "Bring deleted files back (sft ls --trash), or an old version.",
    "log": "Show what happened on the server, proved; check its whole log.",
    "verify": "Check a file here against its signature, without the server.",
    "proof": "Write a file and its proof, for who has no account.",
    "whoami": "Show who you are on the server.",
    "status": "Show how the server is and what it does now: for admins.",
    "users": "List the people of the server.",
    "invite": "Invite somebody; list or withdraw invitations.",
    "role": "Give somebody another role.",
    "disable": "Lock somebody out, keeping everything.",
    "enable": "Let a disabled person in again.",
    "remove": "Remove somebody for good.",
    "why": "Say whether somebody may do something, and by which rule.",
    "who-can": "List who may do something, and why.",
    "quota": "Show how much somebody may own, or change it.",
    "reset-key": "Give somebody who lost every key a new one.",
    "key": "Show, export or change your key; your devices.",
    "unlock": "Have your key held unlocked for a day.",
    "lock": "Have it forgotten now.",
    "servers": "List the servers you have joined, or change them.",
    "demo": "See it all work: a private server and three people.",
    "completion": "Print the completion script of a shell.",
}

# Commands that share a module with others.
SHARED: Final = {
    **dict.fromkeys(("mkdir", "mv"), "paths"),
    "reset-key": "devices",
    **dict.fromkeys(("why", "who-can"), "why"),
    **dict.fromkeys(("unlock", "lock"), "agent"),
    **dict.fromkeys(("users", "role", "disable", "enable", "remove"), "people"),
}
USAGE_STATUS: Final = 2
_SIGNALLED: Final = 128


@click.group(
    cls=LazyGroup,
    package="sft.cli.commands",
    table=COMMANDS,
    shared=SHARED,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=STATUSES,
)
@click.version_option(__version__, "-V", "--version", prog_name="sft", message="%(prog)s %(version)s")
@common
@click.pass_context
def cli(ctx: click.Context, invocation: Invocation) -> int:
    """Share files through one server: signed by their authors, verified by their readers."""
    if ctx.invoked_subcommand is None:
        if invocation.console.json:
            raise UsageError(problem="No command was named", remedy="See: sft --help")
        if invocation.on_terminal:
            return open_screens(invocation)
        invocation.console.write(ctx.get_help() + "\n")
        return USAGE_STATUS
    return 0


@cli.command("help", hidden=True)
@click.argument("words", nargs=-1, metavar="[COMMAND]")
@click.pass_context
def help_command(context: click.Context, words: tuple[str, ...]) -> int:
    """Show what a command does, as --help after it."""
    shown, command = context.find_root(), context.find_root().command
    for word in words:
        below = command.get_command(shown, word) if isinstance(command, click.Group) else None
        if below is None:
            raise unknown_command(word, [*COMMANDS], context.find_root())
        command, shown = below, click.Context(below, info_name=word, parent=shown)
    context.ensure_object(Invocation).console.write(command.get_help(shown) + "\n")
    return 0


@cli.command("version", hidden=True)
@click.pass_context
def version_command(context: click.Context) -> int:
    """Say which sft this is, as --version."""
    context.ensure_object(Invocation).console.write(f"sft {__version__}\n")
    return 0


@cli.command("completion")
@click.argument("shell", type=click.Choice(tuple(SHELLS)))
@common
def completion_command(invocation: Invocation, shell: str) -> int:
    """Print the completion script of a shell; load it with: source <(sft completion bash)."""
    script = script_of(shell, "sft")
    if invocation.console.json:
        invocation.console.document({"shell": shell, "script": script})
    else:
        invocation.console.write(script)
    return 0


def main(arguments: Sequence[str], environment: Environment) -> int:
    """Run one command; return its exit status. Every error has been reported then."""
    invocation = Invocation(environment)
    try:
        return _ended(arguments, invocation)
    except SftError as error:  # standard output itself cannot be written
        invocation.console.json = False
        return report(invocation.console, error, now=invocation.now)


def run() -> NoReturn:
    """Entry point of the console script."""
    keep_memory_private()
    open_closed_streams()
    raise_again()
    status = main(sys.argv[1:], Environment(os.environ))
    # What is left to take apart would only cost time; threads that wait for a disk would hold us.
    os._exit(status)


def open_closed_streams() -> None:
    """Put something in place of a standard stream that was closed: no file or connection may get its number.

    What is read from it, or is the result of a command, fails as on a disk that is gone; what only tells a person is dropped.
    """
    for number, name, flags in ((0, "stdin", os.O_WRONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))


def _ended(arguments: Sequence[str], invocation: Invocation) -> int:
    told: SftError | None = None
    try:
        status = _status_of(arguments, invocation)
    except SftError as error:
        told = no_text(error, arguments) or error
        steps = replace(invocation.steps, profile=invocation.profile_name or "")
        status = report(invocation.console, told, now=invocation.now, steps=steps)
    except Exception as error:  # noqa: BLE001 - no traceback reaches a person
        fault = no_text(error, arguments) or unforeseen(error, invocation.log)
        status = report(invocation.console, fault, now=invocation.now)
        if fault.ref:
            invocation.console.warn(f"     Details: {safe(str(invocation.log.path))}")
    try:
        invocation.console.flush()
    except SftError as error:
        if status <= _SIGNALLED and (told is None or told.values != error.values):
            raise
        # It was told just now; or whatever ended us took the terminal away too: that is what ended us, and nobody reads the
        # rest.
    return status


def _status_of(arguments: Sequence[str], invocation: Invocation) -> int:
    try:
        status = cli.main(list(arguments), prog_name="sft", standalone_mode=False, obj=invocation)
    except click.ClickException as error:
        invocation.console.json |= asks_json(list(arguments))
        raise usage_of(error, "sft", line_meant(error, arguments)) from error
    except (click.Abort, KeyboardInterrupt):
        return _stopped(invocation, Interrupted(signal.SIGINT))
    except SystemExit as ended:
        # click's own: a completion that was asked for, or a reader of the help who went away.
        return 0 if invocation.environ.get(variable_of("sft")) is None else int(ended.code or 0)
    except Interrupted as interrupted:
        return _stopped(invocation, interrupted)
    return status if isinstance(status, int) else 0


def _stopped(invocation: Invocation, interrupted: Interrupted) -> int:
    console, status = invocation.console, interrupted.exit_status
    message = interrupted.message or invocation.stopped()
    if console.json:
        again = {"code": "INTERRUPTED", "exit": status, "message": message, "next": "The same command again"}
        console.document({"error": {**again, "ref": None}})
    console.warn(message)
    return status
