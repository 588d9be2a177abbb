"""`sft role`: give somebody another role; it holds at once, in live sessions too."""

from __future__ import annotations

import click

from sft.cli.invocation import Invocation
from sft.cli.options import common, pass_invocation
from sft.client.api.people import change_role
from sft.client.session import Session
from sft.model.access import Role
from sft.model.records import User
from sft.model.text import role_noun, shown_name


@click.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@common
@pass_invocation
def command(invocation: Invocation, name: str, role: str) -> int:
    """Give somebody another role: admin, maintainer or guest."""

    async def ask(session: Session) -> tuple[User, str]:
        return await change_role(session, name, Role(role))

    user, before = invocation.talk(ask)
    if invocation.console.json:
        invocation.console.document({"user": user.name, "role": user.role.value, "before": before})
    already = before == user.role.value
    tail = "already" if already else f"now (was {before})"
    invocation.console.result(f"{shown_name(user.name)} is {role_noun(user.role)} {tail}.")
    return 0
