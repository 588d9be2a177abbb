"""`sft remove`: remove somebody for good; the files stay, signed by them, and get another owner.

Rules. On a terminal the name has to be typed; elsewhere ``--yes`` has to be given. It cannot be undone.
"""

from __future__ import annotations

import click

from sft.cli.invocation import Invocation
from sft.cli.json_output import user_document
from sft.cli.options import common, pass_invocation
from sft.client.api.people import remove, show_user
from sft.client.session import Session
from sft.errors import UsageError
from sft.model.records import User
from sft.model.text import count_text, shell_name, shown_name


@click.command("remove")
@click.argument("name")
@click.option(
    "--files-to", metavar="USER", default="", help="Who owns the files then; you, unless told."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
@pass_invocation
def command(invocation: Invocation, name: str, files_to: str, *, yes: bool) -> int:
    """Remove somebody for good."""
    if not yes and not invocation.asking.possible:
        files = f" --files-to {shell_name(files_to)}" if files_to else ""
        raise UsageError(
            problem="A removal cannot be undone, and there is no terminal to ask on",
            remedy=f"sft remove {shell_name(name)}{files} --yes",
        )

    async def ask(session: Session) -> tuple[User, User, str]:
        before = await show_user(session, name)
        heir = files_to or session.user_name
        if not yes:
            _require_agreement(invocation, before, heir)
        return before, await remove(session, name, files_to), heir

    before, user, heir = invocation.talk(ask)
    console = invocation.console
    if console.json:
        console.document({**user_document(user), "files": before.files, "files_to": heir})
    console.result(
        f"{shown_name(user.name)} is removed. {_files(before)}; they belong to {shown_name(heir)} now."
    )
    return 0


def _require_agreement(invocation: Invocation, user: User, heir: str) -> None:
    name = shown_name(user.name)
    invocation.asking.require_typed(
        f"Remove {name}? Signed out now, for good. {_files(user)}; they will belong to {shown_name(heir)}.",
        expected=user.name,
        otherwise="Nobody was removed.",
    )


def _files(user: User) -> str:
    files = "The one file stays" if user.files == 1 else f"The {count_text(user.files)} files stay"
    return f"{files}, signed by {shown_name(user.name)}"
