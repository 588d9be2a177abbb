"""`sft tui`: the full-screen UI, which `sft` alone opens too.

Rules. What can be told in a sentence is told before it opens, where the terminal still is as the person left it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from sft.cli.invocation import Invocation
from sft.cli.options import common
from sft.errors import NotJoinedError, SftError, UsageError
from sft.model.names import safe


@click.command("tui")
@common
def command(invocation: Invocation) -> int:
    """Open the full-screen UI, as sft alone does on a terminal."""
    return open_screens(invocation)


def require_terminal(invocation: Invocation) -> None:
    """Refuse with a UsageError where no person sees the UI: without a terminal that can show it, or with ``--json``."""
    remedy = "Name what to do in place of it: sft ls, sft put FILE, sft get FILE; sft --help lists all"
    if invocation.console.json:
        raise UsageError(problem="The full-screen UI gives no JSON", remedy=remedy)
    if invocation.console.is_dumb and invocation.console.out_is_terminal:
        problem = "The full-screen UI needs a terminal that can move its cursor: TERM is dumb"
        raise UsageError(problem=problem, remedy=remedy)
    if not invocation.on_terminal:
        raise UsageError(problem="The full-screen UI needs a terminal, for input and for output", remedy=remedy)


def open_screens(invocation: Invocation) -> int:
    """Open the UI on the account that is asked for, else the default one; return the exit status.

    Raises:
        UsageError: there is no terminal.
        ProfileUnknownError: the account that is asked for is none of this computer's.
        LocalFileError: what this computer keeps cannot be read.
    """
    require_terminal(invocation)
    account = ""
    with contextlib.suppress(NotJoinedError):  # the UI asks for an invitation
        account = invocation.profile().name
    with contextlib.ExitStack() as left_behind:

        def begin_demo() -> Path:
            from sft.demo.exhibit import Exhibit

            return left_behind.enter_context(Exhibit()).begin()

        status = invocation.environment.screens(invocation.environ, account=account, begin_demo=begin_demo)
    return ended(invocation, status)


def ended(invocation: Invocation, status: int) -> int:
    """Show where the details of a fault are, if the UI ended by one; return the exit status."""
    if status == SftError.exit_status:
        invocation.console.warn(f"     Details: {safe(str(invocation.log.path))}")
    return status
