"""`sft disable`: lock somebody out at once, keeping files and account."""

from __future__ import annotations

import click

from sft.cli.invocation import Invocation
from sft.cli.json_output import user_document
from sft.cli.options import common, pass_invocation
from sft.client.api.people import disable
from sft.client.session import Session
from sft.model.records import User
from sft.model.text import shell_name, shown_name


@click.command("disable")
@click.argument("name")
@common
@pass_invocation
def command(invocation: Invocation, name: str) -> int:
    """Lock somebody out, keeping everything; sft enable lets them in again."""

    async def ask(session: Session) -> User:
        return await disable(session, name)

    user = invocation.talk(ask)
    if invocation.console.json:
        invocation.console.document(user_document(user))
    invocation.console.result(
        f"{shown_name(user.name)} is disabled: signed out now; files and account stay. "
        f"Back: sft enable {shell_name(user.name)}"
    )
    return 0
