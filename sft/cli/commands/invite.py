"""`sft invite`: make an invitation; list and withdraw those there are.

Rules. The link is a secret: it is alone on standard output, or in a file that only its owner reads; what goes with it stands on
standard error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import click

from sft.cli.completing import invitations
from sft.cli.invocation import Invocation
from sft.cli.meant import MeantError, name_before_user
from sft.cli.options import common
from sft.cli.people_output import show_invitations, show_new_invitation
from sft.client.api import people
from sft.client.session import Session
from sft.errors import LocalExistsError, LocalFileError
from sft.model.access import Role
from sft.model.links import InvitationLink, is_loopback
from sft.model.names import parse_user_name, safe
from sft.model.records import Invitation
from sft.model.text import invitation_seconds


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    return invitation_seconds(value)


class _InviteGroup(click.Group):
    """Its commands; a person's name in their place is one for --user."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        meant = None if name in self.commands else name_before_user(name, args, ctx)
        if meant is not None:
            raise meant
        return super().resolve_command(ctx, args)


@click.group("invite", cls=_InviteGroup, invoke_without_command=True)
@click.option("--user", metavar="NAME", help="For this name alone; they choose one, unless told.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.GUEST.value, show_default=True)
@click.option("--expires", callback=_seconds, default="2d", metavar="2d", help="12h, 2d; 2d unless told.")
@click.option("--write", "write_to", metavar="FILE", help="Write the link into a new file (0600).")
@common
@click.pass_context
def command(
    context: click.Context, invocation: Invocation, user: str | None, role: str, expires: int, write_to: str | None
) -> int:
    """Make an invitation: its link, alone, goes to standard output."""
    if context.invoked_subcommand is not None:
        return 0
    name = None if user is None else parse_user_name(user)

    async def ask(session: Session) -> tuple[InvitationLink, Invitation]:
        return await people.invite(session, role=Role(role), name=name, seconds=expires, head=session.link_head)

    if write_to is None:
        link, made = invocation.talk(ask)
        _show(invocation, link, made, None)
        return 0
    with _new_private_file(write_to) as file:
        link, made = invocation.talk(ask)
        file.write(link.text() + "\n")
    _show(invocation, link, made, write_to)
    return 0


@command.command("list")
@common
def list_command(invocation: Invocation) -> int:
    """List the invitations of the last month."""
    invitations = invocation.talk(people.list_invitations)
    show_invitations(invocation.console, invitations, invocation.now)
    return 0


class _Number(click.IntRange):
    """The number of an invitation; for whom it is tells no two of them apart."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            raise MeantError(f"{value} is no number of an invitation", "See theirs: sft invite list", ctx) from None


@command.command("withdraw")
@click.argument("invitation_id", metavar="ID", shell_complete=invitations, type=_Number(min=1))
@common
def withdraw_command(invocation: Invocation, invitation_id: int) -> int:
    """Make an open invitation void (its number: sft invite list)."""
    changed = invocation.talk(lambda session: people.withdraw(session, invitation_id))
    end = "is withdrawn: nobody joins with it" if changed else "was void already"
    invocation.console.show({"id": invitation_id, "changed": changed}, f"Invitation {invitation_id} {end}.")
    return 0


def _show(invocation: Invocation, link: InvitationLink, made: Invitation, write_to: str | None) -> None:
    console = invocation.console
    show_new_invitation(console, link, made, invocation.now, written_to=write_to)
    if is_loopback(link.host):
        console.note(
            f"The link works on this machine only: the server is reached at {safe(link.address)}. "
            "Its operator can change that: sftd serve --listen 0.0.0.0:PORT --public HOST:PORT"
        )


@contextmanager
def _new_private_file(path: str) -> Iterator[TextIO]:
    """Make a file that only we read, before there is a secret to put in; it goes if the block fails."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        opened = os.open(path, flags, 0o600)
    except FileExistsError:
        raise LocalExistsError(path=path) from None
    except OSError as error:
        raise LocalFileError(
            str(error), path=path, problem="cannot be made", remedy="Name a file in a folder that is yours"
        ) from error
    try:
        os.fchmod(opened, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        os.unlink(path)  # noqa: PTH108 - the path as it was given
        raise
