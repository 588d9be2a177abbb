"""`sft restore`: deleted files and folders back, or an old content of a file back as its newest version."""

from __future__ import annotations

from pathlib import Path

import click

from sft.cli.batch import Batch
from sft.cli.completing import deleted
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, restored_document
from sft.cli.options import common
from sft.cli.trashed import Trash
from sft.client.api.files import show_file
from sft.client.api.trash import restore
from sft.client.api.tree import has_pattern
from sft.client.session import Session
from sft.client.transfers.older_version import bring_version_back
from sft.client.transfers.progress import TransferStage
from sft.errors import UsageError
from sft.model.names import parse_path
from sft.model.records import File, TrashSeen
from sft.model.text import counted, shown_name


@click.command("restore")
@click.argument("names", nargs=-1, required=True, shell_complete=deleted)
@click.option(
    "--version",
    type=click.IntRange(min=1),
    metavar="N",
    help="Make the content of version N of one file its newest again, signed by you.",
)
@common
def command(invocation: Invocation, names: tuple[str, ...], version: int | None) -> int:
    """Bring back deleted files and folders, or one thing out of a folder (sft ls --trash lists what there is)."""
    several = Batch(invocation, names, "Not restored", dict.fromkeys(("files", "folders", "file")))
    if version is not None:
        if len(names) > 1 or has_pattern(names[0]):
            raise UsageError(problem="--version is for one file", remedy="Name that file")
        return several.run(lambda session, name: _bring_version_back(session, name, version))

    async def bring_back(session: Session, path: str, seen: TrashSeen) -> tuple[str, Document]:
        restored = await restore(session, path, seen)
        if isinstance(restored, File):
            shown, said = shown_name(restored.path), f"version {restored.version.number}, signature unchanged"
        else:
            shown = shown_name(f"{restored.path}/")
            said = f"{counted(restored.files, 'file')} in it, unchanged"
        return f"{shown} is back: {said}", restored_document(restored)

    invocation.talk(lambda session: Trash(session).over(several, names, bring_back))
    return several.finish()


async def _bring_version_back(session: Session, name: str, number: int) -> tuple[str, Document]:
    from tempfile import TemporaryDirectory

    path = parse_path(name)
    with TemporaryDirectory(prefix="sft-") as folder:
        result = await bring_version_back(session, path, number, within=Path(folder))
    file = await show_file(session, path)
    said = f"version {number} is the newest again, as version {file.version.number}, signed by you"
    if result.stage is TransferStage.UNCHANGED:
        said = f"version {file.version.number} has the content of version {number} already"
    return f"{shown_name(path)}: {said}", restored_document(file)
