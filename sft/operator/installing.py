"""``unit``, ``manual``, ``completion``: what is installed beside the program, printed by the program itself.

Rules. It comes out of the commands, or lies in the wheel: no home is looked into, and no server is asked. A unit names the
program that printed it.
"""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import Final

import click

from sft.cli.completion_scripts import SHELLS, script_of

_PROGRAM: Final = "/usr/bin/sftd"
UNITS: Final = ("sftd.service", "sftd-backup.service", "sftd-backup.timer")
_ENVIRONMENT: Final = {
    "SFT_HOME": "Where sft keeps keys, pins and what it knows of servers; unless told the platform's data folder.",
    "SFT_PASSPHRASE_FILE": "The file that holds the passphrase of the key.",
    "SFT_TRIES": "How often a transfer that was cut off comes back by itself; 0: never.",
}


def unit_text(name: str, program: str) -> str:
    """Return a unit of systemd for a program that lies at a path."""
    text = (resources.files("sft.operator") / "packaging" / name).read_text("utf-8")
    return text.replace(_PROGRAM, program)


@click.command("unit")
@click.argument(
    "name", metavar="[UNIT]", type=click.Choice(UNITS), default=UNITS[0], help=f"One of {', '.join(UNITS)}."
)
def _unit(name: str) -> int:
    """Print a unit for systemd.

    The server, closed off from all that it does not need, or a backup every night.
    """
    called = Path(sys.argv[0])
    is_it = called.name == "sftd" and called.is_absolute()
    click.echo(unit_text(name, str(called) if is_it else _PROGRAM), nl=False)
    return 0


@click.command("manual")
@click.argument(
    "name", metavar="[PROGRAM]", type=click.Choice(("sftd", "sft")), default="sftd", help="sftd, unless told, or sft."
)
@click.pass_context
def _manual(context: click.Context, name: str) -> int:
    """Print the manual page of sftd or of sft, for man: sftd manual > sftd.8."""
    from sft.cli.invocation import Environment, Invocation
    from sft.cli.main import cli
    from sft.cli.manual import page
    from sft.operator.options import OPTIONS

    if name == "sft":
        whole = click.Context(cli, info_name=name, obj=Invocation(Environment({})))
        text = page(name, cli, whole, _ENVIRONMENT)
    else:
        root = context.find_root()
        program = root.command
        if not isinstance(program, click.Group):
            raise TypeError(name)
        whole = click.Context(program, info_name=name, obj=root.obj)
        variables = {"SFT_SERVER_HOME": "Where the server lives."} | {each.variable: each.about for each in OPTIONS}
        text = page(name, program, whole, variables)
    click.echo(text, nl=False)
    return 0


@click.command("completion")
@click.argument("shell", type=click.Choice(tuple(SHELLS)), help="Which shell.")
def _completion(shell: str) -> int:
    """Print the completion script of a shell; load it with: source <(sftd completion bash)."""
    click.echo(script_of(shell, "sftd"), nl=False)
    return 0


COMMANDS: Final = (_unit, _manual, _completion)
"""For the table of commands."""
