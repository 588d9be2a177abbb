"""What every command understands, before and after its name: --json, --quiet, --profile, --progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from sft.cli.invocation import Invocation

PROGRESS_STYLES: Final = ("bar", "plain", "json")

_pass_invocation = click.make_pass_decorator(Invocation)


def _json(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    if value:
        ctx.ensure_object(Invocation).console.json = True


def _quiet(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    if value:
        ctx.ensure_object(Invocation).console.quiet = True


def _profile(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Invocation).profile_name = value


def _progress(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Invocation).progress = value


_COMMON: Final = (
    click.option(
        "--json",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_json,
        help="One JSON document.",
    ),
    click.option(
        "--quiet",
        "-q",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_quiet,
        help="Errors only.",
    ),
    click.option(
        "--profile",
        metavar="NAME",
        is_eager=True,
        expose_value=False,
        callback=_profile,
        help="The server to use, as sft servers names it.",
    ),
)
_PROGRESS: Final = click.option(
    "--progress",
    type=click.Choice(PROGRESS_STYLES),
    is_eager=True,
    expose_value=False,
    callback=_progress,
    help="How progress is told, on standard error.",
)


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its Invocation as first argument, and the options that every command has."""
    function = _pass_invocation(function)
    for option in (_PROGRESS, *reversed(_COMMON)):
        function = option(function)
    return function
