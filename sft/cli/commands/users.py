"""`sft users`: the people of the server, with roles and key words."""

from __future__ import annotations

import click

from sft.cli.columns import aligned
from sft.cli.invocation import Invocation
from sft.cli.json_output import user_document
from sft.cli.options import common, pass_invocation
from sft.client.api.people import list_users
from sft.client.session import Session
from sft.crypto.keys import PublicKey
from sft.model.names import safe
from sft.model.records import User, UserState
from sft.model.text import count_text, size_text


@click.command("users")
@common
@pass_invocation
def command(invocation: Invocation) -> int:
    """List the people of the server: role, state, files and the words of their keys."""

    async def ask(session: Session) -> list[User]:
        return await list_users(session)

    users = invocation.talk(ask)
    console = invocation.console
    if console.json:
        console.document([user_document(user) for user in users])
        return 0
    if not console.out_is_terminal:
        for user in users:
            console.result("\t".join(_fields(user)))
        return 0
    head = ("", "name", "role", "state", "files", "size", "key")
    rows = [head, *((console.mark(_mark(user)), *_shown(user)) for user in users)]
    for line in aligned(rows, right=(4, 5)):
        console.result(line)
    return 0


def _mark(user: User) -> str:
    return "●" if user.state is UserState.ACTIVE else "⊘"


def _shown(user: User) -> tuple[str, ...]:
    state = "" if user.state is UserState.ACTIVE else user.state.value
    size = size_text(user.bytes_stored) if user.bytes_stored else "0"
    return safe(user.name), user.role.value, state, count_text(user.files), size, _words(user)


def _fields(user: User) -> tuple[str, ...]:
    name = safe(user.name)
    return (
        name,
        user.role.value,
        user.state.value,
        str(user.files),
        str(user.bytes_stored),
        _words(user),
    )


def _words(user: User) -> str:
    live = [key for key in user.keys if key.ended_at is None] or list(user.keys)
    return ", ".join(PublicKey.decode(key.public_key).words() for key in live)
