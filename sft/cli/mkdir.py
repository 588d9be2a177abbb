"""`sft mkdir`: make folders; one that is there already is no fault."""

from __future__ import annotations

import click

from sft.cli.documents import Document
from sft.cli.invocation import Invocation
from sft.cli.options import common, here
from sft.cli.several import Several
from sft.client.files import make_folder
from sft.client.session import Session
from sft.model.names import parse_path
from sft.model.wording import shown_name


@click.command("mkdir")
@click.argument("folders", nargs=-1, required=True)
@common
@here
def command(invocation: Invocation, folders: tuple[str, ...]) -> int:
    """Make folders on the server, and those above them that are missing."""

    async def make(session: Session, name: str) -> tuple[str, Document]:
        path = parse_path(name)
        made = await make_folder(session, path)
        said = (
            f"made {shown_name(path + '/')}"
            if made
            else f"{shown_name(path + '/')} is there already"
        )
        return said, {"path": path, "made": made}

    return Several(invocation, folders, "Not made").run(make)
