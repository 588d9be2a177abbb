"""What every command understands, before and after its name: --json, --quiet, --profile, --progress."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

import click

from sft.cli.completing import servers
from sft.cli.invocation import Invocation
from sft.cli.next_steps import steps_of_command

F = TypeVar("F", bound=Callable[..., Any])

PROGRESS_STYLES: Final = ("bar", "plain", "json")

_pass_invocation = click.make_pass_decorator(Invocation)


def _option(*names: str, to: str, of_console: bool = False, **settings: Any) -> Callable[[F], F]:
    """Return an option that the invocation keeps, before and after the command's name."""

    def keep(ctx: click.Context, _parameter: click.Parameter, value: object) -> None:
        if value:
            invocation = ctx.ensure_object(Invocation)
            setattr(invocation.console if of_console else invocation, to, value)

    return click.option(*names, is_eager=True, expose_value=False, callback=keep, **settings)


_COMMON: Final = (
    _option("--json", to="json", of_console=True, is_flag=True, help="Print the result as JSON."),
    _option(
        "--quiet", "-q", to="quiet", of_console=True, is_flag=True, help="Print errors only: a list prints nothing."
    ),
    _option(
        "--profile",
        to="profile_name",
        metavar="NAME",
        shell_complete=servers,
        help="Which server to use; names: sft servers.",
    ),
    _option(
        "--progress",
        to="progress",
        type=click.Choice(PROGRESS_STYLES),
        help="How to show progress (on standard error).",
    ),
)


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its Invocation as first argument, the options that every command has, and the next steps that it says."""

    @wraps(function)
    def called(invocation: Invocation, *arguments: Any, **options: Any) -> Any:
        words = click.get_current_context().command_path.partition(" ")[2]
        invocation.steps = steps_of_command(words)
        return function(invocation, *arguments, **options)

    made: Callable[..., Any] = _pass_invocation(called)
    for option in reversed(_COMMON):
        made = option(made)
    return made
