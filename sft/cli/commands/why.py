"""`sft why` and `who-can`: whether somebody may do something, by which rule, and who may.

Rules. The answer is the server's, of what decides the act itself, and nothing is done. One asks about oneself, an admin about
everybody. The exit status is the one that the act would have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sft.cli.completing import deleted, paths
from sft.cli.completing import people as people_there
from sft.cli.invocation import Invocation
from sft.cli.limit_type import SIZE, SIZE_ABOUT
from sft.cli.options import common
from sft.cli.rights_output import ACTS, TO_ABOUT, parse_about, show_allowed, show_right
from sft.client.api.rights import PersonRight, explain_right, list_allowed
from sft.client.session import Session
from sft.errors import UsageError
from sft.model.rights import ASKED_RIGHTS, About
from sft.model.text import shell_line

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_DELETED = ("restore", "destroy")


def _about_there(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer what the act that stands before can be about."""
    act = str(context.params.get("act"))
    about = ASKED_RIGHTS[act].about if act in ASKED_RIGHTS else About.NOTHING
    if about is About.PERSON:
        return people_there(context, parameter, incomplete)
    if about is About.PATH:
        return (deleted if act in _DELETED else paths)(context, parameter, incomplete)
    return []


class _Act(click.Choice[str]):
    """An act; where one stands in the place of the person already, it is said who is missing."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        user = None if ctx is None else ctx.params.get("user")
        if user in ACTS and value not in ACTS:
            remedy = shell_line(["sft", "why", "max", user, value])
            raise UsageError(problem="Who is to do it was not said", remedy=f"With the person first: {remedy}")
        return super().convert(value, param, ctx)


_ACT = click.argument("act", type=_Act(ACTS), metavar="ACT")
_ABOUT = click.argument("about", required=False, default="", metavar="[PATH or NAME]", shell_complete=_about_there)
_SIZE = click.option("--size", type=SIZE, default=0, metavar="SIZE", help=SIZE_ABOUT)
_TO = click.option("--to", metavar="USER", shell_complete=people_there, default="", help=TO_ABOUT)
_ACTS_NAMED = f"ACT is one of {', '.join(ACTS)}."


@click.command("why", epilog=_ACTS_NAMED)
@click.argument("user", shell_complete=people_there)
@_ACT
@_ABOUT
@_SIZE
@_TO
@common
def why_command(invocation: Invocation, user: str, act: str, about: str, size: int, to: str) -> int:
    """Say whether somebody may do something now, by which rule, and what can be done: sft why max rm plan.pdf."""
    about = parse_about(act, about, to)
    right = invocation.talk(lambda session: explain_right(session, user, act, about, size, to=to))
    return show_right(invocation.console, right, act, about, to=to, now=invocation.now, steps=invocation.steps)


@click.command("who-can", epilog=_ACTS_NAMED)
@_ACT
@_ABOUT
@_SIZE
@_TO
@common
def who_can_command(invocation: Invocation, act: str, about: str, size: int, to: str) -> int:
    """List who may do something now, and why: sft who-can rm plan.pdf."""
    about = parse_about(act, about, to)

    async def ask(session: Session) -> tuple[list[PersonRight], PersonRight | None]:
        allowed = await list_allowed(session, act, about, size, to=to)
        return allowed, None if allowed else await explain_right(session, "", act, about, size, to=to)

    allowed, own = invocation.talk(ask)
    show_allowed(invocation.console, allowed, own, act, about, now=invocation.now, steps=invocation.steps)
    return 0
