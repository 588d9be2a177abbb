"""`sft restore`: bring deleted files back, with their versions and signatures."""

from __future__ import annotations

import click

from sft.cli.batch import Batch
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, file_document
from sft.cli.options import common, pass_invocation
from sft.client.api.files import restore
from sft.client.session import Session
from sft.model.names import parse_path
from sft.model.text import shown_name


@click.command("restore")
@click.argument("names", nargs=-1, required=True)
@common
@pass_invocation
def command(invocation: Invocation, names: tuple[str, ...]) -> int:
    """Bring back the files that were last deleted from these paths (sft ls --trash lists them)."""

    async def bring_back(session: Session, name: str) -> tuple[str, Document]:
        file = await restore(session, parse_path(name))
        said = (
            f"{shown_name(file.path)} is back: version {file.version.number}, signature unchanged"
        )
        return said, file_document(file, "signed")

    return Batch(invocation, names, "Not restored").run(bring_back)
