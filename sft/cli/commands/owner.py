"""`sft owner`: hand files and folders over to somebody else, who alone may change them then, beside admins.

Rules. A named file is never asked about. A folder, which goes with all in it, and a pattern are, on a terminal; elsewhere
``--yes`` has to be given: only the new owner or an admin hands anything back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from sft.cli.batch import Batch
from sft.cli.completing import paths
from sft.cli.completing import people as people_there
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, owner_document
from sft.cli.options import common
from sft.client.api.files import change_owner, show_file
from sft.client.api.tree import find, has_pattern
from sft.client.session import Session
from sft.errors import NotFoundError, UsageError
from sft.model.names import parse_path
from sft.model.records import OwnerChange
from sft.model.text import counted, shown_name

_EMPTY: Final = dict.fromkeys(("owner", "before", "files", "folders", "changed"), None)


@click.command("owner")
@click.argument("owner", metavar="USER", shell_complete=people_there)
@click.argument("names", nargs=-1, required=True, metavar="PATH...", shell_complete=paths)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def command(invocation: Invocation, owner: str, names: tuple[str, ...], *, yes: bool) -> int:
    """Hand over files, folders with all in them, or what fits a pattern: USER may change them then, you no more."""
    if any(not name.strip("/") for name in names):
        raise UsageError(problem="The whole server cannot be handed over", remedy="Name folders: sft ls lists them")
    several = Batch(invocation, names, "Not handed over", _EMPTY)

    async def all_of_them(session: Session) -> None:
        targets: list[str] = []
        for name in names:
            targets.extend(await _targets(invocation, session, name, owner, yes=yes))
        await several.over(session, targets, one)

    async def one(session: Session, name: str) -> tuple[str, Document]:
        change = await change_owner(session, parse_path(name), owner)
        return said(change), owner_document(change)

    invocation.talk(all_of_them)
    return several.finish()


async def _targets(invocation: Invocation, session: Session, name: str, owner: str, *, yes: bool) -> Sequence[str]:
    """Settle what a name means; asks if it means more than one file."""
    if has_pattern(name):
        paths = [file.path for file in (await find(session, name)).files]
        if not paths:
            raise NotFoundError(what="file like", name=name)
        _require_agreement(invocation, f"{shown_name(name)}, {counted(len(paths), 'file')},", owner, yes=yes)
        return paths
    try:
        await show_file(session, parse_path(name))
    except NotFoundError:
        _require_agreement(
            invocation, f"{shown_name(name)} and all in it", owner, yes=yes
        )  # or nothing: the server says so
    return [name]


def _require_agreement(invocation: Invocation, what: str, owner: str, *, yes: bool) -> None:
    if yes:
        return
    if not invocation.prompts.possible:
        raise UsageError(
            problem="Handing over a folder or a pattern needs a yes, and there is no terminal to ask on",
            remedy="Add --yes",
        )
    invocation.prompts.require_agreement(
        f"Hand {what} over to {shown_name(owner)}? Then only they and admins can change it, or hand it back.",
        otherwise="Nothing was handed over.",
    )


def said(change: OwnerChange) -> str:
    """Say what was handed over."""
    path, owner = shown_name(change.path), shown_name(change.owner)
    if not change.changed:
        return f"{path} is {owner}'s already."
    if not change.folders:
        return f"{path} is {owner}'s now (was {shown_name(change.before)}'s)."
    inside = f", and so is what is in it: {counted(change.files, 'file')}" if change.files else ""
    more = f", {counted(change.folders - 1, 'folder')}" if change.files and change.folders > 1 else ""
    return f"{path} is {owner}'s now (was {shown_name(change.before)}'s){inside}{more}."
