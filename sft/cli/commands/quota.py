"""`sft quota`: how much somebody may own, and what of it is taken; `sft quota set` changes it.

Rules. Whoever stores learns of a quota when something does not fit; here it can be seen before. A name in the place of a
command is that of whom is meant: somebody who is called set is shown by `sft quota show set`.
"""

from __future__ import annotations

import click

from sft.cli.completing import people as people_there
from sft.cli.invocation import Invocation
from sft.cli.limit_type import BYTES, BYTES_ABOUT, FILES, FILES_ABOUT
from sft.cli.options import common
from sft.cli.quota_output import show_changed_quota, show_quota
from sft.client.api import people
from sft.client.session import Session
from sft.errors import UsageError
from sft.model.quotas import parse_limit
from sft.model.records import User
from sft.model.text import shell_name

_SHOW = "show"


class _QuotaGroup(click.Group):
    """Its commands; any other word is somebody's name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_command = args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if is_command else [_SHOW, *args])


@click.group("quota", cls=_QuotaGroup, invoke_without_command=True, subcommand_metavar="[NAME] | set NAME ...")
@common
@click.pass_context
def command(context: click.Context, invocation: Invocation) -> int:
    """Show how much you, or somebody, may own and what of it is taken."""
    return 0 if context.invoked_subcommand is not None else _shown(invocation, "")


@command.command(_SHOW)
@click.argument("name", shell_complete=people_there)
@common
def show_command(invocation: Invocation, name: str) -> int:
    """Show how much somebody may own and what of it is taken."""
    return _shown(invocation, name)


@command.command("set")
@click.argument("name", shell_complete=people_there)
@click.option("--bytes", "size_bytes", type=BYTES, metavar="SIZE", help=BYTES_ABOUT)
@click.option("--files", type=FILES, metavar="N", help=FILES_ABOUT)
@common
def set_command(invocation: Invocation, name: str, size_bytes: str | None, files: str | None) -> int:
    """Say how much somebody may own; what is not named stays as it is."""
    if size_bytes is None and files is None:
        raise UsageError(
            problem="Nothing was said of how much", remedy=f"sft quota set {shell_name(name)} --bytes SIZE --files N"
        )

    async def change(session: Session) -> User:
        before = await people.show_quota(session, name)
        return await people.change_quota(
            session,
            name,
            before.set_bytes if size_bytes is None else parse_limit(size_bytes),
            before.set_files if files is None else parse_limit(files),
        )

    show_changed_quota(invocation.console, invocation.talk(change))
    return 0


def _shown(invocation: Invocation, name: str) -> int:
    show_quota(invocation.console, invocation.talk(lambda session: people.show_quota(session, name)))
    return 0
