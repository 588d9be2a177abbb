"""`sft completion`: the script that makes a shell complete sft's commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from sft.cli.invocation import Invocation
from sft.cli.lazy import COMPLETE
from sft.cli.options import common, pass_invocation

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@common
@pass_invocation
@click.pass_context
def command(context: click.Context, invocation: Invocation, shell: str) -> int:
    """Print the completion script of a shell; load it with: source <(sft completion bash)."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.BadParameter(f"{shell} is not known")
    script = kind(context.find_root().command, {}, "sft", COMPLETE).source()
    if invocation.console.json:
        invocation.console.document({"shell": shell, "script": script})
    else:
        invocation.console.write(f"{script}\n")
    return 0
