"""`sft mkdir`: make folders; one that is there already is no fault."""

from __future__ import annotations

import click

from sft.cli.batch import Batch
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.cli.options import common, pass_invocation
from sft.client.api.files import make_folder
from sft.client.session import Session
from sft.model.names import parse_path
from sft.model.text import shown_name


@click.command("mkdir")
@click.argument("folders", nargs=-1, required=True)
@common
@pass_invocation
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

    return Batch(invocation, folders, "Not made").run(make)
