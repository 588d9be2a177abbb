"""`sft users`, `role`, `disable`, `enable`, `remove`: the people of the server; a change holds at once, in live sessions too.

Rules. A removal cannot be undone: on a terminal the name has to be typed, elsewhere ``--yes`` has to be given. The files stay,
signed by whoever stored them, and get another owner.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from sft.cli.completing import files_here
from sft.cli.completing import people as people_there
from sft.cli.invocation import Invocation
from sft.cli.json_output import user_document
from sft.cli.leavers import (
    AGREED,
    STANDARD_INPUT,
    Leaver,
    disable_all,
    heirs_of,
    preview,
    read_names,
    remove_all,
    require_one,
    show_leavers,
    tell_on,
)
from sft.cli.options import common
from sft.cli.people_output import (
    files_of,
    over_quota,
    removed_before,
    show_disabled,
    show_enabled,
    show_removed,
    show_role,
    show_users,
)
from sft.cli.role_argument import RoleType, require_role
from sft.client.api import people
from sft.client.session import Session
from sft.errors import SftError, UsageError
from sft.model.access import Role
from sft.model.records import User, UserState
from sft.model.text import shell_name, shown_name


@click.command("users")
@common
def users_command(invocation: Invocation) -> int:
    """List the people of the server: role, state, files and the words of their keys."""
    show_users(invocation.console, invocation.talk(people.list_users))
    return 0


@click.command("role")
@click.argument("name", shell_complete=people_there)
@click.argument("role", required=False, metavar="ROLE", type=RoleType(), callback=require_role)
@common
def role_command(invocation: Invocation, name: str, role: str) -> int:
    """Give somebody another role: admin, maintainer or guest."""
    user, before = invocation.talk(lambda session: people.change_role(session, name, Role(role)))
    show_role(invocation.console, user, before)
    return 0


@click.command("disable")
@click.argument("name", required=False, shell_complete=people_there)
@click.option(
    "--from-file", "listed", metavar="FILE", shell_complete=files_here, help="Everybody whom a list names, one a line."
)
@common
def disable_command(invocation: Invocation, name: str | None, listed: str | None) -> int:
    """Lock somebody out, keeping everything; sft enable lets them in again."""
    require_one(name, listed)
    if listed is not None:
        names = read_names(listed, invocation.environment.stdin)
        tell = tell_on(invocation.console)
        leavers = invocation.talk(lambda session: disable_all(session, names, tell, by=session.user_name))
        return show_leavers(invocation.console, leavers, "Not disabled", now=invocation.now, steps=invocation.steps)
    user = invocation.talk(lambda session: people.disable(session, name or ""))
    show_disabled(invocation.console, user, back=f"sft enable {shell_name(user.name)}")
    return 0


@click.command("enable")
@click.argument("name", shell_complete=people_there)
@common
def enable_command(invocation: Invocation, name: str) -> int:
    """Let a disabled person in again, with the same key and role."""
    user = invocation.talk(lambda session: people.enable(session, name))
    show_enabled(invocation.console, user)
    return 0


@click.command("remove")
@click.argument("name", required=False, shell_complete=people_there)
@click.option(
    "--from-file", "listed", metavar="FILE", shell_complete=files_here, help="Everybody whom a list names, one a line."
)
@click.option(
    "--files-to",
    metavar="USER",
    shell_complete=people_there,
    default="",
    help="Who owns the files then; you, unless told.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def remove_command(invocation: Invocation, name: str | None, listed: str | None, files_to: str, *, yes: bool) -> int:
    """Remove somebody for good."""
    require_one(name, listed)
    if not yes and (listed == STANDARD_INPUT or not invocation.prompts.possible):
        who = shell_name(name) if name is not None else f"--from-file {shell_name(listed or '')}"
        files = f" --files-to {shell_name(files_to)}" if files_to else ""
        raise UsageError(
            problem="A removal cannot be undone, and there is no terminal to ask on",
            remedy=f"sft remove {who}{files} --yes",
        )
    if name is None:
        return _remove_listed(invocation, listed or "", files_to, yes=yes)

    async def ask(session: Session) -> tuple[User, User, User | None]:
        before = await people.show_user(session, name)
        heir = files_to or session.user_name
        if before.state is UserState.REMOVED:
            return before, before, None
        if not yes:
            _require_agreement(invocation, before, heir)
        removed = await people.remove(session, name, files_to)
        return before, removed.user, await people.show_user(session, removed.files_to or heir)

    before, user, heir = invocation.talk(ask)
    if heir is None:
        invocation.console.show({**user_document(user), "files": 0, "files_to": None}, removed_before(user))
        return 0
    show_removed(invocation.console, user, before, heir.name)
    over_quota(invocation.console, heir, command=f"sft quota set {shell_name(heir.name)} --bytes SIZE")
    return 0


def _remove_listed(invocation: Invocation, listed: str, files_to: str, *, yes: bool) -> int:
    names = read_names(listed, invocation.environment.stdin)

    def agree(found: Sequence[User | SftError], heir: str) -> None:
        if not yes:
            *before, question = preview(found, heir)
            for line in before:
                invocation.console.warn(line)
            invocation.prompts.require_typed(question, expected=AGREED, otherwise="Nobody was removed.")

    async def remove(session: Session) -> tuple[list[Leaver], list[User]]:
        tell = tell_on(invocation.console)
        leavers = await remove_all(session, names, files_to, tell, agree=agree, by=session.user_name)
        return leavers, await heirs_of(session, leavers)

    leavers, heirs = invocation.talk(remove)
    for heir in heirs:
        over_quota(invocation.console, heir, command=f"sft quota set {shell_name(heir.name)} --bytes SIZE")
    return show_leavers(invocation.console, leavers, "Not removed", now=invocation.now, steps=invocation.steps)


def _require_agreement(invocation: Invocation, user: User, heir: str) -> None:
    name = shown_name(user.name)
    invocation.prompts.require_typed(
        f"Remove {name}? Signed out now, for good. {files_of(user, heir, 'will belong')}",
        expected=user.name,
        otherwise="Nobody was removed.",
    )
