"""`sft whoami`: profile, person, role and keys. The role is asked from the server, for it may have changed."""

from __future__ import annotations

import click

from sft.cli.columns import aligned
from sft.cli.invocation import Invocation
from sft.cli.json_output import self_document
from sft.cli.options import common, pass_invocation
from sft.client.api.people import show_self
from sft.client.session import Session
from sft.model.names import safe
from sft.model.records import User
from sft.model.text import ROLE_WORDS, shown_name


@click.command("whoami")
@common
@pass_invocation
def command(invocation: Invocation) -> int:
    """Show who you are on the server: name, role, device and keys."""
    profile = invocation.profile()

    async def ask(session: Session) -> User:
        return (await show_self(session)).user

    user = invocation.talk(ask, profile)
    document = self_document(profile, user.name, user.role.value)
    if invocation.console.json:
        invocation.console.document(document)
        return 0
    rows = [
        ("server", f"{safe(profile.server_name)} ({profile.address})"),
        ("user", shown_name(user.name)),
        ("role", f"{user.role}: {ROLE_WORDS[user.role]}"),
        ("device", safe(profile.device)),
        ("key", document["key_words"]),
        ("minisign", document["minisign_key"]),
        ("server key", document["server_key_words"]),
        ("profile", safe(profile.name)),
    ]
    for line in aligned(rows):
        invocation.console.result(line)
    return 0
