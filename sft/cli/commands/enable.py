"""`sft enable`: let a disabled person in again."""

from __future__ import annotations

import click

from sft.cli.invocation import Invocation
from sft.cli.json_output import user_document
from sft.cli.options import common, pass_invocation
from sft.client.api.people import enable
from sft.client.session import Session
from sft.model.records import User
from sft.model.text import shown_name


@click.command("enable")
@click.argument("name")
@common
@pass_invocation
def command(invocation: Invocation, name: str) -> int:
    """Let a disabled person in again, with the same key and role."""

    async def ask(session: Session) -> User:
        return await enable(session, name)

    user = invocation.talk(ask)
    if invocation.console.json:
        invocation.console.document(user_document(user))
    invocation.console.result(f"{shown_name(user.name)} can sign in again, as {user.role}.")
    return 0
